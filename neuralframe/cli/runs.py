"""Run directories of the program: the prepared samples stand beside the checkpoints."""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import typer

from neuralframe.cli.interrupts import INTERRUPTED
from neuralframe.cli.telling import tell
from neuralframe.data.data_set import DataSet
from neuralframe.networks.resuming import notes_of
from neuralframe.training.checkpoints import Checkpoints
from neuralframe.training.run_directory import RUN_FILE, RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuralframe.cli.splits import Parts

SAMPLES = {"training": "training.nfd", "validation": "validation.nfd", "held_out": "held-out.nfd"}
"""Where each part of the samples is packed, in the run directory."""


@attrs.frozen(kw_only=True)
class Notes:
    """What ``train`` was asked for and ``resume`` has to know; kept with the run.

    Nothing of it is known where a training was begun from Python.
    """

    source: str | None = None
    held_out_rows: str = ""
    model: str | None = None
    history: str | None = None
    iterations: int = 0
    seconds: float | None = None
    error_goal: float | None = None
    early_stopping: str | None = None
    engine: str | None = None
    workers: int | None = None

    @classmethod
    def of(cls, directory: Path) -> Notes:
        """Return the notes of a run directory."""
        return cls(**notes_of(directory).get("train", {}))

    def checkpoints(self, directory: Path) -> Checkpoints:
        """Return where the training is kept, these notes with it."""
        return Checkpoints(directory, notes={"train": attrs.asdict(self)})


def keep_samples(parts: Parts, directory: Path) -> Parts:
    """Pack the prepared samples into a new run directory and return them as they are read from there.

    Packed data that are learnt from as they are stay where they are.
    """
    with RunDirectory(directory).made():
        packed: dict[str, Any] = {}
        for part, name in SAMPLES.items():
            data = getattr(parts, part)
            if data is not None and (part == "held_out" or data.source is None):
                data.pack(directory / name, replace=True, progress=False)
                packed[part] = DataSet.open(directory / name)
    return attrs.evolve(parts, **packed)


def require_new(directory: Path) -> None:
    """Raise `CheckpointError` if a training cannot begin in a directory, before any data is read."""
    with RunDirectory(directory).made():
        pass


def held_out(directory: Path) -> DataSet | None:
    """Return the samples that were held out, if any were."""
    path = directory / SAMPLES["held_out"]
    return DataSet.open(path) if path.exists() else None


@contextmanager
def saying_how_to_resume(directory: Path | None) -> Iterator[None]:
    """Where the training is aborted, say how it goes on, if it is kept anywhere."""
    try:
        yield
    except KeyboardInterrupt:
        if directory is None or not (directory / RUN_FILE).exists():
            raise
        tell("aborted by Ctrl-C; the model was not saved", err=True)
        show_how_to_resume(directory, err=True)
        raise typer.Exit(INTERRUPTED) from None


def show_how_to_resume(directory: Path, *, err: bool = False) -> None:
    """Write the command that goes on with the training."""
    command = shlex.join(["neuralframe", "resume", str(directory)])
    tell(f"\nTo go on with the training:\n  {command}", err=err)
