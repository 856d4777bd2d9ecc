"""Manhattan training: every weight moves by the same length, whatever its derivative is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number
from neuralframe.learning.schedules import Schedule, schedule_or_none

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


@attrs.frozen
class Manhattan(LearningRule):
    """Steps of a fixed length against the sign of each weight's derivative.

    Parameters
    ----------
    rate : float, above 0
        How far each weight moves.
    schedule : Schedule or str, optional
        How the length changes from iteration to iteration; by default it stays.

    Notes
    -----
    An iteration costs one gradient job; the state is the number of the iteration. No weight comes closer to
    a minimum than the length of a step, so a schedule is needed in the end. `ResilientPropagation` fits the
    length to each weight instead.

    References
    ----------
    C. Peterson and E. Hartman (1989). Explorations of the mean field theory learning algorithm. Neural
    Networks 2, 475-494 (the name, and the signs for gradients whose sizes are not to be trusted).

    """

    rate: float = attrs.field(default=0.001, validator=number(above=0))
    schedule: Schedule | None = attrs.field(default=None, kw_only=True, converter=schedule_or_none)

    @property
    def compares_errors(self) -> bool:
        """No: each gradient is followed as it comes."""
        return False

    def initial_state(self, weights: Vector, gradient: Vector) -> int:  # noqa: ARG002
        """Return the number of the first iteration."""
        return 0

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Move each weight by the length of this iteration."""
        assert last.gradient is not None
        factor = 1.0 if self.schedule is None else self.schedule.factor(last.state)
        weights = last.weights - self.rate * factor * np.sign(last.gradient)
        error, gradient = objective.value_and_gradient(weights)
        return Iterate(weights, error, gradient, last.state + 1)
