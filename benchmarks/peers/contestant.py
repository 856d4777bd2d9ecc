"""One way to compute the mean error and its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np


class NotTakingPartError(Exception):
    """Somebody does not compute this problem; the message says why."""


@attrs.frozen(eq=False)
class Contestant:
    """What is timed, and what is made of its result to check it.

    Attributes
    ----------
    name : str
        What tables call it.
    evaluate : callable
        Computes the error and the gradient of all weights. All that a training would do once is done
        before.
    answer : callable, optional
        Turns what `evaluate` returned into the mean error and the gradient in our order, float64. Bare
        products have none: there is nothing to check.
    detail : str
        What it chose to do this problem with.

    """

    name: str
    evaluate: Callable[[], Any]
    answer: Callable[[Any], tuple[float, np.ndarray]] | None
    detail: str = ""
