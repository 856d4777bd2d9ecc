"""How the threads of a block add up numbers of theirs, always in the same order, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable


def block_sum(n_threads: int) -> Callable[[Any, Any, Any], None]:
    """Return a device function ``add(value, rows, at)``: the sum over the first threads goes there."""

    def add(value: Any, rows: Any, at: Any) -> None:
        parts, thread = cuda.shared.array(n_threads, float64), uint64(cuda.threadIdx.x)
        if thread < uint64(n_threads):
            parts[thread] = value
        cuda.syncthreads()
        if thread == uint64(0):
            total = float64(0)
            for k in range(n_threads):
                total += parts[uint64(k)]
            rows[at] = total

    return add


def column_sum(n_threads: int, n_columns: int) -> Callable[[Any, Any, Any], None]:
    """Return a device function ``add(value, rows, at)``: a sum for each column, from there on.

    A thread's column is its number modulo `n_columns`, which divides the number of threads.
    """
    n_each = n_threads // n_columns

    def add(value: Any, rows: Any, at: Any) -> None:
        parts, thread = cuda.shared.array(n_threads, float64), uint64(cuda.threadIdx.x)
        parts[thread] = value
        cuda.syncthreads()
        if thread < uint64(n_columns):
            total = float64(0)
            for k in range(n_each):
                total += parts[uint64(k * n_columns) + thread]
            rows[at + thread] = total

    return add
