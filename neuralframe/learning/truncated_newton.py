"""Newton steps without a matrix: each product with it is a job."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number, one_of
from neuralframe.learning.curvature_sums import GaussNewtonProductSum, HessianProductSum
from neuralframe.learning.line import dot

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective

PRODUCTS = {"gauss_newton": GaussNewtonProductSum, "hessian": HessianProductSum}
"""The sum behind each kind of curvature."""

SUFFICIENT = 1e-4
"""The share of the decrease which the slope promises that a step must bring (Armijo's constant c1)."""

POOR, GOOD = 0.25, 0.75
"""Shares of the decrease which the model promises, below and above which the damping changes."""

LEAST_DAMPING, MOST_DAMPING = 1e-20, 1e10
"""Bounds of the damping: what is lost beside any curvature, and where no step has any length."""


@attrs.frozen(eq=False)
class NewtonStep:
    """What the inner iteration found.

    Attributes
    ----------
    step : (n_weights,) float64
        A descent direction with its length.
    bend : float
        step' B step, of the undamped matrix B.

    """

    step: Vector
    bend: float


@attrs.frozen
class TruncatedNewton(LearningRule):
    """Newton's method with the linear equations solved by conjugate gradients, and no further than it pays.

    With the gradient g of E and its second derivatives B, an iteration solves::

        (B + damping * I) step = -g

    by conjugate gradients, each iteration of which needs one product of B and a direction: one job, at
    about the cost of a gradient and a half (of three for the Hessian). It stops as soon as the residual is
    smaller than ``min(1/2, sqrt(|g|)) |g|``, and where it meets a direction of negative curvature it takes
    what it has (or, if that is nothing, goes down the gradient). If the whole step does not lower E enough,
    halves of it are tried, all in one job.

    Parameters
    ----------
    curvature : {"gauss_newton", "hessian"}
        Which second derivatives: those of the Gauss-Newton matrix, which is never negative and suits sums of
        squares and cross-entropy, or all of them.
    cg_iterations : int, at least 1
        Products for one step at most.
    damping : float, above 0
        The first damping. It becomes `change` times as small where E falls as the local model says, and as
        many times larger where it falls much less.
    change : float, above 1
        That factor; after a step that was discarded it is squared.
    halvings : int, at least 1
        How many shorter steps are tried, all in one job, where the whole one fails.

    Raises
    ------
    ParameterError
        If a number is out of its range, or the curvature is unknown.

    Notes
    -----
    An iteration costs one gradient job, one job for each product and, where the whole step fails, one job of
    values and another gradient job. Memory is a few vectors, so the rule suits networks that are too large
    for `LevenbergMarquardt`. Where a job costs much more than a pass over the data, `LBFGS` needs fewer.

    The state is the damping alone.

    References
    ----------
    R. S. Dembo, S. C. Eisenstat and T. Steihaug (1982). Inexact Newton methods. SIAM Journal on Numerical
    Analysis 19, 400-408.

    J. Nocedal and S. J. Wright (2006). Numerical optimization, algorithm 7.1.

    J. Martens (2010). Deep learning via Hessian-free optimization. ICML (the Gauss-Newton matrix, and the
    damping that follows the model's success).

    """

    curvature: Literal["gauss_newton", "hessian"] = attrs.field(
        default="gauss_newton", validator=one_of(*PRODUCTS)
    )
    cg_iterations: int = attrs.field(default=50, kw_only=True, validator=count())
    damping: float = attrs.field(default=1e-2, kw_only=True, validator=number(above=0))
    change: float = attrs.field(default=2.0, kw_only=True, validator=number(above=1))
    halvings: int = attrs.field(default=8, kw_only=True, validator=count())

    def initial_state(self, weights: Vector, gradient: Vector) -> float:  # noqa: ARG002
        """Return the first damping."""
        return self.damping

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Find a step and go along it as far as the error allows."""
        assert last.gradient is not None
        if not last.gradient.any():
            return attrs.evolve(last, finished="the gradient is 0")
        found = self._newton_step(objective, last)
        slope = dot(last.gradient, found.step)
        length, made = self._shortened(objective, last, found.step, slope)
        if made is None:
            damping = last.state * self.change**2
            stuck = None if damping <= MOST_DAMPING else "no step lowers the error"
            return attrs.evolve(last, state=damping, finished=stuck)
        promised = length * slope + length**2 / 2 * found.bend
        return attrs.evolve(made, state=self._damping(last.state, made.error - last.error, promised))

    @np.errstate(over="ignore", invalid="ignore")  # a wild step is judged by the error it leads to
    def _newton_step(self, objective: Objective, last: Iterate) -> NewtonStep:
        """Solve for the step by conjugate gradients: Nocedal and Wright's algorithm 7.1."""
        assert last.gradient is not None
        multiply, gradient = self._products(objective, last.weights), last.gradient
        solution, image = np.zeros_like(gradient), np.zeros_like(gradient)
        residual = -gradient
        direction = residual
        norm = math.sqrt(dot(gradient, gradient))
        goal = min(0.5, math.sqrt(norm)) * norm
        for _ in range(self.cg_iterations):
            bent = multiply(direction)
            square = dot(residual, residual)
            curvature = dot(direction, bent) + last.state * dot(direction, direction)
            if not (curvature > 0 and np.isfinite(bent).all()):
                if not solution.any():
                    return _downhill(gradient, square, curvature)
                break
            length = square / curvature
            solution, image = solution + length * direction, image + length * bent
            residual = residual - length * (bent + last.state * direction)
            left = dot(residual, residual)
            if not math.sqrt(left) > goal:
                break
            direction = residual + left / square * direction
        return NewtonStep(solution, dot(solution, image))

    def _products(self, objective: Objective, weights: Vector) -> Callable[[Vector], Vector]:
        """Return what multiplies a direction by the second derivatives at some weights: a job each time."""
        task, penalty = PRODUCTS[self.curvature], objective.penalty_curvature()

        def multiply(direction: Vector) -> Vector:
            (total,) = objective.totals(task(direction[np.newaxis]), weights[np.newaxis])
            product: Vector = total["products"][0] / total["samples"][0] + penalty * direction
            return product

        return multiply

    def _shortened(
        self, objective: Objective, last: Iterate, step: Vector, slope: float
    ) -> tuple[float, Iterate | None]:
        """Return the longest share of the step that lowers the error enough, and where it leads."""
        made = _arrival(objective, last.weights + step)
        if _is_enough(made.error, last.error, slope) and _is_usable(made):
            return 1.0, made
        lengths = 0.5 ** np.arange(1, self.halvings + 1)
        errors = objective.values(last.weights + lengths[:, np.newaxis] * step)
        for length, error in zip(lengths, errors, strict=True):
            if _is_enough(error, last.error, length * slope):
                made = _arrival(objective, last.weights + length * step)
                if _is_usable(made):
                    return float(length), made
        return 0.0, None

    def _damping(self, damping: float, change: float, promised: float) -> float:
        """Return the next damping, from the change of the error and that which the model promised."""
        share = change / promised if promised < 0 else 0.0
        if share > GOOD:
            return max(damping / self.change, LEAST_DAMPING)
        return damping * self.change if share < POOR else damping


def _downhill(gradient: Vector, square: float, curvature: float) -> NewtonStep:
    """Return a step against the gradient, as long as if E bent upwards as much as it bends down."""
    if not -math.inf < curvature < 0:
        return NewtonStep(-gradient, 0.0)
    length = square / -curvature
    return NewtonStep(-length * gradient, length * length * curvature)


def _arrival(objective: Objective, weights: Vector) -> Iterate:
    error, gradient = objective.value_and_gradient(weights)
    return Iterate(weights, error, gradient)


def _is_enough(error: float, before: float, slope: float) -> bool:
    """Return whether the error fell as Armijo's condition demands; one that is NaN did not."""
    return bool(error <= before + SUFFICIENT * slope and error < before)


def _is_usable(made: Iterate) -> bool:
    assert made.gradient is not None
    return bool(np.isfinite(made.error) and np.isfinite(made.gradient).all())
