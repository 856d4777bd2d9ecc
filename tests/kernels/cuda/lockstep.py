"""A lockstep emulator: kernels written for `numba.cuda`, run in plain Python without a device.

Every thread of a block is a generator that is resumed until it waits for others. Threads of one warp meet at
shuffles, those of one block at barriers; whoever stands elsewhere makes the launch fail. Shared and local
memory start as NaN, blocks and threads run in an order that a seed shuffles, and sums in floating-point
atomics are refused, for their order is nobody's.
"""

from __future__ import annotations

import threading
from typing import Any

import attrs
import numpy as np

from tests.kernels.cuda.fake_cuda import WARP, Cuda, Dim
from tests.kernels.cuda.rewriting import BARRIERS, rewritten
from tests.kernels.cuda.watched import Clock, Watched


class DivergenceError(AssertionError):
    """Threads that have to meet wait at different places, or some of them have ended."""


@attrs.define(eq=False)
class Thread:
    """One thread: where it is, and what it waits for."""

    position: Dim
    number: int
    steps: Any
    answer: Any = None
    request: Any = None

    def resume(self) -> None:
        try:
            self.request = self.steps.send(self.answer)
        except StopIteration:
            self.request = None
        self.answer = None


class Emulator:
    """Runs one kernel; made once for a kernel, and launched as often as wanted."""

    def __init__(self, kernel: Any) -> None:
        self._cuda = Cuda()
        self._kernel = rewritten(kernel, self._cuda)
        self._clock = Clock()
        self._lock = threading.Lock()

    def launch(
        self, grid: Any, block: Any, args: Any, *, shared_bytes: int = 0, seed: int = 0, watch: bool = False
    ) -> None:
        """Run all blocks.

        Parameters
        ----------
        grid, block : int or tuple of int
            Number of blocks, and of threads in a block.
        args : sequence
            Numpy arrays, changed in place, and numbers.
        shared_bytes : int
            Dynamic shared memory of a block.
        seed : int
            Orders blocks and threads; 0 leaves them in their natural order.
        watch : bool
            Whether to look for races and for indices below 0 at each access; three times slower.

        """
        with self._lock, np.errstate(all="ignore"):
            self._cuda.gridDim, self._cuda.blockDim = Dim.of(grid), Dim.of(block)
            self._clock = Clock()
            guard = self._guard if watch else None
            seen = [_watched(argument, guard, f"argument {i}") for i, argument in enumerate(args)]
            rng = np.random.default_rng(seed) if seed else None
            for position in _shuffled(self._cuda.gridDim.positions(), rng):
                self._cuda.blockIdx = position
                self._clock.block += 1
                self._cuda.shared.begin(shared_bytes, guard)
                self._run_block(seen, rng)

    def _guard(self, values: Any, name: str) -> Watched:
        return Watched(values, self._clock, name)

    def _run_block(self, args: Any, rng: Any) -> None:
        positions = self._cuda.blockDim.positions()
        threads = [Thread(at, number, self._steps(args)) for number, at in enumerate(positions)]
        warps = [threads[start : start + WARP] for start in range(0, len(threads), WARP)]
        while True:
            meetings = [self._run_warp(warp, rng) for warp in _shuffled(warps, rng)]
            if len(set(meetings)) != 1:
                raise DivergenceError(f"the warps of a block wait at different places: {set(meetings)}")
            if meetings[0] is None:
                return
            answer = _vote(meetings[0][0], [thread.request[2:] for thread in threads])
            for thread in threads:
                thread.answer = answer
            self._clock.block_time += 1

    def _steps(self, args: Any) -> Any:
        result = self._kernel(*args)
        if result is not None:
            yield from result

    def _run_warp(self, warp: list[Thread], rng: Any) -> Any:
        """Run a warp to the next barrier; return where that is, or None where the kernel ends."""
        while True:
            for thread in _shuffled(warp, rng):
                self._enter(thread)
                thread.resume()
            places = {thread.request and thread.request[:2] for thread in warp}
            if len(places) != 1:
                raise DivergenceError(f"the threads of a warp wait at different places: {places}")
            (place,) = places
            if place is None or place[0] in BARRIERS:
                return place
            _exchange(place[0], warp)
            self._clock.warp_time += 1

    def _enter(self, thread: Thread) -> None:
        self._cuda.threadIdx, self._cuda.laneid = thread.position, thread.number % WARP
        self._clock.thread, self._clock.warp = thread.number, thread.number // WARP


def launch(kernel: Any, grid: Any, block: Any, *args: Any, **options: Any) -> None:
    """Run a kernel once; see `Emulator.launch`."""
    Emulator(kernel).launch(grid, block, args, **options)


def _watched(argument: Any, guard: Any, name: str) -> Any:
    return argument if guard is None or not isinstance(argument, np.ndarray) else guard(argument, name)


def _shuffled(items: list[Any], rng: Any) -> list[Any]:
    return items if rng is None else [items[i] for i in rng.permutation(len(items))]


def _vote(barrier: str, values: Any) -> Any:
    if barrier == "syncthreads":
        return None
    found = {"syncthreads_and": all, "syncthreads_or": any, "syncthreads_count": sum}[barrier]
    return int(found(bool(value) for (value,) in values))


def _exchange(kind: str, warp: list[Thread]) -> None:
    """Give every lane of a warp what it gets of the others."""
    masks = {thread.request[2] for thread in warp if len(thread.request) > 2}
    if any(mask != 0xFFFFFFFF for mask in masks):
        raise DivergenceError(f"{kind} with the mask {masks}: whole warps meet here")
    values = [thread.request[3] for thread in warp if len(thread.request) > 3]
    for lane, thread in enumerate(warp):
        thread.answer = _ANSWERS[kind](lane, values, *thread.request[4:])


def _from(source: int, values: Any) -> Any:
    """Return what another lane holds; of a lane that does not run, nothing that can be used."""
    return values[source] if source < len(values) else type(values[0])(np.nan)


_ANSWERS: dict[str, Any] = {
    "syncwarp": lambda _lane, _values: None,
    "shfl_sync": lambda _lane, values, source: _from(int(source) % WARP, values),
    "shfl_xor_sync": lambda lane, values, mask: _from(lane ^ int(mask), values),
    "shfl_down_sync": lambda lane, values, by: _from(lane + int(by) if lane + by < WARP else lane, values),
    "shfl_up_sync": lambda lane, values, by: _from(lane - int(by) if lane >= by else lane, values),
    "all_sync": lambda _lane, values: all(values),
    "any_sync": lambda _lane, values: any(values),
    "ballot_sync": lambda _lane, values: sum(1 << lane for lane, value in enumerate(values) if value),
}
