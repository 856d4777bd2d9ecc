"""What a cross-validation found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.evaluation.reports import ClassificationReport
from neuralframe.evaluation.scores import Score
from neuralframe.evaluation.tables import aligned, decimal
from neuralframe.exceptions import ChoiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.evaluation.reports import Report
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.networks.training_run import TrainingRun


@attrs.frozen(eq=False)
class Fold:
    """One part of the samples, and the networks that learned from the others.

    Attributes
    ----------
    repeat, number : int
        Which it is, from 0.
    training_rows, test_rows : (m,) int64
        The positions of the samples that were learnt from, and of those that were tested.
    seeds : tuple of int
        The seed of each network: for its initial weights and its training.
    runs : tuple of TrainingRun
        How each network was trained.
    report : Report
        What their answers to the fold's samples are worth.

    """

    repeat: int
    number: int
    training_rows: Indices
    test_rows: Indices
    seeds: tuple[int, ...]
    runs: tuple[TrainingRun, ...]
    report: Report

    @property
    def networks(self) -> tuple[NeuralNetwork, ...]:
        """The trained networks, whose answers were averaged if there are several."""
        return tuple(run.network for run in self.runs)


@attrs.frozen(eq=False, repr=False)
class CrossValidation:
    """Answers to every sample by networks that had not seen it, and what they are worth.

    Attributes
    ----------
    seed : int
        What all seeds were derived from.
    n_folds, n_repeats, ensemble : int
        Folds in each repeat, repeats, and networks in each fold.
    stratified : bool
        Whether each fold had its share of each class.
    folds : tuple of Fold
        Repeat after repeat.
    outputs : (n_repeats, n, n_outputs) float64
        The answers to each sample in each repeat: probabilities of classes, or numbers in their own units.
    targets : (n, n_outputs) float
        The truth, in the same units.
    reports : tuple of Report
        For each repeat, the report on all samples at once.
    constant : mapping of str to float
        What a constant answer would reach: the accuracy of the largest class, or for numbers the RMSE of
        the mean and the MAE of the median of each fold's training samples.

    """

    seed: int
    n_folds: int
    n_repeats: int
    ensemble: int
    stratified: bool
    folds: tuple[Fold, ...]
    outputs: Vector
    targets: Array
    reports: tuple[Report, ...]
    constant: Mapping[str, float]

    @property
    def report(self) -> Report:
        """The report on all samples of the first repeat."""
        return self.reports[0]

    @property
    def probabilities(self) -> Vector:
        """(n_repeats, n, n_classes): `outputs`, as it is called where the targets are classes."""
        return self.outputs

    @property
    def predictions(self) -> npt.NDArray[Any]:
        """(n_repeats, n) labels, or (n_repeats, n, n_targets) numbers."""
        if not isinstance(self.report, ClassificationReport):
            return self.outputs
        labels = np.array(self.report.confusion.labels)
        predicted: npt.NDArray[Any] = labels[self.outputs.argmax(axis=-1)]
        return predicted

    @property
    def right(self) -> npt.NDArray[np.bool_] | None:
        """(n_repeats, n): whether the class that was answered is the true one; None for numbers."""
        if not isinstance(self.report, ClassificationReport):
            return None
        right: npt.NDArray[np.bool_] = self.outputs.argmax(axis=-1) == self.targets.argmax(axis=-1)
        return right

    @property
    def majority_share(self) -> float:
        """The accuracy of always answering with the largest class; NaN for numbers."""
        return self.constant.get("accuracy", float("nan"))

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of all networks, in the order of `folds`."""
        return tuple(seed for fold in self.folds for seed in fold.seeds)

    @property
    def test_rows(self) -> tuple[Indices, ...]:
        """The samples of each fold."""
        return tuple(fold.test_rows for fold in self.folds)

    @property
    def default_metric(self) -> str:
        """What two cross-validations are compared by unless told otherwise."""
        names = list(self.report.scores)
        return "accuracy" if "accuracy" in names else next(name for name in names if name.startswith("RMSE"))

    @property
    def scores(self) -> dict[str, Score]:
        """All figures of merit by name."""
        return {name: self.score(name) for name in self.report.scores}

    def score(self, name: str) -> Score:
        """Return a figure of merit, such as ``"accuracy"``, ``"AUC"`` or ``"RMSE"``, over all folds.

        Raises
        ------
        ChoiceError
            If there is none of that name.

        """
        if name not in self.report.scores:
            raise ChoiceError("score", name, self.report.scores)
        shares = [len(fold.test_rows) / len(fold.training_rows) for fold in self.folds]
        return Score(
            name,
            np.array([fold.report.scores[name] for fold in self.folds]),
            np.array([report.scores[name] for report in self.reports]),
            float(np.mean(shares)),
        )

    def __repr__(self) -> str:
        return f"<CrossValidation: {len(self.folds)} folds of {self.outputs.shape[1]} samples>"

    def __str__(self) -> str:
        rows = [["", "pooled", "mean of folds", "standard error", "constant answer"]]
        for name, score in self.scores.items():
            constant = self.constant.get(name, float("nan"))
            figures = (score.pooled_mean, score.mean, score.standard_error, constant)
            rows.append([name, *map(decimal, figures)])
        return f"{self._protocol()}\n{aligned(rows)}"

    def _protocol(self) -> str:
        kind = "stratified " if self.stratified else ""
        networks = "1 network" if self.ensemble == 1 else f"the average of {self.ensemble} networks"
        repeats = "once" if self.n_repeats == 1 else f"{self.n_repeats} times"
        return (
            f"{self.outputs.shape[1]} samples, {self.n_folds} {kind}folds, {repeats}, "
            f"{networks} in each; seed {self.seed}"
        )
