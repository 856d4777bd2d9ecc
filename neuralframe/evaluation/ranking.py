"""How well a score ranks: the area under the ROC curve, the curve itself, and how sure the area is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.evaluation.arguments import flags, reals
from neuralframe.exceptions import ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Vector

    Flags = npt.NDArray[np.bool_]


@attrs.frozen(eq=False)
class RocCurve:
    """What a score finds at every threshold, from none of the samples to all of them.

    Attributes
    ----------
    false_positive_rate : (m,) float64
        The share of the negatives that are at or above the threshold, ascending from 0 to 1.
    true_positive_rate : (m,) float64
        The share of the positives.
    thresholds : (m,) float64
        Descending; the first is infinite.

    """

    false_positive_rate: Vector
    true_positive_rate: Vector
    thresholds: Vector


def roc_auc(is_positive: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the area under the ROC curve: how often a positive scores higher than a negative.

    A tie counts half: the area is the statistic of Mann and Whitney divided by the number of pairs.

    Parameters
    ----------
    is_positive : (n,) array_like of bool
        Which samples are to be found.
    scores : (n,) array_like
        The higher, the likelier; any monotone function of them has the same area.

    Returns
    -------
    float
        NaN unless there are both positives and negatives.

    Raises
    ------
    ShapeError, DataError, NonFiniteError
        If the two are not vectors of one length, or one is something else than said, or not finite.

    References
    ----------
    Hanley, J. A., McNeil, B. J. (1982). The meaning and use of the area under a ROC curve. Radiology 143.

    Examples
    --------
    >>> roc_auc([False, True, False, True], [0.1, 0.4, 0.4, 0.8])
    0.875

    """
    placements = _placements(*_checked(is_positive, scores))
    return float(placements[0].mean()) if all(map(len, placements)) else float("nan")


def auc_standard_error(is_positive: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the standard error of `roc_auc` after DeLong et al. (1988); parameters and errors as there.

    NaN with fewer than two positives or two negatives.

    References
    ----------
    DeLong, E. R., DeLong, D. M., Clarke-Pearson, D. L. (1988). Comparing the areas under two or more
    correlated ROC curves. Biometrics 44. By ranks: Sun, X., Xu, W. (2014), IEEE Signal Processing Letters 21.

    """
    placements = _placements(*_checked(is_positive, scores))
    if min(map(len, placements)) < 2:  # noqa: PLR2004 - a variance needs two
        return float("nan")
    return float(np.sqrt(sum(part.var(ddof=1) / len(part) for part in placements)))


def roc_curve(is_positive: npt.ArrayLike, scores: npt.ArrayLike) -> RocCurve:
    """Return the ROC curve with one point for each different score; parameters and errors as for `roc_auc`.

    A rate is NaN where there are no positives, or no negatives, to share out.
    """
    positive, values = _checked(is_positive, scores)
    thresholds, place = np.unique(-values, return_inverse=True)
    hits = np.bincount(place, weights=positive, minlength=len(thresholds))
    misses = np.bincount(place, weights=~positive, minlength=len(thresholds))
    with np.errstate(invalid="ignore"):
        true, false = np.cumsum(hits) / positive.sum(), np.cumsum(misses) / (~positive).sum()
    return RocCurve(np.append(0.0, false), np.append(0.0, true), np.append(np.inf, -thresholds))


def _placements(positive: Flags, values: Vector) -> tuple[Vector, Vector]:
    """Return for each positive the share of negatives below it, for each negative that of positives above."""
    from scipy.stats import rankdata  # noqa: PLC0415 - a slow import

    ranks = rankdata(values)
    below = ranks[positive] - rankdata(values[positive])
    not_above = ranks[~positive] - rankdata(values[~positive])
    n_positive, n_negative = len(below), len(not_above)
    return below / max(n_negative, 1), 1 - not_above / max(n_positive, 1)


def _checked(is_positive: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Flags, Vector]:
    positive, values = flags(is_positive, "is_positive"), reals(scores, "scores")
    if values.ndim != 1 or positive.shape != values.shape:
        raise ShapeError(
            "is_positive and scores must be two vectors of one length; "
            f"got shapes {positive.shape} and {values.shape}"
        )
    require_finite(values, "scores", advice="A sample without a score cannot be ranked")
    return positive, values
