"""A training session: one course of a learning rule from one set of initial weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.training.history import History

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate
    from neuralframe.training.history import IterationRecord
    from neuralframe.training.session_objective import SessionObjective


@attrs.frozen(eq=False)
class BestState:
    """Where the validation error was lowest.

    Attributes
    ----------
    weights : (n_free,) float64
        The weights there, those that are free.
    iteration : int
        After how many iterations that was.

    """

    weights: Vector
    iteration: int


@attrs.define(eq=False)
class Session:
    """The state of one session.

    Attributes
    ----------
    number : int
        Counted from 0.
    objective : SessionObjective
        What the rule minimises.
    start : (n_free,) float64
        Initial weights, those that are free.
    last : Iterate or None
        Where the rule stands; None before the first evaluation.
    best : BestState or None
        Where the validation error was lowest, if a stop condition asks for that to be kept.
    history : History
    stopped_by : str or None
        Why the session ended; None while it goes on.
    diverged : bool
        Whether it ended because a number was no longer finite.
    interrupted : bool
        Whether it ended because somebody asked for it: resumed, it goes on.

    """

    number: int
    objective: SessionObjective
    start: Vector
    last: Iterate | None = None
    best: BestState | None = None
    history: History = attrs.field(factory=History)
    stopped_by: str | None = None
    diverged: bool = False
    interrupted: bool = False

    @property
    def standing(self) -> Iterate:
        """Where the rule stands; only after the first evaluation."""
        assert self.last is not None
        return self.last

    @property
    def kept(self) -> IterationRecord:
        """The record of the weights that are kept: the best if they are asked for, else the last."""
        return self.history[-1 if self.best is None else self.best.iteration]

    @property
    def weights(self) -> Vector:
        """(n_weights,) float64: all weights of the network as they are kept."""
        free = self.start if self.last is None else self.last.weights
        if self.best is not None:
            free = self.best.weights
        whole: Vector = self.objective.whole(free[np.newaxis])[0]
        return whole

    def keep_if_best(self) -> None:
        """Keep the weights as they stand if the validation error was never lower; of equals the first."""
        error = self.history[-1].validation_error
        lowest = math.inf if self.best is None else self.kept.validation_error
        assert lowest is not None
        if error is not None and error < lowest:
            self.best = BestState(self.standing.weights, self.history[-1].iteration)
