"""Minima of the cubic and of the parabola through points on a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuralframe.learning.line import LinePoint


def cubic_minimum(one: LinePoint, other: LinePoint) -> float:
    """Return the step at which the cubic through two points with slopes has its minimum; NaN if it has none.

    Only the difference of the errors matters. J. Nocedal and S. J. Wright (2006), Numerical Optimization,
    equation 3.59.
    """
    width = other.step - one.step
    d1 = one.known_slope + other.known_slope - 3 * (other.error - one.error) / width
    inside = d1 * d1 - one.known_slope * other.known_slope
    if not inside >= 0:
        return math.nan
    d2 = math.copysign(math.sqrt(inside), width)
    below = other.known_slope - one.known_slope + 2 * d2
    return other.step - width * (other.known_slope + d2 - d1) / below if below else math.nan


def parabola_minimum(before: LinePoint, middle: LinePoint, after: LinePoint) -> float:
    """Return the step at which the parabola through three points has its minimum; NaN if it has none."""
    left = (middle.error - before.error) / (middle.step - before.step)
    right = (after.error - middle.error) / (after.step - middle.step)
    bend = right - left
    if not 0 < bend < math.inf:
        return math.nan
    return (before.step + middle.step) / 2 - left * (after.step - before.step) / (2 * bend)
