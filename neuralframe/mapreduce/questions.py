"""What sessions ask of an evaluator. Questions of one kind, asked at the same time, become one job."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.conclusion import Conclusion
    from neuralframe.kernels.sample_sum import SampleSum


@attrs.frozen(eq=False)
class ErrorQuestion:
    """Asks for E, and its gradient if it is wanted, at some weight vectors.

    Attributes
    ----------
    weights : (K, n_weights) float64
        All weights of the network.
    with_gradient : bool
    conclusion : Conclusion, optional
        What is to be worked out from E at all of them.
    free : (n_free,) int or None
        Which of the weights the conclusion sees; None means all.
    draw : (int, int), optional
        Which noise disturbs the training part, by session and iteration; None is none.

    """

    weights: Vector
    with_gradient: bool
    conclusion: Conclusion | None = None
    free: Indices | None = None
    draw: tuple[int, int] | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is about one weight vector, without noise, and asks for nothing further."""
        return len(self.weights) == 1 and self.conclusion is None and self.draw is None


@attrs.frozen(eq=False)
class SumQuestion:
    """Asks for sums of a rule's own at some weight vectors.

    Attributes
    ----------
    weights : (K, n_weights) float64
    task : SampleSum
    free : (n_free,) int or None
        Which of the weights the rule sees.
    draw : (int, int), optional
        As in `ErrorQuestion`.

    """

    weights: Vector
    task: SampleSum
    free: Indices | None = None
    draw: tuple[int, int] | None = None


Question: TypeAlias = "ErrorQuestion | SumQuestion"


@attrs.frozen(eq=False)
class Evaluation:
    """E at one weight vector.

    Attributes
    ----------
    error : float
        What is minimised: the mean error of the training part plus `penalty`.
    gradient : (n_weights,) float64 or None
        dE/dw, the penalty's included.
    penalty : float
        The penalty's part of `error`.
    validation_error : float or None
        Mean error of the validation part, without penalty.
    metrics : mapping of str to float
        Further figures of the validation part, by name.

    """

    error: float
    gradient: Vector | None
    penalty: float
    validation_error: float | None
    metrics: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class Answer:
    """The answer to a question.

    Attributes
    ----------
    evaluations : list of Evaluation
        To an `ErrorQuestion`: one for each weight vector.
    concluded : dict of str to array
        To an `ErrorQuestion` with a conclusion: what came of it.
    totals : list of dict of str to array
        To a `SumQuestion`: the sums of each weight vector.

    """

    evaluations: list[Evaluation] = attrs.field(factory=list)
    concluded: dict[str, Vector] = attrs.field(factory=dict)
    totals: list[dict[str, Vector]] = attrs.field(factory=list)
