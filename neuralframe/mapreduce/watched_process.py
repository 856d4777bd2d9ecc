"""A command that is ended when it takes too long."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Self

from neuralframe.exceptions import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LOOK_INTERVAL = 0.1
"""Seconds between two looks at the clock."""

KEPT_LINES = 60
"""Lines at the end of the output that an error message shows."""

GRACE = 5.0
"""Seconds between asking a command to end and killing it."""


class WatchedProcess:
    """A command in a session of its own, so that all it has started ends with it.

    Used with ``with``; what is left of it at the end of the block is killed, however the block ends.

    Parameters
    ----------
    arguments : sequence of str
    environment : mapping of str to str
    timeout : float, optional
        Seconds until it is ended.
    stall_timeout : float, optional
        Seconds that it may say nothing.

    """

    def __init__(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        timeout: float | None = None,
        stall_timeout: float | None = None,
    ) -> None:
        self._name = " ".join(arguments[:2])
        self._timeout, self._stall_timeout = timeout, stall_timeout
        self._started = self._moved = time.monotonic()
        self._tail: deque[bytes] = deque(maxlen=KEPT_LINES)
        self._verdict: str | None = None
        self._ended = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 - what the runner was asked to run
            list(arguments),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._watcher = threading.Thread(target=self._watch, name="neuralframe-watchdog", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()
        self._end_all()
        self._output.close()

    @property
    def _output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def tail(self) -> str:
        """The end of what the command has said."""
        return b"".join(self._tail).decode(errors="replace")

    def lines(self) -> Iterator[bytes]:
        """Yield the lines that the command writes, standard output and standard error together."""
        for line in self._output:
            self._moved = time.monotonic()
            self._tail.append(line)
            yield line

    def wait(self) -> int:
        """Return the status of the command, once it has ended.

        Raises
        ------
        EngineError
            If it was ended because it took too long.

        """
        status = self._process.wait()
        if self._verdict is not None:
            raise EngineError(f"`{self._name} ...` was ended: {self._verdict}. It said:\n{self.tail}")
        return status

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_INTERVAL) and self._process.poll() is None:
            self._verdict = self._overdue()
            if self._verdict is not None:
                self._end_all()
                return

    def _overdue(self) -> str | None:
        now = time.monotonic()
        if self._timeout is not None and now - self._started > self._timeout:
            return f"it had not finished after {self._timeout:g} s, its timeout"
        if self._stall_timeout is not None and now - self._moved > self._stall_timeout:
            return f"nothing had moved for {self._stall_timeout:g} s"
        return None

    def _end_all(self) -> None:
        """End the command and what it started: first on request, then by force."""
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return
