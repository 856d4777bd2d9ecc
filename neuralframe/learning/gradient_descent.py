"""Batch gradient descent with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number
from neuralframe.learning.adaptive_rates import AdaptiveRate, Pace

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


def _adaptive_rate(given: AdaptiveRate | type[AdaptiveRate] | str | None) -> AdaptiveRate | None:
    return None if given is None else AdaptiveRate.of(given)


@attrs.frozen
class GradientDescent(LearningRule):
    """Steps against the gradient, with momentum and, if wanted, a rate that adapts itself.

    The change of the weights is::

        change = -rate * gradient + momentum * last change

    On a quadratic error of curvature c it converges for ``0 < rate * c < 2 * (1 + momentum)``. Beyond
    that it diverges, unless an adaptive rate steps back.

    Parameters
    ----------
    rate : float, above 0
        The learning rate; the first one, if it adapts.
    momentum : float, at least 0 and below 1
        The share of the last change that is made again.
    adaptive : AdaptiveRate or str, optional
        How the rate changes from step to step, such as ``VariableRate()`` or ``"variable_rate"``.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    ChoiceError
        If there is no adaptive rate of the name given.

    Notes
    -----
    An iteration costs one gradient job, and so does a step that the adaptive rate discards: the weights,
    error and gradient then stay what they were. The state holds one vector, the last change.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986). Learning representations by
    back-propagating errors. Nature 323, 533-536.

    Examples
    --------
    >>> GradientDescent(0.01, momentum=0.9, adaptive="variable_rate")
    GradientDescent(rate=0.01, momentum=0.9, adaptive=VariableRate(up=1.05, down=0.7, tolerance=1.04))

    """

    rate: float = attrs.field(default=0.1, validator=number(above=0))
    momentum: float = attrs.field(default=0.0, validator=number(at_least=0, below=1))
    adaptive: AdaptiveRate | None = attrs.field(default=None, kw_only=True, converter=_adaptive_rate)

    def initial_state(self, weights: Vector, gradient: Vector) -> Pace:  # noqa: ARG002
        """Return the first rate, and no change to build a momentum on."""
        return Pace(self.rate, np.zeros_like(weights))

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Take one step against the gradient."""
        pace: Pace = last.state
        assert last.gradient is not None
        with np.errstate(over="ignore", invalid="ignore"):  # a wild step is judged where it leads
            change = self.momentum * pace.change - pace.rate * last.gradient
            weights = last.weights + change
        error, gradient = objective.value_and_gradient(weights)
        trial = Iterate(weights, error, gradient, attrs.evolve(pace, change=change))
        return trial if self.adaptive is None else self.adaptive.settle(last, trial)
