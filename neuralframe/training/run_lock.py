"""One driver at a time: the lock on a run directory, which dies with its process."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from neuralframe.exceptions import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK, HOLDER = "lock", "holder"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep every other driver, in this process or another, away from a directory.

    The operating system holds the lock and gives it back when the process ends, however it ends.

    Raises
    ------
    CheckpointError
        If another driver is there; the message names it.
    OSError
        If the directory cannot be written to.

    """
    from filelock import FileLock, Timeout  # noqa: PLC0415 - most trainings need no lock

    lock = FileLock(directory / LOCK, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CheckpointError(
            f"{directory} is in use by {_holder(directory)}. Wait until it ends, or choose another directory"
        ) from None
    try:
        (directory / HOLDER).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        yield
    finally:
        with suppress(OSError):  # what is left names nobody who could be asked
            (directory / HOLDER).unlink()
        lock.release()


def _holder(directory: Path) -> str:
    try:
        return (directory / HOLDER).read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"
