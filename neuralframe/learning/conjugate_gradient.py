"""Nonlinear conjugate gradients."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from neuralframe.core.validation import count, number, one_of
from neuralframe.learning.conjugacy import CONJUGACIES
from neuralframe.learning.directional_descent import DirectionalDescent
from neuralframe.learning.line import dot
from neuralframe.learning.line_searches import WolfeLineSearch, line_search

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.learning.directional_descent import Course
    from neuralframe.learning.line import Line, LinePoint
    from neuralframe.learning.line_search import LineSearch

CURVATURE = 0.1
"""Share of the slope that a step may leave: directions stay conjugate only near the lines' minima."""


def _line_search(given: LineSearch | type[LineSearch] | str) -> LineSearch:
    return line_search(given, curvature=CURVATURE)


@attrs.frozen(eq=False)
class LastLine:
    """What conjugate gradients remember of the last line.

    Attributes
    ----------
    direction : (n_weights,) float64
    gradient : (n_weights,) float64
        The gradient at its beginning.
    age : int
        How many lines before it were not along the steepest descent.

    """

    direction: Vector
    gradient: Vector
    age: int


@attrs.frozen
class ConjugateGradient(DirectionalDescent):
    """Conjugate gradients: each direction is the steepest descent, bent by the last direction.

    With the gradient g, the last gradient g' and the last direction d', the next direction is
    ``d = -g + beta * d'``, where with y = g - g' ::

        "fletcher_reeves"    beta = g.g / g'.g'
        "polak_ribiere"      beta = max(0, g.y / g'.g')
        "hestenes_stiefel"   beta = g.y / d'.y
        "dai_yuan"           beta = g.g / d'.y
        "hager_zhang"        beta = (y - 2 d' y.y / d'.y) . g / d'.y,
                             but not under -1 / (|d'| min(0.01, |g'|))

    The direction begins anew with -g every `restart_every` lines, where the gradients of neighbouring
    lines are far from orthogonal (Powell), and where d would not lead downhill.

    Parameters
    ----------
    beta : str
        One of the formulas above; on a quadratic error with exact searches they agree.
    line_search : LineSearch or str
        How far to go along a direction.
    restart_every : int, optional
        By default the number of weights.
    powell : float, above 0, optional
        Begin anew where abs(g.g') is at least so many times g.g; None to leave it.

    Raises
    ------
    ParameterError
        If a number is out of its range or the formula is unknown.
    ChoiceError
        If there is no line search of the name given.

    Notes
    -----
    An iteration costs what its line search costs. The state is two vectors. On a quadratic error of n weights
    the minimum is reached in n iterations, if lines are searched exactly.

    References
    ----------
    J. Nocedal and S. J. Wright (2006). Numerical Optimization, 2nd edition, section 5.2.

    M. J. D. Powell (1977). Restart procedures for the conjugate gradient method. Mathematical Programming 12,
    241-254.

    W. W. Hager and H. Zhang (2006). A survey of nonlinear conjugate gradient methods. Pacific Journal of
    Optimization 2, 35-58.

    Examples
    --------
    >>> ConjugateGradient("dai_yuan", line_search="brent").line_search
    BrentLineSearch(tolerance=0.001, max_trials=50)

    """

    beta: Literal["fletcher_reeves", "polak_ribiere", "hestenes_stiefel", "dai_yuan", "hager_zhang"] = (
        attrs.field(default="polak_ribiere", validator=one_of(*CONJUGACIES))
    )
    line_search: LineSearch = attrs.field(
        default=WolfeLineSearch(curvature=CURVATURE), kw_only=True, converter=_line_search
    )
    restart_every: int | None = attrs.field(
        default=None, kw_only=True, validator=attrs.validators.optional(count())
    )
    powell: float | None = attrs.field(default=0.2, kw_only=True, validator=number(above=0, optional=True))

    def direction(self, gradient: Vector, memory: LastLine) -> Vector:
        """Bend the steepest descent, or return to it."""
        if self._begins_anew(gradient, memory):
            return -gradient
        beta = CONJUGACIES[self.beta](gradient, memory.gradient, memory.direction)
        direction: Vector = beta * memory.direction - gradient
        return direction if -math.inf < dot(direction, gradient) < 0 else -gradient

    def remembered(self, memory: LastLine | None, line: Line, found: LinePoint) -> LastLine:  # noqa: ARG002
        """Keep the line's direction and first gradient."""
        gradient = line.origin.gradient
        assert gradient is not None
        age = 0 if memory is None or np.array_equal(line.direction, -gradient) else memory.age + 1
        return LastLine(line.direction, gradient, age)

    def first_step(self, line: Line, course: Course) -> float:
        """Expect the same first-order change of the error as on the last line."""
        return course.step * course.slope / line.origin.known_slope

    def _begins_anew(self, gradient: Vector, memory: LastLine) -> bool:
        every = len(gradient) if self.restart_every is None else self.restart_every
        if memory.age + 1 >= every:
            return True
        overlap = abs(dot(gradient, memory.gradient))
        return self.powell is not None and overlap >= self.powell * dot(gradient, gradient)
