"""The steps of ``train`` and ``resume``, in the order in which they are taken."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from neuralframe.cli.display import (
    describe_data,
    describe_work,
    run_pairs,
    show_next_step,
    show_pairs,
    show_report,
)
from neuralframe.cli.interrupts import stopping_on_interrupt
from neuralframe.cli.outputs import require_model_or_nothing, require_writable, writing
from neuralframe.cli.progress import ProgressLines
from neuralframe.cli.runs import show_how_to_resume
from neuralframe.cli.telling import tell
from neuralframe.exceptions import DivergenceWarning, NonFiniteError
from neuralframe.networks.reports import evaluate
from neuralframe.training.control import TrainingControl
from neuralframe.training.history import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.cli.plan import Plan
    from neuralframe.cli.splits import Parts
    from neuralframe.data.data_set import DataSet
    from neuralframe.networks.multilayer_perceptron import MultilayerPerceptron
    from neuralframe.networks.training_run import TrainingRun


def default_model(source: str) -> Path:
    """Return the model file that is named after DATA, in the present folder."""
    return Path(f"{Path(source).stem}.nf")


def require_room(model: Path, history: Path | None, data: str) -> None:
    """Raise `DataError` if what is to be written could not be, or would replace what is no model."""
    require_writable(model, keep=[data])
    require_model_or_nothing(model)
    if history is not None:
        require_writable(history, keep=[data, model])


def announce(source: str, samples: DataSet, parts: Parts, network: MultilayerPerceptron, plan: Plan) -> None:
    """Show what is about to be done."""
    tell(f"{network.summary()}\n")
    show_pairs(
        "Training",
        [
            ("data", describe_data(source, samples)),
            ("split", parts.how),
            ("rule", str(plan.rule)),
            ("penalty", str(plan.penalty)),
            *(("noise", str(noise)) for noise in plan.noise),
            *([] if plan.max_norm is None else [("max-norm", f"{plan.max_norm:g}")]),
            ("work", describe_work(parts.training, parts.validation, plan.engine)),
        ],
    )
    tell()


def watch(
    train: Callable[..., TrainingRun], *, iterations: int, seconds: float | None, quiet: bool
) -> tuple[TrainingRun, bool]:
    """Train, show the progress, and say whether Ctrl-C cut any session short.

    Parameters
    ----------
    train : callable
        Takes `control`, `listeners` and `progress`.
    iterations, seconds
        When it ends, at most.
    quiet : bool
        Show nothing.

    Raises
    ------
    NonFiniteError
        If the training diverged: what it leaves is not worth replacing a model for.

    """
    control = TrainingControl()
    watched = sys.stderr.isatty()
    listeners = [] if quiet or watched else [ProgressLines(iterations, seconds)]
    with warnings.catch_warnings(), stopping_on_interrupt(control):
        warnings.simplefilter("ignore", DivergenceWarning)  # told by the error below
        run = train(control=control, listeners=listeners, progress=watched and not quiet)
    if run.stopped_by.startswith("diverged"):
        raise NonFiniteError(
            f"training {run.stopped_by}; nothing was saved. Normalize the data, or try a smaller step or rate"
        )
    return run, control.stop_reason in {session.stopped_by for session in run.sessions}


def finish(
    run: TrainingRun,
    held_out: DataSet | None,
    *,
    model: Path,
    history: Path | None,
    source: str | None,
    rows: str,
    directory: Path | None,
) -> None:
    """Save what was learnt, show what it is worth, and say what can be done next.

    Parameters
    ----------
    run : TrainingRun
    held_out : DataSet or None
        Samples to test on.
    model, history : Path
        What is written.
    source : str or None
        DATA, where it is known, and `rows` those of it that were held out.
    rows : str
        Empty where they are scattered.
    directory : Path or None
        From where the training can go on, if it was cut short.

    """
    with writing(model):
        run.network.save(model)
    if history is not None:
        with writing(history):
            write_history(run, history)
    show_results(run, held_out)
    if source is not None:
        show_next_step(model, source, rows)
    if directory is not None:
        show_how_to_resume(directory)


def write_history(run: TrainingRun, path: Path) -> None:
    """Write the records of all sessions, one after the other, as CSV."""
    History([record for session in run.sessions for record in session.history]).to_csv(path)


def show_results(run: TrainingRun, held_out: DataSet | None) -> None:
    """Show what the training came to, and what it is worth on the samples held out."""
    show_pairs("Results", run_pairs(run))
    if held_out is not None:
        tell()
        show_report("Held-out samples", evaluate(run.network, held_out))
