"""What the program tells: data, work and results, as text that is whole in a pipe and neat on a screen."""

from __future__ import annotations

import shlex
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from neuralframe.cli.telling import tell
from neuralframe.data.wording import plural
from neuralframe.evaluation.reports import ClassificationReport
from neuralframe.mapreduce.in_process_engine import InProcessEngine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from neuralframe.data.data_set import DataSet
    from neuralframe.evaluation.reports import Report
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.training_run import TrainingRun

NARROWEST = 20
"""On the narrowest of screens values are not folded to less than this."""

Pairs = list[tuple[str, str]]


def show_pairs(title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Write names and what they stand for in two columns under a title.

    On a screen, long values go on in the next line of their column; elsewhere every line stays whole.
    """
    tell(title, bold=True)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        tell(_folded(f"  {name.ljust(width)}  ", value))


def _folded(name: str, value: str) -> str:
    if not sys.stdout.isatty():
        return name + value
    room = max(shutil.get_terminal_size().columns - len(name), NARROWEST)
    lines = textwrap.wrap(value, room, break_long_words=False, break_on_hyphens=False)
    return name + f"\n{' ' * len(name)}".join(lines)


def describe_data(source: str, data: DataSet) -> str:
    """Return what there is to learn from, in a line."""
    head = f"{source}: {plural(data.n_samples, 'row')}, {plural(data.n_inputs, 'input')}"
    if data.class_labels is not None:
        classes = plural(len(data.class_labels), "class")
        return f"{head}, {classes}: {counts_in_words(data.class_counts)}"
    encoding = data.encoding
    names = () if encoding is None else encoding.target_names or ()
    return f"{head}, numbers to predict: {', '.join(names)}"


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return class counts such as ``R 47, N 151``."""
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def describe_work(training: DataSet, validation: DataSet | None, engine: Engine) -> str:
    """Return how a job is shared out, in a line."""
    size = plural(training.block_size, "sample")
    blocks = f"{plural(len(training.blocks), 'block')} of up to {size}"
    if validation is not None:
        blocks += f" to learn from, {len(validation.blocks)} to watch"
    workers = f" on {plural(engine.workers, 'worker')}" if isinstance(engine, InProcessEngine) else ""
    return f"{blocks}; map, combine and reduce{workers} (engine {engine.name})"


def run_pairs(run: TrainingRun) -> Pairs:
    """Return what a training came to."""
    kept = run.best.kept
    pairs = [("training error", f"{kept.error - kept.penalty:.6g}")]
    if kept.penalty:
        pairs.append(("minimised, with weight decay", f"{kept.error:.6g}"))
    if run.validation_error is not None:
        pairs.append(("validation error", f"{run.validation_error:.6g}"))
    if len(run.sessions) > 1:
        pairs.append(("best session", f"{run.best.number + 1} of {len(run.sessions)}"))
    if run.kept_iteration != run.iterations:
        pairs.append(("weights kept", f"those after iteration {run.kept_iteration}"))
    return [
        *pairs,
        ("iterations", str(run.iterations)),
        ("jobs", str(run.jobs)),
        ("seconds", f"{run.seconds:.2f}"),
        ("stopped because", run.stopped_by),
        *(("note", note) for note in run.notes),
    ]


def show_report(title: str, report: Report) -> None:
    """Write what answers are worth: a table of numbers and, for classes, what was taken for what."""
    pairs = [("samples", str(report.n_samples)), ("error", f"{report.error:.6g}")]
    if isinstance(report, ClassificationReport):
        counts = counts_in_words(report.confusion.class_counts)
        pairs[0] = ("samples", f"{report.n_samples}: {counts}")
        accuracy = f"{report.accuracy:.2%} ± {report.accuracy_standard_error:.2%}"
        pairs += [("accuracy", accuracy), ("always the largest class", f"{report.majority_share:.2%}")]
        pairs += report.figures.items()
    else:
        pairs += report.in_words().items()
    show_pairs(title, pairs)
    if isinstance(report, ClassificationReport):
        tell(f"\n{report.confusion}")


def show_next_step(model: Path, source: str, rows: str) -> None:
    """Write the command that predicts with the model file."""
    command = ["neuralframe", "predict", str(model), source, *(["--rows", rows] if rows else [])]
    tell(f"\nThe model is in {model}. To predict with it:\n  {shlex.join(command)}")
