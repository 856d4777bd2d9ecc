"""The one thing that rules and engines share: a function of a weight vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.weight_groups import WeightGroups
from neuralframe.exceptions import LearningRuleError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.components import Component
    from neuralframe.core.conclusion import Conclusion


@attrs.frozen
class Costs:
    """What jobs were measured to cost.

    Attributes
    ----------
    job_seconds : float
        What a job costs before anything is computed.
    value_seconds : float
        What each further weight vector in a job adds, its error alone being asked for.

    """

    job_seconds: float
    value_seconds: float


class Objective(ABC):
    """What a learning rule minimises: E(w), its gradient, and E at many weight vectors at once.

    A rule sees nothing else: not the network, not the data, not the machine. Every call submits one
    job, so a rule that can use several weight vectors at a time asks for them in one call. Overflow is
    not an error here: at a wild trial step a value may be infinite or NaN, and the rule steps back.

    Attributes
    ----------
    n_weights : int
        Length of the vectors (frozen weights are not among them).
    random : numpy.random.Generator
        The generator of this training session; the only source of randomness a rule may use.
    n_blocks : int
        The training set comes in so many blocks, from which mini-batches can be drawn; 1 where there is
        nothing to draw from.
    costs : Costs or None
        What jobs cost so far on this engine; None as long as too few have been measured.

    """

    n_weights: int
    random: np.random.Generator
    n_blocks: int = 1
    costs: Costs | None = None

    @abstractmethod
    def value_and_gradient(self, weights: Vector) -> tuple[float, Vector]:
        """Return E, and dE/dw of shape (n_weights,), at `weights` of shape (n_weights,)."""

    @abstractmethod
    def values(self, candidates: Vector) -> Vector:
        """Return E at each row of `candidates`, shape (K, n_weights), as shape (K,): one job."""

    def value(self, weights: Vector) -> float:
        """Return E at `weights`."""
        return float(self.values(weights[None, :])[0])

    def values_and_gradients(self, candidates: Vector) -> tuple[Vector, Vector]:
        """Return E, shape (K,), and dE/dw, shape (K, n_weights), at each row of `candidates`: one job."""
        found = [self.value_and_gradient(candidate) for candidate in candidates]
        return np.array([error for error, _ in found]), np.array([gradient for _, gradient in found])

    def concluded(self, candidates: Vector, conclusion: Conclusion) -> tuple[Vector, dict[str, Vector]]:
        """Return E at each row of `candidates`, and what a conclusion makes of it in the reducer: one job."""
        errors = self.values(candidates)
        return errors, conclusion.conclude(errors, candidates)

    def totals(self, task: Component, candidates: Vector) -> list[dict[str, Vector]]:
        """Return sums of a rule's own over the training set, for each row of `candidates`: one job.

        Parameters
        ----------
        task : SampleSum
            What is summed; see `neuralframe.kernels.sample_sum.SampleSum`.
        candidates : (K, n_weights) float64

        Returns
        -------
        list of dict of str to float64 array
            The sums by name, for each row; undivided and without any penalty. Under ``"samples"`` stands
            [sum of sample weights, number of samples].

        Raises
        ------
        LearningRuleError
            If the objective is no sum over samples.

        """
        del candidates
        raise LearningRuleError(
            f"{type(task).__name__} is a sum over samples, and {type(self).__name__} has none"
        )

    def penalised(
        self, weights: Vector, error: float, gradient: Vector | None = None
    ) -> tuple[float, Vector | None]:
        """Return a mean error, and its gradient if it is given, with the penalty of the weights added."""
        del weights  # without a penalty they do not matter
        return error, gradient

    def penalty_curvature(self) -> Vector:
        """Return the diagonal of the penalty's second derivatives, shape (n_weights,)."""
        return np.zeros(self.n_weights)

    def groups(self) -> WeightGroups:
        """Return which weights belong to one neuron; without a network each stands alone."""
        return WeightGroups.single(self.n_weights)

    def project(self, weights: Vector) -> Vector:
        """Return the nearest weights that are allowed (see max-norm); usually `weights` themselves.

        The driver does so after each step. A rule that makes many small steps in one does so after each.
        """
        return weights

    def note(self, text: str) -> None:  # noqa: B027 - an objective that nobody watches has nobody to tell
        """Tell the user something about the course of the training, such as a choice that was made."""
