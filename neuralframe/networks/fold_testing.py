"""Testing the networks of folds, and putting together what all folds say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.evaluation.regression import mae, rmse
from neuralframe.evaluation.reports import ClassificationReport
from neuralframe.networks.cross_validated import CrossValidation, Fold
from neuralframe.networks.reports import Answers, answers_of, report_on

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.data.data_set import DataSet
    from neuralframe.evaluation.reports import Report
    from neuralframe.networks.fold_plan import FoldPlan, Split
    from neuralframe.networks.training_run import TrainingRun


@attrs.frozen(eq=False)
class AnsweredFold:
    """A fold, and what its networks answered to its samples."""

    fold: Fold
    test: DataSet
    answers: Answers


def answered(split: Split, test: DataSet, runs: tuple[TrainingRun, ...]) -> AnsweredFold:
    """Return what the networks of a fold answered to its samples, and what that is worth."""
    networks = [run.network for run in runs]
    answers = answers_of(networks, test)
    report = report_on(networks[0], test, answers.error, test.targets, answers.outputs)
    fold = Fold(split.repeat, split.number, split.training_rows, split.test_rows, split.seeds, runs, report)
    return AnsweredFold(fold, test, answers)


def result_of(plan: FoldPlan, repeated: list[list[AnsweredFold]]) -> CrossValidation:
    """Return what the folds of all repeats come to."""
    data = plan.data
    outputs = np.array([_out_of_fold(plan, parts) for parts in repeated])
    reports = []
    for parts, answers in zip(repeated, outputs, strict=True):
        weights = [_total_weight(one.test) for one in parts]
        error = float(np.average([one.answers.error for one in parts], weights=weights))
        reports.append(report_on(parts[0].fold.networks[0], data, error, data.targets, answers))
    return CrossValidation(
        seed=plan.seed,
        n_folds=plan.n_folds,
        n_repeats=plan.repeats,
        ensemble=plan.ensemble,
        stratified=plan.is_stratified,
        folds=tuple(one.fold for parts in repeated for one in parts),
        outputs=outputs,
        targets=data.targets,
        reports=tuple(reports),
        constant=_constant(data, reports[0], repeated[0]),
    )


def _out_of_fold(plan: FoldPlan, parts: list[AnsweredFold]) -> Vector:
    """Return the answers to all samples, in their order."""
    outputs: Vector = np.empty(plan.data.targets.shape)
    for one in parts:
        outputs[one.fold.test_rows] = one.answers.outputs
    return outputs


def _constant(data: DataSet, report: Report, parts: list[AnsweredFold]) -> dict[str, float]:
    """Return what constant answers reach, from the training samples of the folds of one repeat."""
    if isinstance(report, ClassificationReport):
        return {"accuracy": report.majority_share}
    means, medians = np.empty(data.targets.shape), np.empty(data.targets.shape)
    for one in parts:
        learnt = data.targets[one.fold.training_rows]
        means[one.fold.test_rows] = learnt.mean(axis=0)
        medians[one.fold.test_rows] = np.median(learnt, axis=0)
    squares, distances = rmse(data.targets, means), mae(data.targets, medians)
    return {
        f"{figure}{suffix}": float(value)
        for figure, values in (("RMSE", squares), ("MAE", distances))
        for suffix, value in zip(report.suffixes, values, strict=True)
    }


def _total_weight(data: DataSet) -> float:
    return float(data.n_samples if data.sample_weights is None else data.sample_weights.sum())
