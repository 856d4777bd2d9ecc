"""E(w) over a data set: the mean error that jobs return, plus the penalty, added once."""

from __future__ import annotations

import time
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.objective import Costs
from neuralframe.core.penalty import ElasticNet, Penalty
from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.error_sums import kind_of_errors, mean_error_here
from neuralframe.mapreduce.questions import Answer, ErrorQuestion, Evaluation, SumQuestion
from neuralframe.mapreduce.sample_sum_job import SAMPLES, SampleSumJob

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Vector
    from neuralframe.core.max_norm import MaxNorm
    from neuralframe.core.metrics import Metric
    from neuralframe.core.noise import Noise
    from neuralframe.data.blocks import Blocks
    from neuralframe.kernels.kernel import Kernel
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.mapreduce.error_sums import MeanError
    from neuralframe.mapreduce.job import Sums
    from neuralframe.mapreduce.questions import Question

GRADIENT_COST = 3
"""A gradient takes about as long as so many errors: forward, and twice as much back."""


def _penalty(given: Penalty | float) -> Penalty:
    return Penalty.given(given)


@attrs.define(eq=False, on_setattr=attrs.setters.NO_OP)  # else each += passes through converters
class Evaluator:
    """Evaluates E, and its gradient where asked for, at many weight vectors in one job.

    E(w) = (1/n) * sum of errors + penalty; see `neuralframe.core.penalty.Penalty`.

    Attributes
    ----------
    engine : Engine
        Where blocks are computed.
    kernel : Kernel
        How a block is computed.
    blocks : Blocks
        The training part, and the validation part if there is one.
    penalty : Penalty
        What is added; a number stands for weight decay.
    metrics : tuple of Metric
        What else is wanted of the validation part.
    noise : tuple of Noise
        What disturbs the training part, where a question names a draw.
    max_norm : MaxNorm or None
        How long the vector of a neuron's weights may be.
    n_jobs : int
        Jobs run so far.

    """

    engine: Engine
    kernel: Kernel
    blocks: Blocks
    penalty: Penalty = attrs.field(factory=ElasticNet, converter=_penalty)
    metrics: tuple[Metric, ...] = ()
    noise: tuple[Noise, ...] = ()
    max_norm: MaxNorm | None = None
    n_jobs: int = attrs.field(default=0, init=False)
    _fastest: dict[int, float] = attrs.field(factory=dict, init=False)
    _plain_kinds: tuple[Hashable, Hashable] = attrs.field(init=False)

    @_plain_kinds.default
    def _kinds_of_one(self) -> tuple[Hashable, Hashable]:
        """Return the kinds of jobs about one weight vector, without and with its gradient."""
        return kind_of_errors(self.kernel, 0, 1), kind_of_errors(self.kernel, 1, 0)

    @property
    def n_training_blocks(self) -> int:
        """How many blocks are learnt from."""
        return sum(part.n_blocks for part in self.blocks.parts if part.part == "training")

    @property
    def costs(self) -> Costs | None:
        """What a job and a further weight vector in it cost, from the fastest jobs of different sizes."""
        if len(self._fastest) < 2:  # noqa: PLR2004 - a line needs two points
            return None
        small, large = min(self._fastest), max(self._fastest)
        each = max(0.0, (self._fastest[large] - self._fastest[small]) / (large - small))
        return Costs(max(0.0, self._fastest[small] - small * each), each)

    def evaluate(self, weights: Vector, with_gradient: npt.NDArray[np.bool_]) -> list[Evaluation]:
        """Return E at each row of `weights`, shape (S, n_weights), in one job.

        Raises
        ------
        EngineError
            If the job's sample count is not that of the data.

        """
        questions = [
            ErrorQuestion(row[np.newaxis], bool(wanted))
            for row, wanted in zip(weights, with_gradient, strict=True)
        ]
        return [answer.evaluations[0] for answer in self.answer(questions)]

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Answer several questions, with one job for each kind of question among them.

        Raises
        ------
        EngineError
            If a job's sample count is not that of the data.

        """
        if len(questions) == 1 and (found := self._answer_here(questions[0])) is not None:
            return [found]
        errors = [question for question in questions if isinstance(question, ErrorQuestion)]
        sums = [question for question in questions if isinstance(question, SumQuestion)]
        about_errors = iter(self._errors(errors) if errors else ())
        about_sums = iter(self._sums(sums) if sums else ())
        return [next(about_errors if isinstance(one, ErrorQuestion) else about_sums) for one in questions]

    def _answer_here(self, question: Question) -> Answer | None:
        """Answer about one weight vector without a job, if one would go no further than this thread."""
        if not isinstance(question, ErrorQuestion) or not question.is_plain or self.metrics:
            return None
        with_gradient = question.with_gradient
        pace = self.engine.here(self._plain_kinds[with_gradient], self.blocks)
        if pace is None:
            return None
        started = time.perf_counter()
        found = mean_error_here(self.kernel, question.weights, self.blocks, with_gradient=with_gradient)
        seconds = time.perf_counter() - started
        pace.mapped_alone(len(self.blocks), seconds)
        self._learn_cost(1, int(with_gradient), seconds)
        self.n_jobs += 1
        self._require_all((found.n_samples,))
        return Answer([self._with_penalty(question.weights[0], found)])

    def _errors(self, questions: list[ErrorQuestion]) -> list[Answer]:
        job = self._error_job(questions)
        started = time.perf_counter()
        found = self.engine.run(job, self.blocks)
        n_gradients = int(np.count_nonzero(job.with_gradient))
        self._learn_cost(len(job.weights), n_gradients, time.perf_counter() - started)
        self.n_jobs += 1
        self._require_all(found[key].n_samples for key in range(len(job.weights)))
        evaluations = [self._with_penalty(row, found[key]) for key, row in enumerate(job.weights)]
        concluded = iter(range(len(job.weights), len(job.weights) + len(job.conclusions)))
        return [
            Answer(evaluations[first:last], {} if question.conclusion is None else found[next(concluded)])
            for question, (first, last) in zip(questions, _spans(questions), strict=True)
        ]

    def _error_job(self, questions: list[ErrorQuestion]) -> ErrorJob:
        weights = np.concatenate([question.weights for question in questions])
        sizes = [len(question.weights) for question in questions]
        concluding = [
            (question.conclusion, span)
            for question, span in zip(questions, _spans(questions), strict=True)
            if question.conclusion is not None
        ]
        return ErrorJob(
            self.kernel,
            weights,
            np.repeat([question.with_gradient for question in questions], sizes),
            self.metrics,
            tuple(conclusion for conclusion, _ in concluding),
            tuple(span for _, span in concluding),
            self._penalties(weights) if concluding else None,
            questions[0].free,
            self.noise,
            self._draws(questions, sizes),
        )

    def _draws(self, questions: Sequence[Question], sizes: Sequence[int]) -> npt.NDArray[np.uint64] | None:
        """Return which noise each row of a job meets."""
        draws = [question.draw for question in questions if question.draw is not None]
        if not self.noise or len(draws) < len(questions):
            return None
        return np.repeat(np.array(draws, np.uint64), sizes, axis=0)

    def _sums(self, questions: list[SumQuestion]) -> list[Answer]:
        sizes = tuple(len(question.weights) for question in questions)
        job = SampleSumJob(
            self.kernel,
            tuple(question.task for question in questions),
            sizes,
            np.concatenate([question.weights for question in questions]),
            questions[0].free,
            self.noise,
            self._draws(questions, sizes),
        )
        found = self.engine.run(job, self.blocks)
        self.n_jobs += 1
        self._require_wanted(job, found)
        totals = [found.get(key, {SAMPLES: np.zeros(2)}) for key in range(len(job.weights))]
        return [Answer(totals=totals[first:last]) for first, last in _spans(questions)]

    def _require_wanted(self, job: SampleSumJob, found: dict[int, Sums]) -> None:
        """Raise `EngineError` unless each row has sums, over all samples if it wants all."""
        numbers = range(self.n_training_blocks)
        for key, (task, row) in enumerate(job.rows):
            wanted = [task.wants(row, number) for number in numbers]
            counted = int(found[key][SAMPLES][1]) if key in found else 0
            lost = counted != self.blocks.n_samples if all(wanted) else counted == 0 and any(wanted)
            if lost:
                raise EngineError(
                    f"the job summed {counted} samples of {sum(wanted)} blocks that were wanted; the data "
                    f"set has {self.blocks.n_samples} in {len(wanted)}"
                )

    def _learn_cost(self, n_vectors: int, n_gradients: int, seconds: float) -> None:
        units = n_vectors + (GRADIENT_COST - 1) * n_gradients
        self._fastest[units] = min(seconds, self._fastest.get(units, seconds))

    def _penalties(self, weights: Vector) -> Vector:
        is_bias = self.kernel.topology.is_bias
        return np.array([self.penalty.value(row, is_bias) for row in weights])

    def _require_all(self, counts: Iterable[int]) -> None:
        expected = self.blocks.n_samples + self.blocks.n_validation
        for count in counts:
            if count != expected:
                raise EngineError(f"the job summed {count} samples; the data set has {expected}")

    def _with_penalty(self, weights: Vector, found: MeanError) -> Evaluation:
        is_bias = self.kernel.topology.is_bias
        penalty = self.penalty.value(weights, is_bias)
        gradient = found.gradient
        if gradient is not None:
            gradient = self.penalty.slope(weights, gradient, is_bias)
        return Evaluation(found.error + penalty, gradient, penalty, found.validation_error, found.metrics)


def _spans(questions: Sequence[Question]) -> list[tuple[int, int]]:
    """Return which rows of the job belong to each question."""
    return list(pairwise([0, *accumulate(len(question.weights) for question in questions)]))
