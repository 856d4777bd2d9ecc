"""Products of a narrow layer with samples as they lie in a data set, row by row.

A layer of few neurons over many inputs is the first one of many networks, and BLAS is slow with it: it
copies every sample into a layout of its own, which costs as much as the few multiplications that follow. Here
the samples are read where they are. Tiles of five neurons and four samples keep twenty sums in registers, and
each number that is loaded is used four or five times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.kernels.compiled.compiling import compiled, compiled_sum, inlined
from neuralframe.kernels.compiled.views import rows_from

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.compiled.views import Number

NEURONS, SAMPLES = 5, 4
"""Twenty sums, for which nine numbers are loaded: all of it fits 32 vector registers."""


@compiled_sum
def add_row_products(weights: Array, first: int, rows: Array, net: Array, size: int) -> None:
    """Add ``W @ rows.T`` to the net inputs of a tile.

    Parameters
    ----------
    weights : (n_weights,)
        W, (size, n_inputs), begins at `first`.
    rows : (n_samples, n_inputs)
        Samples of one tile.
    net : flat array
        The rows of the layer.

    """
    n_samples, n_inputs = rows.shape
    matrix = weights[first : first + size * n_inputs].reshape(size, n_inputs)
    whole, tiled = n_samples - n_samples % SAMPLES, size - size % NEURONS
    for h in range(0, tiled, NEURONS):
        for s in range(0, whole, SAMPLES):
            _add_tile_of_nets(matrix, rows, h, s, net)
    for h in range(tiled, size):
        for s in range(0, whole, SAMPLES):
            _add_nets(matrix[h], rows, s, rows_from(net, h))
    for s in range(whole, n_samples):
        for h in range(size):
            rows_from(net, h)[s] += _product(matrix[h], rows[s])


@compiled_sum
def _add_tile_of_nets(weights: Array, rows: Array, h: int, s: int, net: Array) -> None:
    w0, w1, w2, w3, w4 = weights[h], weights[h + 1], weights[h + 2], weights[h + 3], weights[h + 4]
    x0, x1, x2, x3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
    zero = weights.dtype.type(0)
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = c0 = c1 = c2 = c3 = zero
    d0 = d1 = d2 = d3 = e0 = e1 = e2 = e3 = zero
    for i in range(weights.shape[1]):
        p, q, r, t = x0[i], x1[i], x2[i], x3[i]
        w = w0[i]
        a0 += w * p
        a1 += w * q
        a2 += w * r
        a3 += w * t
        w = w1[i]
        b0 += w * p
        b1 += w * q
        b2 += w * r
        b3 += w * t
        w = w2[i]
        c0 += w * p
        c1 += w * q
        c2 += w * r
        c3 += w * t
        w = w3[i]
        d0 += w * p
        d1 += w * q
        d2 += w * r
        d3 += w * t
        w = w4[i]
        e0 += w * p
        e1 += w * q
        e2 += w * r
        e3 += w * t
    _add_four(rows_from(net, h), s, (a0, a1, a2, a3))
    _add_four(rows_from(net, h + 1), s, (b0, b1, b2, b3))
    _add_four(rows_from(net, h + 2), s, (c0, c1, c2, c3))
    _add_four(rows_from(net, h + 3), s, (d0, d1, d2, d3))
    _add_four(rows_from(net, h + 4), s, (e0, e1, e2, e3))


@compiled_sum
def _add_four(row: Array, s: int, sums: tuple[Number, Number, Number, Number]) -> None:
    row[s] += sums[0]
    row[s + 1] += sums[1]
    row[s + 2] += sums[2]
    row[s + 3] += sums[3]


@compiled_sum
def _add_nets(weights: Array, rows: Array, s: int, out: Array) -> None:
    x0, x1, x2, x3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
    zero = weights.dtype.type(0)
    a0 = a1 = a2 = a3 = zero
    for i in range(len(weights)):
        w = weights[i]
        a0 += w * x0[i]
        a1 += w * x1[i]
        a2 += w * x2[i]
        a3 += w * x3[i]
    _add_four(out, s, (a0, a1, a2, a3))


@compiled_sum
def _product(left: Array, right: Array) -> Number:
    total = left.dtype.type(0)
    for i in range(len(left)):
        total += left[i] * right[i]
    return total


@compiled_sum
def add_row_gradient(delta: Array, rows: Array, gradient: Array) -> None:
    """Add the sum over a tile's samples of delta times input.

    Parameters
    ----------
    delta : flat array
        dE/d(net) of the tile: the rows of the layer.
    rows : (n_samples, n_inputs)
        Its samples.
    gradient : (size, n_inputs)

    """
    size, n_samples = gradient.shape[0], rows.shape[0]
    whole, tiled = n_samples - n_samples % SAMPLES, size - size % NEURONS
    for h in range(0, tiled, NEURONS):
        for s in range(0, whole, SAMPLES):
            _add_tile(rows_from(delta, h), rows, h, s, gradient)
    for h in range(tiled, size):
        for s in range(0, whole, SAMPLES):
            _add_row(rows_from(delta, h), rows, s, gradient[h])
    for s in range(whole, n_samples):
        for h in range(size):
            _add_multiple(rows_from(delta, h)[s], rows[s], gradient[h])


@compiled_sum
def _add_tile(delta: Array, rows: Array, h: int, s: int, gradient: Array) -> None:
    g0, g1, g2, g3 = gradient[h], gradient[h + 1], gradient[h + 2], gradient[h + 3]
    g4 = gradient[h + 4]
    x0, x1, x2, x3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
    a0, a1, a2, a3 = _four(delta, 0, s)
    b0, b1, b2, b3 = _four(delta, 1, s)
    c0, c1, c2, c3 = _four(delta, 2, s)
    d0, d1, d2, d3 = _four(delta, 3, s)
    e0, e1, e2, e3 = _four(delta, 4, s)
    for i in range(rows.shape[1]):
        p, q, r, t = x0[i], x1[i], x2[i], x3[i]
        g0[i] += a0 * p + a1 * q + a2 * r + a3 * t
        g1[i] += b0 * p + b1 * q + b2 * r + b3 * t
        g2[i] += c0 * p + c1 * q + c2 * r + c3 * t
        g3[i] += d0 * p + d1 * q + d2 * r + d3 * t
        g4[i] += e0 * p + e1 * q + e2 * r + e3 * t


@inlined
def _four(delta: Array, row: int, s: int) -> tuple[Number, Number, Number, Number]:
    values = rows_from(delta, row)
    return values[s], values[s + 1], values[s + 2], values[s + 3]


@compiled_sum
def _add_row(delta: Array, rows: Array, s: int, gradient: Array) -> None:
    x0, x1, x2, x3 = rows[s], rows[s + 1], rows[s + 2], rows[s + 3]
    a0, a1, a2, a3 = delta[s], delta[s + 1], delta[s + 2], delta[s + 3]
    for i in range(len(gradient)):
        gradient[i] += a0 * x0[i] + a1 * x1[i] + a2 * x2[i] + a3 * x3[i]


@compiled_sum
def _add_multiple(factor: Number, row: Array, gradient: Array) -> None:
    for i in range(len(gradient)):
        gradient[i] += factor * row[i]


@compiled
def move_gradient(part: Array, gradient: Vector, first: int) -> None:
    """Add a part of the gradient, (size, n_inputs), to its place in all of it, and begin the part anew."""
    flat = part.reshape(part.size)
    for place in range(part.size):
        gradient[first + place] += flat[place]
        flat[place] = flat.dtype.type(0)
