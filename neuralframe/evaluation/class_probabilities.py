"""Probabilities of classes, and what they are worth beyond the class that has most of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from neuralframe.evaluation.bootstrap import bootstrap_interval
from neuralframe.evaluation.calibration import brier_score, calibration_curve, log_loss
from neuralframe.evaluation.confusion_matrix import nanmean
from neuralframe.evaluation.ranking import auc_standard_error, roc_auc, roc_curve
from neuralframe.exceptions import ChoiceError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.evaluation.calibration import CalibrationCurve
    from neuralframe.evaluation.ranking import RocCurve


@attrs.frozen(eq=False)
class ClassProbabilities:
    """The probabilities that samples of known classes were given.

    Attributes
    ----------
    labels : tuple of str
        The k classes, in the order of the columns.
    classes : (n,) int64
        The position of each sample's class among them.
    probabilities : (n, k) float
        What each class was given.

    Examples
    --------
    >>> given = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> answers = ClassProbabilities("ab", np.array([0, 1, 1]), given)
    >>> answers.auc, round(answers.brier, 4)
    (1.0, 0.1367)

    """

    labels: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    classes: Indices
    probabilities: Array

    @property
    def auc_by_class(self) -> Vector:
        """(k,): the area under the ROC curve of each class against the rest; NaN if it has no samples."""
        return self._auc_by_class(np.arange(len(self.classes)))

    @property
    def auc(self) -> float:
        """The mean of `auc_by_class` over the classes that have samples.

        For two classes whose probabilities add up to 1 both areas are the same: the usual AUC.
        """
        return nanmean(self.auc_by_class)

    @property
    def auc_standard_error(self) -> float:
        """The standard error of the AUC after DeLong et al. (1988); NaN unless there are two classes."""
        first, *others = range(len(self.labels))
        if len(others) != 1:
            return float("nan")
        return auc_standard_error(self.classes == first, self.probabilities[:, first])

    def auc_interval(
        self, level: float = 0.95, *, resamples: int = 1000, seed: int = 0
    ) -> tuple[float, float]:
        """Return a confidence interval of the AUC by the bootstrap, each class resampled by itself.

        See `neuralframe.evaluation.bootstrap.bootstrap_interval`.
        """
        return bootstrap_interval(
            lambda rows: nanmean(self._auc_by_class(rows)),
            self.classes,
            level=level,
            resamples=resamples,
            seed=seed,
        )

    @property
    def log_loss(self) -> float:
        """The mean of -ln of the true class's probability."""
        return log_loss(self.classes, self.probabilities)

    @property
    def brier(self) -> float:
        """The Brier score; halved for two classes."""
        return brier_score(self.classes, self.probabilities)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of the class that is answered, in ten bins of equal width."""
        return self.calibration().error

    def calibration(
        self, label: str | None = None, *, bins: int = 10, by: Literal["width", "count"] = "width"
    ) -> CalibrationCurve:
        """Compare probabilities with what came true.

        Parameters
        ----------
        label : str, optional
            The class that is looked at; by default, in each sample, the one that is answered.
        bins, by
            As for `neuralframe.evaluation.calibration.calibration_curve`.

        """
        if label is not None:
            happened, given = self._against_the_rest(label)
        else:
            answers = self.probabilities.argmax(axis=1)
            happened, given = answers == self.classes, self.probabilities.max(axis=1)
        return calibration_curve(happened, given, bins=bins, by=by)

    def roc(self, label: str) -> RocCurve:
        """Return the ROC curve of a class against the rest."""
        return roc_curve(*self._against_the_rest(label))

    def _against_the_rest(self, label: str) -> tuple[npt.NDArray[np.bool_], Array]:
        if label not in self.labels:
            raise ChoiceError("class", label, self.labels)
        position = self.labels.index(label)
        return self.classes == position, self.probabilities[:, position]

    def _auc_by_class(self, rows: Indices) -> Vector:
        classes, given = self.classes[rows], self.probabilities[rows]
        return np.array([roc_auc(classes == k, given[:, k]) for k in range(len(self.labels))])
