"""Pausing and stopping a training from another thread, or from a listener."""

from __future__ import annotations

import threading


class TrainingControl:
    """A handle on a running training. All methods may be called from any thread.

    A pause or a stop takes effect between two iterations, so nothing that was learned is lost. A control
    serves one training: once stopped, it stays stopped.

    Examples
    --------
    >>> control = TrainingControl()
    >>> control.stop("seen enough")
    >>> control.stop_reason
    'seen enough'

    """

    def __init__(self) -> None:
        self._running = threading.Event()
        self._running.set()
        self._reason: str | None = None

    def pause(self) -> None:
        """Hold the training after the present iteration."""
        self._running.clear()

    def resume(self) -> None:
        """Let a paused training go on."""
        self._running.set()

    def stop(self, reason: str = "stopped by request") -> None:
        """End the training after the present iteration, also if it is paused."""
        self._reason = reason
        # A signal handler may call this in the thread that trains, in the middle of anything: no lock is
        # taken here or in `wait_while_paused` unless there is a pause, or the two might wait for each other.
        if self.is_paused:
            self._running.set()

    @property
    def is_paused(self) -> bool:
        """Whether the training has been asked to hold."""
        return not self._running.is_set()

    @property
    def stop_reason(self) -> str | None:
        """Why the training was asked to stop; None if it was not."""
        return self._reason

    def wait_while_paused(self) -> None:
        """Return at once, or when a pause ends."""
        if self.is_paused:
            self._running.wait()
