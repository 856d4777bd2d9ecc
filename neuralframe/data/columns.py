"""Columns: how one field of a record becomes one or several inputs."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.data.wording import FILL_GAPS, listing
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.data.records import Records

# float() alone would also take 1_000, other scripts' digits, inf and nan.
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LEADING_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def parse_numbers(texts: Sequence[str], missing: frozenset[str]) -> tuple[Vector, list[int]]:
    """Return numbers, NaN where there is none, and the positions of what is neither number nor missing.

    ``-1``, ``2.50`` and ``1e-3`` are numbers; ``inf``, ``1_000`` and ``0x10`` are not.
    """
    # Only a missing value that looks like a number, such as -999, could pass for one.
    codes = {text for text in missing if _NUMBER.fullmatch(text)}
    if (not codes or codes.isdisjoint(texts)) and (all_numbers := _numbers_only(texts)) is not None:
        return all_numbers, []
    numbers, others = np.full(len(texts), np.nan), []
    for position, text in enumerate(texts):
        if text in missing:
            continue
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if math.isfinite(value):
            numbers[position] = value
        else:
            others.append(position)
    return numbers, others


def numbers_of(
    records: Records, name: str, missing: frozenset[str], *, fill: float | None = None, advice: str
) -> Vector:
    """Return a column of numbers, shape (n, 1).

    Parameters
    ----------
    records : Records
    name : str
        The column.
    missing : frozenset of str
        The texts that stand for a missing value.
    fill : float, optional
        What stands in for it; None refuses it.
    advice : str
        What to do about a missing value that is refused.

    Raises
    ------
    RecordError
        At the first value that is no number, or missing and refused.

    """
    numbers, others = parse_numbers(records.columns[name], missing)
    if others:
        raise records.error("not a finite number, in a column of numbers", others[0], name)
    gaps = np.isnan(numbers)
    if gaps.any():
        if fill is None:
            raise records.error(f"a missing value. {advice}", int(gaps.argmax()), name)
        numbers[gaps] = fill
    return numbers[:, np.newaxis]


def _numbers_only(texts: Sequence[str]) -> Vector | None:
    """Return the numbers if there is nothing else: several times faster than one by one."""
    joined = "".join(texts)
    if "_" in joined or not joined.isascii():
        return None
    try:
        numbers = np.fromiter(map(float, texts), np.float64, len(texts))
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Sort labels: those that begin with a number by that number, then the others as text."""

    def key(label: str) -> tuple[float, str]:
        leading = _LEADING_NUMBER.match(label)
        return (float(leading[0]) if leading else math.inf), label

    return tuple(sorted(set(labels), key=key))


def one_hot(positions: Indices, width: int) -> Vector:
    """Return a matrix with a single 1 a row, shape (n, width)."""
    matrix = np.zeros((len(positions), width))
    matrix[np.arange(len(positions)), positions] = 1.0
    return matrix


def distinct_texts(instance: Any, attribute: attrs.Attribute[Any], value: tuple[Any, ...]) -> None:
    """Accept a tuple of one or more different strings."""
    if not value or len(set(value)) < len(value) or not all(isinstance(text, str) for text in value):
        raise ParameterError(
            f"{type(instance).__name__}: {attribute.name} must be one or more different texts; got {value!r}"
        )


class Column(ABC):
    """One field of the records and its way into the inputs."""

    kind: ClassVar[str]
    name: str
    fill: Any

    @property
    @abstractmethod
    def input_names(self) -> tuple[str, ...]:
        """The names of the inputs that the column fills."""

    @abstractmethod
    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the column's inputs, shape (n, number of input names).

        Raises
        ------
        RecordError
            At the first value that cannot be encoded.

        """

    def gaps(self, records: Records, missing: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Return whether each of the column's inputs is missing, shape (n, number of input names)."""
        absent = np.array([text in missing for text in records.columns[self.name]], dtype=bool)
        return np.repeat(absent[:, np.newaxis], len(self.input_names), axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return the kind and the parameters."""
        return {"kind": self.kind} | attrs.asdict(self)  # type: ignore[arg-type]


@attrs.frozen
class NumberColumn(Column):
    """A number, one input.

    Parameters
    ----------
    name : str
        The column's name.
    fill : float, optional
        What stands in for a missing value; None refuses it.

    """

    kind: ClassVar[str] = "number"
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    fill: float | None = attrs.field(default=None, validator=number(optional=True))

    @property
    def input_names(self) -> tuple[str, ...]:
        """The column's own name."""
        return (self.name,)

    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the numbers as a matrix of one column."""
        return numbers_of(records, self.name, missing, fill=self.fill, advice=FILL_GAPS)


@attrs.frozen
class CategoryColumn(Column):
    """One of several categories, an input for each: 1 for the one that holds, 0 for the rest.

    Parameters
    ----------
    name : str
        The column's name.
    categories : sequence of str
        The categories that training knew.
    fill : str, optional
        The category that stands in for a missing value; None refuses it.

    """

    kind: ClassVar[str] = "category"
    name: str = attrs.field(validator=attrs.validators.instance_of(str))
    categories: tuple[str, ...] = attrs.field(converter=tuple[str, ...], validator=distinct_texts)
    fill: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.fill is not None and self.fill not in self.categories:
            raise ParameterError(f"CategoryColumn: fill {self.fill!r} is not among {self.categories}")

    @property
    def input_names(self) -> tuple[str, ...]:
        """One name a category, such as ``"sex=M"``."""
        return tuple(f"{self.name}={category}" for category in self.categories)

    def encode(self, records: Records, missing: frozenset[str]) -> Vector:
        """Return the one-hot inputs."""
        place = {category: position for position, category in enumerate(self.categories)}
        if self.fill is not None:
            place = dict.fromkeys(missing, place[self.fill]) | place
        texts = records.columns[self.name]
        positions = np.array([place.get(text, -1) for text in texts], dtype=np.int64)
        if (positions < 0).any():
            row = int((positions < 0).argmax())
            absent = texts[row] in missing
            problem = (
                f"a missing value. {FILL_GAPS}"
                if absent
                else f"a category that training did not have. It knew {listing(self.categories)}"
            )
            raise records.error(problem, row, self.name)
        return one_hot(positions, len(self.categories))


COLUMNS: dict[str, type[NumberColumn | CategoryColumn]] = {
    column.kind: column for column in (NumberColumn, CategoryColumn)
}
