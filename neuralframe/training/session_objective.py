"""E as a session's rule sees it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.objective import Objective
from neuralframe.core.weight_groups import WeightGroups
from neuralframe.kernels.sample_sum import free_part, whole_vector
from neuralframe.mapreduce.questions import ErrorQuestion, SumQuestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.conclusion import Conclusion
    from neuralframe.core.objective import Costs
    from neuralframe.kernels.sample_sum import SampleSum
    from neuralframe.mapreduce.evaluator import Evaluator
    from neuralframe.mapreduce.questions import Answer, Evaluation, Question

log = logging.getLogger("neuralframe.training")


def noise_stream(seeds: np.random.SeedSequence, session: int) -> int:
    """Return what tells a session's noise from that of others; a function of the run's seed alone."""
    own = np.random.SeedSequence(seeds.entropy, spawn_key=(session, 0))
    return int(own.generate_state(1, np.uint64)[0])


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
    stream : int
        Tells the session's noise from that of others.

    """

    def __init__(
        self,
        weights: Vector,
        free: Indices | None,
        random: np.random.Generator,
        *,
        stream: int = 0,
    ) -> None:
        self._ask: Callable[[Question], Answer] = _nobody
        self._evaluator: Evaluator | None = None
        self._weights = weights
        self._free = free
        self._stream = stream
        self._iteration = 0
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
        (found,) = self._evaluate(weights[np.newaxis], with_gradient=True).evaluations
        assert found.gradient is not None
        return found.error, free_part(found.gradient, self._free)

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
        return self._ask(SumQuestion(self.whole(candidates), task, self._free, self._draw)).totals

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

    def groups(self) -> WeightGroups:
        return WeightGroups.of(self.evaluator.kernel.topology).only(self._free)

    def project(self, weights: Vector) -> Vector:
        limit = self.evaluator.max_norm
        if limit is None:
            return weights
        whole = self.whole(weights[np.newaxis])[0]
        projected = limit.projected(whole, self._free)
        return weights if projected is whole else free_part(projected, self._free)

    def note(self, text: str) -> None:
        log.info("%s", text)
        self.notes.append(text)

    def ask_through(
        self, ask: Callable[[Question], Answer], evaluator: Evaluator, *, iteration: int = 0
    ) -> None:
        """Say who answers from now on, what evaluates in the end, and which iteration it is for."""
        self._ask, self._evaluator, self._iteration = ask, evaluator, iteration

    def whole(self, candidates: Vector) -> Vector:
        """Return weight vectors of the network, (K, n_weights), from the free weights, (K, n_free)."""
        if self._free is None:
            return np.array(candidates, dtype=np.float64)
        whole: Vector = np.tile(self._weights, (len(candidates), 1))
        whole[:, self._free] = candidates
        return whole

    def evaluation(self, weights: Vector) -> Evaluation | None:
        """Return what is known of E at these weights, and forget what was seen at others."""
        found = next((pair for pair in reversed(self._seen) if bool((pair[0] == weights).all())), None)
        self._seen = [] if found is None else [found]
        return None if found is None else found[1]

    def recall(self, weights: Vector, evaluation: Evaluation) -> None:
        """Remember what was seen at some weights before the training was interrupted."""
        self._seen = [(weights, evaluation)]

    @property
    def _draw(self) -> tuple[int, int] | None:
        """What picks the noise of this iteration, if there is to be noise."""
        return (self._stream, self._iteration) if self.evaluator.noise else None

    def _evaluate(
        self, candidates: Vector, *, with_gradient: bool, conclusion: Conclusion | None = None
    ) -> Answer:
        whole = self.whole(candidates)
        answer = self._ask(ErrorQuestion(whole, with_gradient, conclusion, self._free, self._draw))
        kept = whole if self._free is None else candidates.copy()
        self._seen.extend((kept[row], evaluation) for row, evaluation in enumerate(answer.evaluations))
        return answer


def _nobody(question: Question) -> Answer:
    raise AssertionError(f"nobody was appointed to evaluate {question!r}")
