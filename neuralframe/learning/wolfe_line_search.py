"""The strong Wolfe conditions: enough decrease, and a slope that has flattened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import attrs

from neuralframe.core.validation import count, number, require_ascending
from neuralframe.learning.interpolation import cubic_minimum
from neuralframe.learning.line_search import LineSearch

if TYPE_CHECKING:
    from neuralframe.learning.line import Line, LinePoint

CLOSEST = 0.1
"""No trial comes closer to an end of its interval than this share of it, so that intervals shrink."""

SHORTEST, LONGEST = 2.0, 10.0
"""While nothing bounds the step, the next trial lies between so many times the last one."""

FINEST = 1e-9
"""An interval of this relative width is not divided further: rounding errors decide there."""


@attrs.frozen
class WolfeLineSearch(LineSearch):
    """Tries one step after another until the strong Wolfe conditions hold.

    With the error E(a) at the step length a along the line, a step is taken when ::

        E(a) <= E(0) + decrease * a * E'(0)        and        abs(E'(a)) <= curvature * abs(E'(0))

    Trials come from the cubic through the ends of the interval that is known to hold such a step.

    Parameters
    ----------
    decrease : float, between 0 and `curvature`
        Share of the decrease that the first slope promises (c1).
    curvature : float, below 1
        Share of the slope that may be left (c2): 0.9 does for quasi-Newton rules, and 0.1 for conjugate
        gradients, whose directions need a step near the minimum. Rules that are told ``"wolfe"`` choose it.
    max_trials : int
        Jobs at most. Then the lowest trial with enough decrease is taken, if there was one.

    Notes
    -----
    A trial is one gradient job, and the one that is taken brings the gradient with it. Often the first trial
    is taken.

    References
    ----------
    J. Nocedal and S. J. Wright (2006). Numerical Optimization, 2nd edition, algorithms 3.5 and 3.6.

    """

    name: ClassVar[str] = "wolfe"

    decrease: float = attrs.field(default=1e-4, kw_only=True, validator=number(above=0))
    curvature: float = attrs.field(default=0.9, kw_only=True, validator=number(below=1))
    max_trials: int = attrs.field(default=20, kw_only=True, validator=count())

    def __attrs_post_init__(self) -> None:
        require_ascending(self, "decrease", "curvature")

    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Try steps, further out until the interval is bounded and inside it from then on."""
        low, high, step = line.origin, None, first_step
        for _ in range(self.max_trials):
            trial = line.point(step)
            enough = self._is_low_enough(line, trial)
            if enough and abs(trial.known_slope) <= -self.curvature * line.origin.known_slope:
                return trial
            before = low
            low, high = _narrowed(low, high, trial, enough=enough)
            if high is not None and abs(high.step - low.step) <= FINEST * max(high.step, low.step):
                break
            step = _beyond(before, low) if high is None else _inside(low, high)
        return low if low.step > 0 else None

    def _is_low_enough(self, line: Line, trial: LinePoint) -> bool:
        highest = line.origin.error + self.decrease * trial.step * line.origin.known_slope
        return trial.is_finite and trial.error <= highest and trial.error < line.origin.error


def _narrowed(
    low: LinePoint, high: LinePoint | None, trial: LinePoint, *, enough: bool
) -> tuple[LinePoint, LinePoint | None]:
    """Return the ends of the interval after a trial; `low` is the lowest point so far, `high` lies beyond.

    The slope at `low` always leads into the interval.
    """
    if not enough or trial.error >= low.error:
        return low, trial
    towards_high = math.inf if high is None else high.step - low.step
    return (trial, low) if trial.known_slope * towards_high >= 0 else (trial, high)


def _beyond(before: LinePoint, low: LinePoint) -> float:
    """Return the next trial beyond the last one, `low`, where the error was still falling."""
    guess = cubic_minimum(before, low)
    return min(max(guess, SHORTEST * low.step), LONGEST * low.step) if guess > 0 else LONGEST * low.step


def _inside(low: LinePoint, high: LinePoint) -> float:
    """Return the next trial between two ends: the cubic's minimum, kept away from both."""
    width = high.step - low.step
    if not high.is_finite:
        return low.step + CLOSEST * width
    guess = cubic_minimum(low, high)
    share = (guess - low.step) / width
    return low.step + width * (min(max(share, CLOSEST), 1 - CLOSEST) if math.isfinite(share) else 0.5)
