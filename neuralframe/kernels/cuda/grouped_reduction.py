"""How many long rows are added up in one launch, in one order: in groups, and then the groups.

In `reduction.row_sum` one block adds all rows. Where rows are as long as the tile kernel's, and there are
hundreds, that block would work longer than all others before it. So the last block of every group of chunks
adds that group's rows, and the last of these adds what the groups came to. Which rows belong together depends
on their number alone; no floating-point atomics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import float64, int32, uint64

from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP = 16
"""Rows that one block adds: about the square root of the chunks of a large block of samples."""


def n_groups(n_chunks: int) -> int:
    """Return how many groups the rows of so many chunks make."""
    return -(-n_chunks // GROUP)


def grouped_row_sum(row_length: int, n_threads: int) -> Callable[[Any, Any, Any, Any], None]:
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
        ``add_rows(rows, group_rows, sums, tickets)``: rows, float64, has a row for each chunk of the first
        vector, then those of the second, and so on; this block has written its own. Group rows, float64, has
        room for a row for each group of each vector; sums, float64, gets a row for each vector. Tickets,
        int32, has one for each group of each vector and one for the vector, 0 before and again after.

    """
    is_last, add = _last_taker(), _row_adder(row_length, n_threads)

    def add_rows(rows: Any, group_rows: Any, sums: Any, tickets: Any) -> None:
        vector, n_chunks = uint64(cuda.blockIdx.y), uint64(cuda.gridDim.x)
        groups = (n_chunks + uint64(GROUP - 1)) // uint64(GROUP)
        group = uint64(cuda.blockIdx.x) // uint64(GROUP)
        ticket, begin = vector * (groups + uint64(1)), group * uint64(GROUP)
        n_rows = min(uint64(GROUP), n_chunks - begin)
        if is_last(tickets, ticket + group, n_rows):
            add(rows, vector * n_chunks + begin, n_rows, group_rows, vector * groups + group)
            if is_last(tickets, ticket + groups, groups):
                add(group_rows, vector * groups, groups, sums, vector)

    return add_rows


def _last_taker() -> Callable[[Any, Any, Any], Any]:
    """Return ``is_last(tickets, at, n_takers)``, for a whole block; the last one resets the ticket."""

    def is_last(tickets: Any, at: Any, n_takers: Any) -> Any:
        taken = cuda.shared.array(1, int32)
        cuda.threadfence()  # what this block has written is seen by all before it takes the ticket
        cuda.syncthreads()
        if uint64(cuda.threadIdx.x) == uint64(0):
            taken[0] = cuda.atomic.add(tickets, at, 1)
        cuda.syncthreads()
        found = uint64(taken[0]) + uint64(1) == n_takers
        if found:
            cuda.threadfence()  # nothing is read before the ticket was taken
            if uint64(cuda.threadIdx.x) == uint64(0):
                tickets[at] = 0
        return found

    return is_last


def _row_adder(row_length: int, n_threads: int) -> Callable[..., None]:
    """Return ``add(rows, first, n_rows, results, result)``: the sum of some rows becomes a row of results."""

    def add(rows: Any, first: Any, n_rows: Any, results: Any, result: Any) -> None:
        for place in range(uint64(cuda.threadIdx.x), uint64(row_length), uint64(n_threads)):
            total = float64(0)
            for number in range(n_rows):
                total += rows[(first + number) * uint64(row_length) + place]
            results[result * uint64(row_length) + place] = total

    return add
