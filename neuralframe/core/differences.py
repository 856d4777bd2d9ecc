"""Central differences: what stands in for a derivative that nobody wrote down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from neuralframe.core.arrays import Array, Vector

STEP = float(np.cbrt(np.finfo(np.float64).eps))
"""Relative step, about 6e-6: where rounding and curvature spoil a central difference equally."""


def changes_along(
    function: Callable[..., Sequence[Array]], points: Sequence[Array], directions: Sequence[Array]
) -> list[Array]:
    """Return how fast the arrays that a function returns change along a direction.

    One step serves all elements: the longest that moves none by more than `STEP`, relative to its size
    or to 1. Computed in float64, whatever the type of the points, to about ten digits where the function is
    smooth.

    Parameters
    ----------
    function : callable
        Takes as many arrays as there are points.
    points : sequence of array
        Where the derivative is wanted.
    directions : sequence of array
        An array of the shape of each point.

    Returns
    -------
    list of array
        In the type of the first point.

    Examples
    --------
    >>> points, ones = [np.array(2.0), np.array(3.0)], [np.ones(()), np.ones(())]
    >>> (slope,) = changes_along(lambda x, y: (x * y,), points, ones)
    >>> round(float(slope), 8)
    5.0

    """
    at = [np.asarray(point, dtype=np.float64) for point in points]
    along = [np.asarray(direction, dtype=np.float64) for direction in directions]
    fastest = max(_relative(point, direction) for point, direction in zip(at, along, strict=True))
    if fastest == 0:
        return [np.zeros_like(values) for values in function(*points)]
    step = STEP / fastest
    ahead, behind = (
        function(*(point + sign * step * direction for point, direction in zip(at, along, strict=True)))
        for sign in (1, -1)
    )
    dtype = np.asarray(points[0]).dtype
    return [((right - left) / (2 * step)).astype(dtype) for right, left in zip(ahead, behind, strict=True)]


def _relative(point: Vector, direction: Vector) -> float:
    return float(np.max(np.abs(direction) / np.maximum(1.0, np.abs(point)), initial=0.0))
