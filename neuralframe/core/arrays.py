"""The array types of the house and the checks that every entrance makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neuralframe.exceptions import ChoiceError, NonFiniteError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""Floating-point numbers of any width: whatever a kernel computes in."""

Vector: TypeAlias = npt.NDArray[np.float64]
"""float64: weights, gradients and every sum across blocks."""

Indices: TypeAlias = npt.NDArray[np.int64]
"""Positions in a vector, a layer or a data set."""

FLOAT_TYPES = ("float64", "float32")


def float_type(name: npt.DTypeLike) -> np.dtype[Any]:
    """Return float64 or float32 as a dtype; anything else is a `ChoiceError`."""
    try:
        dtype = np.dtype(name)
    except TypeError:
        raise ChoiceError("floating-point type", name, FLOAT_TYPES) from None
    if dtype.name not in FLOAT_TYPES:
        raise ChoiceError("floating-point type", dtype.name, FLOAT_TYPES)
    return np.dtype(dtype.name)  # in this machine's byte order


def require_finite(
    values: Array,
    what: str,
    columns: Sequence[str] | None = None,
    *,
    advice: str = "Impute or drop missing values first",
) -> None:
    """Raise `NonFiniteError` naming the first NaN or infinity of a vector or a matrix.

    Parameters
    ----------
    values : array, 1-D or 2-D
        What to look at.
    what : str
        Its name in the message, such as ``"inputs"``.
    columns : sequence of str, optional
        Names of the columns of a matrix.
    advice : str
        What to do about it.

    """
    # A sum is finite far more often than not, and reads the array once without a mask.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(np.sum(values)):
            return
    bad = np.argwhere(~np.isfinite(values))
    if not len(bad):
        return
    where = tuple(int(i) for i in bad[0])
    place = f"position {where[0]}"
    if len(where) > 1:
        column = columns[where[1]] if columns is not None else where[1]
        place = f"row {where[0]}, column {column!r}"
    raise NonFiniteError(
        f"{what}: {values[where]} at {place} ({len(bad)} such value(s) in all); every value must be finite. "
        f"{advice}."
    )


def as_samples(values: npt.ArrayLike, n_columns: int | None, what: str) -> Array:
    """Return `values` as a float matrix of one sample a row; one sample may come as a vector.

    float32 and float64 pass through without a copy; everything else becomes float64.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            raise ShapeError(f"{what} must be real numbers; got {array.dtype}")
        if array.dtype.name not in FLOAT_TYPES:
            array = array.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise ShapeError(f"{what} must be numbers in a rectangular array: {problem}") from None
    if array.ndim == 1 and n_columns is not None and array.shape[0] == n_columns:
        array = array[np.newaxis, :]
    expected = "any number of columns" if n_columns is None else f"{n_columns} column(s)"
    if array.ndim != 2 or (n_columns is not None and array.shape[1] != n_columns):  # noqa: PLR2004
        raise ShapeError(f"{what} has shape {array.shape}; expected one sample a row and {expected}")
    return array
