"""Mini-batch training: many small updates from parts of the data in each iteration."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number
from neuralframe.learning.batch_gradient import batch_gradient, batches
from neuralframe.learning.schedules import Schedule, schedule_or_none

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


@attrs.frozen(eq=False)
class Course:
    """What mini-batch training carries from iteration to iteration.

    Attributes
    ----------
    iterations : int
        Passes over the data so far; the schedule goes by them.
    updates : int
        Updates of the weights so far.
    memory : tuple of (n_weights,) float64
        What the rule remembers of earlier gradients.

    """

    iterations: int
    updates: int
    memory: tuple[Vector, ...]


@attrs.frozen
class MiniBatchRule(LearningRule):
    """Updates the weights after each mini-batch; an iteration is one pass over the training set.

    A mini-batch is some blocks of the data set, drawn without replacement: every pass goes through all
    blocks once, in a new random order. How many samples that is, the data set's ``block_size`` decides.
    An update is::

        weights -= rate * schedule.factor(iteration) * direction

    Derive a rule of your own by writing `direction` (and `initial_memory`, if it remembers anything)::

        @attrs.frozen
        class SignDescent(nf.MiniBatchRule):
            def direction(self, weights, gradient, memory, update):
                return np.sign(gradient), memory

    Parameters
    ----------
    rate : float, above 0
        The learning rate, before the schedule.
    schedule : Schedule or str, optional
        How the rate changes from iteration to iteration; by default it stays.
    batch_blocks : int, at least 1, or None
        Blocks in a mini-batch; None means all, so that an iteration is one update from the whole training
        set. The last batch of a pass holds what is left over.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    ChoiceError
        If there is no schedule of the name given.

    Notes
    -----
    An iteration costs a job for each mini-batch, over its blocks alone, and one more over all data, in which
    the error is found at the weights reached. So where a job costs seconds, as on a cluster, or where the
    data is one block, choose ``batch_blocks=None``: an iteration is then one gradient job, and the gradient
    is known for stop conditions to judge.

    """

    rate: float = attrs.field(default=0.001, validator=number(above=0))
    schedule: Schedule | None = attrs.field(default=None, kw_only=True, converter=schedule_or_none)
    batch_blocks: int | None = attrs.field(default=1, kw_only=True, validator=count(optional=True))

    @property
    def compares_errors(self) -> bool:
        """No: each gradient is followed as it comes."""
        return False

    def initial_memory(self, weights: Vector) -> tuple[Vector, ...]:  # noqa: ARG002
        """Return what is remembered before the first update; nothing unless the rule says otherwise."""
        return ()

    @abstractmethod
    def direction(
        self, weights: Vector, gradient: Vector, memory: tuple[Vector, ...], update: int
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return what is subtracted from the weights, rate times, and what is remembered from now on.

        A pure function; it may overflow.

        Parameters
        ----------
        weights : (n_weights,) float64
            Before the update.
        gradient : (n_weights,) float64
            dE/dw at these weights, as the mini-batch has it.
        memory : tuple of (n_weights,) float64
            What the last update left.
        update : int
            The number of this update, from 1.

        """

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Return the standing at the initial weights; mini-batches need no gradient of the whole there."""
        if self.batch_blocks is None:
            return super().start(objective, weights)
        if objective.n_blocks == 1:
            objective.note(
                "mini-batches: the training set is one block, so every batch is the whole of it; "
                "a DataSet with a smaller block_size has smaller ones"
            )
        return Iterate(weights, objective.value(weights), None, self.initial_state(weights, weights))

    def initial_state(self, weights: Vector, gradient: Vector) -> Course:  # noqa: ARG002
        """Return the beginning of the course."""
        return Course(0, 0, self.initial_memory(weights))

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Pass over the training set once."""
        moved = self._whole(objective, last) if self.batch_blocks is None else self._pass(objective, last)
        return attrs.evolve(moved, state=attrs.evolve(moved.state, iterations=last.state.iterations + 1))

    def _whole(self, objective: Objective, last: Iterate) -> Iterate:
        assert last.gradient is not None
        weights, course = self._updated(objective, last.weights, last.gradient, last.state)
        error, gradient = objective.value_and_gradient(weights)
        return Iterate(weights, error, gradient, course)

    def _pass(self, objective: Objective, last: Iterate) -> Iterate:
        assert self.batch_blocks is not None
        weights, course = last.weights, last.state
        for blocks in batches(objective, self.batch_blocks):
            gradient = batch_gradient(objective, weights, blocks)
            weights, course = self._updated(objective, weights, gradient, course)
        return Iterate(weights, objective.value(weights), None, course)

    def _updated(
        self, objective: Objective, weights: Vector, gradient: Vector, course: Course
    ) -> tuple[Vector, Course]:
        """Return the weights and the course after one update."""
        factor = 1.0 if self.schedule is None else self.schedule.factor(course.iterations)
        update = course.updates + 1
        with np.errstate(over="ignore", invalid="ignore"):  # the driver judges where a wild step leads
            direction, memory = self.direction(weights, gradient, course.memory, update)
            moved = weights - self.rate * factor * direction
        return objective.project(moved), Course(course.iterations, update, memory)
