"""The line: E along one direction, and the points that a line search looks at on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate
    from neuralframe.core.objective import Objective


def dot(left: Vector, right: Vector) -> float:
    """Return the inner product of two vectors, with the same bits wherever it is computed.

    BLAS splits a long product by its number of threads, which engines change.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.add.reduce(left * right))


@attrs.frozen(eq=False)
class LinePoint:
    """A point on a line, and what is known of it.

    Attributes
    ----------
    step : float
        How far along the direction it lies, in units of the direction's length.
    weights : (n_weights,) float64
    error : float
        E there; infinite or NaN where the arithmetic overflowed.
    gradient : (n_weights,) float64 or None
        dE/dw there, if it was asked for.
    slope : float or None
        The derivative of E along the line, where the gradient is known.

    """

    step: float
    weights: Vector
    error: float
    gradient: Vector | None = None
    slope: float | None = None

    @property
    def known_slope(self) -> float:
        """The slope of a point whose gradient is known."""
        assert self.slope is not None
        return self.slope

    @property
    def is_finite(self) -> bool:
        """Whether the error is a number, and the gradient too if it is known."""
        return math.isfinite(self.error) and (self.gradient is None or bool(np.isfinite(self.gradient).all()))


@attrs.frozen(eq=False)
class Line:
    """E along one direction from where a rule stands; what line searches minimise.

    Attributes
    ----------
    objective : Objective
        Each call of `point`, `points` or `errors` is one of its jobs.
    origin : LinePoint
        Where the rule stands, at step 0. Its slope is below 0 where the direction leads downhill.
    direction : (n_weights,) float64

    """

    objective: Objective
    origin: LinePoint
    direction: Vector

    @classmethod
    def along(cls, objective: Objective, last: Iterate, direction: Vector) -> Line:
        """Return the line through an iterate whose gradient is known."""
        assert last.gradient is not None
        slope = dot(last.gradient, direction)
        return cls(objective, LinePoint(0.0, last.weights, last.error, last.gradient, slope), direction)

    def point(self, step: float) -> LinePoint:
        """Return the point at a step length, with its gradient: one gradient job."""
        with np.errstate(over="ignore", invalid="ignore"):  # a wild step is judged by its error
            weights = self.origin.weights + step * self.direction
        error, gradient = self.objective.value_and_gradient(weights)
        return LinePoint(step, weights, error, gradient, dot(gradient, self.direction))

    def points(self, steps: Sequence[float]) -> list[LinePoint]:
        """Return the points at several step lengths, with their gradients, from one job."""
        places = self._at(steps)
        errors, gradients = self.objective.values_and_gradients(places)
        return [
            LinePoint(step, weights, float(error), gradient, dot(gradient, self.direction))
            for step, weights, error, gradient in zip(steps, places, errors, gradients, strict=True)
        ]

    def errors(self, steps: Sequence[float]) -> list[LinePoint]:
        """Return the points at several step lengths, without gradients, from one job."""
        places = self._at(steps)
        errors = self.objective.values(places)
        return [
            LinePoint(step, weights, float(error))
            for step, weights, error in zip(steps, places, errors, strict=True)
        ]

    def lowest(self, points: Iterable[LinePoint]) -> LinePoint | None:
        """Return the lowest point ahead whose error is below that of the origin, if there is one."""
        ahead = [
            point
            for point in points
            if point.step > 0 and point.is_finite and point.error < self.origin.error
        ]
        return min(ahead, key=lambda point: point.error, default=None)

    def _at(self, steps: Sequence[float]) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):
            places: Vector = self.origin.weights + np.multiply.outer(np.asarray(steps), self.direction)
            return places
