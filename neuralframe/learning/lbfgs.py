"""L-BFGS: the quasi-Newton rule for many weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.validation import count
from neuralframe.learning.directional_descent import DirectionalDescent
from neuralframe.learning.line_searches import WolfeLineSearch, line_search
from neuralframe.learning.secant_pair import SecantPair

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.learning.directional_descent import Course
    from neuralframe.learning.line import Line, LinePoint
    from neuralframe.learning.line_search import LineSearch

CURVATURE = 0.9
"""Share of the slope that a step may leave: a whole step is good enough almost always."""


def _line_search(given: LineSearch | type[LineSearch] | str) -> LineSearch:
    return line_search(given, curvature=CURVATURE)


@attrs.frozen
class LBFGS(DirectionalDescent):
    """BFGS with a limited memory: the last steps stand for the matrix.

    The direction -H g comes from the last `memory` pairs of a step s and a change of the gradient y by
    the two-loop recursion, which begins with H = s.y / y.y of the latest pair. A pair with s.y near
    zero teaches nothing and is passed over.

    Parameters
    ----------
    memory : int
        How many steps are remembered.
    line_search : LineSearch or str
        How far to go along a direction. The first trial is the whole step, 1.

    Raises
    ------
    ParameterError
        If `memory` is not a whole number, at least 1.
    ChoiceError
        If there is no line search of the name given.

    Notes
    -----
    An iteration costs what its line search costs, often one gradient job. The state is 2 * `memory` vectors.

    References
    ----------
    J. Nocedal (1980). Updating quasi-Newton matrices with limited storage. Mathematics of Computation 35,
    773-782. Nocedal and Wright (2006), Numerical Optimization, algorithms 7.4 and 7.5, equation 7.20.

    """

    memory: int = attrs.field(default=10, validator=count())
    line_search: LineSearch = attrs.field(
        default=WolfeLineSearch(curvature=CURVATURE), kw_only=True, converter=_line_search
    )

    def direction(self, gradient: Vector, memory: tuple[SecantPair, ...]) -> Vector:
        """Return -H g by the two-loop recursion."""
        direction, room = -gradient, np.empty_like(gradient)
        shares = []
        for pair in reversed(memory):
            shares.append(_dot(pair.step, direction, room) / pair.product)
            direction -= np.multiply(pair.change, shares[-1], out=room)
        direction *= memory[-1].scale
        for pair, share in zip(memory, reversed(shares), strict=True):
            along = share - _dot(pair.change, direction, room) / pair.product
            direction += np.multiply(pair.step, along, out=room)
        return direction

    def remembered(
        self, memory: tuple[SecantPair, ...] | None, line: Line, found: LinePoint
    ) -> tuple[SecantPair, ...] | None:
        """Return the pairs with that of the last step, without those that are too old."""
        pair = SecantPair.between(line.origin, found)
        return memory if pair is None else (*(memory or ()), pair)[-self.memory :]

    def first_step(self, line: Line, course: Course) -> float:  # noqa: ARG002
        """Try the whole step."""
        return 1.0


def _dot(left: Vector, right: Vector, room: Vector) -> float:
    """Return what `dot` does, with room for the products: most of the time of a direction goes here."""
    return float(np.add.reduce(np.multiply(left, right, out=room)))
