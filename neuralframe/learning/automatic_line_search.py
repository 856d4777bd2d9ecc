"""The line search that chooses itself by what jobs cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs

from neuralframe.core.validation import number
from neuralframe.learning.batched_line_search import BatchedLineSearch
from neuralframe.learning.line_search import LineSearch
from neuralframe.learning.wolfe_line_search import WolfeLineSearch

if TYPE_CHECKING:
    from neuralframe.core.objective import Costs, Objective
    from neuralframe.learning.line import Line, LinePoint

CLOSE = 0.5
"""Rules that leave less of the slope than this want their lines searched closely."""

FLAT = 0.3
"""Share of the slope that a batch may leave without a second job: less costs more jobs than it saves."""

ONE_BY_ONE = (1.0, 3.0)
CLOSE_BATCHES = (0.7, 15.0)
COARSE_BATCHES = (0.88, 20.5)
"""Jobs and passes to the same error, relative to the jobs of the Wolfe search, whose every job is a gradient.

Mean of Abalone 10-8-3 (to 0.705) and digits 64-25-10 (to 0.02), four seeds each, with eight candidates:
conjugate gradients took 404 and 130 jobs with Wolfe, 312 and 83 in batches; L-BFGS 163 and 74, and 144
and 66.
"""

MEASURING = BatchedLineSearch(candidates=32, ratio=1.25)
"""Many passes in a job, so that they tell in its time: on a cluster, jobs differ by more than a pass."""


@attrs.frozen
class AutomaticLineSearch(LineSearch):
    """Searches once, looks at what jobs and passes over the data have cost, and chooses.

    Where a job costs much against a pass, as on a cluster, fewer jobs with many steps in each are faster:
    `BatchedLineSearch` with gradients. Where a pass is what costs, one step after another is:
    `WolfeLineSearch`. The user is told which, and it is kept in the state of the rule, so that a resumed
    training stays with it.

    Parameters
    ----------
    curvature : float, between 1e-4 and 1
        As of `WolfeLineSearch`. Rules that are told ``"auto"`` choose it.

    Notes
    -----
    The first search costs three jobs and some forty passes. The choice depends on measured times: another
    engine, or a busy one, may choose otherwise, and then the weights differ. Name a line search where
    trainings must repeat to the bit.

    """

    name: ClassVar[str] = "auto"

    curvature: float = attrs.field(default=0.9, kw_only=True, validator=number(above=1e-4, below=1))

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Search in batches, with a job of one pass before, so that small and large jobs are known."""
        line.errors([first_step])
        return MEASURING.search(line, first_step)

    def settled(self, objective: Objective) -> LineSearch:
        """Return the search that takes the least time at the costs measured, and tell the user."""
        costs = objective.costs
        name = "wolfe" if costs is None or not self._prefers_batches(costs) else "batched"
        objective.note(f"line search: {name}, because {_told(costs)}")
        if name == "batched":
            return BatchedLineSearch(gradients=True, curvature=max(self.curvature, FLAT))
        return WolfeLineSearch(curvature=self.curvature)

    def _prefers_batches(self, costs: Costs) -> bool:
        batches = CLOSE_BATCHES if self.curvature < CLOSE else COARSE_BATCHES
        return _seconds(batches, costs) < _seconds(ONE_BY_ONE, costs)


def _seconds(jobs_and_passes: tuple[float, float], costs: Costs) -> float:
    jobs, passes = jobs_and_passes
    return jobs * costs.job_seconds + passes * costs.value_seconds


def _told(costs: Costs | None) -> str:
    if costs is None:
        return "nothing is known of what jobs cost"
    return f"a job costs {_duration(costs.job_seconds)} and a pass {_duration(costs.value_seconds)}"


def _duration(seconds: float) -> str:
    """Return a time in words.

    >>> _duration(1.23456), _duration(0.0041), _duration(0.0)
    ('1.23 s', '4.1 ms', '0 ms')

    """
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
