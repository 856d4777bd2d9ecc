"""Transfer functions as device functions: one number in, one number out.

Each maker gets the transfer function and the type that is computed in, and returns what gives the output of a
net input, and what gives the slope from the net input and the output. Constants are of that type, for a
float64 among float32 numbers makes all of them float64. Comparisons are written so that NaN passes.
"""

# ruff: noqa: ARG001, FURB136 - slopes take what all of them take; min and max lose NaN on a device

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy import float64

from neuralframe.core import transfer_functions as members
from neuralframe.core.scalar_function import ScalarFunction
from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from neuralframe.core.transfer_functions import TransferFunction

Pair = tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]
"""The value of a net input, and the slope from the net input and the value."""


def serves(function: TransferFunction) -> bool:
    """Return whether there are device functions for a transfer function, softmax aside."""
    return type(function) in _MAKERS or isinstance(function, ScalarFunction)


def device_functions(function: TransferFunction, real: type) -> Pair:
    """Return the device functions of a transfer function.

    Parameters
    ----------
    function : TransferFunction
        One that `serves` says yes to.
    real : type
        ``numpy.float32`` or ``numpy.float64``.

    """
    if isinstance(function, ScalarFunction):
        return _scalar(function, real)
    return _MAKERS[type(function)](function, real)


def exponential(real: type) -> Callable[[Any], Any]:
    """Return exp: fast in float32, with an error that grows with the argument, 1e-7 near 0."""

    def fast(x: Any) -> Any:
        return cuda.libdevice.fast_expf(x)

    def exact(x: Any) -> Any:
        return math.exp(x)

    return exact if real is float64 else fast


def quotient(real: type) -> Callable[[Any, Any], Any]:
    """Return the division of numbers: fast in float32, and 0 where the divisor is beyond 2^126."""

    def fast(x: Any, y: Any) -> Any:
        return cuda.libdevice.fast_fdividef(x, y)

    def exact(x: Any, y: Any) -> Any:
        return x / y

    return exact if real is float64 else fast


def _linear(_: Any, real: type) -> Pair:
    one = real(1)

    def value(net: Any) -> Any:
        return net

    def slope(net: Any, output: Any) -> Any:
        return one

    return value, slope


def _sigmoid(_: Any, real: type) -> Pair:
    one, exp, divide = real(1), exponential(real), quotient(real)

    def value(net: Any) -> Any:
        return divide(one, one + exp(-net))

    def slope(net: Any, output: Any) -> Any:
        return output * (one - output)

    return value, slope


def _tanh(_: Any, real: type) -> Pair:
    one, two, exp, divide = real(1), real(2), exponential(real), quotient(real)

    def fast(net: Any) -> Any:
        return one - divide(two, exp(two * net) + one)  # wrong by about 1e-7 at most

    def exact(net: Any) -> Any:
        return math.tanh(net)

    def slope(net: Any, output: Any) -> Any:
        return one - output * output

    return exact if real is float64 else fast, slope


def _gaussian(function: members.Gaussian, real: type) -> Pair:
    half, sigma = real(0.5), real(function.sigma)

    def value(net: Any) -> Any:
        distance = net / sigma
        return math.exp(-half * (distance * distance))

    def slope(net: Any, output: Any) -> Any:
        return -(output * net) / sigma / sigma

    return value, slope


def _relu(_: Any, real: type) -> Pair:
    zero, one = real(0), real(1)

    def value(net: Any) -> Any:
        return zero if net <= zero else net

    def slope(net: Any, output: Any) -> Any:
        return one if net > zero else zero

    return value, slope


def _leaky_relu(function: members.LeakyReLU, real: type) -> Pair:
    zero, one, leak = real(0), real(1), real(function.slope)

    def value(net: Any) -> Any:
        below = leak * net
        return net if net > below else below

    def slope(net: Any, output: Any) -> Any:
        return one if net > zero else leak

    return value, slope


def _elu(function: members.ELU, real: type) -> Pair:
    zero, one, alpha = real(0), real(1), real(function.alpha)

    def value(net: Any) -> Any:
        return net if net > zero else alpha * math.expm1(net)

    def slope(net: Any, output: Any) -> Any:
        return one if net > zero else output + alpha

    return value, slope


def _softplus(_: Any, real: type) -> Pair:
    zero = real(0)

    def value(net: Any) -> Any:
        above = zero if net <= zero else net
        return above + math.log1p(math.exp(-abs(net)))

    def slope(net: Any, output: Any) -> Any:
        return -math.expm1(-output)

    return value, slope


def _softsign(_: Any, real: type) -> Pair:
    one = real(1)

    def value(net: Any) -> Any:
        return net / (one + abs(net))

    def slope(net: Any, output: Any) -> Any:
        inverse = one / (one + abs(net))
        return inverse * inverse

    return value, slope


def _sin(_: Any, _real: type) -> Pair:
    def value(net: Any) -> Any:
        return math.sin(net)

    def slope(net: Any, output: Any) -> Any:
        return math.cos(net)

    return value, slope


def _log(_: Any, real: type) -> Pair:
    one = real(1)

    def value(net: Any) -> Any:
        return math.copysign(math.log1p(abs(net)), net)

    def slope(net: Any, output: Any) -> Any:
        return one / (one + abs(net))

    return value, slope


def _step(function: members.Step, real: type) -> Pair:
    return _switch(real(function.threshold), real(function.low), real(function.high), real(0))


def _sgn(_: Any, real: type) -> Pair:
    return _switch(real(0), real(-1), real(1), real(0))


def _switch(threshold: Any, low: Any, high: Any, flat: Any) -> Pair:
    def value(net: Any) -> Any:
        return high if net > threshold else low

    def slope(net: Any, output: Any) -> Any:
        return flat

    return value, slope


def _ramp(function: members.Ramp, real: type) -> Pair:
    low_x, high_x = real(function.low_x), real(function.high_x)
    low_y, high_y = real(function.low_y), real(function.high_y)
    rise = real((function.high_y - function.low_y) / (function.high_x - function.low_x))
    flat = real(0)

    def value(net: Any) -> Any:
        return _clipped(low_y + rise * (net - low_x), low_y, high_y)

    def slope(net: Any, output: Any) -> Any:
        return rise if low_x < net <= high_x else flat

    return value, slope


def _trapezoid(function: members.Trapezoid, real: type) -> Pair:
    left_low, left_high = real(function.left_low), real(function.left_high)
    right_high, right_low = real(function.right_high), real(function.right_low)
    rise_width, fall_width = left_high - left_low, right_low - right_high
    zero, one = real(0), real(1)

    def value(net: Any) -> Any:
        rise, fall = (net - left_low) / rise_width, (right_low - net) / fall_width
        return _clipped(fall if fall < rise else rise, zero, one)

    def slope(net: Any, output: Any) -> Any:
        rising = one / rise_width if left_low < net <= left_high else zero
        falling = one / fall_width if right_high < net <= right_low else zero
        return rising - falling

    return value, slope


def _scalar(function: ScalarFunction, real: type) -> Pair:
    """Return the user's own two functions, in float64, as their constants are."""
    scalar_value, scalar_derivative = type(function).scalar_value, type(function).scalar_derivative
    arguments = function.scalar_arguments

    def value(net: Any) -> Any:
        return real(scalar_value(float64(net), *arguments))

    def slope(net: Any, output: Any) -> Any:
        return real(scalar_derivative(float64(net), float64(output), *arguments))

    return value, slope


def _clipped(value: Any, low: Any, high: Any) -> Any:
    if value < low:
        return low
    return high if value > high else value


_MAKERS: dict[type, Callable[[Any, type], Pair]] = {
    members.Linear: _linear,
    members.Sigmoid: _sigmoid,
    members.Tanh: _tanh,
    members.Gaussian: _gaussian,
    members.ReLU: _relu,
    members.LeakyReLU: _leaky_relu,
    members.ELU: _elu,
    members.Softplus: _softplus,
    members.Softsign: _softsign,
    members.Sin: _sin,
    members.Log: _log,
    members.Step: _step,
    members.Sgn: _sgn,
    members.Ramp: _ramp,
    members.Trapezoid: _trapezoid,
}
