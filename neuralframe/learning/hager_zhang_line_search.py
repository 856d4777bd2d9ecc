"""Hager and Zhang's line search: conditions that can be met to the last digit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, NoReturn, TypeAlias

import attrs

from neuralframe.core.validation import count, number
from neuralframe.exceptions import ParameterError
from neuralframe.learning.line_search import LineSearch

if TYPE_CHECKING:
    from collections.abc import Generator

    from neuralframe.learning.line import Line, LinePoint

    Trials: TypeAlias = Generator[float, LinePoint, tuple[LinePoint, LinePoint]]
    """Yields steps to try, is sent what was found there, and returns the ends of an interval: at the lower
    end the slope leads in and the error is not too high, at the upper one the slope leads back."""

THETA, GAMMA, RHO = 0.5, 0.66, 5.0
"""Where to divide, how much an iteration must shorten the interval, and how fast to go out: as published."""


@attrs.frozen
class HagerZhangLineSearch(LineSearch):
    """Tries steps from secants of the slope until the Wolfe conditions hold, or nearly hold.

    With the error E(a) at the step length a, a step is taken when the Wolfe conditions hold, ::

        E(a) - E(0) <= decrease * a * E'(0)        and        E'(a) >= curvature * E'(0)

    or the approximate ones, in which errors hardly appear, so that close to a minimum rounding does not spoil
    them::

        (2 * decrease - 1) * E'(0) >= E'(a) >= curvature * E'(0)        and        E(a) <= E(0) + slack

    where the slack is ``tolerance * abs(E(0))``: by so little the error may rise.

    Parameters
    ----------
    decrease : float, between 0 and 0.5
        Delta of the paper.
    curvature : float, at least `decrease` and below 1
        Sigma of the paper.
    tolerance : float, at least 0
        Epsilon of the paper.
    max_trials : int
        Jobs at most. Then the lowest trial is taken, if it is lower than the start.

    Notes
    -----
    A trial is one gradient job, and the one that is taken brings the gradient with it.

    References
    ----------
    W. W. Hager and H. Zhang (2005). A new conjugate gradient method with guaranteed descent and an efficient
    line search. SIAM Journal on Optimization 16, 170-192 (conditions T1 and T2, steps L0 to L3, S1 to S4, U0
    to U3, B0 to B3 of the 2006 paper on CG_DESCENT, ACM TOMS 32, 113-137).

    """

    name: ClassVar[str] = "hager_zhang"

    decrease: float = attrs.field(default=0.1, kw_only=True, validator=number(above=0, below=0.5))
    curvature: float = attrs.field(default=0.9, kw_only=True, validator=number(above=0, below=1))
    tolerance: float = attrs.field(default=1e-6, kw_only=True, validator=number(at_least=0))
    max_trials: int = attrs.field(default=20, kw_only=True, validator=count())

    def __attrs_post_init__(self) -> None:
        if self.decrease > self.curvature:
            raise ParameterError(
                f"HagerZhangLineSearch needs decrease <= curvature; got {self.decrease!r}, {self.curvature!r}"
            )

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Try the steps that the interval's course asks for until one is good enough."""
        limit = line.origin.error + self.tolerance * abs(line.origin.error)
        steps = _steps(line.origin, first_step, limit)
        seen = [line.point(next(steps))]
        while not self._accepts(line.origin, seen[-1], limit):
            if len(seen) == self.max_trials:
                return line.lowest(seen)
            seen.append(line.point(steps.send(seen[-1])))
        return seen[-1]

    def _accepts(self, start: LinePoint, trial: LinePoint, limit: float) -> bool:
        if not trial.is_finite or trial.known_slope < self.curvature * start.known_slope:
            return False
        falls = trial.error - start.error <= self.decrease * trial.step * start.known_slope
        flat = (2 * self.decrease - 1) * start.known_slope >= trial.known_slope
        return falls or (flat and trial.error <= limit)


def _steps(start: LinePoint, first_step: float, limit: float) -> Generator[float, LinePoint, NoReturn]:
    """Yield steps without end: of the bracket, of double secants, of halvings where those are slow."""
    low, high = yield from _bracket(start, first_step, limit)
    while True:
        left, right = yield from _secants(low, high, limit)
        if right.step - left.step > GAMMA * (high.step - low.step):
            middle = yield (left.step + right.step) / 2
            left, right = yield from _updated(left, right, middle, limit)
        low, high = left, right


def _bracket(start: LinePoint, first_step: float, limit: float) -> Trials:
    """B0 to B3: go out until the slope turns or the error is too high."""
    low, step = start, first_step
    while True:
        trial = yield step
        if _is_too_high(trial, limit):
            return (yield from _halved(start, trial, limit))
        if trial.known_slope >= 0:
            return low, trial
        low, step = trial, RHO * step


def _secants(low: LinePoint, high: LinePoint, limit: float) -> Trials:
    """S1 to S4: the secant's zero, and from the end that it replaced a second one."""
    step = _secant(low, high)
    if not low.step < step < high.step:
        return low, high
    trial = yield step
    left, right = yield from _updated(low, high, trial, limit)
    replaced = {id(left): low, id(right): high}.get(id(trial))
    again = left.step if replaced is None else _secant(*sorted((replaced, trial), key=lambda end: end.step))
    if not left.step < again < right.step:
        return left, right
    trial = yield again
    return (yield from _updated(left, right, trial, limit))


def _updated(low: LinePoint, high: LinePoint, trial: LinePoint, limit: float) -> Trials:
    """U1 to U3: the part of the interval that a trial inside it leaves."""
    if _is_too_high(trial, limit):
        return (yield from _halved(low, trial, limit))
    return (low, trial) if trial.known_slope >= 0 else (trial, high)


def _halved(low: LinePoint, high: LinePoint, limit: float) -> Trials:
    """U3: halve until the upper end has a slope that leads back."""
    while True:
        trial = yield (1 - THETA) * low.step + THETA * high.step
        if _is_too_high(trial, limit):
            high = trial
        elif trial.known_slope >= 0:
            return low, trial
        else:
            low = trial


def _is_too_high(trial: LinePoint, limit: float) -> bool:
    """Whether a trial lies beyond a hill; of one that is not finite, nothing but that is known."""
    return not trial.is_finite or (trial.known_slope < 0 and trial.error > limit)


def _secant(low: LinePoint, high: LinePoint) -> float:
    """Return where the slope is zero if it changes linearly; NaN if it does not change."""
    rise = high.known_slope - low.known_slope
    if rise == 0:
        return math.nan
    return (low.step * high.known_slope - high.step * low.known_slope) / rise
