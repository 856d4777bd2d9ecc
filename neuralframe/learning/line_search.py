"""The line search: how far to go along a direction."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from neuralframe.core.objective import Objective
    from neuralframe.learning.line import Line, LinePoint


class LineSearch(Component):
    """Chooses the step length of rules that go along a line, such as `ConjugateGradient` and `LBFGS`.

    Known by the names ``"wolfe"``, ``"hager_zhang"``, ``"brent"``, ``"armijo"``, ``"batched"`` and
    ``"auto"``. What matters is the number of jobs that a search needs; each says so.

    Derive one of your own by writing `search`::

        @attrs.frozen
        class Halving(nf.LineSearch):
            def search(self, line, first_step):
                points = line.points([first_step / 2**i for i in range(8)])
                return line.lowest(points)
    """

    @abstractmethod
    def search(self, line: Line, first_step: float) -> LinePoint | None:
        """Return a point ahead on the line, with its gradient, or None if none is found that is good enough.

        Called once in each iteration, and again along the steepest descent when it returned None.

        Parameters
        ----------
        line : Line
            E along the direction, which leads downhill: ``line.origin.slope < 0``.
        first_step : float, above 0
            The step length that the rule would try first.

        """

    def settled(self, objective: Objective) -> LineSearch:  # noqa: ARG002
        """Return the search to use from the next step on, usually itself; called after each step."""
        return self
