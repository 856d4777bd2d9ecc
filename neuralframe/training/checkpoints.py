"""Checkpoints: the sessions of a training, written after each round and read again."""

from __future__ import annotations

import json
from collections import defaultdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.components import from_json, to_json
from neuralframe.core.learning_rule import Iterate
from neuralframe.core.validation import count
from neuralframe.exceptions import CheckpointError, ParameterError
from neuralframe.mapreduce.questions import Evaluation
from neuralframe.training.history import History, IterationRecord
from neuralframe.training.run_directory import CHECKPOINT, RunDirectory
from neuralframe.training.state_json import state_from_json, state_to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from neuralframe.archive_file import Arrays
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.training.history_log import HistoryLog
    from neuralframe.training.session import Session


def _path(given: Any) -> Path:
    if not isinstance(given, str | PathLike):
        raise ParameterError(f"checkpoint takes the name of a directory, or nf.Checkpoints; got {given!r}")
    return Path(given)


def _check_notes(instance: Checkpoints, attribute: Any, value: Any) -> None:  # noqa: ARG001 - attrs asks so
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as problem:
        raise ParameterError(f"Checkpoints: notes must be what JSON can hold ({problem})") from problem


@attrs.frozen
class Checkpoints:
    """Where and how often the standing of a training is written.

    Parameters
    ----------
    directory : str or path
        The run directory; it is made if it is not there.
    keep : int, at least 1
        How many checkpoints stay. With two or more, a damaged one does no harm.
    every : int, at least 1
        Iterations from one checkpoint to the next. The last iteration always has one.
    notes : mapping, optional
        Whatever JSON can hold; kept with the run for the caller.

    """

    directory: Path = attrs.field(converter=_path)
    keep: int = attrs.field(default=3, kw_only=True, validator=count())
    every: int = attrs.field(default=1, kw_only=True, validator=count())
    notes: Mapping[str, Any] = attrs.field(factory=dict, kw_only=True, validator=_check_notes)


@attrs.define(eq=False)
class CheckpointWriter:
    """Writes the standing of all sessions to a run directory; the driver calls it after each round.

    Attributes
    ----------
    directory : RunDirectory
        Where to; held by the caller.
    options : Checkpoints
        How often, and how many are kept.
    run : str
        What the run is known by: a checkpoint of another run is not mistaken for one of this.
    stop : sequence of StopCondition
        When the training ends, as it stands now.
    log : HistoryLog
        The history on disk.

    """

    directory: RunDirectory
    options: Checkpoints
    run: str
    stop: Sequence[StopCondition]
    log: HistoryLog
    _n_logged: dict[int, int] = attrs.field(factory=lambda: defaultdict(int))

    def resumed_with(self, sessions: Sequence[Session]) -> None:
        """Take what sessions have in their histories as written."""
        self._n_logged.update({session.number: len(session.history) for session in sessions})

    def save(self, sessions: Sequence[Session], *, jobs: int, seconds: float) -> None:
        """Write a checkpoint if one is due: every so many iterations, and when no session goes on."""
        is_over = all(session.stopped_by is not None for session in sessions)
        if is_over or iteration_of(sessions) % self.options.every == 0:
            self.write(sessions, jobs=jobs, seconds=seconds)

    def write(self, sessions: Sequence[Session], *, jobs: int, seconds: float) -> None:
        """Write a checkpoint.

        Raises
        ------
        CheckpointError
            If it cannot be written, or the rule's state is of a kind that it cannot hold.

        """
        arrays: Arrays = {}
        described = [_session_to_json(session, arrays) for session in sessions]
        stop = [to_json(condition, arrays) for condition in self.stop]
        new = [record for session in sessions for record in session.history[self._n_logged[session.number] :]]
        self.directory.append_history(self.log, new)
        self.resumed_with(sessions)
        iteration = iteration_of(sessions)
        header = {
            "run": self.run,
            "iteration": iteration,
            "jobs": jobs,
            "seconds": seconds,
            "history": self.log.to_json(),
            "stop": stop,
            "sessions": described,
        }
        self.directory.write_checkpoint(iteration, header, arrays, keep=self.options.keep)


@attrs.frozen(eq=False)
class Checkpoint:
    """A checkpoint that was read.

    Attributes
    ----------
    header : dict
        Its JSON.
    arrays : dict
        What the JSON refers to.
    log : HistoryLog
        As much of the history as belongs to it.
    records : list of IterationRecord
        That history, of all sessions.

    """

    header: dict[str, Any]
    arrays: Arrays
    log: HistoryLog
    records: list[IterationRecord]

    @classmethod
    def read(cls, directory: RunDirectory, path: Path, run: str) -> Checkpoint:
        """Return the checkpoint in a file.

        Raises
        ------
        CheckpointError
            If it is damaged, or of another run.

        """
        header, arrays = CHECKPOINT.read(path)
        if header.get("run") != run:
            raise CheckpointError("a checkpoint of another training")
        log = directory.history_log(header["history"]["bytes"], header["history"]["crc32"])
        return cls(header, arrays, log, log.records())

    @property
    def jobs(self) -> int:
        """Jobs run up to here."""
        return int(self.header["jobs"])

    @property
    def seconds(self) -> float:
        """Time used up to here."""
        return float(self.header["seconds"])

    def stop(self) -> tuple[StopCondition, ...]:
        """Return when the training was to end."""
        return tuple(from_json(condition, self.arrays) for condition in self.header["stop"])

    def restore(self, sessions: Sequence[Session]) -> None:
        """Let sessions stand where they stood."""
        for session, description in zip(sessions, self.header["sessions"], strict=True):
            records = [record for record in self.records if record.session == session.number]
            _restore_session(session, description, self.arrays, records)


def newest_checkpoint(directory: RunDirectory, run: str) -> tuple[Checkpoint | None, list[str]]:
    """Return the newest checkpoint that is whole, and what is wrong with newer ones, which are set aside.

    Raises
    ------
    CheckpointError
        If there are checkpoints, but none is whole.

    """
    problems: dict[Path, str] = {}
    for path in directory.checkpoints():
        try:
            found = Checkpoint.read(directory, path, run)
        except CheckpointError as problem:
            problems[path] = f"{path}: {problem}"
        else:
            for damaged in problems:
                directory.set_aside(damaged)
            return found, list(problems.values())
    if problems:
        raise CheckpointError(f"no checkpoint can be used. {'. '.join(problems.values())}")
    return None, []


def iteration_of(sessions: Sequence[Session]) -> int:
    """Return the last iteration of any session."""
    return max(session.history[-1].iteration for session in sessions if session.history)


def random_to_json(random: np.random.Generator, arrays: Arrays) -> Any:
    """Return the state of a generator; see `state_to_json`."""
    return state_to_json(random.bit_generator.state, arrays, "the state of the random generator")


def random_from_json(description: Any, arrays: Arrays) -> np.random.Generator:
    """Return a generator that goes on from a state; of the kind that `numpy.random.default_rng` makes."""
    random = np.random.default_rng(0)
    random.bit_generator.state = state_from_json(description, arrays)
    return random


def _session_to_json(session: Session, arrays: Arrays) -> dict[str, Any]:
    return {
        "last": state_to_json(session.last, arrays, "the rule's standing"),
        "best": state_to_json(session.best, arrays, "the best weights"),
        "random": random_to_json(session.objective.random, arrays),
        "stopped_by": None if session.interrupted else session.stopped_by,
        "diverged": session.diverged,
        "notes": list(session.objective.notes),
    }


def _restore_session(
    session: Session, description: Any, arrays: Arrays, records: Sequence[IterationRecord]
) -> None:
    last = state_from_json(description["last"], arrays)
    # older checkpoints know of no best
    session.best = state_from_json(description.get("best"), arrays)
    session.objective.random = random_from_json(description["random"], arrays)
    session.history = History(records)
    session.stopped_by, session.diverged = description["stopped_by"], description["diverged"]
    session.objective.notes = list(description.get("notes", ()))
    if isinstance(last, Iterate):
        session.last = last
        told = records[-1]
        # A rule that discards its next step returns here, and asks for nothing anew.
        known = Evaluation(told.error, None, told.penalty, told.validation_error, told.metrics)
        session.objective.recall(last.weights, known)
