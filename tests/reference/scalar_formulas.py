"""Every input, transfer and error function with its derivative, by name, in scalar arithmetic.

Written from the definitions, apart from the library: names and parameters are all that the two share. Where
the library has a choice of formulas, these take another one.
"""

from __future__ import annotations

import math
from math import exp, fsum, log, prod


def others(values):
    """Return for each value the product of all others."""
    return [prod(values[:i] + values[i + 1 :]) for i in range(len(values))]


def products(w, x):
    """Return weight times input, connection by connection."""
    return [a * b for a, b in zip(w, x, strict=True)]


def chain(w, x, slopes):
    """Return the derivatives by the weights and by the inputs from those by the products."""
    return [s * b for s, b in zip(slopes, x, strict=True)], [s * a for s, a in zip(slopes, w, strict=True)]


def chosen(values, choose):
    """Return 1 for the first of the smallest (or largest) values and 0 for the rest."""
    first = values.index(choose(values))
    return [float(i == first) for i in range(len(values))]


def and_factors(w, x):
    """Return what an AND neuron multiplies."""
    return [1 - a * (1 - b) for a, b in zip(w, x, strict=True)]


def and_slopes(w, x):
    """Return the derivatives of ``prod(1 - w (1 - x))``."""
    rest = others(and_factors(w, x))
    return (
        [-r * (1 - b) for r, b in zip(rest, x, strict=True)],
        [r * a for r, a in zip(rest, w, strict=True)],
    )


def distance_slopes(w, x, width):
    """Return the derivatives of ``|x - w| / width``; 0 at the centre."""
    r = math.dist(w, x)
    toward = [(b - a) / (r * width) if r else 0.0 for a, b in zip(w, x, strict=True)]
    return [-s for s in toward], toward


NET = {
    "weighted_sum": lambda _, w, x: fsum(products(w, x)),
    "sum": lambda _, w, x: fsum(x),  # noqa: ARG005 - the weights have no say
    "sum_of_squares": lambda _, w, x: fsum(p * p for p in products(w, x)),
    "product": lambda _, w, x: prod(products(w, x)),
    "minimum": lambda _, w, x: min(products(w, x)),
    "maximum": lambda _, w, x: max(products(w, x)),
    "or": lambda _, w, x: 1 - prod(1 - p for p in products(w, x)),
    "and": lambda _, w, x: prod(and_factors(w, x)),
    "difference": lambda _, w, x: math.dist(w, x),
    "euclidean_rbf": lambda f, w, x: math.dist(w, x) / f.width,
}
"""The net input without the bias, from weights and inputs."""

NET_SLOPES = {
    "weighted_sum": lambda _, w, x: (list(x), list(w)),
    "sum": lambda _, w, x: ([0.0] * len(w), [1.0] * len(x)),
    "sum_of_squares": lambda _, w, x: chain(w, x, [2 * p for p in products(w, x)]),
    "product": lambda _, w, x: chain(w, x, others(products(w, x))),
    "minimum": lambda _, w, x: chain(w, x, chosen(products(w, x), min)),
    "maximum": lambda _, w, x: chain(w, x, chosen(products(w, x), max)),
    "or": lambda _, w, x: chain(w, x, others([1 - p for p in products(w, x)])),
    "and": lambda _, w, x: and_slopes(w, x),
    "difference": lambda _, w, x: distance_slopes(w, x, 1.0),
    "euclidean_rbf": lambda f, w, x: distance_slopes(w, x, f.width),
}
"""The net input's derivatives: a list by the weights and a list by the inputs."""


def sigmoid(z):
    """Return the logistic function without overflow."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def trapezoid(f, z):
    """Return the trapezoid, case by case."""
    if z <= f.left_low or z >= f.right_low:
        return 0.0
    if z < f.left_high:
        return (z - f.left_low) / (f.left_high - f.left_low)
    return 1.0 if z <= f.right_high else (f.right_low - z) / (f.right_low - f.right_high)


def trapezoid_slope(f, z):
    """Return the trapezoid's slope, at a corner that of the left-hand side."""
    if f.left_low < z <= f.left_high:
        return 1 / (f.left_high - f.left_low)
    return -1 / (f.right_low - f.right_high) if f.right_high < z <= f.right_low else 0.0


def ramp_slope(f):
    """Return the slope of a ramp's line."""
    return (f.high_y - f.low_y) / (f.high_x - f.low_x)


OUTPUT = {
    "linear": lambda _, z: z,
    "sigmoid": lambda _, z: sigmoid(z),
    "tanh": lambda _, z: math.tanh(z),
    "gaussian": lambda f, z: exp(-z * z / (2 * f.sigma**2)),
    "relu": lambda _, z: max(z, 0.0),
    "leaky_relu": lambda f, z: z if z > 0 else f.slope * z,
    "elu": lambda f, z: z if z > 0 else f.alpha * math.expm1(z),
    "softplus": lambda _, z: max(z, 0.0) + math.log1p(exp(-abs(z))),
    "softsign": lambda _, z: z / (1 + abs(z)),
    "sin": lambda _, z: math.sin(z),
    "log": lambda _, z: math.copysign(math.log1p(abs(z)), z),
    "step": lambda f, z: f.high if z > f.threshold else f.low,
    "sgn": lambda _, z: 1.0 if z > 0 else -1.0,
    "ramp": lambda f, z: min(max(f.low_y + ramp_slope(f) * (z - f.low_x), f.low_y), f.high_y),
    "trapezoid": trapezoid,
}
"""The output from the net input, for every transfer function that works element by element."""

OUTPUT_SLOPE = {
    "linear": lambda _, z: 1.0,  # noqa: ARG005 - a straight line
    "sigmoid": lambda _, z: sigmoid(z) * sigmoid(-z),
    "tanh": lambda _, z: 1 / math.cosh(z) ** 2,
    "gaussian": lambda f, z: -z / f.sigma**2 * exp(-z * z / (2 * f.sigma**2)),
    "relu": lambda _, z: float(z > 0),
    "leaky_relu": lambda f, z: 1.0 if z > 0 else f.slope,
    "elu": lambda f, z: 1.0 if z > 0 else f.alpha * exp(z),
    "softplus": lambda _, z: sigmoid(z),
    "softsign": lambda _, z: 1 / (1 + abs(z)) ** 2,
    "sin": lambda _, z: math.cos(z),
    "log": lambda _, z: 1 / (1 + abs(z)),
    "step": lambda f, z: 0.0,  # noqa: ARG005 - level on both sides
    "sgn": lambda f, z: 0.0,  # noqa: ARG005
    "ramp": lambda f, z: ramp_slope(f) if f.low_x < z <= f.high_x else 0.0,
    "trapezoid": trapezoid_slope,
}
"""d output / d net, at a kink that of the left-hand side."""


def times_log(t, y):
    """Return ``t ln y``, where 0 ln 0 is 0."""
    return t * log(y) if t else 0.0


ERROR = {
    "sum_of_squares": lambda _, y, t: (y - t) ** 2 / 2,
    "mean_absolute": lambda _, y, t: abs(y - t),
    "huber": lambda f, y, t: (
        (y - t) ** 2 / 2 if abs(y - t) <= f.delta else f.delta * (abs(y - t) - f.delta / 2)
    ),
    "categorical_cross_entropy": lambda _, y, t: -times_log(t, y),
    "binary_cross_entropy": lambda _, y, t: -times_log(t, y) - times_log(1 - t, 1 - y),
}
"""The error of one output."""

ERROR_SLOPE = {
    "sum_of_squares": lambda _, y, t: y - t,
    "mean_absolute": lambda _, y, t: float(y > t) - float(y < t),
    "huber": lambda f, y, t: max(-f.delta, min(y - t, f.delta)),
    "categorical_cross_entropy": lambda _, y, t: -t / y,
    "binary_cross_entropy": lambda _, y, t: (1 - t) / (1 - y) - t / y,
}
"""d error / d output."""
