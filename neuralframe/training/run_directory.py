"""The run directory: what a training leaves on disk, so that it can go on after its process has died.

===========================  =======================================================================
``run.nfr``                  what was asked for, the network and the sessions as they began; written once
``checkpoint-00000012.nfc``  the sessions after iteration 12; the last few are kept
``history.jsonl``            a line for each record of each session
``lock``, ``holder``         keep a second driver away
===========================  =======================================================================

A checkpoint is written to a new file, forced to the disk and renamed, after the history that it counts on;
only then do older ones go. Whenever the machine stops, the newest checkpoint is whole.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.archive_file import ArchiveFormat
from neuralframe.exceptions import CheckpointError
from neuralframe.files import sync_folder
from neuralframe.training.history_log import HistoryLog
from neuralframe.training.run_lock import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.archive_file import Arrays

RUN_FILE, HISTORY_FILE = "run.nfr", "history.jsonl"
PREFIX, SUFFIX, DAMAGED = "checkpoint-", ".nfc", ".damaged"

RUN = ArchiveFormat(
    "neuralframe run",
    version=1,
    noun="run file",
    header_name="run.json",
    error=CheckpointError,
    advice="Copy it again from where it was whole",
)
CHECKPOINT = ArchiveFormat(
    "neuralframe checkpoint",
    version=1,
    noun="checkpoint",
    header_name="checkpoint.json",
    error=CheckpointError,
    advice="Copy it again from where it was whole",
)


@attrs.frozen
class RunDirectory:
    """The files of one training.

    Attributes
    ----------
    path : Path
        The directory.

    """

    path: Path = attrs.field(converter=Path)

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the directory for a new training, and hold it.

        Raises
        ------
        CheckpointError
            If there is a training already, another driver, or no way to write there.

        """
        with self._writing():
            self.path.mkdir(parents=True, exist_ok=True)
        with self._held():
            if any((self.path / name).exists() for name in (RUN_FILE, HISTORY_FILE)) or self.checkpoints():
                raise CheckpointError(
                    f"{self.path} holds a training already. Go on with it by nf.resume({str(self.path)!r}), "
                    "or choose another directory"
                )
            yield

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Hold the directory of a training that was begun before.

        Raises
        ------
        CheckpointError
            If there is none, or another driver.

        """
        self.require_run()
        with self._held():
            yield

    def require_run(self) -> None:
        """Raise `CheckpointError` if no training was begun here."""
        if not (self.path / RUN_FILE).is_file():
            raise CheckpointError(f"{self.path} is no run directory: there is no {RUN_FILE} in it")

    def write_run(self, header: dict[str, Any], arrays: Arrays) -> None:
        """Write what the training is, once."""
        with self._writing():
            RUN.write(self.path / RUN_FILE, header, arrays)

    def read_run(self) -> tuple[dict[str, Any], Arrays]:
        """Return what the training is.

        Raises
        ------
        CheckpointError
            If the file is damaged: without it the training cannot go on.

        """
        path = self.path / RUN_FILE
        try:
            return RUN.read(path)
        except CheckpointError as problem:
            raise CheckpointError(f"{path}: {problem}") from problem

    def write_checkpoint(self, number: int, header: dict[str, Any], arrays: Arrays, *, keep: int) -> None:
        """Write a checkpoint, then remove all but the last `keep`.

        Raises
        ------
        CheckpointError
            If that cannot be done; the checkpoints that were there stay.

        """
        with self._writing():
            CHECKPOINT.write(self.path / f"{PREFIX}{number:08d}{SUFFIX}", header, arrays)
        self.remove_old(keep)

    def remove_old(self, keep: int) -> None:
        """Remove all checkpoints but the last `keep`."""
        with self._writing():
            for old in self.checkpoints()[keep:]:
                old.unlink()

    def append_history(self, log: HistoryLog, records: Any) -> None:
        """Write records to the history, before the checkpoint that counts on them."""
        with self._writing():
            log.append(records)

    def checkpoints(self) -> list[Path]:
        """Return the checkpoints that are there, the newest first."""
        return sorted(self.path.glob(f"{PREFIX}{'[0-9]' * 8}*{SUFFIX}"), key=_number, reverse=True)

    def history_log(self, n_bytes: int = 0, checksum: int = 0) -> HistoryLog:
        """Return the history, of which so much counts."""
        return HistoryLog(self.path / HISTORY_FILE, n_bytes, checksum)

    def set_aside(self, path: Path) -> None:
        """Give a damaged checkpoint a name under which it is not taken for one."""
        with self._writing():
            path.replace(path.with_name(path.name + DAMAGED))
            sync_folder(self.path)

    def clear(self) -> None:
        """Remove what a training left that never had a checkpoint."""
        for name in (RUN_FILE, HISTORY_FILE):
            (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with ExitStack() as stack:
            with self._writing():
                stack.enter_context(locked(self.path))
                for name in (PREFIX, RUN_FILE):  # what a process that died in the middle of writing left
                    for left_over in self.path.glob(f".{name}*"):
                        left_over.unlink()
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise CheckpointError(
                f"{self.path} cannot be written to ({problem.strerror or problem}). The checkpoints that are "
                "there stay, and nf.resume goes on from them"
            ) from problem


def _number(path: Path) -> int:
    return int(path.name.removeprefix(PREFIX).removesuffix(SUFFIX))
