"""The in-process engine: blocks over a pool of threads. The embedded default."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from neuralframe.core.validation import whole
from neuralframe.mapreduce.job import results_of
from neuralframe.mapreduce.pace import Pace
from neuralframe.mapreduce.partial_sum import PartialSum
from neuralframe.mapreduce.shared_engine import SharedEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from concurrent.futures import Future

    from neuralframe.data.blocks import Blocks
    from neuralframe.mapreduce.job import Job

PARTS_PER_WORKER = 16
"""Parts of the work for each worker, so that one slowed by a neighbour holds up the others by little."""


class InProcessEngine(SharedEngine):
    """Maps blocks on threads of this process; never opens a port, a file or a process.

    numpy's arithmetic releases the interpreter lock, so threads work side by side without copies. Where the
    network is so narrow that threads would only wait for the interpreter, one thread maps all blocks; see
    `neuralframe.mapreduce.pace`.

    Parameters
    ----------
    workers : int, optional
        Number of threads; by default the number of processors this process may use.

    Raises
    ------
    ParameterError
        If `workers` is less than 1.

    """

    name = "threads"
    computes_here = True

    def __init__(self, workers: int | None = None) -> None:
        super().__init__()
        if workers is None:
            workers = usable_processors()
        self.workers = whole(workers, "InProcessEngine: workers")
        self._pool: ThreadPoolExecutor | None = None
        self._paces: defaultdict[Hashable, Pace] = defaultdict(Pace)

    def parameters(self) -> dict[str, Any]:
        return {"workers": self.workers}

    def _start(self) -> None:
        """Do nothing yet: the pool is made when threads are worth it."""

    def _stop(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        with self:
            total = self._sum(job, blocks).total(len(blocks))
        return results_of(job, total)

    def here(self, kind: Hashable, blocks: Blocks) -> Pace | None:
        if type(self).run is not InProcessEngine.run:  # a class of the user's own sees every job
            return None
        if not self._openings:  # BLAS may have many threads, and other bits
            return None
        pace = self._paces[kind]
        return pace if self.workers == 1 or pace.is_too_small(len(blocks)) else None

    def _sum(self, job: Job, blocks: Blocks) -> PartialSum:
        """Map the blocks here or in the pool, whichever is faster for jobs of this kind."""
        pace = self._paces[job.kind]
        partial, left = PartialSum(job.combine), range(len(blocks))
        if pace.block_seconds is None:
            # Nothing is known yet: the first block tells how long the others will take.
            partial, left = self._sum_here(job, blocks, left[:1], pace), left[1:]
        if self.workers > 1 and pace.is_worth_sharing(len(left)):
            started = time.perf_counter()
            total = self._sum_in_pool(job, blocks, left, partial)
            pace.mapped_together(len(left), time.perf_counter() - started, self.workers)
            return total
        return partial.merge(self._sum_here(job, blocks, left, pace))

    def _sum_here(self, job: Job, blocks: Blocks, numbers: range, pace: Pace) -> PartialSum:
        started = time.perf_counter()
        partial = map_blocks(job, blocks, numbers)
        pace.mapped_alone(len(numbers), time.perf_counter() - started)
        return partial

    def _sum_in_pool(self, job: Job, blocks: Blocks, left: range, partial: PartialSum) -> PartialSum:
        """Map blocks here and in the pool: whoever is free takes the next part, so that nobody waits long."""
        waiting, merging = deque(self.parts(left)), threading.Lock()

        def work() -> None:
            try:
                for part in _taken_from(waiting):
                    sums = map_blocks(job, blocks, part)
                    with merging:
                        partial.merge(sums)
            except BaseException:  # a failure, or Ctrl-C: what has not begun need not begin
                waiting.clear()
                raise

        helpers = self._submit(work, min(self.workers, len(waiting)) - 1)
        work()
        for helper in helpers:
            if not helper.cancel():  # one that has not begun finds nothing left to do
                helper.result()
        return partial

    def _submit(self, work: Callable[[], None], times: int) -> list[Future[None]]:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self.workers - 1, thread_name_prefix="neuralframe")
            return [self._pool.submit(work) for _ in range(times)]

    def parts(self, numbers: range) -> list[range]:
        """Cut a range of blocks into the parts that threads map, each within one dyadic range."""
        wanted = max(1, len(numbers) // (self.workers * PARTS_PER_WORKER))
        length = 1 << (wanted.bit_length() - 1)
        starts = [numbers.start, *range(-(-numbers.start // length) * length, numbers.stop, length)]
        edges = [*dict.fromkeys(starts), numbers.stop]
        return [range(first, last) for first, last in pairwise(edges)]


def usable_processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _taken_from(waiting: deque[range]) -> Iterator[range]:
    """Yield what is waiting, which threads share, until nothing is left."""
    with suppress(IndexError):
        while True:
            yield waiting.popleft()


def map_blocks(job: Job, blocks: Blocks, numbers: Iterable[int]) -> PartialSum:
    """Return the sums over the given blocks."""
    partial = PartialSum(job.combine)
    for number in numbers:
        if not job.wants(number):
            partial.add_block(number, {})
            continue
        block = blocks[number]
        try:
            partial.add_block(block.number, job.map(block))
        except Exception as problem:
            problem.add_note(f"while mapping {block.place(len(blocks))}")
            raise
    return partial
