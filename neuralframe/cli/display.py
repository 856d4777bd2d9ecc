"""What the program tells: data, work and results, as text that is whole in a pipe and neat on a screen."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import typer

from neuralframe.evaluation.reports import ClassificationReport
from neuralframe.mapreduce.in_process_engine import InProcessEngine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from neuralframe.data.data_set import DataSet
    from neuralframe.evaluation.reports import Report
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.learning import TrainingRun

Pairs = list[tuple[str, str]]


def show_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Write names and what they stand for in two columns under a title; nothing is wrapped or cut."""
    typer.secho(title, bold=True)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        typer.echo(f"  {name.ljust(width)}  {value}")


def describe_data(source: str, data: DataSet) -> str:
    """Return what there is to learn from, in a line."""
    head = f"{source}: {data.n_samples} rows, {data.n_inputs} inputs"
    if data.class_labels is not None:
        return f"{head}, {len(data.class_labels)} classes: {counts_in_words(data.class_counts)}"
    encoding = data.encoding
    names = () if encoding is None else encoding.target_names or ()
    return f"{head}, numbers to predict: {', '.join(names)}"


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return class counts such as ``R 47, N 151``."""
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def describe_work(training: DataSet, validation: DataSet | None, engine: Engine) -> str:
    """Return how a job is shared out, in a line."""
    n_blocks = len(training.blocks)
    blocks = f"{n_blocks} block{'' if n_blocks == 1 else 's'} of up to {training.block_size} samples"
    if validation is not None:
        blocks += f" to learn from, {len(validation.blocks)} to watch"
    workers = (
        f" on {engine.workers} worker{'' if engine.workers == 1 else 's'}"
        if isinstance(engine, InProcessEngine)
        else ""
    )
    return (
        f"{blocks}; each job maps the blocks{workers}, combines the sums in the order of the blocks and "
        f"reduces them to the error and its gradient; engine {engine.name}"
    )


def run_pairs(run: TrainingRun) -> Pairs:
    """Return what a training came to."""
    pairs = [("training error", f"{run.error:.6g}")]
    if run.validation_error is not None:
        pairs.append(("validation error", f"{run.validation_error:.6g}"))
    if len(run.sessions) > 1:
        pairs.append(("best session", f"{run.best.number + 1} of {len(run.sessions)}"))
    return [
        *pairs,
        ("iterations", str(run.iterations)),
        ("jobs", str(run.jobs)),
        ("seconds", f"{run.seconds:.2f}"),
        ("stopped because", run.stopped_by),
    ]


def show_report(title: str, report: Report) -> None:
    """Write what answers are worth: a table of numbers and, for classes, what was taken for what."""
    pairs = [("samples", str(report.n_samples)), ("error", f"{report.error:.6g}")]
    if isinstance(report, ClassificationReport):
        counts = counts_in_words(report.confusion.class_counts)
        pairs[0] = ("samples", f"{report.n_samples}: {counts}")
        pairs.append(("accuracy", f"{report.accuracy:.2%}"))
        pairs.append(("always the largest class", f"{report.majority_share:.2%}"))
    else:
        for name, rmse, mae, r2 in zip(report.names, report.rmse, report.mae, report.r2, strict=True):
            pairs.append((name, f"RMSE {rmse:.6g}, MAE {mae:.6g}, R2 {r2:.4f}"))
    show_pairs(title, pairs)
    if isinstance(report, ClassificationReport):
        typer.echo(f"\n{report.confusion}")


def show_next_step(model: Path, source: str, rows: str) -> None:
    """Write the command that predicts with the model file."""
    command = ["neuralframe", "predict", str(model), source, *(["--rows", rows] if rows else [])]
    typer.echo(f"\nThe model is in {model}. To predict with it:\n  {shlex.join(command)}")
