"""Whether probabilities mean what they say: log loss, Brier score and calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.evaluation.arguments import flags, positions, reals
from neuralframe.exceptions import ChoiceError, DataError, ParameterError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector

SMALLEST = float(np.finfo(np.float64).eps)
"""A probability of 0 for what happened counts as this, so that one sample cannot cost infinitely much."""

TWO_CLASSES = 2


@attrs.frozen(eq=False)
class CalibrationCurve:
    """What was said and what came true, by how likely it was said to be.

    Attributes
    ----------
    counts : (m,) int64
        Samples in each bin; bins without samples are left out.
    predicted : (m,) float64
        The mean probability that was given to them.
    observed : (m,) float64
        The share of them in which it came true.

    """

    counts: Indices
    predicted: Vector
    observed: Vector

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of the two, by number of samples.

        Naeini, M. P., Cooper, G., Hauskrecht, M. (2015). Obtaining well calibrated probabilities using
        Bayesian binning. AAAI.
        """
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.counts))


def log_loss(classes: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean of -ln of the probability that was given to the true class.

    Parameters
    ----------
    classes : (n,) array_like of int
        The position of each sample's class.
    probabilities : (n, k) array_like
        What each class was given, taken as it is: rows should add up to 1. Below 2.2e-16 it counts as that.

    Raises
    ------
    ShapeError, DataError, NonFiniteError
        If the two do not fit each other, a class is out of range, or a probability is not within 0 and 1.

    Examples
    --------
    >>> round(log_loss([0, 1], [[0.5, 0.5], [0.75, 0.25]]), 6)
    1.039721

    """
    true, given = _checked(classes, probabilities)
    return float(-np.log(np.maximum(given[np.arange(len(true)), true], SMALLEST)).mean())


def brier_score(classes: npt.ArrayLike, probabilities: npt.ArrayLike) -> float:
    """Return the mean squared distance of the probabilities from 1 for the true class and 0 for the others.

    Summed over the classes (0 to 2), and halved for two of them, as is the custom (0 to 1). Parameters and
    errors as for `log_loss`.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review.

    """
    true, given = _checked(classes, probabilities)
    k = given.shape[1]
    distances = np.square(given - np.eye(k)[true]).sum(axis=1)
    return float(distances.mean()) / (2 if k == TWO_CLASSES else 1)


def calibration_curve(
    happened: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    bins: int = 10,
    by: Literal["width", "count"] = "width",
) -> CalibrationCurve:
    """Sort samples into bins by the probability they were given, and compare it with what came true.

    Parameters
    ----------
    happened : (n,) array_like of bool
    probability : (n,) array_like
        From 0 to 1.
    bins : int
        How many; a value on the border of two belongs to the lower.
    by : {"width", "count"}
        Whether bins are equally wide or hold about equally many samples.

    Raises
    ------
    ShapeError, DataError, NonFiniteError
        If the two do not fit each other, are empty, or a probability is not within 0 and 1.
    ParameterError, ChoiceError
        If `bins` or `by` is not among what is possible.

    """
    given, came_true = reals(probability, "probability"), flags(happened, "happened")
    _, both = _checked(came_true, np.stack([1 - given, given], axis=-1))
    given = both[:, 1]
    place = np.searchsorted(_edges(given, bins, by), given)
    counts = np.bincount(place, minlength=bins)
    used = counts > 0
    predicted, observed = (
        np.bincount(place, weights=values, minlength=bins)[used] / counts[used]
        for values in (given, came_true)
    )
    return CalibrationCurve(counts[used], predicted, observed)


def _edges(given: Vector, bins: int, by: str) -> Vector:
    """Return the borders between bins, ascending."""
    if isinstance(bins, bool) or not hasattr(bins, "__index__") or bins < 1:
        raise ParameterError(f"calibration_curve: bins must be a whole number >= 1; got {bins!r}")
    if by not in ("width", "count"):
        raise ChoiceError("way to bin", by, ("width", "count"))
    inner: Vector = np.linspace(0, 1, bins + 1)[1:-1]
    return inner if by == "width" else np.quantile(given, inner)


def _checked(classes: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[Indices, Vector]:
    true, given = positions(classes, "classes"), reals(probabilities, "probabilities")
    if given.ndim != 2 or true.shape != given.shape[:1]:  # noqa: PLR2004 - one row a sample
        raise ShapeError(f"{true.shape} classes and {given.shape} probabilities: expected a row for each")
    if not given.size:
        raise DataError("there are no probabilities to judge; give at least one sample")
    require_finite(given, "probabilities")
    if given.min() < 0 or given.max() > 1:
        raise DataError(f"probabilities from {given.min():g} to {given.max():g}; expected 0 to 1")
    if true.min() < 0 or true.max() >= given.shape[1]:
        raise DataError(f"class {true.min()} to {true.max()} for {given.shape[1]} columns of probabilities")
    return true, given
