"""Gradient descent whose rate evolves: two rates compete in every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


@attrs.frozen
class EvolutionaryRate(LearningRule):
    """Steps against the gradient with two rates, a larger and a smaller one; the better survives.

    From the rate r both ``r * factor`` and ``r / factor`` are tried, in one job. The one that leads to the
    lower error is the step that is made, and the rate from which the next two are bred. If both raise the
    error, the weights stay and the rate becomes the smaller one.

    Parameters
    ----------
    rate : float, above 0
        The first rate.
    factor : float, above 1
        How far apart the offspring are.

    Notes
    -----
    An iteration is one job with two gradients. The error never rises, and only comparisons of errors matter.
    A first rate that is wrong by orders of magnitude costs a few iterations.

    References
    ----------
    R. Salomon (1989). Adaptiv geregelte Lernrate bei back-propagation. Report 1989/24, Technische
    Universitaet Berlin. As described by W. Schiffmann, M. Joost and R. Werner (1994). Optimization of the
    backpropagation algorithm for training multilayer perceptrons. Technical report, University of Koblenz.

    """

    rate: float = attrs.field(default=0.1, validator=number(above=0))
    factor: float = attrs.field(default=1.7, validator=number(above=1))

    def initial_state(self, weights: Vector, gradient: Vector) -> float:  # noqa: ARG002
        """Return the first rate."""
        return float(self.rate)

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Try both rates and keep the better."""
        assert last.gradient is not None
        rates = np.array([last.state * self.factor, last.state / self.factor])
        with np.errstate(over="ignore", invalid="ignore"):  # a wild trial is worse than the other
            trials = last.weights - rates[:, np.newaxis] * last.gradient
        errors, gradients = objective.values_and_gradients(trials)
        usable = np.isfinite(errors) & np.isfinite(gradients).all(axis=1) & np.isfinite(trials).all(axis=1)
        best = int(np.argmin(np.where(usable, errors, np.inf)))
        if not usable[best] or errors[best] > last.error:
            return attrs.evolve(last, state=float(rates[1]))
        return Iterate(trials[best], float(errors[best]), gradients[best], float(rates[best]))
