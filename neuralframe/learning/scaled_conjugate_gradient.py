"""Scaled conjugate gradients: no line search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number
from neuralframe.learning.directional_descent import NO_LOWER
from neuralframe.learning.line import dot

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective

GOOD, POOR = 0.75, 0.25
"""How well the parabola must have told the error for lambda to fall, and how badly for it to rise."""

LEAST = 1e-20
"""Lambda falls no further: where the error is a straight line, nothing else keeps the step finite."""

WILD = -3.0
"""What the comparison counts as where the error is not finite; lambda then shortens the step to a fifth."""


@attrs.frozen(eq=False)
class Scaling:
    """What scaled conjugate gradients carry from step to step; the symbols are Moeller's.

    Attributes
    ----------
    direction : (n_weights,) float64
        p, the direction of the next trial.
    scale : float
        lambda, which is added to the second derivatives.
    curvature : float or None
        delta, the second derivative along p as the last trial took it to be; None where p is new.
    contained : float
        lambda-bar, how much of lambda `curvature` holds already.
    iteration : int
        k, counted from 1.

    """

    direction: Vector
    scale: float
    curvature: float | None = None
    contained: float = 0.0
    iteration: int = 1


@attrs.frozen
class ScaledConjugateGradient(LearningRule):
    """Conjugate gradients whose step length comes from second derivatives instead of a line search.

    The second derivative along the direction p is measured by a second gradient at ``w + sigma * p / |p|``.
    The step is that to the minimum of the parabola; lambda, added to the second derivative, shortens it where
    the error does not bend upwards or the parabola has told the last error badly. A step to a higher error
    is discarded and tried again with a larger lambda.

    Parameters
    ----------
    sigma : float, above 0
        Distance over which the second derivative is measured.
    scale : float, above 0
        The first lambda.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Notes
    -----
    A step costs two gradient jobs, or one after a step that was discarded; a discarded one is an iteration
    too. The state is one vector. The direction begins anew with -g every `n_weights` iterations.

    References
    ----------
    M. F. Moeller (1993). A scaled conjugate gradient algorithm for fast supervised learning. Neural
    Networks 6, 525-533, steps 1 to 8.

    Examples
    --------
    >>> ScaledConjugateGradient()
    ScaledConjugateGradient(sigma=5e-05, scale=5e-07)

    """

    sigma: float = attrs.field(default=5e-5, kw_only=True, validator=number(above=0))
    scale: float = attrs.field(default=5e-7, kw_only=True, validator=number(above=0))

    def initial_state(self, weights: Vector, gradient: Vector) -> Scaling:  # noqa: ARG002
        """Return step 1: along the steepest descent."""
        return Scaling(-gradient, self.scale)

    def moved(self, state: Scaling, gradient: Vector) -> Scaling:
        """Return to the steepest descent, with the scale in use."""
        return Scaling(-gradient, state.scale)

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Try the step to the minimum of the parabola along the direction."""
        assert last.gradient is not None
        promise = -dot(last.state.direction, last.gradient)  # mu
        if not 0 < promise * promise < math.inf:
            return attrs.evolve(last, finished=NO_LOWER)
        state = self._scaled(objective, last)
        assert state.curvature is not None
        with np.errstate(over="ignore", invalid="ignore"):
            weights = last.weights + promise / state.curvature * state.direction
        if np.array_equal(weights, last.weights):
            return attrs.evolve(last, finished=NO_LOWER)
        error, gradient = objective.value_and_gradient(weights)
        return _judged(last, Iterate(weights, error, gradient, state), promise)

    def _scaled(self, objective: Objective, last: Iterate) -> Scaling:
        """Do steps 2 to 4: the second derivative along the direction, made positive."""
        state: Scaling = last.state
        square = dot(state.direction, state.direction)
        measured = self._measured(objective, last) if state.curvature is None else state.curvature
        curvature = measured + (state.scale - state.contained) * square
        if curvature > 0:
            return attrs.evolve(state, curvature=curvature)
        return attrs.evolve(
            state, curvature=state.scale * square - curvature, scale=2 * (state.scale - curvature / square)
        )

    def _measured(self, objective: Objective, last: Iterate) -> float:
        """Do step 2: the second derivative along the direction, from the gradient a little further on."""
        assert last.gradient is not None
        direction = last.state.direction
        distance = self.sigma / math.sqrt(dot(direction, direction))
        _, ahead = objective.value_and_gradient(last.weights + distance * direction)
        with np.errstate(over="ignore", invalid="ignore"):
            curvature = dot(direction, (ahead - last.gradient) / distance)
        return curvature if math.isfinite(curvature) else 0.0


def _judged(last: Iterate, trial: Iterate, promise: float) -> Iterate:
    """Do steps 6 to 8: keep or discard a trial by how well the parabola has told its error."""
    assert trial.gradient is not None
    state: Scaling = attrs.evolve(trial.state, iteration=trial.state.iteration + 1)
    curvature, scale = trial.state.curvature, state.scale
    comparison = 2 * curvature * (last.error - trial.error) / (promise * promise)  # Delta
    if not (math.isfinite(comparison) and np.isfinite(trial.gradient).all()):
        comparison = WILD
    if comparison < POOR:
        scale += curvature * (1 - comparison) / dot(state.direction, state.direction)
    if comparison < 0:
        return attrs.evolve(last, state=attrs.evolve(state, scale=scale, contained=trial.state.scale))
    if comparison >= GOOD:
        scale = max(scale / 4, LEAST)
    return attrs.evolve(trial, state=Scaling(_bent(last, trial, promise), scale, iteration=state.iteration))


def _bent(last: Iterate, trial: Iterate, promise: float) -> Vector:
    """Return the next direction: conjugate to the last one, or the steepest descent after `n_weights`."""
    assert last.gradient is not None
    assert trial.gradient is not None
    if trial.state.iteration % len(trial.gradient) == 0:
        return -trial.gradient
    share = dot(trial.gradient, trial.gradient - last.gradient) / promise  # beta
    direction: Vector = share * trial.state.direction - trial.gradient
    return direction
