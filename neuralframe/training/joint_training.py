"""Trainings side by side: what they ask of the engine at the same time is one job."""

from __future__ import annotations

import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from neuralframe.data.blocks import Blocks, Samples
from neuralframe.mapreduce.engine import Engine
from neuralframe.mapreduce.joint_job import JointJob
from neuralframe.training.rendezvous import Rendezvous

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from neuralframe.data.blocks import BlockSource
    from neuralframe.mapreduce.job import Job
    from neuralframe.mapreduce.joint_job import Runs

T = TypeVar("T")


def train_together(engine: Engine, trainings: Sequence[Callable[[Engine], T]]) -> list[T]:
    """Run trainings side by side, each over data of its own, with one job where each would have had one.

    Parameters
    ----------
    engine : Engine
        Where the jobs run.
    trainings : sequence of callables
        Each is called, in a thread of its own, with the engine that it is to use, and may train whatever it
        likes there. What it computes is what it would have computed by itself: the same bits where its data
        are one block, and up to the rounding of sums over blocks where they are several.

    Returns
    -------
    list
        What each returned.

    If one of them fails, the others end at their next job, and what it raised is raised here.

    """
    table = _Table(engine)
    meeting = Rendezvous(table.answer, len(trainings))

    def take_part(number: int, training: Callable[[Engine], T]) -> T:
        try:
            return training(_Seat(engine, meeting, number))
        finally:
            meeting.leave()

    futures: list[Future[T]] = []
    with engine, ThreadPoolExecutor(len(trainings), thread_name_prefix="training") as pool:
        try:
            for number, training in enumerate(trainings):
                futures.append(pool.submit(take_part, number, training))
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                table.closed.set()
        except BaseException:  # Ctrl-C: nobody waits for trainings that were never begun
            table.closed.set()
            for _ in trainings[len(futures) :]:
                meeting.leave()
            raise
    _raise_the_cause(futures)
    return [future.result() for future in futures]


class _ClosedError(Exception):
    """Another training failed."""


def _raise_the_cause(futures: list[Future[Any]]) -> None:
    failures = [problem for future in futures if (problem := future.exception()) is not None]
    for problem in failures:
        if not isinstance(problem, _ClosedError):
            raise problem


@attrs.frozen(eq=False)
class _Request:
    job: Job
    blocks: Blocks


class _Seat(Engine):
    """The engine as one training sees it."""

    def __init__(self, engine: Engine, meeting: Rendezvous[_Request, dict[int, Any]], number: int) -> None:
        self.name = engine.name
        self.computes_here = engine.computes_here
        self._meeting = meeting
        self._number = number

    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        return self._meeting.ask(self._number, _Request(job, blocks))


class _Table:
    """Answers requests that came together.

    The blocks of all trainings are joined once, when each asks for its first job, so that an engine that
    ships them does so once. Parts that are the same arrays are joined once, too: the members of an ensemble
    learn from one copy.
    """

    def __init__(self, engine: Engine) -> None:
        self.closed = threading.Event()
        self._engine = engine
        self._known: list[Blocks] = []
        self._joint = Blocks()
        self._starts: dict[Hashable, int] = {}

    def answer(self, requests: list[_Request]) -> list[dict[int, Any]]:
        if self.closed.is_set():
            raise _ClosedError
        unknown = [request.blocks for request in requests if not self._knows(request.blocks)]
        if unknown:
            self._join([*self._known, *unknown])
        job = JointJob(
            tuple(request.job for request in requests),
            tuple(self._runs(request.blocks) for request in requests),
        )
        found = self._engine.run(job, self._joint)
        return [job.of_job(index, found) for index in range(len(requests))]

    def _knows(self, blocks: Blocks) -> bool:
        return any(one is blocks for one in self._known)

    def _join(self, all_blocks: list[Blocks]) -> None:
        parts = {_identity(part): part for blocks in all_blocks for part in blocks.parts}
        self._known = all_blocks
        self._joint = Blocks(*parts.values())
        self._starts = dict(zip(parts, self._joint.starts, strict=True))

    def _runs(self, blocks: Blocks) -> Runs:
        return tuple((self._starts[_identity(part)], part.n_blocks) for part in blocks.parts)


def _identity(part: BlockSource) -> Hashable:
    """Return what two parts have in common only if their blocks are the same."""
    if not isinstance(part, Samples):
        return id(part)
    return id(part.inputs), id(part.targets), id(part.sample_weights), part.block_size, part.part
