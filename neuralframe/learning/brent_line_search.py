"""Brent's method: a minimum along the line from errors alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.validation import count, number
from neuralframe.learning.line_search import LineSearch

if TYPE_CHECKING:
    from neuralframe.learning.line import Line, LinePoint

HIGHEST = 1e100
"""What an error that is larger, or no number, counts as: scipy interpolates without a look at infinities."""


@attrs.frozen
class BrentLineSearch(LineSearch):
    """Brackets a minimum along the line, then closes in on it by parabolas and golden sections.

    Both are scipy's (`scipy.optimize.bracket` and `scipy.optimize.brent`). No error is computed twice.

    Parameters
    ----------
    tolerance : float, above 0
        Relative accuracy of the step length. The minimum of a line need not be met exactly; scipy's own
        1.48e-8 makes each search longer and the training no shorter.
    max_trials : int, at least 3
        Error jobs at most. Then the lowest trial is taken, if it is lower than the start.

    Notes
    -----
    A trial is one error job, which costs a third of a gradient job; one gradient job is added in the end.
    Where jobs are what costs, `BatchedLineSearch` does the same with less than a third of them.

    References
    ----------
    R. P. Brent (1973). Algorithms for Minimization without Derivatives, chapter 5.

    """

    name: ClassVar[str] = "brent"

    tolerance: float = attrs.field(default=1e-3, kw_only=True, validator=number(above=0))
    max_trials: int = attrs.field(default=50, kw_only=True, validator=count(at_least=3))

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Let scipy search, whatever comes of it, and take the lowest point that it saw."""
        from scipy.optimize import bracket, brent  # noqa: PLC0415 - a cluster's tasks never search

        # In units of the first step: to scipy 1e-11 is nothing, and on steep lines that is a long step.
        seen = _Seen(line, self.max_trials, first_step)
        try:
            with np.errstate(all="ignore"):  # of an error that falls for ever, steps go to infinity
                left, middle, right, *_ = bracket(seen, 0.0, 1.0)
                brent(seen, brack=(left, middle, right), tol=self.tolerance)
        except (RuntimeError, ValueError) as problem:
            # without a bracket, or without more trials, what was seen until then may do
            if problem is seen.failure:
                raise
        lowest = line.lowest(seen.points.values())
        return None if lowest is None else line.lowest([line.point(lowest.step)])


class _Seen:
    """E along a line as scipy calls it: remembered, finite, and refused after so many trials.

    `failure` is what a job failed with, to tell it from what scipy raises.
    """

    def __init__(self, line: Line, max_trials: int, unit: float) -> None:
        self.line, self.max_trials, self.unit = line, max_trials, unit
        self.points = {0.0: line.origin}
        self.failure: Exception | None = None

    def __call__(self, step: float) -> float:
        step = float(step) * self.unit
        if step not in self.points:
            if len(self.points) > self.max_trials:
                raise RuntimeError("no more trials")
            self.points[step] = self._look(step)
        point = self.points[step]
        return min(point.error, HIGHEST) if point.is_finite else HIGHEST

    def _look(self, step: float) -> LinePoint:
        try:
            return self.line.errors([step])[0]
        except Exception as problem:
            self.failure = problem
            raise
