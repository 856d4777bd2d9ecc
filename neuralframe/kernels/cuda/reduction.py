"""How blocks of threads add up what they found, in one launch and in one order.

Each block writes a row of sums. Whoever is last, which a ticket tells, adds the rows in the order of the
chunks, in float64. No floating-point atomics: the same numbers come out, whichever block is last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import float64, int32, uint64

from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

WARP = 32
"""Threads that run in step."""

ALL_LANES = 0xFFFFFFFF
"""The mask of a shuffle that a whole warp takes part in."""


def lane_sum(first: int, end: int) -> Callable[[Any], Any]:
    """Return a device function: the sum over lanes whose numbers differ in the bits from `first` to `end`.

    With (1, T) it adds over groups of T neighbours; with (T, 32) over the lanes in the same place of each
    group of the warp. Both are powers of two. Every lane gets the sum, and all of them the same bits.
    """

    def total(value: Any) -> Any:
        distance = first
        while distance < end:
            value += cuda.shfl_xor_sync(ALL_LANES, value, distance)
            distance *= 2
        return value

    return total


def row_sum(row_length: int, n_threads: int) -> Callable[[Any, Any, Any], None]:
    """Return a device function that every thread of a grid (chunks, vectors) calls at its end.

    Parameters
    ----------
    row_length : int
        Numbers in a row.
    n_threads : int
        Threads in a block.

    Returns
    -------
    callable
        ``add_rows(rows, sums, tickets)``: rows, float64, has a row for each chunk of the first vector, then
        those of the second, and so on; this block has written its own. Sums, float64, gets a row for each
        vector. Tickets, int32, is 0 for each vector before, and again after.

    """

    def add_rows(rows: Any, sums: Any, tickets: Any) -> None:
        thread, vector, n_chunks = uint64(cuda.threadIdx.x), uint64(cuda.blockIdx.y), uint64(cuda.gridDim.x)
        taken = cuda.shared.array(1, int32)
        cuda.threadfence()  # the row is seen by all before the ticket is taken
        cuda.syncthreads()
        if thread == uint64(0):
            taken[0] = cuda.atomic.add(tickets, vector, 1)
        cuda.syncthreads()
        if uint64(taken[0]) + uint64(1) == n_chunks:
            cuda.threadfence()  # nothing is read before the ticket was taken
            for place in range(thread, uint64(row_length), uint64(n_threads)):
                total = float64(0)
                for chunk in range(n_chunks):
                    total += rows[(vector * n_chunks + chunk) * uint64(row_length) + place]
                sums[vector * uint64(row_length) + place] = total
            if thread == uint64(0):
                tickets[vector] = 0

    return add_rows


def error_adder(n_lanes: int, n_threads: int) -> Callable[[Any, Any, Any], None]:
    """Return ``add(error, rows, at)``: puts the sum of a block's errors at a place of the rows.

    Every thread brings its error, float64; of each group of lanes, which share samples, one error counts.
    """
    n_warps = n_threads // WARP
    over_groups = lane_sum(n_lanes, WARP)

    def add(error: Any, rows: Any, at: Any) -> None:
        parts = cuda.shared.array(n_warps, float64)
        thread = uint64(cuda.threadIdx.x)
        part = over_groups(error)
        if thread % uint64(WARP) == uint64(0):
            parts[thread // uint64(WARP)] = part
        cuda.syncthreads()
        if thread == uint64(0):
            total = float64(0)
            for number in range(n_warps):
                total += parts[number]
            rows[at] = total

    return add
