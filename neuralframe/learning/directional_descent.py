"""Rules that choose a direction and then search along it."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.learning.line import Line

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective
    from neuralframe.learning.line import LinePoint
    from neuralframe.learning.line_search import LineSearch

NO_LOWER = "no step lowers the error"
"""Why such a rule ends by itself: rounding hides what is left to gain."""

STEEPEST = None
"""The memory of a rule that begins anew."""


@attrs.frozen(eq=False)
class Course:
    """What a rule carries from one line to the next.

    Attributes
    ----------
    memory : object
        What the next direction is built from; `STEEPEST` before the first line.
    search : LineSearch
        The line search in use.
    step : float
        The last step length.
    slope : float
        The slope at the beginning of the last line.

    """

    memory: Any
    search: LineSearch
    step: float = 0.0
    slope: float = 0.0


class DirectionalDescent(LearningRule):
    """A rule that goes along one line after another, each to a lower error.

    Direction and step length are two objects: the rule builds directions, and a `LineSearch` goes along them.
    If a search finds nothing, the rule begins anew with the steepest descent; if that fails too, it is done.
    """

    line_search: LineSearch

    @abstractmethod
    def direction(self, gradient: Vector, memory: Any) -> Vector:
        """Return the next direction, (n_weights,), from a memory that is not `STEEPEST`."""

    @abstractmethod
    def remembered(self, memory: Any, line: Line, found: LinePoint) -> Any:
        """Return the memory after a step along `line` to `found`, both with their gradients."""

    @abstractmethod
    def first_step(self, line: Line, course: Course) -> float:
        """Return the step length to try first along a direction that is not a fresh start."""

    def initial_state(self, weights: Vector, gradient: Vector) -> Course:  # noqa: ARG002
        """Return a course without a past."""
        return Course(STEEPEST, self.line_search)

    def moved(self, state: Course, gradient: Vector) -> Course:  # noqa: ARG002
        """Return a course that begins anew from here, with the line search in use."""
        return attrs.evolve(state, memory=STEEPEST)

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Search along the rule's direction, and along the steepest descent if that leads nowhere."""
        course: Course = last.state
        with np.errstate(over="ignore", invalid="ignore"):  # a wild direction is judged by its slope
            following = None if course.memory is STEEPEST else self._along(objective, last, course)
            following = following or self._along(objective, last, attrs.evolve(course, memory=STEEPEST))
        return following or attrs.evolve(last, finished=NO_LOWER)

    def _along(self, objective: Objective, last: Iterate, course: Course) -> Iterate | None:
        """Return the standing after a search along one line, if it found anything."""
        assert last.gradient is not None
        fresh = course.memory is STEEPEST
        direction = -last.gradient if fresh else self.direction(last.gradient, course.memory)
        line = Line.along(objective, last, direction)
        if not -math.inf < line.origin.known_slope < 0:
            return None
        first_step = _first_step(last.gradient) if fresh else self.first_step(line, course)
        found = course.search.search(line, first_step)
        return None if found is None else self._standing(line, found, course)

    def _standing(self, line: Line, found: LinePoint, course: Course) -> Iterate:
        following = Course(
            memory=self.remembered(course.memory, line, found),
            search=course.search.settled(line.objective),
            step=found.step,
            slope=line.origin.known_slope,
        )
        return Iterate(found.weights, found.error, found.gradient, following)


def _first_step(gradient: Vector) -> float:
    """Return a step along the steepest descent that changes all weights together by 1 at most."""
    size = float(np.sum(np.abs(gradient)))
    return min(1.0, 1.0 / size)
