"""The batched line search: many step lengths in one job."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import attrs

from neuralframe.core.validation import count, number
from neuralframe.learning.interpolation import cubic_minimum, parabola_minimum
from neuralframe.learning.line_search import LineSearch

if TYPE_CHECKING:
    from neuralframe.learning.line import Line, LinePoint


@attrs.frozen
class BatchedLineSearch(LineSearch):
    """Looks at many step lengths in one job, and at the minimum of the parabola through the best.

    The first job computes the errors at `candidates` steps, each `ratio` times as long as the one before,
    around the step that the rule would try first. If the lowest of them is the longest, or if none is lower
    than the start, the next job looks further out or further in. The last job computes the gradient at the
    lowest step and at the minimum of the parabola through it and its neighbours; the lower one is taken.

    With ``gradients=True`` the first job computes gradients as well. If the slope at the lowest step is
    flat enough, that is the only job; otherwise the last one looks at the minimum of the cubic through it and
    the neighbour towards which the error falls.

    Parameters
    ----------
    candidates : int, at least 2
        Steps in a job.
    ratio : float, above 1
        How many times as long as the one before each of them is.
    gradients : bool
        Whether gradients are computed at every candidate: fewer jobs, more to compute in each.
    curvature : float, between 0 and 1
        With gradients: the share of the first slope that may be left.
    max_jobs : int, at least 2
        Jobs at most.

    Notes
    -----
    A search costs two jobs, together worth ``candidates + 6`` passes over the data when a gradient is worth
    three; with gradients it costs one, of ``3 * candidates`` passes, or one small job more. Brent's method
    comes to the same minimum in about ten jobs.

    Examples
    --------
    >>> BatchedLineSearch(candidates=4).steps(1.0)
    [0.25, 0.5, 1.0, 2.0]

    """

    name: ClassVar[str] = "batched"

    candidates: int = attrs.field(default=8, kw_only=True, validator=count(at_least=2))
    ratio: float = attrs.field(default=2.0, kw_only=True, validator=number(above=1))
    gradients: bool = attrs.field(default=False, kw_only=True, validator=attrs.validators.instance_of(bool))
    curvature: float = attrs.field(default=0.5, kw_only=True, validator=number(above=0, below=1))
    max_jobs: int = attrs.field(default=8, kw_only=True, validator=count(at_least=2))

    def steps(self, middle: float) -> list[float]:
        """Return the step lengths of a job around one of them."""
        return [middle * self.ratio ** (i - self.candidates // 2) for i in range(self.candidates)]

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Look at a grid of steps, at another if the lowest is at its edge, then at the fitted minimum."""
        points = self._looked_at(line, first_step)
        lowest = line.lowest(points)
        if lowest is None or self._is_flat(line, lowest):
            return lowest
        fitted = _fitted(points, points.index(lowest))
        trials = dict.fromkeys([fitted] if lowest.slope is not None else [lowest.step, fitted])
        wanted = [step for step in trials if math.isfinite(step)]
        found = line.points(wanted) if wanted else []
        return line.lowest([point for point in (lowest, *found) if point.gradient is not None])

    def _looked_at(self, line: Line, first_step: float) -> list[LinePoint]:
        """Return points in the order of their steps; the lowest stands between others, if it was found."""
        look, middle, points = line.points if self.gradients else line.errors, first_step, [line.origin]
        for _ in range(self.max_jobs - 1):
            points = sorted([*points, *look(self.steps(middle))], key=lambda point: point.step)
            lowest = line.lowest(points)
            if lowest is None:
                middle /= self.ratio**self.candidates
            elif lowest is points[-1]:
                middle *= self.ratio**self.candidates
            else:
                break
        return points

    def _is_flat(self, line: Line, point: LinePoint) -> bool:
        return point.slope is not None and abs(point.slope) <= -self.curvature * line.origin.known_slope


def _fitted(points: list[LinePoint], i: int) -> float:
    """Return where a fit around the i-th point has its minimum; NaN if it has none there."""
    if i + 1 == len(points):
        return math.nan
    before, lowest, after = points[i - 1 : i + 2]
    if lowest.slope is None:
        return parabola_minimum(before, lowest, after)
    other = before if lowest.slope > 0 else after
    return cubic_minimum(lowest, other) if other.is_finite else (lowest.step + other.step) / 2
