"""Quickprop: each weight jumps to where its own parabola has its minimum."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


@attrs.frozen(eq=False)
class Slopes:
    """What Quickprop carries from step to step.

    Attributes
    ----------
    gradient : (n_weights,) float64
        dE/dw before the last step.
    change : (n_weights,) float64
        The last step.

    """

    gradient: Vector
    change: Vector


@attrs.frozen
class Quickprop(LearningRule):
    """Steps to the minimum of a parabola for each weight, drawn through its last two derivatives.

    With the derivative g, g' before the last change, and that change::

        jump = change * g / (g' - g)     but growth * change where the derivative hardly fell, or rose
        step = jump - rate * g           where g has the sign of g', or there was no change
        step = jump                      where it has turned

    "Hardly fell" is ``g / g' >= growth / (1 + growth)``: there the jump would be longer than the last
    change by more than `growth`.

    Parameters
    ----------
    rate : float, above 0
        The share of plain gradient descent, which also takes the first step and restarts weights that
        stand still.
    growth : float, above 0
        How many times the last change a jump may be.

    Notes
    -----
    An iteration costs one gradient job; the state holds two vectors. The weights are treated as if they
    did not depend on each other, and no step is ever taken back: where they do depend on each other
    strongly, choose a smaller `growth`. A step never goes along the derivative, so that the next
    parabola is not drawn the wrong way round.

    References
    ----------
    S. E. Fahlman (1988). An empirical study of learning speed in back-propagation networks. Technical
    report CMU-CS-88-162, Carnegie Mellon University. The cases are those of his published programs.

    """

    rate: float = attrs.field(default=0.1, validator=number(above=0))
    growth: float = attrs.field(default=1.75, validator=number(above=0))

    @property
    def compares_errors(self) -> bool:
        """No: each gradient is followed as it comes."""
        return False

    def initial_state(self, weights: Vector, gradient: Vector) -> Slopes:
        """Return no change to build on."""
        return Slopes(gradient, np.zeros_like(weights))

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Jump, or step, with each weight."""
        assert last.gradient is not None
        with np.errstate(over="ignore", invalid="ignore"):  # the driver judges where a wild step leads
            change = self._change(last.gradient, last.state)
            weights = last.weights + change
        error, gradient = objective.value_and_gradient(weights)
        return Iterate(weights, error, gradient, Slopes(last.gradient, change))

    def _change(self, gradient: Vector, before: Slopes) -> Vector:
        moved = (before.change != 0) & (before.gradient != 0)
        share = np.divide(gradient, before.gradient, out=np.zeros_like(gradient), where=moved)
        share = np.maximum(share, -sys.float_info.max)  # the way back has a limit, infinity divided has none
        capped = share >= self.growth / (1 + self.growth)
        secant = np.divide(share, 1 - share, out=np.full_like(share, self.growth), where=~capped)
        descends = ~moved | (share > 0)
        change: Vector = before.change * secant - np.where(descends, self.rate * gradient, 0.0)
        return change
