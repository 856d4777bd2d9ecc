"""Folds: equal parts of the samples, each of which is tested once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import numpy as np

from neuralframe.core.validation import whole
from neuralframe.exceptions import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices


def k_folds(
    n_samples: int, folds: int, *, seed: int | np.random.Generator | None = None
) -> tuple[Indices, ...]:
    """Share samples out to folds whose sizes differ by one at most.

    Parameters
    ----------
    n_samples : int
    folds : int
        How many, at least 2; as many as samples leave one out at a time.
    seed : int, numpy.random.Generator or None
        Draws who goes where; the same seed gives the same folds.

    Returns
    -------
    tuple of (m,) int64
        The positions of each fold's samples, ascending; every sample is in one fold.

    Raises
    ------
    ParameterError
        If there are fewer than two folds.
    DataError
        If there are fewer samples than folds.

    Examples
    --------
    >>> sorted(map(len, k_folds(11, 3, seed=0)))
    [3, 4, 4]

    """
    _check(n_samples, folds)
    random = np.random.default_rng(seed)
    return _dealt(random.permutation(n_samples), folds)


def stratified_folds(
    classes: npt.ArrayLike,
    folds: int,
    *,
    labels: Sequence[str] | None = None,
    seed: int | np.random.Generator | None = None,
) -> tuple[Indices, ...]:
    """Share samples out to folds that have as many samples of each class, give or take one.

    The sizes of the folds differ by one at most, too.

    Parameters
    ----------
    classes : (n,) array_like of int
        The class of each sample.
    folds, seed
        As for `k_folds`.
    labels : sequence of str, optional
        The names of the classes, for messages.

    Returns
    -------
    tuple of (m,) int64
        As `k_folds` does.

    Raises
    ------
    ParameterError
        If there are fewer than two folds.
    DataError
        If a class has fewer samples than there are folds; the message names it.

    """
    members = np.asarray(classes)
    _check(len(members), folds)
    present, counts = np.unique(members, return_counts=True)
    if counts.min() < folds:
        rarest = present[counts.argmin()]
        _refuse(rarest.item() if labels is None else labels[int(rarest)], int(counts.min()), folds)
    random = np.random.default_rng(seed)
    groups = [random.permutation(np.flatnonzero(members == one)) for one in random.permutation(present)]
    return _dealt(np.concatenate(groups), folds)


def _refuse(label: object, number: int, folds: int) -> NoReturn:
    fewer = f"take {number} folds" if number > 1 else "leave it out"
    raise DataError(
        f"the class {label!r} has {number} sample(s), too few for {folds} folds with one of them in each; "
        f"{fewer}, or do not stratify"
    )


def _dealt(order: Indices, folds: int) -> tuple[Indices, ...]:
    """Deal samples out one by one, as cards are: neighbours go to different folds."""
    return tuple(np.sort(order[first::folds]) for first in range(folds))


def _check(n_samples: int, folds: int) -> None:
    if whole(folds, "folds") < 2:  # noqa: PLR2004 - one to learn from, one to test
        raise ParameterError(f"folds must be 2 or more; got {folds}")
    if n_samples < folds:
        raise DataError(f"{n_samples} sample(s) cannot be shared out to {folds} folds; take fewer folds")
