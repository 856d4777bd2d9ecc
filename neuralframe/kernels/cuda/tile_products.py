"""Products of weights with the rows of a tile, as device functions: a thread has patches of the result."""

# ruff: noqa: PLR0917 - device functions know no keywords

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import uint64

from neuralframe.kernels.cuda.shim import cuda
from neuralframe.kernels.cuda.tile_plan import N_THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.tile_plan import Patch, TilePlan

    Step = Callable[..., Any]


def tile_product(patch: Patch, plan: TilePlan, shape: tuple[int, int], finish: Step, real: type) -> Step:
    """Return a matrix product over the tile, patch by patch: a thread's numbers of each go to `finish`.

    ``product(w, base, a, scales, start, row_step, term_step, sources)``: the matrix, of the given shape,
    starts at `start`, with `row_step` from row to row and `term_step` from column to column; it is multiplied
    by the rows of `a` from `sources`.
    """
    (n_rows, n_terms), rows_each, samples_each = shape, patch.n_rows, patch.n_samples
    stride, n_columns, last_row = plan.stride, plan.n_samples // samples_each, n_rows - 1
    n_patches, size, zero = -(-n_rows // rows_each) * n_columns, rows_each * samples_each, real(0)
    add_term = _term_adder(patch, last_row)

    def product(
        w: Any, base: Any, a: Any, scales: Any, start: Any, row_step: Any, term_step: Any, sources: Any
    ) -> None:
        totals = cuda.local.array(size, real)
        values = cuda.local.array(samples_each, real)
        for number in range(uint64(cuda.threadIdx.x), uint64(n_patches), uint64(N_THREADS)):
            first_row, column = number // uint64(n_columns) * uint64(rows_each), number % uint64(n_columns)
            for k in range(size):
                totals[k] = zero
            for term in range(uint64(n_terms)):
                for k in range(samples_each):
                    values[k] = a[(sources + term) * uint64(stride) + column + uint64(k * n_columns)]
                add_term(totals, values, w, base + start + term * term_step, row_step, first_row)
            for k in range(size):
                row, sample = (
                    first_row + uint64(k // samples_each),
                    column + uint64(k % samples_each * n_columns),
                )
                if row <= uint64(last_row):
                    finish(w, base, a, scales, row, sample, totals[k])

    return product


def _term_adder(patch: Patch, last_row: int) -> Step:
    """Return ``add(totals, values, w, start, row_step, first_row)``: one column of the matrix times a row."""
    rows_each, samples_each = patch.n_rows, patch.n_samples

    def add(totals: Any, values: Any, w: Any, start: Any, row_step: Any, first_row: Any) -> None:
        for r in range(rows_each):
            row = min(first_row + uint64(r), uint64(last_row))  # there are no more: computed in vain
            weight = w[start + row * row_step]
            for k in range(samples_each):
                totals[r * samples_each + k] += weight * values[k]

    return add
