"""Splits: which samples go to which part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector


def stratified_split(classes: Indices, share: float, random: np.random.Generator) -> tuple[Indices, Indices]:
    """Return two parts in which every class has its share, both ascending.

    Parameters
    ----------
    classes : (n,) int64
        The class of each sample.
    share : float
        The first part's share of each class, exact but for rounding; a class of one sample goes to the
        first part.
    random : numpy.random.Generator
        Chooses the samples.

    """
    _, members, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    quotas = _whole_quotas(sizes, share)
    is_first = np.zeros(len(classes), dtype=bool)
    for stratum, quota in enumerate(quotas):
        is_first[random.permutation(np.flatnonzero(members == stratum))[:quota]] = True
    return np.flatnonzero(is_first), np.flatnonzero(~is_first)


def _whole_quotas(sizes: Indices, share: float) -> Indices:
    """Round ``share * sizes`` so that the sum is right too: the largest remainders are rounded up."""
    alone = sizes == 1
    exact: Vector = np.where(alone, 1.0, share * sizes)
    quotas = np.floor(exact).astype(np.int64)
    remainders = exact - quotas
    short = round(share * sizes.sum()) - quotas.sum()
    up = np.argsort(-remainders, kind="stable")[: max(short, 0)]
    quotas[up[remainders[up] > 0]] += 1
    return quotas


def checked_share(share: float) -> float:
    """Return a share that leaves something on either side."""
    if not 0 < share < 1:
        raise ParameterError(f"split: share must be above 0 and below 1; got {share!r}")
    return float(share)


def checked_first(first: int, n_samples: int) -> int:
    """Return a number of samples that leaves some for the second part."""
    if isinstance(first, bool) or not hasattr(first, "__index__") or not 0 < first < n_samples:
        raise ParameterError(
            f"split: first must be a whole number below the {n_samples} samples and above 0; got {first!r}"
        )
    return int(first)
