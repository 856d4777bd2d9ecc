"""A learning rate of gradient descent that follows a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.learning.adaptive_rates import AdaptiveRate, Pace
from neuralframe.learning.schedules import InverseTime, Schedule

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate


@attrs.frozen(eq=False)
class ScheduledPace(Pace):
    """A pace that knows its place in a schedule.

    Attributes
    ----------
    first : float
        The rate before the schedule.
    iteration : int
        The number of the next step, from 0.

    """

    first: float
    iteration: int


def _schedule(given: Schedule | type[Schedule] | str) -> Schedule:
    return Schedule.of(given)


@attrs.frozen
class ScheduledRate(AdaptiveRate):
    """A rate that follows a schedule, whatever the error does.

    Parameters
    ----------
    schedule : Schedule or str
        What the first rate is multiplied by in each step.

    Examples
    --------
    >>> from neuralframe.learning.gradient_descent import GradientDescent
    >>> GradientDescent(0.5, adaptive=ScheduledRate("inverse_time")).adaptive
    ScheduledRate(schedule=InverseTime(delay=100.0))

    """

    schedule: Schedule = attrs.field(factory=InverseTime, converter=_schedule)

    def begin(self, pace: Pace, weights: Vector, gradient: Vector) -> ScheduledPace:  # noqa: ARG002
        """Return the first rate of the schedule."""
        assert isinstance(pace.rate, float)
        return ScheduledPace(pace.rate * self.schedule.factor(0), pace.change, pace.rate, 0)

    def settle(self, last: Iterate, trial: Iterate) -> Iterate:  # noqa: ARG002 - the schedule asks for neither
        """Keep the step, and go on to the next rate."""
        pace: ScheduledPace = trial.state
        iteration = pace.iteration + 1
        rate = pace.first * self.schedule.factor(iteration)
        return attrs.evolve(trial, state=attrs.evolve(pace, rate=rate, iteration=iteration))
