"""Memory that notices when threads touch the same place with nothing between them that orders them."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np


class RaceError(AssertionError):
    """Two threads touched the same element, one of them writing, and neither waited for the other."""


@attrs.define
class Clock:
    """Who runs now, and how often it has waited for its block and for its warp."""

    block: int = -1
    thread: int = 0
    warp: int = 0
    block_time: int = 0
    warp_time: int = 0

    def orders(self, earlier: tuple[int, int, int, int, int]) -> bool:
        """Whether what happened `earlier` is seen by now."""
        block, thread, warp, block_time, warp_time = earlier
        if block != self.block:
            return False
        same_warp = warp == self.warp and warp_time < self.warp_time
        return thread == self.thread or block_time < self.block_time or same_warp

    def now(self) -> tuple[int, int, int, int, int]:
        return (self.block, self.thread, self.warp, self.block_time, self.warp_time)


class Watched:
    """An array whose every access is checked: inside its bounds, and ordered against the other threads'.

    Blocks are not ordered among each other. What one block reads of another's results is up to tickets and
    fences, which only the kernel's author can judge; two blocks that write to one element are a race.
    """

    def __init__(self, values: Any, clock: Clock, name: str) -> None:
        self.values = values
        self.shape, self.size, self.dtype, self.ndim = values.shape, values.size, values.dtype, values.ndim
        self._clock = clock
        self._name = name
        self._writes = np.full(values.shape, None)
        self._reads = np.full(values.shape, None)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        if _is_partial(index, self.ndim):
            return self._part(index)
        write = self._look(index)
        if write is not None and write[0] == self._clock.block and not self._clock.orders(write):
            self._fail("reads", index, write)
        reads = self._reads[index]
        if reads is None:
            reads = self._reads[index] = {}
        reads[self._clock.block, self._clock.thread] = self._clock.now()
        return self.values[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        write = self._look(index)
        if write is not None and not self._clock.orders(write):
            self._fail("writes", index, write)
        for read in (self._reads[index] or {}).values():
            if read[0] == self._clock.block and not self._clock.orders(read):
                self._fail("writes", index, read)
        self._writes[index], self._reads[index] = self._clock.now(), None
        self.values[index] = value

    def _look(self, index: Any) -> Any:
        if any(place < 0 for place in (index if isinstance(index, tuple) else (index,))):
            raise IndexError(f"{self._name}[{index}]")
        return self._writes[index]

    def _part(self, index: Any) -> Watched:
        part = object.__new__(Watched)
        vars(part).update(vars(self))
        part.values, part._writes, part._reads = self.values[index], self._writes[index], self._reads[index]
        part.shape, part.size, part.ndim = part.values.shape, part.values.size, part.values.ndim
        return part

    def _fail(self, does: str, index: Any, earlier: tuple[int, int, int, int, int]) -> None:
        clock = self._clock
        raise RaceError(
            f"thread {clock.thread} of block {clock.block} {does} {self._name}[{index}], which thread "
            f"{earlier[1]} of block {earlier[0]} has touched; no barrier lies between them"
        )


def _is_partial(index: Any, ndim: int) -> bool:
    if isinstance(index, tuple):
        return len(index) < ndim or any(isinstance(place, slice) for place in index)
    return isinstance(index, slice) or ndim > 1
