"""Adaptive rates with one rate for each weight, after the sign of its derivative."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from neuralframe.core.validation import count, number
from neuralframe.learning.adaptive_rates import AdaptiveRate, Pace, is_finite

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate


@attrs.frozen(eq=False)
class RetractingPace(Pace):
    """A pace that counts its failures.

    Attributes
    ----------
    discarded : int
        How many steps in a row were discarded.

    """

    discarded: int


@attrs.frozen
class SilvaAlmeida(AdaptiveRate):
    """A rate for each weight: up while its derivative keeps its sign, down when it turns.

    A step that raises the error is discarded, and the next is without momentum; the rates change all the
    same, by the derivatives found where it led. If that does not help in some steps, all rates shrink.

    Parameters
    ----------
    up : float, at least 1
        Factor of a weight's rate while the sign stays.
    down : float, between 0 and 1
        Factor when it has turned; best a little below ``1 / up``.
    patience : int, at least 1
        From so many discarded steps in a row on, all rates are halved each time; and after every step that
        led to an infinity or a NaN.

    References
    ----------
    F. M. Silva and L. B. Almeida (1990). Speeding up backpropagation. Advanced Neural Computers, 151-158. As
    described by R. D. Reed and R. J. Marks (1999). Neural Smithing, section 9.4.

    """

    up: float = attrs.field(default=1.2, validator=number(at_least=1))
    down: float = attrs.field(default=0.7, validator=number(above=0, below=1))
    patience: int = attrs.field(default=5, kw_only=True, validator=count())

    def begin(self, pace: Pace, weights: Vector, gradient: Vector) -> RetractingPace:  # noqa: ARG002
        """Return the same rate for each weight."""
        return RetractingPace(np.full_like(weights, pace.rate), pace.change, 0)

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:
        """Keep or discard the step, and change the rates."""
        pace: RetractingPace = trial.state
        usable = is_finite(trial)
        rate = _resized(pace.rate, _signs(last) * _signs(trial), self.up, self.down) if usable else pace.rate
        if usable and trial.error <= last.error:
            return attrs.evolve(trial, state=RetractingPace(rate, pace.change, 0))
        discarded = pace.discarded + 1
        if not usable or discarded >= self.patience:
            rate = np.multiply(rate, 0.5)
        return attrs.evolve(last, state=RetractingPace(rate, np.zeros_like(pace.change), discarded))


@attrs.frozen(eq=False)
class ReversiblePace(Pace):
    """A pace that knows how to go back.

    Attributes
    ----------
    signs : (n_weights,) float64
        Signs of the gradient where the next step begins; 0 where they are to be forgotten.
    turned : (n_weights,) bool
        Which weights go back in the next step.
    before : (n_weights,) float64
        The weights to which they go back.

    """

    signs: Vector
    turned: npt.NDArray[np.bool_]
    before: Vector


@attrs.frozen
class SuperSAB(AdaptiveRate):
    """A rate for each weight; where the derivative turned, the weight's last change is taken back.

    While a derivative keeps its sign, the weight's rate grows. When it has turned, the rate shrinks, and the
    next step brings this weight back to where it was; the momentum begins anew, and the sign is forgotten for
    one step, so that the way back does not count as another turn.

    Parameters
    ----------
    up : float, at least 1
        Factor of a rate while the sign stays.
    down : float, between 0 and 1
        Factor when it has turned.
    highest : float, above 0
        What no rate exceeds.

    Notes
    -----
    A change is taken back by returning to the weight's old value, free of rounding. No step is discarded for
    its error, so that rates which are too high altogether may diverge: lower `up` then.

    References
    ----------
    T. Tollenaere (1990). SuperSAB: fast adaptive back propagation with good scaling properties. Neural
    Networks 3, 561-573.

    """

    up: float = attrs.field(default=1.2, validator=number(at_least=1))
    down: float = attrs.field(default=0.5, validator=number(above=0, below=1))
    highest: float = attrs.field(default=1000.0, kw_only=True, validator=number(above=0))

    def begin(self, pace: Pace, weights: Vector, gradient: Vector) -> ReversiblePace:
        """Return the same rate for each weight, and nothing to go back to."""
        rate = np.full_like(weights, pace.rate)
        return ReversiblePace(
            rate, pace.change, np.sign(gradient), np.zeros(len(weights), dtype=bool), weights
        )

    def revise(self, pace: Pace, weights: Vector) -> Vector:
        """Return the weights to try; those that turned go back."""
        assert isinstance(pace, ReversiblePace)
        return np.where(pace.turned, pace.before, weights)

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:
        """Keep the step, change the rates, and note which weights go back in the next."""
        pace: ReversiblePace = trial.state
        signs = _signs(trial)
        agreement = signs * pace.signs
        turned = agreement < 0
        state = ReversiblePace(
            rate=_resized(pace.rate, agreement, self.up, self.down, self.highest),
            change=np.where(turned | pace.turned, 0.0, pace.change),
            signs=np.where(turned, 0.0, signs),
            turned=turned,
            before=last.weights,
        )
        return attrs.evolve(trial, state=state)


@attrs.frozen(eq=False)
class AveragingPace(Pace):
    """A pace that remembers earlier gradients.

    Attributes
    ----------
    average : (n_weights,) float64
        The gradients up to where the next step begins, the later ones counting for more.

    """

    average: Vector


@attrs.frozen
class DeltaBarDelta(AdaptiveRate):
    """A rate for each weight: up by a sum, down by a factor, after the average of past derivatives.

    With the derivative g after a step and the average a of those before::

        rate += increase              if a * g > 0
        rate *= 1 - decrease          if a * g < 0
        a = memory * a + (1 - memory) * g

    Parameters
    ----------
    increase : float, at least 0
        What a rate gains (kappa); it must suit the first rate.
    decrease : float, between 0 and 1
        The share that it loses (phi).
    memory : float, at least 0 and below 1
        The share of the average that is kept (theta).

    Notes
    -----
    No step is ever discarded. Jacobs uses it without momentum.

    References
    ----------
    R. A. Jacobs (1988). Increased rates of convergence through learning rate adaptation. Neural Networks 1,
    295-307.

    """

    increase: float = attrs.field(default=0.01, validator=number(at_least=0))
    decrease: float = attrs.field(default=0.3, validator=number(above=0, below=1))
    memory: float = attrs.field(default=0.7, validator=number(at_least=0, below=1))

    def begin(self, pace: Pace, weights: Vector, gradient: Vector) -> AveragingPace:
        """Return the same rate for each weight, and the average of one gradient."""
        return AveragingPace(np.full_like(weights, pace.rate), pace.change, (1 - self.memory) * gradient)

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:  # noqa: ARG002 - the average stands for it
        """Keep the step, change the rates and the average."""
        assert trial.gradient is not None
        pace: AveragingPace = trial.state
        agreement = np.sign(pace.average) * _signs(trial)
        change = np.where(agreement > 0, self.increase, 0.0) - np.where(
            agreement < 0, self.decrease * pace.rate, 0.0
        )
        average = self.memory * pace.average + (1 - self.memory) * trial.gradient
        return attrs.evolve(trial, state=AveragingPace(pace.rate + change, pace.change, average))


def _signs(step: Iterate) -> Vector:
    assert step.gradient is not None
    return np.sign(step.gradient)


def _resized(
    rate: float | Vector, agreement: Vector, up: float, down: float, highest: float = sys.float_info.max
) -> Vector:
    """Return rates that grow where signs agree and shrink where they do not."""
    with np.errstate(over="ignore"):
        grown = np.minimum(np.multiply(rate, up), highest)
    resized: Vector = np.where(agreement > 0, grown, np.where(agreement < 0, np.multiply(rate, down), rate))
    return resized
