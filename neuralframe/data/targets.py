"""Targets: what a record says the network should answer, and what an answer means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from neuralframe.data.columns import distinct_texts, numbers_of, one_hot
from neuralframe.data.wording import LEAVE_GAPS_OUT, listing
from neuralframe.exceptions import LabelError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.records import Records


class Target(ABC):
    """The field or fields of the records that are to be learnt."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the columns that hold the targets."""

    @property
    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs that a network needs."""

    @property
    def n_targets(self) -> int:
        """How many outputs a network needs."""
        return len(self.output_names)

    @abstractmethod
    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the targets, shape (n, n_targets).

        Raises
        ------
        RecordError
            At the first value that is missing or no number.
        LabelError
            At the first class label that training did not have.

        """

    @abstractmethod
    def decode(self, outputs: Array) -> np.ndarray[Any, np.dtype[Any]]:
        """Return what `outputs`, shape (n, n_targets), say."""

    def to_json(self) -> dict[str, Any]:
        """Return the kind and the parameters."""
        return {"kind": self.kind} | attrs.asdict(self)  # type: ignore[arg-type]


@attrs.frozen
class ClassTarget(Target):
    """A class: one output a label, 1 for the one that holds.

    Parameters
    ----------
    name : str
        The column's name.
    labels : sequence of str
        The classes in the order of the outputs.

    """

    kind: ClassVar[str] = "class"
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    labels: tuple[str, ...] = attrs.field(converter=tuple[str, ...], validator=distinct_texts)

    @property
    def names(self) -> tuple[str, ...]:
        """The one column."""
        return (self.name,)

    @property
    def output_names(self) -> tuple[str, ...]:
        """One name a label, such as ``"class=setosa"``."""
        return tuple(f"{self.name}={label}" for label in self.labels)

    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the one-hot targets."""
        place = {label: position for position, label in enumerate(self.labels)}
        texts = records.columns[self.name]
        positions = np.array([place.get(text, -1) for text in texts], dtype=np.int64)
        if (positions < 0).any():
            row = int((positions < 0).argmax())
            if texts[row] in missing:
                raise records.error(f"the class is missing. {LEAVE_GAPS_OUT}", row, self.name)
            known = f"a class that training did not have. It knew {listing(self.labels)}"
            raise LabelError(str(records.error(known, row, self.name)))
        return one_hot(positions, len(self.labels))

    def decode(self, outputs: Array) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the label of the largest output of each row, shape (n,)."""
        return np.array([self.labels[position] for position in outputs.argmax(axis=1)], dtype=np.str_)


@attrs.frozen
class NumberTarget(Target):
    """One or several numbers, an output each.

    Parameters
    ----------
    names : sequence of str
        The names of the columns.

    """

    kind: ClassVar[str] = "number"
    names: tuple[str, ...] = attrs.field(converter=tuple[str, ...], validator=distinct_texts)

    @property
    def output_names(self) -> tuple[str, ...]:
        """The columns' own names."""
        return self.names

    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the numbers."""
        return np.hstack([numbers_of(records, name, missing, advice=LEAVE_GAPS_OUT) for name in self.names])

    def decode(self, outputs: Array) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the outputs, which are the answer already, shape (n, n_targets)."""
        return outputs


TARGETS: dict[str, type[ClassTarget | NumberTarget]] = {
    target.kind: target for target in (ClassTarget, NumberTarget)
}
