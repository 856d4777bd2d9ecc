"""Streaming: arrays carried to a device through buffers that it reads by itself, a piece at a time.

A data set larger than the device's memory passes through it block by block in every evaluation, and then the
copy is what takes the time. From memory that is *pinned* a device copies by itself, at the full rate of its
bus; so the processor casts one piece into a pinned buffer while the device reads the piece before out of
another. Nothing else changes: a block's numbers are the same, however it came there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array

PIECE_BYTES = 1 << 25
"""Bytes of a pinned buffer: large beside what starting a copy takes, small beside what may be pinned."""

N_BUFFERS = 2


class Bus(ABC):
    """The way to a device: pinned memory, and copies that go on beside the processor's work.

    Copies belong to a lane, numbered from 0: those of one lane are made one after the other.
    """

    @abstractmethod
    def pinned(self, n_bytes: int) -> Array:
        """Return a buffer, uint8, in the host's memory that the device may read by itself."""

    @abstractmethod
    def empty(self, size: int, dtype: npt.DTypeLike) -> Any:
        """Return an array on the device."""

    @abstractmethod
    def start_copy(self, source: Array, target: Any, lane: int) -> None:
        """Begin to copy a pinned array into (part of) one on the device."""

    @abstractmethod
    def wait(self, lane: int) -> None:
        """Return once every copy of a lane is made."""


class NumbaBus(Bus):
    """The way to the current device of numba-cuda.

    Parameters
    ----------
    cuda : module
        ``numba.cuda``.

    """

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda
        self._streams = [cuda.stream() for _ in range(N_BUFFERS)]

    def pinned(self, n_bytes: int) -> Array:
        buffer: Array = self._cuda.pinned_array(n_bytes, np.uint8)
        return buffer

    def empty(self, size: int, dtype: npt.DTypeLike) -> Any:
        return self._cuda.device_array(size, dtype)

    def start_copy(self, source: Array, target: Any, lane: int) -> None:
        target.copy_to_device(source, stream=self._streams[lane])

    def wait(self, lane: int) -> None:
        self._streams[lane].synchronize()


@attrs.define(eq=False)
class Stream:
    """Carries arrays over a bus, piece by piece, cast on the way.

    Parameters
    ----------
    bus : Bus
    piece_bytes : int
        Bytes of each of the two pinned buffers.

    """

    bus: Bus
    piece_bytes: int = PIECE_BYTES
    _buffers: list[Array] = attrs.field(factory=list, init=False)

    def carry(self, array: Array, dtype: npt.DTypeLike) -> Any:
        """Return a flat copy of an array on the device, row by row, once all of it is there.

        Parameters
        ----------
        array : ndarray
            Of any shape; a memory map is read as it goes.
        dtype : data type
            What its numbers become. One beyond the type's range becomes infinite.

        """
        if not self._buffers:
            self._buffers = [self.bus.pinned(self.piece_bytes) for _ in range(N_BUFFERS)]
        rows = array.reshape(len(array), -1)
        made, n_columns = self.bus.empty(rows.size, dtype), rows.shape[1]
        for number, (first, last, start, stop) in enumerate(
            self._pieces(*rows.shape, np.dtype(dtype).itemsize)
        ):
            lane = number % N_BUFFERS
            self.bus.wait(lane)  # until the device has read what this buffer held before
            piece = self._buffers[lane].view(dtype)[: (last - first) * (stop - start)]
            with np.errstate(over="ignore"):
                np.copyto(piece.reshape(last - first, -1), rows[first:last, start:stop], casting="same_kind")
            begin = first * n_columns + start
            self.bus.start_copy(piece, made[begin : begin + len(piece)], lane)
        for lane in range(N_BUFFERS):
            self.bus.wait(lane)
        return made

    def _pieces(self, n_rows: int, n_columns: int, itemsize: int) -> list[tuple[int, int, int, int]]:
        """Return the rows and columns of each piece: as many whole rows as fit, or parts of one."""
        room = self.piece_bytes // itemsize
        rows_each, columns_each = max(1, room // max(1, n_columns)), min(room, n_columns)
        return [
            (row, min(row + rows_each, n_rows), column, min(column + columns_each, n_columns))
            for row in range(0, n_rows, rows_each)
            for column in range(0, n_columns, max(1, columns_each))
        ]
