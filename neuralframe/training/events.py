"""What listeners hear."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs

from neuralframe.training.control import TrainingControl  # noqa: TC001 - attrs resolves it
from neuralframe.training.history import IterationRecord  # noqa: TC001


@attrs.frozen
class IterationFinished:
    """An iteration of one session is done; iteration 0 tells the standing before the first step.

    Attributes
    ----------
    record : IterationRecord
        What is known after the iteration.
    control : TrainingControl
        Pauses or stops the training.

    """

    record: IterationRecord
    control: TrainingControl = attrs.field(repr=False, eq=False)

    def __str__(self) -> str:
        return str(self.record)


@attrs.frozen
class LearningStopped:
    """A session has ended.

    Attributes
    ----------
    record : IterationRecord
        Its last record.
    reason : str
        Why it ended.

    """

    record: IterationRecord
    reason: str

    def __str__(self) -> str:
        session = f"session {self.record.session} " if self.record.session else ""
        return f"{session}stopped: {self.reason}; {self.record}"


Event: TypeAlias = IterationFinished | LearningStopped
Listener: TypeAlias = Callable[[Event], object]
