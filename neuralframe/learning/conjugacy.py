"""The formulas of conjugate gradients: how much of the last direction enters the next."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from neuralframe.learning.line import dot

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Vector

FLOOR = 0.01
"""Eta of Hager and Zhang: how far below zero their formula may go."""


def fletcher_reeves(gradient: Vector, before: Vector, direction: Vector) -> float:  # noqa: ARG001
    """R. Fletcher and C. M. Reeves (1964). Computer Journal 7, 149-154."""
    return _ratio(dot(gradient, gradient), dot(before, before))


def polak_ribiere(gradient: Vector, before: Vector, direction: Vector) -> float:  # noqa: ARG001
    """E. Polak and G. Ribiere (1969); not below zero: J. C. Gilbert and J. Nocedal (1992). SIAM J. Opt. 2."""
    return max(0.0, _ratio(dot(gradient, gradient - before), dot(before, before)))


def hestenes_stiefel(gradient: Vector, before: Vector, direction: Vector) -> float:
    """M. R. Hestenes and E. Stiefel (1952). J. Res. Nat. Bur. Standards 49, 409-436."""
    change = gradient - before
    return _ratio(dot(gradient, change), dot(direction, change))


def dai_yuan(gradient: Vector, before: Vector, direction: Vector) -> float:
    """Y. H. Dai and Y. Yuan (1999). SIAM J. Opt. 10, 177-182."""
    return _ratio(dot(gradient, gradient), dot(direction, gradient - before))


def hager_zhang(gradient: Vector, before: Vector, direction: Vector) -> float:
    """W. W. Hager and H. Zhang (2005). SIAM J. Opt. 16, 170-192, equations 1.3, 1.5 and 1.6."""
    change = gradient - before
    along = dot(direction, change)
    bent = _ratio(dot(gradient, change), along)
    bent -= 2 * _ratio(dot(change, change), along) * _ratio(dot(gradient, direction), along)
    length = math.sqrt(dot(direction, direction)) * min(FLOOR, math.sqrt(dot(before, before)))
    return max(bent, _ratio(-1.0, length))


def _ratio(above: float, below: float) -> float:
    """Return a quotient; NaN, which makes no direction, over zero."""
    return above / below if below else math.nan


CONJUGACIES: dict[str, Callable[[Vector, Vector, Vector], float]] = {
    "fletcher_reeves": fletcher_reeves,
    "polak_ribiere": polak_ribiere,
    "hestenes_stiefel": hestenes_stiefel,
    "dai_yuan": dai_yuan,
    "hager_zhang": hager_zhang,
}
"""By name: functions of the gradient, the gradient before, and the last direction."""
