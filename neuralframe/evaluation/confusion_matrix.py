"""The confusion matrix of a classification."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.evaluation.tables import aligned, percent
from neuralframe.exceptions import DataError, LabelError, ParameterError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector


@attrs.frozen(eq=False)
class ConfusionMatrix:
    r"""How often each class was taken for which.

    Attributes
    ----------
    labels : tuple of str
        The k classes, in the order of rows and columns.
    counts : (k, k) int64
        Samples by true class (row) and predicted class (column).

    Examples
    --------
    >>> matrix = confusion_matrix(["a", "a", "b"], ["a", "b", "b"], labels=["a", "b"])
    >>> print(matrix)
    rows: the true classes; columns: what was predicted
       a  b  samples  recall  precision
    a  1  1        2   50.0%     100.0%
    b  0  1        1  100.0%      50.0%
    >>> matrix.recall
    array([0.5, 1. ])

    """

    labels: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    counts: Indices

    @property
    def n_samples(self) -> int:
        """How many samples were counted."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """The share of samples whose class was predicted."""
        return float(np.trace(self.counts)) / self.n_samples

    @property
    def class_counts(self) -> dict[str, int]:
        """How many samples truly are of each class, by label."""
        return dict(zip(self.labels, self.counts.sum(axis=1).tolist(), strict=True))

    @property
    def majority_share(self) -> float:
        """The accuracy of always predicting the class that has most samples here."""
        return majority_share(self.class_counts.values())

    @property
    def recall(self) -> Vector:
        """(k,): of the samples of each class, the share predicted so; NaN for a class without samples."""
        return _shares(np.diag(self.counts), self.counts.sum(axis=1))

    @property
    def precision(self) -> Vector:
        """(k,): of the predictions of each class, the share that is right; NaN if it was never predicted."""
        return _shares(np.diag(self.counts), self.counts.sum(axis=0))

    @property
    def balanced_accuracy(self) -> float:
        """The mean recall of the classes that have samples: 1/k for always giving the same of k answers."""
        return nanmean(self.recall)

    @property
    def macro_precision(self) -> float:
        """The mean precision of the classes that were predicted."""
        return nanmean(self.precision)

    def f_score(self, beta: float = 1.0) -> Vector:
        """Return (k,): the weighted harmonic mean of precision and recall of each class.

        Parameters
        ----------
        beta : float
            How many times as much recall counts as precision; 1 gives the F1 score.

        Returns
        -------
        (k,) float64
            ``(1 + beta^2) TP / (beta^2 true + predicted)``: 0 for a class that was never hit, NaN for one
            that neither occurs nor was predicted.

        Raises
        ------
        ParameterError
            If `beta` is negative or not finite.

        References
        ----------
        van Rijsbergen, C. J. (1979). Information Retrieval, 2nd ed., chapter 7.

        """
        if not 0 <= beta < np.inf:
            raise ParameterError(f"f_score: beta must be a finite number >= 0; got {beta!r}")
        true, predicted = self.counts.sum(axis=1), self.counts.sum(axis=0)
        return _shares((1 + beta**2) * np.diag(self.counts), beta**2 * true + predicted)

    def macro_f_score(self, beta: float = 1.0) -> float:
        """Return the mean of `f_score` over the classes for which it means something."""
        return nanmean(self.f_score(beta))

    @property
    def mcc(self) -> float:
        """Matthews' correlation of truth and prediction, -1 to 1; for k classes as Gorodkin (2004).

        0 where either is the same for all samples: a constant answer tells nothing.
        """
        counts = self.counts.astype(np.float64)
        true, predicted, n = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
        covariance = n * np.trace(counts) - true @ predicted
        spread = (n * n - true @ true) * (n * n - predicted @ predicted)
        return float(covariance / np.sqrt(spread)) if spread > 0 else 0.0

    def __str__(self) -> str:
        rows = [["", *self.labels, "samples", "recall", "precision"]]
        for label, row, *shares in zip(
            self.labels, self.counts.tolist(), self.recall, self.precision, strict=True
        ):
            rows.append([label, *map(str, row), str(sum(row)), *map(percent, shares)])
        return f"rows: the true classes; columns: what was predicted\n{aligned(rows)}"


def confusion_matrix(true: npt.ArrayLike, predicted: npt.ArrayLike, labels: Sequence[str]) -> ConfusionMatrix:
    """Count how often each class was taken for which.

    Parameters
    ----------
    true, predicted : (n,) array_like of str
        The label of each sample, and what was predicted for it.
    labels : sequence of str
        All classes, in the order in which rows and columns are wanted.

    Raises
    ------
    ShapeError
        If `true` and `predicted` are not two lists of the same length.
    LabelError
        At a label that is not among `labels`.
    DataError
        If there are no samples, or a label is given twice.

    """
    truth, answers = np.asarray(true), np.asarray(predicted)
    if truth.ndim != 1 or truth.shape != answers.shape:
        raise ShapeError(
            "true and predicted must be two lists of one length; "
            f"got shapes {truth.shape} and {answers.shape}"
        )
    if not len(truth):
        raise DataError("there are no samples to count; give at least one")
    k = len(labels)
    if len(set(labels)) < k:
        raise DataError(f"labels must differ; got {', '.join(map(repr, labels))}")
    cells = k * _positions(truth, labels) + _positions(answers, labels)
    return ConfusionMatrix(labels, np.bincount(cells, minlength=k * k).reshape(k, k))


def majority_share(counts: Iterable[int]) -> float:
    """Return the largest of some class counts as a share of all: what guessing alone would reach.

    >>> majority_share([1, 3])
    0.75
    """
    numbers = list(counts)
    if not sum(numbers):
        raise DataError("there are no samples, so no class has most of them")
    return max(numbers) / sum(numbers)


def _positions(given: np.ndarray[tuple[int, ...], np.dtype[np.generic]], labels: Sequence[str]) -> Indices:
    place = {str(label): position for position, label in enumerate(labels)}
    positions = np.array([place.get(str(label), -1) for label in given], dtype=np.int64)
    if (positions < 0).any():
        row = int((positions < 0).argmax())
        known = ", ".join(map(repr, labels))
        raise LabelError(f"sample {row} has the label {str(given[row])!r}; expected one of {known}")
    return positions


def nanmean(values: Vector) -> float:
    """Return the mean of the values that mean something; NaN, without a warning, if none does."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")


def _shares(parts: npt.ArrayLike, wholes: Vector | Indices) -> Vector:
    shares = np.full(len(wholes), np.nan)
    np.divide(parts, wholes, out=shares, where=wholes > 0)
    return shares
