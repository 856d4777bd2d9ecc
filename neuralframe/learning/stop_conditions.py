"""When training is over: pure functions of its history."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol

import attrs

from neuralframe.core.components import Component
from neuralframe.core.validation import count, number

if TYPE_CHECKING:
    from collections.abc import Sequence


class Record(Protocol):
    """One iteration as a stop condition sees it.

    Attributes
    ----------
    iteration : int
        Its number; 0 stands for the initial weights.
    error : float
        What is minimised, with the penalty of the weights.
    penalty : float
        The share of the penalty in it.
    validation_error : float or None
        The error on validation data, where there are any.
    gradient_norm : float or None
        Euclidean norm of the gradient, where the rule knows it.
    seconds : float
        Time since training began.

    """

    @property
    def iteration(self) -> int: ...
    @property
    def error(self) -> float: ...
    @property
    def penalty(self) -> float: ...
    @property
    def validation_error(self) -> float | None: ...
    @property
    def gradient_norm(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...


class StopCondition(Component):
    """Decides from the history of a training whether to end it.

    A condition keeps nothing between calls: the same history always gives the same answer, so one
    object serves any number of trainings, and a resumed one stops where the whole would have stopped.
    Derive one of your own by writing `reason`.

    Attributes
    ----------
    watches_validation : bool
        Whether it makes no sense without a validation part; `learn` then insists on one.
    restores_best : bool
        Whether the network is to end with the weights at which the validation error was lowest, whatever
        ends the training.

    """

    watches_validation: ClassVar[bool] = False

    @property
    def restores_best(self) -> bool:
        return False

    @abstractmethod
    def reason(self, history: Sequence[Record]) -> str | None:
        """Return why training should stop now, as a phrase for the user, or None to go on.

        Parameters
        ----------
        history : sequence of Record
            All iterations so far, at least the initial one. Called after each of them.

        """


@attrs.frozen
class MaxIterations(StopCondition):
    """Stop after `n` iterations; discarded steps count.

    Parameters
    ----------
    n : int, at least 0
        The number of iterations.

    """

    iterations: int = attrs.field(alias="n", validator=count(at_least=0))

    def reason(self, history: Sequence[Record]) -> str | None:
        """Compare the number of the last iteration."""
        if history[-1].iteration < self.iterations:
            return None
        return f"reached {self.iterations} iteration{'' if self.iterations == 1 else 's'}"


@attrs.frozen
class MaxSeconds(StopCondition):
    """Stop at the end of the iteration in which `s` seconds have passed since training began.

    Parameters
    ----------
    s : float, at least 0
        The time in seconds.

    """

    seconds: float = attrs.field(alias="s", validator=number(at_least=0))

    def reason(self, history: Sequence[Record]) -> str | None:
        """Compare the time at the end of the last iteration."""
        if history[-1].seconds < self.seconds:
            return None
        return f"reached {self.seconds:g} seconds"


@attrs.frozen
class ErrorGoal(StopCondition):
    """Stop when the error that is minimised is `e` or less.

    Parameters
    ----------
    e : float
        The goal.

    """

    error: float = attrs.field(alias="e", validator=number())

    def reason(self, history: Sequence[Record]) -> str | None:
        """Compare the error of the last iteration, its penalty included."""
        if not history[-1].error <= self.error:  # NaN reaches no goal
            return None
        return f"reached the error goal of {self.error:g}"


@attrs.frozen
class GradientNorm(StopCondition):
    """Stop when the Euclidean norm of the gradient is `g` or less.

    It never stops a rule that does not know its gradient.

    Parameters
    ----------
    g : float, at least 0
        The norm.

    """

    norm: float = attrs.field(alias="g", validator=number(at_least=0))

    def reason(self, history: Sequence[Record]) -> str | None:
        """Compare the gradient of the last iteration."""
        norm = history[-1].gradient_norm
        if norm is None or not norm <= self.norm:
            return None
        return f"the norm of the gradient fell to {norm:.3g}, the goal being {self.norm:g}"


@attrs.frozen
class SmallChange(StopCondition):
    """Stop when the error changed by less than `change` in each of the last iterations.

    Rises count as falls do: what matters is the size of the change. A step that the rule discarded is a
    change of 0, so with an adaptive rate choose `iterations` larger than the number of steps that it may
    discard in a row.

    Parameters
    ----------
    change : float, above 0
        The size of a change that is not small any more, in units of the error.
    iterations : int, at least 1
        How many iterations in a row must have changed less than that.
    relative : bool
        Measure each change as a share of the error before it.

    """

    change: float = attrs.field(default=1e-6, validator=number(above=0))
    iterations: int = attrs.field(default=5, validator=count())
    relative: bool = attrs.field(default=False, kw_only=True)

    def reason(self, history: Sequence[Record]) -> str | None:
        """Compare the errors of the last iterations, pair by pair."""
        errors = [float(record.error) for record in history[-self.iterations - 1 :]]
        if len(errors) <= self.iterations or not all(map(self._is_small, errors, errors[1:])):
            return None
        limit = f"{self.change:g} of itself" if self.relative else f"{self.change:g}"
        span = (
            "the last iteration" if self.iterations == 1 else f"each of the last {self.iterations} iterations"
        )
        return f"the error changed by less than {limit} in {span}"

    def _is_small(self, before: float, after: float) -> bool:
        difference = abs(after - before)
        limit = self.change * abs(before) if self.relative else self.change
        # from an error of 0 the relative limit is 0 too, and nothing is less
        return difference == 0 or difference < limit
