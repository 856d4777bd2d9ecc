"""Failures of tasks on other machines, told where the engine was called."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe import exceptions
from neuralframe.exceptions import EngineError, NeuralFrameError
from neuralframe.mapreduce.packet import read_packet, write_packet

if TYPE_CHECKING:
    from collections.abc import Iterable


@attrs.frozen
class Failure:
    """What went wrong in a task.

    Attributes
    ----------
    kind : str
        The exception's class.
    message : str
    notes : tuple of str
        Such as which block was being mapped.
    traceback : str
        As Python prints it.
    is_certain : bool
        Whether another attempt would fail too, as at a damaged record.
    attributes : dict
        What else the exception says, such as file and line.

    """

    kind: str
    message: str
    notes: tuple[str, ...]
    traceback: str
    is_certain: bool
    attributes: dict[str, Any] = attrs.field(factory=dict)

    @classmethod
    def of(cls, problem: Exception) -> Failure:
        """Return what is to be told of an exception."""
        return cls(
            type(problem).__name__,
            str(problem),
            tuple(getattr(problem, "__notes__", ())),
            "".join(traceback.format_exception(problem)),
            is_certain=isinstance(problem, NeuralFrameError) and not isinstance(problem, EngineError),
            attributes={
                name: value
                for name, value in vars(problem).items()
                if name != "__notes__" and isinstance(value, str | int | float | None)
            },
        )

    def to_packet(self) -> bytes:
        """Return the failure as it travels."""
        return write_packet(attrs.asdict(self), {})

    @classmethod
    def from_packet(cls, packet: bytes) -> Failure:
        """Return the failure that `to_packet` wrote."""
        told, _ = read_packet(packet)
        return cls(**told | {"notes": tuple(told["notes"])})

    def as_exception(self) -> NeuralFrameError:
        """Return an exception to raise: neuralframe's own as itself, any other as `EngineError`.

        Its notes are those of the task's exception, and the traceback there.
        """
        own = getattr(exceptions, self.kind, None)
        if isinstance(own, type) and issubclass(own, NeuralFrameError):
            problem = own.__new__(own, self.message)
            problem.args = (self.message,)
            vars(problem).update(self.attributes)
        else:
            problem = EngineError(f"a task failed with {self.kind}: {self.message}")
        for note in (*self.notes, f"in a task:\n{self.traceback}"):
            problem.add_note(note)
        return problem


def one_for_all(failures: Iterable[Failure]) -> NeuralFrameError:
    """Return the exception that stands for all failures of a job: of a certain one if there is one."""
    return min(failures, key=lambda failure: not failure.is_certain).as_exception()
