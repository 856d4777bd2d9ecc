"""Gaps: inputs that were missing and were filled in, so that a part of the samples can fill its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.data.columns import CategoryColumn, NumberColumn
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.columns import Column
    from neuralframe.data.encoding import Encoding


@attrs.frozen(eq=False)
class Gaps:
    """Where the fill-ins of an encoding stand among the inputs, and how they were chosen.

    Attributes
    ----------
    filled : (n, n_inputs) bool
        Whether an input was filled in.
    treatment : {"mean", "median", "most_frequent"}
        What was filled in; of categories always the most frequent one.

    """

    filled: npt.NDArray[np.bool_]
    treatment: str

    def rows(self, chosen: npt.NDArray[np.generic]) -> Gaps:
        """Return the gaps of some of the samples."""
        return attrs.evolve(self, filled=self.filled[chosen])

    def learnt(self, encoding: Encoding, inputs: Array) -> Encoding:
        """Return the encoding with fill-ins learnt from these inputs alone.

        Raises
        ------
        DataError
            If a column has no values but filled in ones; the message names it.

        """
        columns, first = [], 0
        for column in encoding.columns:
            place = slice(first, first + len(column.input_names))
            present = inputs[~self.filled[:, first], place]
            columns.append(self._refitted(column, present.astype(np.float64)))
            first = place.stop
        return attrs.evolve(encoding, columns=columns)

    def applied(self, encoding: Encoding, inputs: Array) -> Array:
        """Return the inputs with the fill-ins of the encoding in the gaps."""
        fills = np.concatenate([_fill_inputs(column) for column in encoding.columns])
        return np.where(self.filled, fills.astype(inputs.dtype), inputs)

    def _refitted(self, column: Column, present: Vector) -> Column:
        if not isinstance(column, NumberColumn | CategoryColumn) or column.fill is None:
            return column
        if not len(present):
            raise DataError(f"the column {column.name!r} has no values in this part of the samples")
        if isinstance(column, CategoryColumn):
            return attrs.evolve(column, fill=column.categories[int(present.sum(axis=0).argmax())])
        return attrs.evolve(column, fill=fill_of(present[:, 0], self.treatment))


def fill_of(numbers: Vector, treatment: str) -> float:
    """Return what stands in for a number that is missing."""
    if treatment == "mean":
        return float(numbers.sum() / len(numbers))
    if treatment == "most_frequent":
        values, counts = np.unique(numbers, return_counts=True)
        return float(values[counts.argmax()])
    return float(np.median(numbers))


def _fill_inputs(column: Column) -> Vector:
    """Return the inputs that a missing value becomes; NaN where a column has none."""
    if isinstance(column, CategoryColumn) and column.fill is not None:
        return np.array([float(category == column.fill) for category in column.categories])
    if isinstance(column, NumberColumn) and column.fill is not None:
        return np.array([column.fill])
    return np.full(len(column.input_names), np.nan)
