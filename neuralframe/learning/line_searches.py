"""Line searches by name, as the rules that use them want them."""

from __future__ import annotations

from typing import Any, cast

from neuralframe.learning.armijo_line_search import ArmijoBacktracking
from neuralframe.learning.automatic_line_search import AutomaticLineSearch
from neuralframe.learning.batched_line_search import BatchedLineSearch
from neuralframe.learning.brent_line_search import BrentLineSearch
from neuralframe.learning.hager_zhang_line_search import HagerZhangLineSearch
from neuralframe.learning.line_search import LineSearch
from neuralframe.learning.wolfe_line_search import WolfeLineSearch

__all__ = [
    "ArmijoBacktracking",
    "AutomaticLineSearch",
    "BatchedLineSearch",
    "BrentLineSearch",
    "HagerZhangLineSearch",
    "WolfeLineSearch",
    "line_search",
]


def line_search(given: LineSearch | type[LineSearch] | str, *, curvature: float) -> LineSearch:
    """Return a line search from an object, a class or a name.

    Parameters
    ----------
    given : LineSearch, class or str
        An object stays as it is.
    curvature : float
        The share of the slope that a search may leave for the rule's directions to be good, if the search was
        named and has such a parameter.

    Raises
    ------
    ChoiceError
        If there is no line search of the name given.

    """
    search = LineSearch.of(given)
    if isinstance(given, LineSearch) or "curvature" not in search.parameters():
        return search
    chosen: Any = type(search)
    return cast("LineSearch", chosen(curvature=curvature))
