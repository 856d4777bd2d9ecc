"""BFGS: the inverse of the second derivatives, learnt from gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.validation import count
from neuralframe.exceptions import LearningRuleError
from neuralframe.learning.directional_descent import DirectionalDescent
from neuralframe.learning.line import dot
from neuralframe.learning.line_searches import WolfeLineSearch, line_search
from neuralframe.learning.secant_pair import SecantPair

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.learning_rule import Iterate
    from neuralframe.core.objective import Objective
    from neuralframe.learning.directional_descent import Course
    from neuralframe.learning.line import Line, LinePoint
    from neuralframe.learning.line_search import LineSearch

CURVATURE = 0.9
"""Share of the slope that a step may leave: a whole step is good enough almost always."""


def _line_search(given: LineSearch | type[LineSearch] | str) -> LineSearch:
    return line_search(given, curvature=CURVATURE)


@attrs.frozen
class BFGS(DirectionalDescent):
    """The quasi-Newton rule of Broyden, Fletcher, Goldfarb and Shanno, with the whole matrix.

    The direction is -H g. H begins as the identity, scaled by the first step, and takes up what each step
    shows of the second derivatives: with s the change of the weights and y that of the gradient ::

        H = (I - s y' / y.s) H (I - y s' / y.s) + s s' / y.s

    A pair with s.y near zero teaches nothing and is passed over.

    Parameters
    ----------
    line_search : LineSearch or str
        How far to go along a direction. The first trial is the whole step, 1.
    max_weights : int
        Networks with more are refused: H takes 8 bytes for each pair of weights, 200 MB at 5,000, in memory
        and in each checkpoint.

    Raises
    ------
    ChoiceError
        If there is no line search of the name given.
    LearningRuleError
        When training begins, if there are more weights than `max_weights`.

    Notes
    -----
    An iteration costs what its line search costs, often one gradient job, and a few times n_weights**2
    operations beside it.

    References
    ----------
    J. Nocedal and S. J. Wright (2006). Numerical Optimization, 2nd edition, algorithm 6.1 and equation 6.20.

    """

    line_search: LineSearch = attrs.field(
        default=WolfeLineSearch(curvature=CURVATURE), kw_only=True, converter=_line_search
    )
    max_weights: int = attrs.field(default=5000, kw_only=True, validator=count())

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Return the standing at the initial weights, unless there are too many. Costs one gradient job."""
        n = len(weights)
        if n > self.max_weights:
            raise LearningRuleError(
                f"BFGS keeps a matrix of n_weights x n_weights, {n * n * 8 / 1e6:,.0f} MB for {n} weights; "
                f"max_weights is {self.max_weights}. Use LBFGS, which keeps a few vectors, or raise it"
            )
        return super().start(objective, weights)

    def direction(self, gradient: Vector, memory: Vector) -> Vector:
        """Return -H g."""
        return -_product(memory, gradient)

    def remembered(self, memory: Vector | None, line: Line, found: LinePoint) -> Vector | None:
        """Return H with the last step taken up."""
        pair = SecantPair.between(line.origin, found)
        if pair is None:
            return memory
        if memory is None:
            memory = pair.scale * np.eye(len(pair.step))
        return _updated(memory, pair)

    def first_step(self, line: Line, course: Course) -> float:  # noqa: ARG002
        """Try the whole step."""
        return 1.0


def _updated(inverse: Vector, pair: SecantPair) -> Vector:
    """Return the update, multiplied out: it costs n_weights**2 and stays symmetric to the last bit."""
    bent = _product(inverse, pair.change)
    share = 1.0 + dot(pair.change, bent) / pair.product
    mixed = np.multiply.outer(pair.step, bent)
    updated: Vector = (
        inverse + (share * np.multiply.outer(pair.step, pair.step) - (mixed + mixed.T)) / pair.product
    )
    return updated


def _product(matrix: Vector, vector: Vector) -> Vector:
    """Return a product that BLAS does not split by its number of threads."""
    product: Vector = np.einsum("ij,j->i", matrix, vector)
    return product
