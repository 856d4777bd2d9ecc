"""A score of a cross-validation: its values in the folds, and how sure their mean is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.evaluation.confusion_matrix import nanmean

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


@attrs.frozen(eq=False)
class Score:
    """One figure of merit over all folds of all repeats.

    Attributes
    ----------
    name : str
        Such as ``"accuracy"``.
    by_fold : (J,) float64
        The figure in each fold, repeat after repeat; NaN where it means nothing, as the AUC of one class.
    pooled : (n_repeats,) float64
        The figure over all samples at once, each answered by the network that had not seen it.
    test_share : float
        Samples tested in a fold for each that was learnt from.

    """

    name: str
    by_fold: Vector
    pooled: Vector
    test_share: float

    @property
    def mean(self) -> float:
        """The mean over the folds in which it means something."""
        return nanmean(self.by_fold)

    @property
    def pooled_mean(self) -> float:
        """The mean over the repeats of what was pooled."""
        return nanmean(self.pooled)

    @property
    def standard_error(self) -> float:
        """The standard error of `mean`; see `corrected_standard_error`."""
        return corrected_standard_error(self.by_fold, self.test_share)


def corrected_standard_error(by_fold: Vector, test_share: float) -> float:
    """Return the standard error of a mean over folds whose training sets overlap.

    ``sqrt((1/J + test_share) * variance)``: the J values are not independent, for all folds learn from much
    the same samples, and with more repeats it does not go to 0 (Nadeau and Bengio, 2003, equation 9).

    Parameters
    ----------
    by_fold : (J,) float64
        The values; those that are NaN are left out.
    test_share : float
        Samples tested in a fold for each that was learnt from; 0 gives the usual standard error.

    Returns
    -------
    float
        NaN with fewer than two values.

    References
    ----------
    Nadeau, C., Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52.

    """
    present = by_fold[~np.isnan(by_fold)]
    if len(present) < 2:  # noqa: PLR2004 - a variance needs two
        return float("nan")
    return float(np.sqrt((1 / len(present) + test_share) * present.var(ddof=1)))
