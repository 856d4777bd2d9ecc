"""Progress where nobody watches: a line now and then, fit for a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.cli.telling import tell
from neuralframe.training.events import Event, LearningStopped

if TYPE_CHECKING:
    from neuralframe.training.history import IterationRecord

LINES = 10


class ProgressLines:
    """Writes about ten lines in the course of a training to standard error.

    Parameters
    ----------
    iterations : int
        Iterations at most.
    seconds : float or None
        Time at most.

    """

    def __init__(self, iterations: int, seconds: float | None) -> None:
        self._iterations = iterations
        self._seconds = seconds
        self._told: dict[int, int] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, LearningStopped):
            return
        record = event.record
        tenth = int(LINES * self._done(record))
        if tenth > self._told.get(record.session, -1):
            self._told[record.session] = tenth
            tell(f"{record}{self._time_left(record)}", err=True)

    def _done(self, record: IterationRecord) -> float:
        """Return the share of the training that is done, by iterations or by time, whichever is more."""
        by_iterations = record.iteration / max(self._iterations, 1)
        return max(by_iterations, record.seconds / self._seconds) if self._seconds else by_iterations

    def _time_left(self, record: IterationRecord) -> str:
        done = self._done(record)
        if record.iteration == 0 or done >= 1:
            return ""
        return f"  about {record.seconds * (1 - done) / done:.0f} s left"
