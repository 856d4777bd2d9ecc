"""Progress on a terminal, by rich."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from neuralframe.exceptions import MissingPackageError
from neuralframe.learning.stop_conditions import MaxIterations, StopCondition
from neuralframe.training.events import Event, LearningStopped, Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@contextmanager
def progress_listeners(wanted: bool | None, stop: Sequence[StopCondition]) -> Iterator[list[Listener]]:  # noqa: FBT001
    """Yield a listener that draws a progress bar, if one is wanted; leave the terminal as it was.

    Parameters
    ----------
    wanted : bool or None
        None means: if standard error is a terminal and rich is installed.
    stop : sequence of StopCondition
        Where the number of iterations is taken from.

    Raises
    ------
    MissingPackageError
        If a bar is asked for and rich is missing.

    """
    if not is_bar_wanted(wanted):
        yield []
        return
    iterations = [condition.iterations for condition in stop if isinstance(condition, MaxIterations)]
    bar = ProgressBar(min(iterations, default=None))
    try:
        yield [bar]
    finally:
        bar.close()


@contextmanager
def counter(wanted: bool | None, total: int, what: str) -> Iterator[Callable[[], None]]:  # noqa: FBT001
    """Yield what is to be called after each of so many steps; a bar counts them, if one is wanted.

    `wanted` and errors are as for `progress_listeners`.
    """
    if not is_bar_wanted(wanted):
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - an optional package
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), "left", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def is_bar_wanted(wanted: bool | None) -> bool:  # noqa: FBT001
    """Return whether to draw a bar; None means on a terminal.

    Raises
    ------
    MissingPackageError
        If a bar is asked for and rich is missing.

    """
    if wanted is None:
        return sys.stderr.isatty() and find_spec("rich") is not None
    if wanted and find_spec("rich") is None:
        raise MissingPackageError("rich", purpose="a progress bar", extra="cli")
    return wanted


class ProgressBar:
    """Shows iteration, error, validation error and time left on standard error.

    Parameters
    ----------
    total : int or None
        Iterations at most; None draws a bar without an end.

    """

    def __init__(self, total: int | None) -> None:
        from rich.console import Console  # noqa: PLC0415 - an optional package
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.fields[who]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._total = total
        self._tasks: dict[int, Any] = {}

    def __call__(self, event: Event) -> None:
        record = event.record
        if record.session not in self._tasks:
            who = f"session {record.session + 1}" if record.session else "training"
            self._tasks[record.session] = self._progress.add_task("", total=self._total, who=who)
            self._progress.start()
        validation = "" if record.validation_error is None else f" validation {record.validation_error:.5g}"
        task = self._tasks[record.session]
        self._progress.update(
            task, completed=record.iteration, description=f"error {record.error:.5g}{validation}"
        )
        if isinstance(event, LearningStopped):
            self._progress.stop_task(task)

    def close(self) -> None:
        """Leave the bars as they stand and give the terminal back."""
        self._progress.stop()
