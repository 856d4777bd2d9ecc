"""The bootstrap: how much a figure would differ had other samples been drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.validation import whole
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Indices


def bootstrap_interval(
    statistic: Callable[[Indices], float],
    strata: Indices,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of a figure over samples drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Returns the figure for the samples at the given positions, some of which are given several times.
    strata : (n,) int
        The stratum of each sample, such as its class: each keeps its number of samples.
    level : float
        The share of the drawn figures that lie within; half of the others on either side.
    resamples : int
        How often samples are drawn.
    seed : int
        The same seed gives the same interval.

    Returns
    -------
    low, high : float
        NaN if the figure is NaN in any of the draws.

    References
    ----------
    Efron, B., Tibshirani, R. J. (1993). An Introduction to the Bootstrap, chapter 13.

    """
    if not 0 < level < 1:
        raise ParameterError(f"level must be above 0 and below 1; got {level!r}")
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    figures = [
        statistic(np.concatenate([random.choice(rows, len(rows)) for rows in members]))
        for _ in range(whole(resamples, "resamples"))
    ]
    low, high = np.quantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
