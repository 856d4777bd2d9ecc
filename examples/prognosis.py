"""The Wisconsin Prognostic problem: what is to be told, by which networks, and what answers are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import attrs
import numpy as np

import neuralframe as nf
from neuralframe.evaluation.calibration import log_loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.evaluation.reports import Report

    Array = npt.NDArray[Any]
    Rows = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class CubeRootStandardizer(nf.Standardizer):
    """Cube roots, standardized: they bring what is skewed to the right, as areas and counts are, near a bell.

    Unlike the logarithm the root takes a 0, and needs no unit: another one cancels out.

    References
    ----------
    Wilson, E. B., Hilferty, M. M. (1931). The distribution of chi-square. PNAS 17.

    """

    def fit(self, x: npt.ArrayLike, *, names: Sequence[str] | None = None) -> Self:
        return super().fit(np.cbrt(x), names=names)

    def transform(self, x: npt.ArrayLike) -> Array:
        return super().transform(np.cbrt(x))

    def inverse(self, y: npt.ArrayLike) -> Array:
        return super().inverse(y) ** 3


@attrs.frozen
class Setting:
    """What is chosen inside each fold; no hidden units make the network a linear one."""

    hidden: int
    decay: float

    def __str__(self) -> str:
        return f"{self.hidden} hidden, decay {self.decay:g}"


SETTINGS = tuple(Setting(hidden, decay) for hidden in (0, 8) for decay in (0.1, 0.3, 1.0))


@attrs.frozen
class Endpoint:
    """What is to be told.

    Attributes
    ----------
    name : str
        As `nf.datasets.wisconsin_prognostic` calls it.
    scores : tuple of str
        What is reported.
    chosen_by : str
        The score, to be small, by which settings are chosen.

    """

    name: Literal["24 months", "recurrence", "time"]
    scores: tuple[str, ...]
    chosen_by: str

    @property
    def is_time(self) -> bool:
        """Whether it is a number of months, and not a class."""
        return self.name == "time"

    def data(self) -> nf.DataSet:
        """Return the cases; missing numbers of lymph nodes are filled in anew inside each fold."""
        return nf.datasets.wisconsin_prognostic(self.name, missing="median")

    def folds(self, data: nf.DataSet, n_folds: int, seed: int) -> tuple[Rows, ...]:
        """Return the test cases of each fold: stratified, or for the few of the times one by one."""
        if self.is_time:
            return nf.k_folds(len(data), len(data), seed=seed)
        return nf.stratified_folds(data.classes, n_folds, labels=data.class_labels, seed=seed)

    def network(self, setting: Setting, training: nf.DataSet, seed: int) -> nf.NeuralNetwork:
        """Return a new network; of the times it is to tell the median, as that is what they are judged by."""
        sizes = [setting.hidden] if setting.hidden else []
        error = "mean_absolute" if self.is_time else None
        return nf.MultilayerPerceptron.for_data(training, *sizes, error=error, seed=seed)

    def answers(self, network: nf.NeuralNetwork, test: nf.DataSet) -> Array:
        """Return the probabilities of the classes, or the months."""
        return network.predict(test) if self.is_time else network.probabilities(test)

    def constant_answer(self, training: nf.DataSet) -> Array:
        """Return the best answer that does not look at the case."""
        return np.median(training.targets, axis=0) if self.is_time else training.targets.mean(axis=0)

    def report(self, data: nf.DataSet, outputs: Array) -> Report:
        """Return what answers to some cases are worth."""
        if self.is_time:
            distance = float(np.abs(outputs - data.targets).mean())
            return nf.RegressionReport.of(distance, data.targets, outputs, ["months"])
        labels = np.array(data.class_labels)
        true, predicted = labels[data.classes], labels[outputs.argmax(axis=1)]
        return nf.ClassificationReport.of(
            log_loss(data.classes, outputs), true, predicted, data.class_labels, outputs
        )


_OF_CLASSES = ("AUC", "accuracy", "balanced accuracy", "log loss", "Brier score")
ENDPOINTS = {
    "24 months": Endpoint("24 months", _OF_CLASSES, chosen_by="log loss"),
    "recurrence": Endpoint("recurrence", _OF_CLASSES, chosen_by="log loss"),
    "time": Endpoint("time", ("MAE",), chosen_by="MAE"),
}
