"""Learning rates that change in the course of gradient descent."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.validation import number

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate


@attrs.frozen(eq=False)
class Pace:
    """What gradient descent carries from step to step.

    Attributes
    ----------
    rate : float or (n_weights,) float64
        The learning rate of the next step, one for all weights or one for each.
    change : (n_weights,) float64
        What the momentum builds on, usually the last change of the weights; zeros switch it off.

    """

    rate: float | Vector
    change: Vector


class AdaptiveRate(Component):
    """How the learning rate of `GradientDescent` follows the course of the error.

    Derive one of your own by writing `settle`. It is a pure function of its arguments; whatever it
    has to remember goes into the state of the step that it returns (a `Pace`, or a class derived from it,
    which `begin` then makes).
    """

    def begin(self, pace: Pace, weights: Vector, gradient: Vector) -> Pace:  # noqa: ARG002
        """Return the state before the first step, from the rate that was given and no change."""
        return pace

    def revise(self, pace: Pace, weights: Vector) -> Vector:  # noqa: ARG002
        """Return the weights to try, from those to which gradient and momentum lead."""
        return weights

    @abstractmethod
    def settle(self, last: Iterate, trial: Iterate) -> Iterate:
        """Return where to stand after a trial step, with the `Pace` of the next one.

        Called once in each iteration.

        Parameters
        ----------
        last : Iterate
            Where the trial step began.
        trial : Iterate
            Where it led. Its `state` is that of `last` with the change on which the momentum builds; its
            error and gradient may be infinite or NaN.

        """


@attrs.frozen
class VariableRate(AdaptiveRate):
    """The bold driver: speed up while the error falls, step back and slow down when it rises.

    With the error E at the trial weights and E' before the step::

        E > tolerance * E'        the step is discarded, rate *= down, no momentum in the next step
        E < E'                    the step is kept, rate *= up
        otherwise                 the step is kept, and so is the rate

    The momentum stays off until a step is kept. A trial step with an infinity or a NaN in its weights,
    error or gradient is discarded as well.

    Parameters
    ----------
    up : float, at least 1
        Factor of the rate after a step that lowered the error.
    down : float, between 0 and 1
        Factor of the rate after a discarded step.
    tolerance : float, at least 1
        How many times the last error a new error may be.

    Notes
    -----
    `tolerance` is a ratio, as published, so the rule does care where the origin of the error lies: a
    constant added to the error lets a step rise further. With ``tolerance=1`` only differences count.
    Of a negative error 1.04 times as much would be less, not more; there no rise is tolerated.

    References
    ----------
    T. P. Vogl, J. K. Mangis, A. K. Rigler, W. T. Zink and D. L. Alkon (1988). Accelerating the
    convergence of the back-propagation method. Biological Cybernetics 59, 257-263. The default factors
    are those in common use (MATLAB's ``traingdx``).

    """

    up: float = attrs.field(default=1.05, validator=number(at_least=1))
    down: float = attrs.field(default=0.7, validator=number(above=0, below=1))
    tolerance: float = attrs.field(default=1.04, validator=number(at_least=1))

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:
        """Keep or discard the trial step, and change the rate."""
        pace = trial.state
        highest = max(self.tolerance * last.error, last.error)
        if not is_finite(trial) or trial.error > highest:
            return attrs.evolve(last, state=Pace(self.down * pace.rate, np.zeros_like(pace.change)))
        if trial.error < last.error:
            # an error that falls forever, however little, must not raise the rate to infinity
            rate = min(self.up * pace.rate, sys.float_info.max)
            return attrs.evolve(trial, state=Pace(rate, pace.change))
        return trial


@attrs.frozen
class ChanFallside(AdaptiveRate):
    """A rate that grows while the path is straight and shrinks when it turns back.

    After each step ``rate *= 1 + cos(angle) / 2``, with the angle between the last change of the weights and
    the way down from where it led, which is minus the gradient there.

    Notes
    -----
    No step is ever discarded. The momentum of `GradientDescent` is added as it is; the authors adapt it too.

    References
    ----------
    L.-W. Chan and F. Fallside (1987). An adaptive training algorithm for back propagation networks. Computer
    Speech and Language 2, 205-218.

    """

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:
        """Keep the step, and change the rate by the cosine."""
        assert trial.gradient is not None
        pace = trial.state
        cosine = _cosine(trial.weights - last.weights, -trial.gradient)
        rate = min((1 + cosine / 2) * pace.rate, sys.float_info.max)
        return attrs.evolve(trial, state=attrs.evolve(pace, rate=rate))


def _cosine(one: Vector, other: Vector) -> float:
    """Return the cosine of the angle between two vectors; 0 where they have none."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        norms = np.sqrt(np.sum(np.square(one))) * np.sqrt(np.sum(np.square(other)))
        cosine = float(np.sum(one * other) / norms)
    return cosine if np.isfinite(cosine) else 0.0


def is_finite(step: Iterate) -> bool:
    """Return whether all numbers of a standing are finite."""
    assert step.gradient is not None
    return all(np.isfinite(values).all() for values in (step.error, step.weights, step.gradient))
