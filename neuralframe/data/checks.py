"""What a data set demands of its arrays."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from neuralframe.core.arrays import as_samples, require_finite
from neuralframe.exceptions import DataError, NonFiniteError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.encoding import Encoding

A = TypeVar("A", bound="Array")


def checked_samples(
    inputs: npt.ArrayLike, targets: npt.ArrayLike, encoding: Encoding | None
) -> tuple[Array, Array]:
    """Return inputs and targets as matrices of one type that fit each other and the encoding."""
    x = as_samples(inputs, None, "inputs")
    given = np.asarray(targets)
    y = as_samples(given[:, np.newaxis] if given.ndim == 1 else given, None, "targets")
    if len(x) != len(y):
        raise ShapeError(f"inputs has {len(x)} rows and targets {len(y)}; expected one of each a sample")
    if 0 in x.shape or 0 in y.shape:
        raise DataError(
            f"inputs of shape {x.shape} and targets of shape {y.shape}: "
            "a data set needs at least one sample, one input and one target"
        )
    if encoding is not None:
        _check_encoding(x, y, encoding)
    with np.errstate(over="ignore"):  # what float32 cannot hold is reported as infinite
        y = y.astype(x.dtype, copy=False)
    require_finite(x, "inputs", None if encoding is None else encoding.input_names)
    require_finite(y, "targets", None if encoding is None else encoding.target_names)
    return read_only(x), read_only(y)


def _check_encoding(inputs: Array, targets: Array, encoding: Encoding) -> None:
    expected = encoding.n_inputs, encoding.n_targets or targets.shape[1]
    if (inputs.shape[1], targets.shape[1]) != expected:
        raise ShapeError(
            f"inputs of shape {inputs.shape} and targets of shape {targets.shape} do not fit the encoding, "
            f"which has {expected[0]} input(s) and {expected[1]} target(s)"
        )


def checked_weights(sample_weights: npt.ArrayLike, n_samples: int) -> Vector:
    """Return sample weights as float64: one a sample, none negative, not all zero."""
    weights = np.asarray(sample_weights, dtype=np.float64)
    if weights.shape != (n_samples,):
        raise ShapeError(f"sample_weights has shape {weights.shape}; expected ({n_samples},)")
    require_finite(weights, "sample_weights")
    if (weights < 0).any():
        row = int((weights < 0).argmax())
        raise DataError(f"sample_weights: {weights[row]} at row {row}; a weight must not be negative")
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total == 0:
        raise DataError("sample_weights: all are 0; at least one sample must count")
    if not math.isfinite(total):
        raise NonFiniteError("sample_weights: their sum overflows; scale them down")
    return read_only(weights)


def is_one_hot(targets: Array) -> bool:
    """Say whether there are two or more columns with a single 1 in each row and 0 elsewhere."""
    if targets.shape[1] == 1:
        return False
    return bool(((targets == 0) | (targets == 1)).all() and (targets.sum(axis=1) == 1).all())


def cast(values: Array, dtype: np.dtype[np.floating], what: str) -> Array:
    """Return values in another type; raise `NonFiniteError` at one that is too large for it."""
    if values.dtype == dtype:
        return values
    with np.errstate(over="ignore"):
        changed: Array = values.astype(dtype)
    require_finite(changed, what, advice=f"{dtype} cannot hold so large a number")
    return changed


def read_only(array: A) -> A:
    """Return a view that cannot be written to, its rows contiguous; a copy only where they were not."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view  # type: ignore[return-value]
