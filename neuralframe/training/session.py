"""A training session: one course of a learning rule from one set of initial weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.objective import Objective
from neuralframe.kernels.sample_sum import free_part, whole_vector
from neuralframe.mapreduce.questions import ErrorQuestion, SumQuestion
from neuralframe.training.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.conclusion import Conclusion
    from neuralframe.core.learning_rule import Iterate
    from neuralframe.core.objective import Costs
    from neuralframe.kernels.sample_sum import SampleSum
    from neuralframe.mapreduce.evaluator import Evaluator
    from neuralframe.mapreduce.questions import Answer, Evaluation, Question


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

    def __init__(
        self,
        weights: Vector,
        free: Indices | None,
        random: np.random.Generator,
        roles: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        self._ask: Callable[[Question], Answer] = _nobody
        self._evaluator: Evaluator | None = None
        self._weights = weights
        self._free = free
        self._roles = roles
        self._seen: list[tuple[Vector, Evaluation]] = []
        self.notes: list[str] = []
        self.n_weights = len(weights) if free is None else len(free)
        self.random = random

    @property
    def evaluator(self) -> Evaluator:
        """What the session is evaluated by; only while it is trained."""
        assert self._evaluator is not None, "nobody was appointed to evaluate"
        return self._evaluator

    @property
    def n_blocks(self) -> int:  # type: ignore[override]
        return self.evaluator.n_training_blocks

    @property
    def costs(self) -> Costs | None:  # type: ignore[override]
        return self.evaluator.costs

    def value_and_gradient(self, weights: Vector) -> tuple[float, Vector]:
        errors, gradients = self.values_and_gradients(weights[np.newaxis])
        return float(errors[0]), gradients[0]

    def values(self, candidates: Vector) -> Vector:
        found = self._evaluate(candidates, with_gradient=False).evaluations
        return np.array([evaluation.error for evaluation in found])

    def values_and_gradients(self, candidates: Vector) -> tuple[Vector, Vector]:
        found = self._evaluate(candidates, with_gradient=True).evaluations
        gradients = np.array([evaluation.gradient for evaluation in found])
        return np.array([evaluation.error for evaluation in found]), free_part(gradients, self._free)

    def concluded(self, candidates: Vector, conclusion: Conclusion) -> tuple[Vector, dict[str, Vector]]:
        answer = self._evaluate(candidates, with_gradient=False, conclusion=conclusion)
        return np.array([evaluation.error for evaluation in answer.evaluations]), answer.concluded

    def totals(self, task: SampleSum, candidates: Vector) -> list[dict[str, Vector]]:  # type: ignore[override]
        return self._ask(SumQuestion(self.whole(candidates), task, self._free)).totals

    def penalised(
        self, weights: Vector, error: float, gradient: Vector | None = None
    ) -> tuple[float, Vector | None]:
        whole = self.whole(weights[np.newaxis])[0]
        penalty, is_bias = self.evaluator.penalty, self.evaluator.kernel.topology.is_bias
        spread = None if gradient is None else whole_vector(gradient, self._free, len(self._weights))
        total, slope = penalty.added(whole, error, spread, is_bias)
        return total, None if slope is None else free_part(slope, self._free)

    def penalty_curvature(self) -> Vector:
        is_bias = self.evaluator.kernel.topology.is_bias
        return free_part(self.evaluator.penalty.curvature(self._weights, is_bias), self._free)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def ask_through(self, ask: Callable[[Question], Answer], evaluator: Evaluator) -> None:
        """Say who answers from now on, and what evaluates in the end."""
        self._ask, self._evaluator = ask, evaluator

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

    def _evaluate(
        self, candidates: Vector, *, with_gradient: bool, conclusion: Conclusion | None = None
    ) -> Answer:
        question = ErrorQuestion(self.whole(candidates), with_gradient, conclusion, self._roles)
        answer = self._ask(question)
        self._seen.extend(zip(candidates.copy(), answer.evaluations, strict=True))
        return answer


def _nobody(question: Question) -> Answer:
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
