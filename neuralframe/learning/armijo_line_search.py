"""Backtracking: the simplest line search, several steps in a job."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from neuralframe.core.validation import count, number
from neuralframe.learning.line_search import LineSearch

if TYPE_CHECKING:
    from neuralframe.learning.line import Line, LinePoint


@attrs.frozen
class ArmijoBacktracking(LineSearch):
    """Tries a step, then ever shorter ones, until the error has fallen enough.

    With the error E(a) at the step length a, a step is taken when ::

        E(a) <= E(0) + decrease * a * E'(0)

    Of the steps that one job tries, the one of the lowest error among those is taken.

    Parameters
    ----------
    decrease : float, between 0 and 1
        Share of the decrease that the first slope promises.
    shrink : float, between 0 and 1
        Each trial is so many times as long as the one before.
    growth : float, at least 1
        The first trial is so many times as long as the step that the rule would try first. Otherwise steps
        that only ever shrink would stay short.
    steps_per_job : int
        Trials in one job.
    max_trials : int
        Trials at most.

    Notes
    -----
    A job of trials computes errors alone; the point that is taken costs one gradient job more.

    References
    ----------
    L. Armijo (1966). Minimization of functions having Lipschitz continuous first partial derivatives. Pacific
    Journal of Mathematics 16, 1-3. Nocedal and Wright (2006), algorithm 3.1.

    """

    name: ClassVar[str] = "armijo"

    decrease: float = attrs.field(default=1e-4, kw_only=True, validator=number(above=0, below=1))
    shrink: float = attrs.field(default=0.5, kw_only=True, validator=number(above=0, below=1))
    growth: float = attrs.field(default=2.0, kw_only=True, validator=number(at_least=1))
    steps_per_job: int = attrs.field(default=4, kw_only=True, validator=count())
    max_trials: int = attrs.field(default=60, kw_only=True, validator=count())

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Try steps, some in each job, until one is good enough."""
        for first in range(0, self.max_trials, self.steps_per_job):
            exponents = range(first, min(first + self.steps_per_job, self.max_trials))
            trials = line.errors([first_step * self.growth * self.shrink**i for i in exponents])
            lowest = line.lowest(trial for trial in trials if self._falls_enough(line, trial))
            if lowest is not None:
                return line.lowest([line.point(lowest.step)])
        return None

    def _falls_enough(self, line: Line, trial: LinePoint) -> bool:
        return trial.error <= line.origin.error + self.decrease * trial.step * line.origin.known_slope
