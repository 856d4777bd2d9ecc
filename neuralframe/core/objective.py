"""The one thing that rules and engines share: a function of a weight vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from neuralframe.core.arrays import Vector


class Objective(ABC):
    """What a learning rule minimises: E(w), its gradient, and E at many weight vectors at once.

    A rule sees nothing else: not the network, not the data, not the machine. Every call submits one
    job, so a rule that can use several weight vectors at a time asks for them in one `values` call.
    Overflow is not an error here: at a wild trial step a value may be infinite or NaN, and the rule
    steps back.

    Attributes
    ----------
    n_weights : int
        Length of the vectors (frozen weights are not among them).
    random : numpy.random.Generator
        The generator of this training session; the only source of randomness a rule may use.

    """

    n_weights: int
    random: np.random.Generator

    @abstractmethod
    def value_and_gradient(self, weights: Vector) -> tuple[float, Vector]:
        """Return E, and dE/dw of shape (n_weights,), at `weights` of shape (n_weights,)."""

    @abstractmethod
    def values(self, candidates: Vector) -> Vector:
        """Return E at each row of `candidates`, shape (K, n_weights), as shape (K,): one job."""

    def value(self, weights: Vector) -> float:
        """Return E at `weights`."""
        return float(self.values(weights[None, :])[0])
