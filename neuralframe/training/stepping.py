"""One step of one session: where the rule leads, and what stands around it whatever the rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.core.objective import Objective
    from neuralframe.training.session import Session


def take_step(rule: LearningRule, session: Session) -> Iterate:
    """Return where a session stands after its rule's start, or after one more step.

    The weights are among those that are allowed, and the error is that at these weights.

    Raises
    ------
    ParameterError
        If a rule of the user's own returns something else than a standing.

    """
    objective = session.objective
    if session.last is None:
        step = rule.start(objective, objective.project(session.start))
    else:
        step = rule.step(objective, _comparable(rule, session))
    _require_a_standing(rule, step, len(session.start))
    weights = objective.project(step.weights)
    return step if weights is step.weights else _moved(rule, _evaluated(step, objective, weights))


def not_finite(step: Iterate) -> str | None:
    """Say what is not finite about a step, if anything."""
    if not math.isfinite(step.error):
        return f"the error became {step.error}"
    if step.gradient is not None and not np.isfinite(step.gradient).all():
        return "the gradient is no longer finite"
    return None if np.isfinite(step.weights).all() else "a weight is no longer finite"


def _comparable(rule: LearningRule, session: Session) -> Iterate:
    """Return where a session stands, with the error that the noise of this iteration makes of it."""
    if rule.compares_errors and session.objective.evaluator.noise:
        return _evaluated(session.standing, session.objective, session.standing.weights)
    return session.standing


def _moved(rule: LearningRule, step: Iterate) -> Iterate:
    """Return a standing whose weights were moved, with a state that knows of it; it may lead on again."""
    if step.gradient is None:
        return step
    return attrs.evolve(step, state=rule.moved(step.state, step.gradient), finished=None)


def _evaluated(step: Iterate, objective: Objective, weights: Vector) -> Iterate:
    """Return a standing at some weights, with the error there, and the gradient if the rule uses it."""
    if step.gradient is None:
        return attrs.evolve(step, weights=weights, error=objective.value(weights))
    error, gradient = objective.value_and_gradient(weights)
    return attrs.evolve(step, weights=weights, error=error, gradient=gradient)


def _require_a_standing(rule: LearningRule, step: Any, n_weights: int) -> None:
    if not isinstance(step, Iterate) or step.weights.shape != (n_weights,):
        raise ParameterError(
            f"{type(rule).__name__} must return an nf.Iterate with {n_weights} weights; it returned {step!r}"
        )
