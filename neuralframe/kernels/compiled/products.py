"""Products of weights and tiles, a few rows at a time.

A tile holds `TILE` samples. Arrays are flat: row r of a layer begins at ``array[r * TILE]``,
with one value for each sample. Rows that lie side by side are handed over as one array, at offsets that the
compiler knows: only so does it see that they do not overlap, and keeps to whole vectors.

Four rows by four are computed at once: sixteen products for eight rows read. What is left over is
computed by fewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.kernels.compiled.compiling import compiled, compiled_sum, inlined
from neuralframe.kernels.compiled.views import TILE, rows_from

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.compiled.views import Number


@inlined
def add_products(
    weights: Array,
    first: int,
    across: int,
    down: int,
    source: Array,
    n_source: int,
    target: Array,
    n_target: int,
    m: int,
) -> None:
    """Add ``W @ source`` to `target`, for the first m samples of a tile.

    W[k, i] is ``weights[first + k * down + i * across]``, so that a matrix serves in both directions.
    """
    for k in range(0, n_target - n_target % 4, 4):
        row = first + k * down
        rows = rows_from(target, k)
        for i in range(0, n_source - n_source % 4, 4):
            _add_4_by_4(weights, row + i * across, across, down, rows_from(source, i), rows, m)
        for i in range(n_source - n_source % 4, n_source):
            _add_4_by_1(weights, row + i * across, down, rows_from(source, i), rows, m)
    for k in range(n_target - n_target % 4, n_target):
        row = first + k * down
        rows = rows_from(target, k)
        for i in range(0, n_source - n_source % 4, 4):
            _add_1_by_4(weights, row + i * across, across, rows_from(source, i), rows, m)
        for i in range(n_source - n_source % 4, n_source):
            _add_1_by_1(weights[row + i * across], rows_from(source, i), rows, m)


@compiled
def _add_4_by_4(w: Array, at: int, across: int, down: int, x: Array, z: Array, m: int) -> None:
    a0, a1, a2, a3 = w[at], w[at + across], w[at + 2 * across], w[at + 3 * across]
    at += down
    b0, b1, b2, b3 = w[at], w[at + across], w[at + 2 * across], w[at + 3 * across]
    at += down
    c0, c1, c2, c3 = w[at], w[at + across], w[at + 2 * across], w[at + 3 * across]
    at += down
    d0, d1, d2, d3 = w[at], w[at + across], w[at + 2 * across], w[at + 3 * across]
    for j in range(m):
        x0, x1, x2, x3 = x[j], x[TILE + j], x[2 * TILE + j], x[3 * TILE + j]
        z[j] = z[j] + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
        z[TILE + j] = z[TILE + j] + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
        z[2 * TILE + j] = z[2 * TILE + j] + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
        z[3 * TILE + j] = z[3 * TILE + j] + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3


@compiled
def _add_4_by_1(w: Array, at: int, down: int, x: Array, z: Array, m: int) -> None:
    a, b, c, d = w[at], w[at + down], w[at + 2 * down], w[at + 3 * down]
    for j in range(m):
        z[j] = z[j] + a * x[j]
        z[TILE + j] = z[TILE + j] + b * x[j]
        z[2 * TILE + j] = z[2 * TILE + j] + c * x[j]
        z[3 * TILE + j] = z[3 * TILE + j] + d * x[j]


@compiled
def _add_1_by_4(w: Array, at: int, across: int, x: Array, z: Array, m: int) -> None:
    a, b, c, d = w[at], w[at + across], w[at + 2 * across], w[at + 3 * across]
    for j in range(m):
        z[j] = z[j] + a * x[j] + b * x[TILE + j] + c * x[2 * TILE + j] + d * x[3 * TILE + j]


@compiled
def _add_1_by_1(a: Number, x: Array, z: Array, m: int) -> None:
    for j in range(m):
        z[j] = z[j] + a * x[j]


@inlined
def add_outer_products(
    delta: Array, n_delta: int, source: Array, n_source: int, m: int, gradient: Vector, first: int
) -> None:
    """Add the sum over samples of ``delta[k] * source[i]`` to ``gradient[first + k * n_source + i]``."""
    for k in range(0, n_delta - n_delta % 4, 4):
        rows = rows_from(delta, k)
        at = first + k * n_source
        for i in range(0, n_source - n_source % 4, 4):
            _outer_4_by_4(rows, rows_from(source, i), m, gradient, at + i, n_source)
        for i in range(n_source - n_source % 4, n_source):
            _outer_4_by_1(rows, rows_from(source, i), m, gradient, at + i, n_source)
    for k in range(n_delta - n_delta % 4, n_delta):
        rows = rows_from(delta, k)
        at = first + k * n_source
        for i in range(0, n_source - n_source % 4, 4):
            _outer_4_by_1(rows_from(source, i), rows, m, gradient, at + i, 1)
        for i in range(n_source - n_source % 4, n_source):
            gradient[at + i] += _inner(rows, rows_from(source, i), m)


@compiled_sum
def _outer_4_by_4(d: Array, x: Array, m: int, gradient: Vector, at: int, down: int) -> None:
    zero = d.dtype.type(0)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = zero
    c0 = c1 = c2 = c3 = e0 = e1 = e2 = e3 = zero
    for j in range(m):
        x0, x1, x2, x3 = x[j], x[TILE + j], x[2 * TILE + j], x[3 * TILE + j]
        da, db, dc, de = d[j], d[TILE + j], d[2 * TILE + j], d[3 * TILE + j]
        a0, a1, a2, a3 = a0 + da * x0, a1 + da * x1, a2 + da * x2, a3 + da * x3
        b0, b1, b2, b3 = b0 + db * x0, b1 + db * x1, b2 + db * x2, b3 + db * x3
        c0, c1, c2, c3 = c0 + dc * x0, c1 + dc * x1, c2 + dc * x2, c3 + dc * x3
        e0, e1, e2, e3 = e0 + de * x0, e1 + de * x1, e2 + de * x2, e3 + de * x3
    _add_row(gradient, at, a0, a1, a2, a3)
    _add_row(gradient, at + down, b0, b1, b2, b3)
    _add_row(gradient, at + 2 * down, c0, c1, c2, c3)
    _add_row(gradient, at + 3 * down, e0, e1, e2, e3)


@inlined
def _add_row(gradient: Vector, at: int, g0: Number, g1: Number, g2: Number, g3: Number) -> None:
    gradient[at] += g0
    gradient[at + 1] += g1
    gradient[at + 2] += g2
    gradient[at + 3] += g3


@compiled_sum
def _outer_4_by_1(d: Array, x: Array, m: int, gradient: Vector, at: int, down: int) -> None:
    a = b = c = e = d.dtype.type(0)
    for j in range(m):
        a += d[j] * x[j]
        b += d[TILE + j] * x[j]
        c += d[2 * TILE + j] * x[j]
        e += d[3 * TILE + j] * x[j]
    gradient[at] += a
    gradient[at + down] += b
    gradient[at + 2 * down] += c
    gradient[at + 3 * down] += e


@compiled_sum
def _inner(d: Array, x: Array, m: int) -> Number:
    total = d.dtype.type(0)
    for j in range(m):
        total += d[j] * x[j]
    return total


@compiled_sum
def row_sum(row: Array, m: int) -> Number:
    """Return the sum of the first m values of a row."""
    total = row.dtype.type(0)
    for j in range(m):
        total += row[j]
    return total
