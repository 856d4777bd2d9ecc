"""Reports: what a network's answers to a data set are worth, as one object that prints itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeAlias

import attrs
import numpy as np

from neuralframe.evaluation.confusion_matrix import confusion_matrix
from neuralframe.evaluation.regression import mae, r2, r2_in_words, rmse

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Vector
    from neuralframe.evaluation.confusion_matrix import ConfusionMatrix


@attrs.frozen(eq=False)
class ClassificationReport:
    """What the answers of a classifier are worth.

    Every sample counts once in all but `error`, in which it has its sample weight.

    Attributes
    ----------
    error : float
        The mean of the network's error function, without weight decay.
    confusion : ConfusionMatrix
        What was taken for what.

    """

    error: float
    confusion: ConfusionMatrix

    @classmethod
    def of(cls, error: float, true: npt.ArrayLike, predicted: npt.ArrayLike, labels: Sequence[str]) -> Self:
        """Return the report on some labels and what was predicted, as for `confusion_matrix`."""
        return cls(error, confusion_matrix(true, predicted, labels))

    @property
    def n_samples(self) -> int:
        """How many samples were answered."""
        return self.confusion.n_samples

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.confusion.accuracy

    @property
    def majority_share(self) -> float:
        """The accuracy of always answering with the class that has most samples."""
        return self.confusion.majority_share

    def __str__(self) -> str:
        counts = ", ".join(f"{label} {count}" for label, count in self.confusion.class_counts.items())
        return (
            f"{self.n_samples} samples: {counts}\n"
            f"error {self.error:.6g}, accuracy {self.accuracy:.2%}; "
            f"always the largest class: {self.majority_share:.2%}\n{self.confusion}"
        )


@attrs.frozen(eq=False)
class RegressionReport:
    """What the answers of a network that predicts numbers are worth.

    Every sample counts once in all but `error`, in which it has its sample weight.

    Attributes
    ----------
    n_samples : int
        How many samples were answered.
    error : float
        The mean of the network's error function, without weight decay, as the network sees the targets:
        normalized if they were normalized.
    names : tuple of str
        The targets.
    rmse, mae, r2 : (n_targets,) float64
        Root mean squared error and mean absolute error, in each target's own units, and the coefficient
        of determination; see `neuralframe.evaluation.regression`.

    """

    n_samples: int
    error: float
    names: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    rmse: Vector
    mae: Vector
    r2: Vector

    @classmethod
    def of(cls, error: float, true: npt.ArrayLike, predicted: npt.ArrayLike, names: Sequence[str]) -> Self:
        """Return the report on some numbers and what was predicted, each of shape (n, n_targets)."""
        return cls(
            len(np.asarray(true)),
            error,
            names,
            rmse(true, predicted),
            mae(true, predicted),
            r2(true, predicted),
        )

    def __str__(self) -> str:
        lines = [
            f"{name}: RMSE {root:.6g}, MAE {absolute:.6g}, R2 {r2_in_words(share)}"
            for name, root, absolute, share in zip(self.names, self.rmse, self.mae, self.r2, strict=True)
        ]
        samples = "1 sample" if self.n_samples == 1 else f"{self.n_samples} samples"
        return "\n".join([f"{samples}, error {self.error:.6g}", *lines])


Report: TypeAlias = ClassificationReport | RegressionReport
