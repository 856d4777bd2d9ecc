"""The history of a training: one record per iteration, as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import attrs
import numpy as np

from neuralframe.exceptions import ChoiceError
from neuralframe.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from neuralframe.core.arrays import Vector


@attrs.frozen
class IterationRecord:
    """What is known after one iteration of one session.

    Attributes
    ----------
    session : int
        The training session, counted from 0.
    iteration : int
        0 is the standing before the first step.
    error : float
        What is minimised, penalty included; under the iteration's noise, if there is any.
    penalty : float
        The penalty's part of `error`.
    validation_error : float or None
        Mean error of the validation part, without penalty.
    gradient_norm : float or None
        Euclidean norm of dE/dw, where the rule knows the gradient.
    jobs : int
        Jobs run since training began, those of all sessions together.
    seconds : float
        Time since training began, pauses not counted.
    metrics : dict of str to float
        Further figures of the validation part, by name.

    """

    session: int
    iteration: int
    error: float
    penalty: float
    validation_error: float | None
    gradient_norm: float | None
    jobs: int
    seconds: float
    metrics: dict[str, float] = attrs.field(factory=dict, hash=False)

    def __str__(self) -> str:
        validation = "" if self.validation_error is None else f"  validation {self.validation_error:.6g}"
        gradient = "" if self.gradient_norm is None else f"  |gradient| {self.gradient_norm:.3g}"
        metrics = "".join(f"  {name} {value:.4g}" for name, value in self.metrics.items())
        session = f"session {self.session}  " if self.session else ""
        return (
            f"{session}iteration {self.iteration}  error {self.error:.6g}{validation}{metrics}{gradient}"
            f"  jobs {self.jobs}  {self.seconds:.2f} s"
        )


COLUMNS = tuple(field.name for field in attrs.fields(IterationRecord) if field.name != "metrics")


class History(Sequence[IterationRecord]):
    """The records of a training, in order; index it, iterate over it, or read it column by column.

    Examples
    --------
    >>> history = History([IterationRecord(0, 0, 0.5, 0.0, None, 0.1, 1, 0.0)])
    >>> history.column("error")
    array([0.5])

    """

    def __init__(self, records: Sequence[IterationRecord] = ()) -> None:
        self._records = list(records)
        self._lowest: float | None = None
        self._n_looked_at = 0

    def append(self, record: IterationRecord) -> None:
        """Add a record."""
        self._records.append(record)

    @property
    def lowest_validation_error(self) -> float | None:
        """The lowest validation error that is known; each record is looked at once, however often you ask."""
        for record in self._records[self._n_looked_at :]:
            error = record.validation_error
            if error is not None and (self._lowest is None or error < self._lowest):
                self._lowest = error
        self._n_looked_at = len(self._records)
        return self._lowest

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, those of the metrics last."""
        return COLUMNS if not self._records else (*COLUMNS, *self._records[0].metrics)

    def column(self, name: str) -> Vector:
        """Return one column as float64, NaN where a value is not known.

        Raises
        ------
        ChoiceError
            If there is no such column.

        """
        if name not in self.columns:
            raise ChoiceError("history column", name, self.columns)
        return np.array([_value(record, name) for record in self._records], dtype=np.float64)

    def to_csv(self, path: str | Path) -> None:
        """Write the table as CSV, with a header; numbers keep all their digits."""
        with replacing(path) as fresh, fresh.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows([_value(record, name) for name in self.columns] for record in self._records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> IterationRecord: ...
    @overload
    def __getitem__(self, index: slice) -> History: ...
    def __getitem__(self, index: int | slice) -> Any:
        """Return a record, or a shorter history for a slice."""
        return History(self._records[index]) if isinstance(index, slice) else self._records[index]

    def __iter__(self) -> Iterator[IterationRecord]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self._records == other._records

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the table; of a long one the ten first and the ten last rows."""
        shown = [str(record) for record in self._records]
        ends = 10
        if len(shown) > 2 * ends:
            shown[ends:-ends] = [f"... {len(shown) - 2 * ends} more ..."]
        return "\n".join(shown)

    def __repr__(self) -> str:
        return f"<History of {len(self)} records>"


def _value(record: IterationRecord, name: str) -> Any:
    return getattr(record, name) if name in COLUMNS else record.metrics.get(name)
