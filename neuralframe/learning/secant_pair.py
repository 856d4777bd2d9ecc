"""What a step shows of the second derivatives."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs

from neuralframe.learning.line import dot

if TYPE_CHECKING:
    from typing import Self

    from neuralframe.core.arrays import Vector
    from neuralframe.learning.line import LinePoint


@attrs.frozen(eq=False)
class SecantPair:
    """A step and the change of the gradient over it.

    Attributes
    ----------
    step : (n_weights,) float64
        The change of the weights, s.
    change : (n_weights,) float64
        The change of the gradient, y.
    product : float
        s.y, above zero.
    scale : float
        s.y / y.y, the size of the inverse second derivatives.

    """

    step: Vector
    change: Vector
    product: float
    scale: float

    @classmethod
    def between(cls, start: LinePoint, end: LinePoint) -> Self | None:
        """Return the pair of two points; None if the error does not bend upwards between them."""
        assert start.gradient is not None
        assert end.gradient is not None
        step, change = end.weights - start.weights, end.gradient - start.gradient
        product, square = dot(step, change), dot(change, change)
        # s.y / y.y and y.y / s.y must both be numbers that something can be multiplied with
        if not product > sys.float_info.epsilon * square > 0:
            return None
        return cls(step, change, product, product / square)
