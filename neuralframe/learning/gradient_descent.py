"""Batch gradient descent with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number
from neuralframe.exceptions import ParameterError
from neuralframe.learning.adaptive_rates import AdaptiveRate, Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


def _adaptive_rate(given: AdaptiveRate | type[AdaptiveRate] | str | None) -> AdaptiveRate | None:
    return None if given is None else AdaptiveRate.of(given)


@attrs.frozen
class GradientDescent(LearningRule):
    """Steps against the gradient, with momentum and, if wanted, a rate that adapts itself.

    The change of the weights is::

        change = -rate * gradient + momentum * last change

    With `nesterov` it looks ahead: it is ``momentum * velocity - rate * gradient``, where the velocity is the
    change above.

    On a quadratic error of curvature c it converges for ``0 < rate * c < 2 * (1 + momentum)``. Beyond
    that it diverges, unless an adaptive rate steps back.

    Parameters
    ----------
    rate : float, above 0
        The learning rate; the first one, if it adapts.
    momentum : float, at least 0 and below 1
        The share of the last change that is made again.
    nesterov : bool
        Whether the gradient is taken ahead, where the momentum is about to lead.
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
    error and gradient then stay what they were. The state holds one vector, the last change, and those of the
    adaptive rate.

    Nesterov's momentum speaks of two points: where the weights are, and where the gradient is taken, further
    on along the velocity. Here the weights are always the second, so that the error and the gradient that are
    reported belong to them; the first appears nowhere. The step is the same, told from the other point, and
    is that of PyTorch's ``SGD(nesterov=True)``.

    References
    ----------
    D. E. Rumelhart, G. E. Hinton and R. J. Williams (1986). Learning representations by
    back-propagating errors. Nature 323, 533-536.

    Y. Bengio, N. Boulanger-Lewandowski and R. Pascanu (2013). Advances in optimizing recurrent networks.
    ICASSP, 8624-8628, equation 7 (Nesterov's momentum told from the point ahead).

    Examples
    --------
    >>> GradientDescent(0.01, momentum=0.9, adaptive="variable_rate").adaptive
    VariableRate(up=1.05, down=0.7, tolerance=1.04)

    """

    rate: float = attrs.field(default=0.1, validator=number(above=0))
    momentum: float = attrs.field(default=0.0, validator=number(at_least=0, below=1))
    nesterov: bool = attrs.field(default=False, kw_only=True, validator=attrs.validators.instance_of(bool))
    adaptive: AdaptiveRate | None = attrs.field(default=None, kw_only=True, converter=_adaptive_rate)

    @property
    def compares_errors(self) -> bool:
        """Only if the rate adapts itself."""
        return self.adaptive is not None

    def initial_state(self, weights: Vector, gradient: Vector) -> Pace:
        """Return the first rate, and no change to build a momentum on."""
        pace = Pace(float(self.rate), np.zeros_like(weights))
        return pace if self.adaptive is None else self.adaptive.begin(pace, weights, gradient)

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Take one step against the gradient."""
        pace: Pace = last.state
        assert last.gradient is not None
        with np.errstate(over="ignore", invalid="ignore"):  # a wild step is judged where it leads
            downhill = -pace.rate * last.gradient
            change = self.momentum * pace.change + downhill
            weights = last.weights + (self.momentum * change + downhill if self.nesterov else change)
        if self.adaptive is not None:
            weights = self.adaptive.revise(pace, weights)
        error, gradient = objective.value_and_gradient(weights)
        trial = Iterate(weights, error, gradient, attrs.evolve(pace, change=change))
        return trial if self.adaptive is None else self.adaptive.settle(last, trial)


def eaton_olivier_rate(class_sizes: Sequence[int]) -> float:
    """Return a learning rate for batch training from how many samples each class has.

    The authors' rate is ``1.5 / sqrt(sum of squared class sizes)`` for the error summed over the samples,
    with a momentum of 0.9. neuralframe's errors are means, so the rate here is that times the number of
    samples.

    Raises
    ------
    ParameterError
        If no class has a sample, or a size is negative.

    References
    ----------
    H. A. C. Eaton and T. L. Olivier (1992). Learning coefficient dependence on training set size. Neural
    Networks 5, 283-288.

    Examples
    --------
    >>> eaton_olivier_rate([30, 40])
    2.1

    """
    sizes = np.asarray(class_sizes, dtype=np.float64)
    if not sizes.size or not (sizes >= 0).all() or not sizes.any():
        raise ParameterError(f"class_sizes must be the numbers of samples; got {class_sizes!r}")
    return float(1.5 * np.sum(sizes) / np.sqrt(np.sum(np.square(sizes))))
