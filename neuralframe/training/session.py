"""A training session: one course of a learning rule from one set of initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs
import numpy as np

from neuralframe.core.objective import Objective
from neuralframe.training.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.learning_rule import Iterate
    from neuralframe.mapreduce.evaluator import Evaluation

Question: TypeAlias = "tuple[Vector, bool]"
"""Weight vectors, shape (K, n_weights), and whether their gradients are wanted."""


class SessionObjective(Objective):
    """E as one session's rule sees it: free weights only, one job for each call.

    Parameters
    ----------
    weights : (n_weights,) float64
        All weights of the network; those that are frozen keep these values.
    free : (n_free,) int or None
        The weights that the rule sees; None means all.
    random : numpy.random.Generator
        The session's generator.

    """

    def __init__(self, weights: Vector, free: Indices | None, random: np.random.Generator) -> None:
        self._ask: Callable[[Question], list[Evaluation]] = _nobody
        self._weights = weights
        self._free = free
        self._seen: list[tuple[Vector, Evaluation]] = []
        self.n_weights = len(weights) if free is None else len(free)
        self.random = random

    def value_and_gradient(self, weights: Vector) -> tuple[float, Vector]:
        (found,) = self._evaluate(weights[np.newaxis], with_gradient=True)
        gradient = found.gradient
        assert gradient is not None
        return found.error, gradient if self._free is None else gradient[self._free]

    def values(self, candidates: Vector) -> Vector:
        return np.array([found.error for found in self._evaluate(candidates, with_gradient=False)])

    def ask_through(self, ask: Callable[[Question], list[Evaluation]]) -> None:
        """Say who evaluates from now on."""
        self._ask = ask

    def whole(self, candidates: Vector) -> Vector:
        """Return weight vectors of the network, (K, n_weights), from the free weights, (K, n_free)."""
        if self._free is None:
            return np.array(candidates, dtype=np.float64)
        whole: Vector = np.tile(self._weights, (len(candidates), 1))
        whole[:, self._free] = candidates
        return whole

    def evaluation(self, weights: Vector) -> Evaluation | None:
        """Return what is known of E at these weights, and forget what was seen at others."""
        found = next((pair for pair in reversed(self._seen) if np.array_equal(pair[0], weights)), None)
        self._seen = [] if found is None else [found]
        return None if found is None else found[1]

    def recall(self, weights: Vector, evaluation: Evaluation) -> None:
        """Remember what was seen at some weights before the training was interrupted."""
        self._seen = [(weights, evaluation)]

    def _evaluate(self, candidates: Vector, *, with_gradient: bool) -> list[Evaluation]:
        found = self._ask((self.whole(candidates), with_gradient))
        self._seen.extend(zip(candidates.copy(), found, strict=True))
        return found


def _nobody(question: Question) -> list[Evaluation]:
    raise AssertionError(f"nobody was appointed to evaluate {question!r}")


@attrs.define(eq=False)
class Session:
    """The state of one session.

    Attributes
    ----------
    number : int
        Counted from 0.
    objective : SessionObjective
        What the rule minimises.
    start : (n_free,) float64
        Initial weights, those that are free.
    last : Iterate or None
        Where the rule stands; None before the first evaluation.
    history : History
    stopped_by : str or None
        Why the session ended; None while it goes on.
    diverged : bool
        Whether it ended because a number was no longer finite.
    interrupted : bool
        Whether it ended because somebody asked for it: resumed, it goes on.

    """

    number: int
    objective: SessionObjective
    start: Vector
    last: Iterate | None = None
    history: History = attrs.field(factory=History)
    stopped_by: str | None = None
    diverged: bool = False
    interrupted: bool = False

    @property
    def standing(self) -> Iterate:
        """Where the rule stands; only after the first evaluation."""
        assert self.last is not None
        return self.last

    @property
    def weights(self) -> Vector:
        """(n_weights,) float64: all weights of the network as they stand."""
        free = self.start if self.last is None else self.last.weights
        whole: Vector = self.objective.whole(free[np.newaxis])[0]
        return whole
