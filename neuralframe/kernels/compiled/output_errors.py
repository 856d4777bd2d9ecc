"""The errors of a tile and their derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.kernels.compiled.compiling import compiled, compiled_sum
from neuralframe.kernels.compiled.elementary import exp, log1p
from neuralframe.kernels.compiled.transfers import add_rows, largest
from neuralframe.kernels.compiled.views import rows_from

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector

SQUARES, CATEGORICAL, BINARY = range(3)


@compiled
def squares(output: Array, target: Array, delta: Array, error: Array, n_rows: int, m: int) -> None:
    """Compute half the sum of squares, and its derivative in the outputs."""
    half = error.dtype.type(0.5)
    for row in range(n_rows):
        y, t, d = rows_from(output, row), rows_from(target, row), rows_from(delta, row)
        for j in range(m):
            d[j] = y[j] - t[j]
            error[j] += half * (d[j] * d[j])


@compiled
def categorical(
    output: Array, target: Array, delta: Array, error: Array, spare: Array, n_rows: int, m: int
) -> None:
    """Turn net inputs into softmax, with the cross-entropy of classes and its derivative in the net inputs.

    After the targets of the classes, `target` has a row of their sums.
    """
    one, lowest = output.dtype.type(1), -np.finfo(output.dtype).max
    log_total, share = spare, rows_from(spare, 1)
    largest(output, share, n_rows, m)
    for row in range(n_rows):
        y, d = rows_from(output, row), rows_from(delta, row)
        for j in range(m):
            d[j] = y[j] - share[j]
            y[j] = exp(d[j])
            # the bound keeps a distance beyond the largest number from becoming 0 * infinity
            d[j] = lowest if d[j] < lowest else d[j]
    add_rows(output, share, n_rows, m)
    for j in range(m):
        log_total[j] = log1p(share[j] - one)  # the largest exponential is 1
        share[j] = one / share[j]
    sums = rows_from(target, n_rows)
    for row in range(n_rows):
        y, t, d = rows_from(output, row), rows_from(target, row), rows_from(delta, row)
        for j in range(m):
            error[j] += t[j] * (log_total[j] - d[j])
            y[j] *= share[j]
            d[j] = y[j] * sums[j] - t[j]


@compiled
def binary(output: Array, target: Array, delta: Array, error: Array, n_rows: int, m: int) -> None:
    """Turn net inputs into logistic outputs, with their cross-entropies and derivatives in the net inputs."""
    one, zero = output.dtype.type(1), output.dtype.type(0)
    for row in range(n_rows):
        y, t, d = rows_from(output, row), rows_from(target, row), rows_from(delta, row)
        for j in range(m):
            net = y[j]
            # the large terms are subtracted first, so that the small one survives
            large = (zero if net < zero else net) - t[j] * net
            small = exp(-abs(net))
            error[j] += large + log1p(small)
            y[j] = (small if net < zero else one) / (one + small)
            d[j] = y[j] - t[j]


@compiled_sum
def weighted_sum(error: Array, sample_weights: Vector, m: int) -> float:
    """Return the errors times the samples' weights, summed in float64; a weight of 0 leaves a sample out."""
    total = 0.0
    for j in range(m):
        total += sample_weights[j] * np.float64(error[j]) if sample_weights[j] != 0.0 else 0.0
    return total


@compiled
def weigh(delta: Array, sample_weights: Vector, n_rows: int, m: int) -> None:
    """Multiply derivatives by the samples' weights; a weight of 0 leaves a sample out."""
    zero = delta.dtype.type(0)
    for row in range(n_rows):
        d = rows_from(delta, row)
        for j in range(m):
            weight = delta.dtype.type(sample_weights[j])
            d[j] = d[j] * weight if weight != zero else zero
