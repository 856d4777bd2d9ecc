"""The learning rule: how a weight vector is improved, one step at a time."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.objective import Objective
    from neuralframe.core.topology import Topology


@attrs.frozen(eq=False)
class Iterate:
    """Where a rule stands after an iteration.

    Attributes
    ----------
    weights : (n_weights,) float64
        The weights reached.
    error : float
        E at exactly these weights.
    gradient : (n_weights,) float64 or None
        dE/dw at exactly these weights, where the rule knows it.
    state : object
        Whatever the rule carries on to its next step: a value, never changed in place. A tuple, a
        number, an array or an attrs class of such.
    finished : str or None
        Why the rule can go no further, such as ``"no step lowers the error"``.

    """

    weights: Vector
    error: float
    gradient: Vector | None = None
    state: Any = None
    finished: str | None = None


class LearningRule(Component):
    """A training method: frozen hyper-parameters, explicit state.

    The driver calls `start` once and then `step` for each iteration. Neither may keep anything on
    the rule itself; what changes goes into `Iterate.state`. `step` returns the error (and gradient) at
    the weights it returns, so that what is reported belongs to what is kept.

    Derive a rule of your own by writing `step` (and `initial_state`, if it has any)::

        @attrs.frozen
        class SteepestDescent(nf.LearningRule):
            rate: float = 0.1

            def step(self, objective, last):
                weights = last.weights - self.rate * last.gradient
                error, gradient = objective.value_and_gradient(weights)
                return nf.Iterate(weights, error, gradient)
    """

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Return the standing at the initial weights. Costs one gradient job."""
        error, gradient = objective.value_and_gradient(weights)
        return Iterate(weights, error, gradient, self.initial_state(weights, gradient))

    def initial_state(self, weights: Vector, gradient: Vector) -> Any:  # noqa: ARG002
        """Return the state before the first step; None unless the rule has one."""
        return None

    def check(self, topology: Topology, noise: Sequence[Noise]) -> None:
        """Raise `LearningRuleError` if the rule cannot train a network, or not under noise.

        Called before training begins.
        """

    def moved(self, state: Any, gradient: Vector) -> Any:  # noqa: ARG002
        """Return the state to go on with after others moved the weights, as max-norm does.

        A rule whose state describes the way that led here, such as a conjugate direction, lets go of it.

        Parameters
        ----------
        state : object
            What the rule returned.
        gradient : (n_weights,) float64
            The gradient where the weights are now.

        """
        return state

    @property
    def compares_errors(self) -> bool:
        """Whether a step sets E at one weight vector against E at another, as every line search does.

        Where learning is disturbed by noise, which is new in each iteration, the driver then has error and
        gradient at the last weights evaluated anew before each step. A rule that takes each gradient as it
        comes says False and saves that job.
        """
        return True

    @abstractmethod
    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Return the standing after one more iteration."""
