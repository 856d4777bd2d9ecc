"""How far numbers that were predicted are from those that came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.arrays import as_samples, require_finite
from neuralframe.evaluation.arguments import reals
from neuralframe.exceptions import DataError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector


def rmse(true: npt.ArrayLike, predicted: npt.ArrayLike) -> Vector:
    """Return the root of the mean squared difference of each column.

    Parameters
    ----------
    true, predicted : (n, n_targets) or (n,) array_like
        The numbers, in their own units.

    Returns
    -------
    (n_targets,) float64
        In the same units.

    Raises
    ------
    ShapeError, DataError, NonFiniteError
        If the two do not fit each other, are empty, or hold NaN or infinity.

    Examples
    --------
    >>> rmse([1.0, 2.0], [4.0, 6.0])
    array([3.53553391])

    """
    truth, answers = _checked(true, predicted)
    root: Vector = np.sqrt(np.mean(np.square(answers - truth), axis=0))
    return root


def mae(true: npt.ArrayLike, predicted: npt.ArrayLike) -> Vector:
    """Return the mean absolute difference of each column; parameters and errors as for `rmse`.

    >>> mae([1.0, 2.0], [4.0, 6.0])
    array([3.5])
    """
    truth, answers = _checked(true, predicted)
    mean: Vector = np.mean(np.abs(answers - truth), axis=0)
    return mean


def median_absolute_error(true: npt.ArrayLike, predicted: npt.ArrayLike) -> Vector:
    """Return the median absolute difference of each column; parameters and errors as for `rmse`.

    A few samples that are far off do not move it.

    >>> median_absolute_error([1.0, 2.0, 3.0], [1.5, 2.0, 9.0])
    array([0.5])
    """
    truth, answers = _checked(true, predicted)
    median: Vector = np.median(np.abs(answers - truth), axis=0)
    return median


def r2(true: npt.ArrayLike, predicted: npt.ArrayLike) -> Vector:
    """Return the coefficient of determination of each column; parameters and errors as for `rmse`.

    It is 1 where every prediction is right, 0 for always predicting the mean of `true`, negative for what
    is worse than that, and NaN, for it means nothing, where all of `true` are the same.

    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    array([0.5])
    """
    truth, answers = _checked(true, predicted)
    left_over = np.sum(np.square(answers - truth), axis=0)
    spread = np.sum(np.square(truth - truth.mean(axis=0)), axis=0)
    unexplained = np.full(truth.shape[1], np.nan)
    # Rounding may give equal numbers a mean that differs from them, so the spread alone does not tell.
    np.divide(left_over, spread, out=unexplained, where=np.ptp(truth, axis=0) > 0)
    return 1 - unexplained


def r2_in_words(share: float) -> str:
    """Return a coefficient of determination with four decimals; a dash where it means nothing."""
    return "-" if np.isnan(share) else f"{share:.4f}"


def _checked(true: npt.ArrayLike, predicted: npt.ArrayLike) -> tuple[Array, Array]:
    truth, answers = _matrix(true, "true"), _matrix(predicted, "predicted")
    if truth.shape != answers.shape:
        raise ShapeError(f"true has shape {truth.shape} and predicted {answers.shape}; expected the same")
    if not truth.size:
        raise DataError("there are no numbers to compare; give at least one sample")
    return truth, answers


def _matrix(values: npt.ArrayLike, what: str) -> Array:
    given = reals(values, what)
    matrix = as_samples(given[:, np.newaxis] if given.ndim == 1 else given, None, what)
    require_finite(matrix, what)
    return matrix
