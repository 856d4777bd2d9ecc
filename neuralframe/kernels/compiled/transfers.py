"""The transfer functions of a tile, by number: a compiled pass knows no classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.kernels.compiled.bits import call_at
from neuralframe.kernels.compiled.compiling import compiled, inlined
from neuralframe.kernels.compiled.elementary import exp, expm1, log1p, logistic, tanh
from neuralframe.kernels.compiled.views import TILE, rows_from

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.compiled.views import Number

LINEAR, SIGMOID, TANH, SOFTMAX, RELU, LEAKY_RELU, ELU, SOFTPLUS, STEP = range(9)
GAUSSIAN, SOFTSIGN, LOG, RAMP, TRAPEZOID, SCALAR = range(9, 15)
FIRST_OF_NET = GAUSSIAN
"""From here on, the slope of a function is taken from its net input, which is therefore kept."""


@inlined
def apply_transfer(
    code: int, address: int, p: Vector, net: Array, output: Array, spare: Array, n_rows: int, m: int
) -> None:
    """Turn the net inputs of a layer's rows in `output` into outputs; `p` holds the function's parameters.

    The net inputs are copied to `net` if `multiply_by_slope` will ask for them.
    """
    if code == SOFTMAX:
        softmax(output, spare, n_rows, m)
        return
    # a whole tile is one long row
    n_runs, run = (1, n_rows * TILE) if m == TILE else (n_rows, m)
    for row in range(n_runs):
        z, y = rows_from(net, row), rows_from(output, row)
        if code >= FIRST_OF_NET:
            _copy(y, z, run)
        if code == SCALAR:
            call_at(address, (z, y), run)
        else:
            _apply(code, p, y, run)


@compiled
def _copy(source: Array, target: Array, m: int) -> None:
    for j in range(m):
        target[j] = source[j]


@compiled
def _apply(code: int, p: Vector, y: Array, m: int) -> None:
    one, zero = y.dtype.type(1), y.dtype.type(0)
    a, b, c, d = y.dtype.type(p[0]), y.dtype.type(p[1]), y.dtype.type(p[2]), y.dtype.type(p[3])
    if code == TANH:
        for j in range(m):
            y[j] = tanh(y[j])
    elif code == SIGMOID:
        for j in range(m):
            y[j] = logistic(y[j])
    elif code == RELU:
        for j in range(m):
            y[j] = zero if y[j] < zero else y[j]
    elif code == LEAKY_RELU:
        for j in range(m):
            y[j] = a * y[j] if y[j] < zero else y[j]
    elif code == ELU:
        for j in range(m):
            y[j] = y[j] if y[j] > zero else a * expm1(y[j])
    elif code == SOFTPLUS:
        for j in range(m):
            y[j] = (zero if y[j] < zero else y[j]) + log1p(exp(-abs(y[j])))
    elif code == STEP:
        for j in range(m):
            y[j] = c if y[j] > a else b
    elif code == GAUSSIAN:
        for j in range(m):
            ratio = y[j] / a
            y[j] = exp(y.dtype.type(-0.5) * (ratio * ratio))
    elif code == SOFTSIGN:
        for j in range(m):
            y[j] = y[j] / (one + abs(y[j]))
    elif code == LOG:
        for j in range(m):
            size = log1p(abs(y[j]))
            y[j] = -size if y[j] < zero else size
    elif code == RAMP:
        for j in range(m):
            y[j] = _clipped(b + c * (y[j] - a), b, d)
    elif code == TRAPEZOID:
        for j in range(m):
            rise, fall = (y[j] - a) / (b - a), (d - y[j]) / (d - c)
            y[j] = _clipped(fall if fall < rise else rise, zero, one)


@compiled
def _clipped(x: Number, low: Number, high: Number) -> Number:
    x = low if x < low else x
    return high if x > high else x


@inlined
def multiply_by_slope(
    code: int,
    address: int,
    p: Vector,
    net: Array,
    output: Array,
    delta: Array,
    spare: Array,
    n_rows: int,
    m: int,
) -> None:
    """Turn dE/d(output) of a layer's rows into dE/d(net), in place."""
    if code == SOFTMAX:
        _softmax_backward(output, delta, spare, n_rows, m)
        return
    n_runs, run = (1, n_rows * TILE) if m == TILE else (n_rows, m)
    for row in range(n_runs):
        z, y, d = rows_from(net, row), rows_from(output, row), rows_from(delta, row)
        if code == SCALAR:
            call_at(address, (z, y, d), run)
        else:
            _multiply(code, p, z, y, d, run)


@compiled
def _multiply(code: int, p: Vector, z: Array, y: Array, delta: Array, m: int) -> None:
    one, zero = z.dtype.type(1), z.dtype.type(0)
    a, b, c, d = z.dtype.type(p[0]), z.dtype.type(p[1]), z.dtype.type(p[2]), z.dtype.type(p[3])
    if code == TANH:
        for j in range(m):
            delta[j] *= one - y[j] * y[j]
    elif code == SIGMOID:
        for j in range(m):
            delta[j] *= y[j] * (one - y[j])
    elif code == GAUSSIAN:
        for j in range(m):  # the small output comes first, as in Gaussian.derivative
            delta[j] *= -(y[j] * z[j]) / a / a
    elif code == RELU:
        for j in range(m):
            delta[j] *= one if y[j] > zero else zero
    elif code == LEAKY_RELU:
        for j in range(m):
            delta[j] *= one if y[j] > zero else a
    elif code == ELU:
        for j in range(m):
            delta[j] *= one if y[j] > zero else y[j] + a
    elif code == SOFTPLUS:
        for j in range(m):
            delta[j] *= -expm1(-y[j])
    elif code == SOFTSIGN:
        for j in range(m):
            inverse = one / (one + abs(z[j]))
            delta[j] *= inverse * inverse
    elif code == LOG:
        for j in range(m):
            delta[j] *= one / (one + abs(z[j]))
    elif code == STEP:
        for j in range(m):
            delta[j] *= zero
    elif code == RAMP:
        high = z.dtype.type(p[4])
        for j in range(m):
            delta[j] *= c if a < z[j] <= high else zero
    elif code == TRAPEZOID:
        for j in range(m):
            rise = one / (b - a) if a < z[j] <= b else zero
            delta[j] *= rise - one / (d - c) if c < z[j] <= d else rise


@compiled
def softmax(output: Array, spare: Array, n_rows: int, m: int) -> None:
    """Turn net inputs into softmax over the rows."""
    largest(output, spare, n_rows, m)
    for row in range(n_rows):
        y = rows_from(output, row)
        for j in range(m):
            y[j] = exp(y[j] - spare[j])
    add_rows(output, spare, n_rows, m)
    for row in range(n_rows):
        y = rows_from(output, row)
        for j in range(m):
            y[j] /= spare[j]


@compiled
def largest(rows: Array, found: Array, n_rows: int, m: int) -> None:
    """Set the largest value of each sample; NaN if the first is, else NaN is passed over."""
    for j in range(m):
        found[j] = rows[j]
    for row in range(1, n_rows):
        z = rows_from(rows, row)
        for j in range(m):
            found[j] = z[j] if z[j] > found[j] else found[j]


@compiled
def add_rows(rows: Array, total: Array, n_rows: int, m: int) -> None:
    """Set the sum of each sample's values."""
    for j in range(m):
        total[j] = rows[j]
    for row in range(1, n_rows):
        y = rows_from(rows, row)
        for j in range(m):
            total[j] += y[j]


@compiled
def _softmax_backward(output: Array, delta: Array, mean: Array, n_rows: int, m: int) -> None:
    for j in range(m):
        mean[j] = output[j] * delta[j]
    for row in range(1, n_rows):
        y, d = rows_from(output, row), rows_from(delta, row)
        for j in range(m):
            mean[j] += y[j] * d[j]
    for row in range(n_rows):
        y, d = rows_from(output, row), rows_from(delta, row)
        for j in range(m):
            d[j] = y[j] * (d[j] - mean[j])
