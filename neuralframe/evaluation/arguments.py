"""What the measures are given, as arrays, or a clear error: texts and odd numbers judge nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector


def reals(values: npt.ArrayLike, what: str) -> Vector:
    """Return real numbers as float64.

    Raises
    ------
    DataError
        If `values` are something else.

    """
    try:
        array = np.asarray(values)
        if array.dtype.kind in "biuf":
            return array.astype(np.float64, copy=False)
        if array.dtype.kind == "O":
            return array.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{what} must be numbers: {problem}") from None
    raise DataError(f"{what} must be numbers; got {_first(array)}")


def flags(values: npt.ArrayLike, what: str) -> npt.NDArray[np.bool_]:
    """Return True and False, which may come as 1 and 0.

    Raises
    ------
    DataError
        If there is anything else among `values`: a text, or a class numbered from 1, is no answer.

    """
    array = np.asarray(values)
    if array.dtype.kind == "b":
        return array
    advice = "expected True and False, or 1 and 0; compare labels with the one that counts: labels == 'M'"
    if array.dtype.kind not in "iuf":
        raise DataError(f"{what}: {_first(array)}; {advice}")
    if (wrong := (array != 0) & (array != 1)).any():
        raise DataError(f"{what}: {_first(array[wrong])}; {advice}")
    return array.astype(np.bool_)


def positions(values: npt.ArrayLike, what: str) -> Indices:
    """Return whole numbers.

    Raises
    ------
    DataError
        If there is anything else among `values`.

    """
    array = np.asarray(values)
    if array.dtype.kind in "iub":
        return array.astype(np.intp)
    if array.dtype.kind != "f":
        raise DataError(f"{what}: {_first(array)}; expected the positions of classes, from 0")
    if (wrong := array != np.floor(array)).any():
        raise DataError(f"{what}: {_first(array[wrong])}; expected whole numbers, the positions of classes")
    return array.astype(np.intp)


def _first(array: npt.NDArray[np.generic]) -> str:
    """Return how the first value is written."""
    return repr(array.reshape(-1)[:1].tolist()[0]) if array.size else f"values of type {array.dtype}"
