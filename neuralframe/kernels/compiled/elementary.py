"""exp, tanh, the logistic function and log1p, written so that loops over them are vectorised.

numba has no vectorised ones of its own: a loop that calls the C library takes many times as long. All rest
on one reduction: ``x = n ln 2 + r`` with n whole and |r| at most ``ln(2) / 2``, and exp(r) as the fraction
``(even + odd) / (even - odd)`` of an even and an odd polynomial in r. So exp, expm1, tanh and the logistic
function take one division each, and those that pass through 0 keep their relative precision there.

Sources: the fraction and ln 2 in two parts for float64 are those of Moshier's Cephes library (exp.c), for
float32 it is the Pade approximant of degrees 3 and 3, right to 6e-9; log1p follows FreeBSD's e_log.c and
e_logf.c, which sum the series of 2 artanh(f / (2 + f)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import types
from numba.extending import overload

from neuralframe.kernels.compiled.bits import exponent_and_mantissa, power_of_two
from neuralframe.kernels.compiled.compiling import OPTIONS, compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.compiled.views import Number

LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 6.93145751953125e-1, 1.42860682030941723212e-6
ROUNDER = 1.5 * 2.0**52
LOWEST, HIGHEST = -708.0, 709.0

LOG2_E_32 = np.float32(1.4426950408889634)
LN2_HIGH_32, LN2_LOW_32 = np.float32(0.693359375), np.float32(-2.12194440e-4)
ROUNDER_32 = np.float32(1.5 * 2.0**23)
LOWEST_32, HIGHEST_32 = np.float32(-87.0), np.float32(88.0)
TENTH, HALF, ONE_120TH = np.float32(1 / 10), np.float32(1 / 2), np.float32(1 / 120)


def _parts(x: Number) -> tuple[Number, Number, Number]:
    """Return scale, even and odd: exp(x) is ``scale (even + odd) / (even - odd)``; x within the bounds."""
    raise NotImplementedError


@overload(_parts, jit_options=OPTIONS)
def _parts_of_type(x: Number) -> Callable[[Number], tuple[Number, Number, Number]]:
    return _parts_32 if x == types.float32 else _parts_64


def _parts_64(x: Number) -> tuple[Number, Number, Number]:
    shifted = x * LOG2_E + ROUNDER
    n = shifted - ROUNDER
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    square = r * r
    odd = (1.26177193074810590878e-4 * square + 3.02994407707441961300e-2) * square + 1.0
    even = (3.00198505138664455042e-6 * square + 2.52448340349684104192e-3) * square
    return power_of_two(shifted), (even + 2.27265548208155028766e-1) * square + 2.0, r * odd


def _parts_32(x: Number) -> tuple[Number, Number, Number]:
    shifted = x * LOG2_E_32 + ROUNDER_32
    n = shifted - ROUNDER_32
    r = (x - n * LN2_HIGH_32) - n * LN2_LOW_32
    square = r * r
    return power_of_two(shifted), TENTH * square + np.float32(1), r * (ONE_120TH * square + HALF)


def _bounds(x: Number) -> tuple[Number, Number]:
    """Return between which numbers exp is neither 0 nor infinite, in the type of x."""
    raise NotImplementedError


@overload(_bounds, jit_options=OPTIONS)
def _bounds_of_type(x: Number) -> Callable[[Number], tuple[Number, Number]]:
    return _bounds_32 if x == types.float32 else _bounds_64


def _bounds_64(x: Number) -> tuple[Number, Number]:  # noqa: ARG001 - its type has chosen this function
    return LOWEST, HIGHEST


def _bounds_32(x: Number) -> tuple[Number, Number]:  # noqa: ARG001
    return LOWEST_32, HIGHEST_32


@compiled
def _bounded(x: Number) -> Number:
    """Return x, or the bound that it lies beyond; NaN stays."""
    lowest, highest = _bounds(x)
    x = lowest if x < lowest else x
    return highest if x > highest else x


@compiled
def exp(x: Number) -> Number:
    """Return e^x; 0 and infinity a little before the type's own limits."""
    scale, even, odd = _parts(_bounded(x))
    lowest, highest = _bounds(x)
    power = scale * ((even + odd) / (even - odd))
    power = type(x)(0) if x < lowest else power
    return type(x)(np.inf) if x > highest else power


@compiled
def expm1(x: Number) -> Number:
    """Return e^x - 1, for x of at most 0."""
    scale, even, odd = _parts(_bounded(x))
    one = type(x)(1)
    return ((scale - one) * even + (scale + one) * odd) / (even - odd)


@compiled
def tanh(x: Number) -> Number:
    """Return the hyperbolic tangent: ``(exp(2 |x|) - 1) / (exp(2 |x|) + 1)`` with the sign of x."""
    one, far = type(x)(1), type(x)(20)
    size = abs(x)
    size = far if size > far else size  # there it is 1 in either type
    scale, even, odd = _parts(size + size)
    above = (scale - one) * even + (scale + one) * odd
    below = even - odd
    return np.copysign(above / (above + (below + below)), x)


@compiled
def logistic(x: Number) -> Number:
    """Return 1 / (1 + exp(-x)); 0 where exp(x) is."""
    scale, even, odd = _parts(_bounded(x))
    lowest, _ = _bounds(x)
    power = scale * (even + odd)
    share = power / (power + (even - odd))
    return type(x)(0) if x < lowest else share


@compiled
def log1p(x: Number) -> Number:
    """Return ln(1 + x), for x of at least 0."""
    one, two = type(x)(1), type(x)(2)
    k, mantissa = exponent_and_mantissa(one + x)
    f = x if k == type(x)(0) else mantissa - one  # what 1 + x has lost of a small x counts
    ratio = f / (two + f)
    log = k * type(x)(0.6931471805599453) + (ratio + ratio + ratio * _series(ratio * ratio))
    return log if x < type(x)(np.inf) else x


def _series(square: Number) -> Number:
    """Return what is left of ``artanh(s) / s * 2 - 2`` as a function of s squared."""
    raise NotImplementedError


@overload(_series, jit_options=OPTIONS)
def _series_of_type(square: Number) -> Callable[[Number], Number]:
    return _series_32 if square == types.float32 else _series_64


def _series_64(square: Number) -> Number:
    series = 1.479819860511658591e-1 * square + 1.531383769920937332e-1
    series = (series * square + 1.818357216161805012e-1) * square + 2.222219843214978396e-1
    series = (series * square + 2.857142874366239149e-1) * square + 3.999999999940941908e-1
    return (series * square + 6.666666666666735130e-1) * square


def _series_32(square: Number) -> Number:
    series = np.float32(0.24279078841) * square + np.float32(0.28498786688)
    series = series * square + np.float32(0.40000972152)
    return (series * square + np.float32(0.66666662693)) * square
