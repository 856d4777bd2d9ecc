"""The pictures of the examples, each written to a PNG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    from matplotlib.axes import Axes

    import neuralframe as nf
    from neuralframe.evaluation.calibration import CalibrationCurve
    from neuralframe.evaluation.ranking import RocCurve

    Curve = npt.NDArray[np.float64]

INCHES = (6.0, 4.5)
DOTS_PER_INCH = 150


def error_curves(path: Path, runs: Sequence[nf.TrainingRun], *, title: str) -> None:
    """Draw the mean error of a sample by iteration: each training a thin line, and their mean a thick one.

    Parameters
    ----------
    path : Path
        The file to write.
    runs : sequence of TrainingRun
        Trainings that watched a validation set.
    title : str

    """
    figure, axes = _sheet(title, "iteration", "mean error of a sample")
    watched = [run.history.column("validation_error") for run in runs]
    # Weight decay is a part of what is minimised, but not of the error on samples that are only watched.
    learnt = [run.history.column("error") - run.history.column("penalty") for run in runs]
    settled = [_bundle(axes, learnt, "training", "C0"), _bundle(axes, watched, "test, only watched", "C1")]
    low, high = np.min(settled), np.max(settled)
    axes.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    axes.legend()
    figure.savefig(path)


def confusion(path: Path, matrix: nf.ConfusionMatrix, *, title: str) -> None:
    """Draw a confusion matrix: the darker, the more of the true class; with the numbers of samples."""
    figure, axes = _sheet(title, "predicted", "true")
    shares = matrix.counts / np.maximum(matrix.counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    places = range(len(matrix.labels))
    axes.set_xticks(places, matrix.labels)
    axes.set_yticks(places, matrix.labels)
    for (row, column), share in np.ndenumerate(shares):
        ink = "white" if share > 0.5 else "black"
        text = f"{matrix.counts[row, column]}\n{share:.0%}"
        axes.text(column, row, text, ha="center", va="center", color=ink)
    axes.grid(visible=False)
    figure.savefig(path)


def predicted_against_true(
    path: Path, true: npt.ArrayLike, predicted: npt.ArrayLike, *, title: str, unit: str
) -> None:
    """Draw a dot for each sample; on the dashed line a prediction is right."""
    figure, axes = _sheet(title, f"true {unit}", f"predicted {unit}")
    truth, answers = np.ravel(true), np.ravel(predicted)
    axes.scatter(truth, answers, s=12, alpha=0.35, linewidths=0)
    ends = [min(truth.min(), answers.min()), max(truth.max(), answers.max())]
    axes.plot(ends, ends, color="black", linestyle="--", linewidth=1)
    axes.set_aspect("equal")
    figure.savefig(path)


def roc(path: Path, curves: Sequence[RocCurve], *, title: str) -> None:
    """Draw ROC curves; the diagonal is what guessing reaches."""
    figure, axes = _sheet(title, "false positive rate", "true positive rate")
    for curve in curves:
        axes.plot(curve.false_positive_rate, curve.true_positive_rate, color="C0", linewidth=1, alpha=0.5)
    _diagonal(axes)
    figure.savefig(path)


def calibration(path: Path, curve: CalibrationCurve, *, title: str, event: str) -> None:
    """Draw what came true against what was said; on the dashed line the two are the same."""
    figure, axes = _sheet(title, f"mean predicted probability of {event}", f"observed share of {event}")
    spread = np.sqrt(curve.observed * (1 - curve.observed) / curve.counts)
    axes.errorbar(curve.predicted, curve.observed, yerr=spread, fmt="o-", capsize=3)
    _diagonal(axes)
    figure.savefig(path)


def _sheet(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot(title=title, xlabel=x, ylabel=y)
    axes.grid(visible=True, alpha=0.3)
    return figure, axes


def _bundle(axes: Axes, curves: Sequence[Curve], name: str, colour: str) -> tuple[float, float]:
    """Draw some curves and their mean; return the range of all but their first steps, which fall far."""
    length = max(map(len, curves))
    # A training that ended early stands where it ended.
    together = np.array([np.pad(curve, (0, length - len(curve)), mode="edge") for curve in curves])
    axes.plot(together.T, color=colour, linewidth=0.6, alpha=0.4)
    axes.plot(together.mean(axis=0), color=colour, linewidth=2, label=f"{name}, mean of {len(curves)}")
    settled = together[:, length // 20 :]
    return float(settled.min()), float(settled.max())


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color="black", linestyle="--", linewidth=1)
    axes.set_aspect("equal")
