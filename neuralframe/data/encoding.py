"""Encoding: how records become numbers and how outputs become answers; it travels with a network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from neuralframe.core.arrays import as_samples
from neuralframe.core.components import from_json, to_json
from neuralframe.data.columns import COLUMNS, Column, NumberColumn
from neuralframe.data.normalizers import Normalizer
from neuralframe.data.targets import TARGETS, ClassTarget, NumberTarget, Target
from neuralframe.exceptions import DataError, ModelFileError, NeuralFrameError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Array
    from neuralframe.data.records import Records

MISSING_VALUES = ("", "?", "NA", "N/A", "NaN", "nan", "null")
"""What stands for a value that is not there, unless the caller says otherwise."""


@attrs.frozen(eq=False)
class Encoding:
    """What was learnt about the records of a training file.

    Parameters
    ----------
    columns : sequence of Column
        The columns that become inputs, in the order of the inputs.
    target : Target, optional
        What is to be learnt.
    input_normalizer, target_normalizer : Normalizer, optional
        Fitted normalizers: inputs are normalized after encoding, outputs brought back before decoding.
    missing_values : sequence of str
        The texts that stand for a missing value.
    layout : sequence of str
        All columns of the training file, by which a file without a header is read.

    Notes
    -----
    Two encodings are equal if they are written in the same way.

    """

    columns: tuple[Column, ...] = attrs.field(converter=tuple[Column, ...])
    target: Target | None = None
    input_normalizer: Normalizer | None = None
    target_normalizer: Normalizer | None = None
    missing_values: tuple[str, ...] = attrs.field(default=MISSING_VALUES, converter=tuple[str, ...])
    layout: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])

    def __attrs_post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"Encoding: expected one or more columns of different names; got {names}")
        if not all(isinstance(text, str) for text in (*self.missing_values, *self.layout)):
            raise ParameterError("Encoding: missing_values and layout must be texts")
        _require_fitted(self.input_normalizer, self.n_inputs, "input_normalizer")
        _require_fitted(self.target_normalizer, self.n_targets, "target_normalizer")

    @classmethod
    def of_arrays(cls, n_inputs: int, n_targets: int, *, labels: Sequence[str] | None) -> Self:
        """Return the encoding of a data set that came as arrays, with made-up names.

        With `labels` the target is a class, without them it is so many numbers.
        """
        target: Target = (
            NumberTarget(tuple(f"target {number}" for number in range(1, n_targets + 1)))
            if labels is None
            else ClassTarget("class", tuple(labels))
        )
        return cls(tuple(NumberColumn(name) for name in numbered_inputs(n_inputs)), target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Encoding) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # it is compared by what it would write

    @property
    def input_names(self) -> tuple[str, ...]:
        """One name an input, such as ``"length"`` or ``"sex=M"``."""
        return tuple(name for column in self.columns for name in column.input_names)

    @property
    def n_inputs(self) -> int:
        """How many inputs a record becomes."""
        return len(self.input_names)

    @property
    def n_targets(self) -> int:
        """How many outputs a network needs; 0 without a target."""
        return 0 if self.target is None else self.target.n_targets

    @property
    def target_names(self) -> tuple[str, ...] | None:
        """One name a target, such as ``"rings"`` or ``"class=setosa"``; None without a target."""
        return None if self.target is None else self.target.output_names

    @property
    def class_labels(self) -> tuple[str, ...] | None:
        """The labels in the order of the outputs, if the target is a class."""
        return self.target.labels if isinstance(self.target, ClassTarget) else None

    def encode_inputs(self, records: Records) -> Array:
        """Return the inputs of `records`, normalized, shape (n, n_inputs).

        Raises
        ------
        RecordError
            At the first value of a column that cannot be encoded: file, line, column, value.

        """
        missing = frozenset(self.missing_values)
        inputs = np.hstack([column.encode(records, missing) for column in self.columns])
        return inputs if self.input_normalizer is None else self.input_normalizer.transform(inputs)

    def encode_targets(self, records: Records) -> Array:
        """Return the targets of `records`, normalized, shape (n, n_targets).

        Raises
        ------
        LabelError, RecordError
            At the first value that cannot be encoded: file, line, column, value.
        DataError
            If the encoding has no target.

        """
        if self.target is None:
            raise DataError("this encoding has no target; it can encode inputs only")
        targets = self.target.encode(records, frozenset(self.missing_values))
        return targets if self.target_normalizer is None else self.target_normalizer.transform(targets)

    def decode(self, outputs: npt.ArrayLike) -> np.ndarray[Any, np.dtype[Any]]:
        """Return what a network's outputs mean.

        Parameters
        ----------
        outputs : (n, n_targets) float
            What the network answered.

        Returns
        -------
        array
            The labels, shape (n,), where the target is a class; else the numbers in their original
            units, shape (n, n_targets).

        """
        answers = as_samples(outputs, self.n_targets or None, "outputs")
        if self.target_normalizer is not None:
            answers = self.target_normalizer.inverse(answers)
        return answers if self.target is None else self.target.decode(answers)

    def to_json(self) -> dict[str, Any]:
        """Return the encoding as plain JSON values, every number exact."""
        return {
            "columns": [_as_lists(column.to_json()) for column in self.columns],
            "target": _optional(self.target, lambda target: _as_lists(target.to_json())),
            "input_normalizer": _optional(self.input_normalizer, to_json),
            "target_normalizer": _optional(self.target_normalizer, to_json),
            "missing_values": list(self.missing_values),
            "layout": list(self.layout),
        }

    @classmethod
    def from_json(cls, description: Any) -> Self:
        """Return the encoding that `to_json` wrote.

        Raises
        ------
        ModelFileError
            If the description is malformed.

        """
        try:
            return cls(
                columns=[_build(COLUMNS, column) for column in description["columns"]],
                target=_optional(description["target"], partial(_build, TARGETS)),
                input_normalizer=_optional(description["input_normalizer"], from_json),
                target_normalizer=_optional(description["target_normalizer"], from_json),
                missing_values=description["missing_values"],
                layout=description["layout"],
            )
        except (KeyError, TypeError, ValueError) as problem:
            reason = str(problem) if isinstance(problem, NeuralFrameError) else repr(problem)
            raise ModelFileError(f"not the description of an encoding: {reason}") from problem


def numbered_inputs(n_inputs: int) -> tuple[str, ...]:
    """Return the names that inputs have when nobody named them."""
    return tuple(f"input {number}" for number in range(1, n_inputs + 1))


def _build(kinds: dict[str, type[Any]], description: dict[str, Any]) -> Any:
    parameters = dict(description)
    return kinds[parameters.pop("kind")](**parameters)


def _optional(description: Any, build: Callable[[Any], Any]) -> Any:
    return None if description is None else build(description)


def _as_lists(description: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in description.items()}


def _require_fitted(normalizer: Any, n_columns: int, what: str) -> None:
    if normalizer is None:
        return
    if not isinstance(normalizer, Normalizer) or normalizer.n_columns != n_columns:
        raise ParameterError(f"Encoding: {what} must be a normalizer fitted to {n_columns} column(s)")
