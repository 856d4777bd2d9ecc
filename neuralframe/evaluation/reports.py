"""Reports: what a network's answers to a data set are worth, as one object that prints itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeAlias

import attrs
import numpy as np

from neuralframe.evaluation.class_probabilities import ClassProbabilities
from neuralframe.evaluation.confusion_matrix import confusion_matrix
from neuralframe.evaluation.regression import mae, median_absolute_error, r2, r2_in_words, rmse
from neuralframe.evaluation.tables import decimal, percent

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
        What was taken for what; balanced accuracy, precision, recall, F and MCC.
    probabilities : ClassProbabilities or None
        What each class was given, if the outputs are probabilities: AUC, log loss, Brier score, calibration.

    """

    error: float
    confusion: ConfusionMatrix
    probabilities: ClassProbabilities | None = None

    @classmethod
    def of(
        cls,
        error: float,
        true: npt.ArrayLike,
        predicted: npt.ArrayLike,
        labels: Sequence[str],
        probabilities: npt.ArrayLike | None = None,
    ) -> Self:
        """Return the report on some labels, what was predicted, and the probabilities, shape (n, k).

        Parameters and errors as for `confusion_matrix`.
        """
        confusion = confusion_matrix(true, predicted, labels)
        if probabilities is None:
            return cls(error, confusion)
        place = {label: position for position, label in enumerate(labels)}
        classes = np.array([place[str(label)] for label in np.asarray(true)], dtype=np.int64)
        return cls(error, confusion, ClassProbabilities(labels, classes, np.asarray(probabilities)))

    @property
    def n_samples(self) -> int:
        """How many samples were answered."""
        return self.confusion.n_samples

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.confusion.accuracy

    @property
    def accuracy_standard_error(self) -> float:
        """The binomial standard error of the accuracy: how far other samples like these would move it."""
        return float(np.sqrt(self.accuracy * (1 - self.accuracy) / self.n_samples))

    @property
    def majority_share(self) -> float:
        """The accuracy of always answering with the class that has most samples."""
        return self.confusion.majority_share

    @property
    def auc(self) -> float:
        """The area under the ROC curve, over the classes on average; NaN without probabilities."""
        return float("nan") if self.probabilities is None else self.probabilities.auc

    @property
    def scores(self) -> dict[str, float]:
        """All figures by name; NaN where one means nothing for these samples."""
        matrix, given = self.confusion, self.probabilities
        of_answers = {
            "accuracy": self.accuracy,
            "balanced accuracy": matrix.balanced_accuracy,
            "macro F1": matrix.macro_f_score(),
            "MCC": matrix.mcc,
            "error": self.error,
        }
        if given is None:
            return of_answers
        return of_answers | {
            "AUC": given.auc,
            "log loss": given.log_loss,
            "Brier score": given.brier,
            "calibration error": given.calibration_error,
        }

    @property
    def figures(self) -> dict[str, str]:
        """What to print, by name, apart from the accuracy."""
        shown = {
            "balanced accuracy": percent(self.confusion.balanced_accuracy, 2),
            "macro F1": decimal(self.confusion.macro_f_score()),
            "MCC": decimal(self.confusion.mcc),
        }
        if self.probabilities is None:
            return shown
        spread = self.probabilities.auc_standard_error
        area = decimal(self.auc) + ("" if np.isnan(spread) else f" ± {spread:.4f}")
        rest = {name: decimal(self.scores[name]) for name in ("log loss", "Brier score", "calibration error")}
        return shown | {"AUC": area} | rest

    def __str__(self) -> str:
        counts = ", ".join(f"{label} {count}" for label, count in self.confusion.class_counts.items())
        accuracy = f"accuracy {self.accuracy:.2%} ± {self.accuracy_standard_error:.2%}"
        lines = [
            f"{self.n_samples} samples: {counts}",
            f"error {self.error:.6g}, {accuracy}; always the largest class: {self.majority_share:.2%}",
            *_in_lines([f"{name} {figure}" for name, figure in self.figures.items()]),
            str(self.confusion),
        ]
        return "\n".join(lines)


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
    rmse, mae, median_absolute_error, r2 : (n_targets,) float64
        Root mean squared error, mean and median absolute error, in each target's own units, and the
        coefficient of determination; see `neuralframe.evaluation.regression`.

    """

    n_samples: int
    error: float
    names: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    rmse: Vector
    mae: Vector
    median_absolute_error: Vector
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
            median_absolute_error(true, predicted),
            r2(true, predicted),
        )

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What tells the figures of several targets apart: ``" of length"``; nothing if there is one."""
        return ("",) if len(self.names) == 1 else tuple(f" of {name}" for name in self.names)

    @property
    def scores(self) -> dict[str, float]:
        """All figures by name, such as ``"RMSE"``; of several targets ``"RMSE of length"``."""
        found = {"error": self.error}
        for position, suffix in enumerate(self.suffixes):
            found[f"RMSE{suffix}"] = float(self.rmse[position])
            found[f"MAE{suffix}"] = float(self.mae[position])
            found[f"median absolute error{suffix}"] = float(self.median_absolute_error[position])
            found[f"R2{suffix}"] = float(self.r2[position])
        return found

    def in_words(self) -> dict[str, str]:
        """Return what is to be said about each target, by its name."""
        columns = zip(self.names, self.rmse, self.mae, self.median_absolute_error, self.r2, strict=True)
        return {
            name: f"RMSE {root:.6g}, MAE {absolute:.6g} (median {median:.6g}), R2 {r2_in_words(share)}"
            for name, root, absolute, median, share in columns
        }

    def __str__(self) -> str:
        lines = [f"{name}: {figures}" for name, figures in self.in_words().items()]
        samples = "1 sample" if self.n_samples == 1 else f"{self.n_samples} samples"
        return "\n".join([f"{samples}, error {self.error:.6g}", *lines])


Report: TypeAlias = ClassificationReport | RegressionReport


def _in_lines(figures: Sequence[str], each: int = 4) -> list[str]:
    return [", ".join(figures[first : first + each]) for first in range(0, len(figures), each)]
