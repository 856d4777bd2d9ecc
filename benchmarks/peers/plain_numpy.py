"""Plain numpy, all samples at once: what everyone writes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cases import joined, loss_and_gradient

from peers.contestant import Contestant

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    import numpy as np
    from cases import Problem


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes the contestant."""
    del stack

    def make() -> Contestant:
        layers, n = problem.layers(), problem.case.n_samples

        def evaluate() -> Any:
            return loss_and_gradient(layers, problem.inputs, problem.targets, problem.case.hidden)

        def answer(found: Any) -> tuple[float, np.ndarray]:
            return found[0] / n, joined(found[1]) / n

        return Contestant("numpy, whole batch", evaluate, answer)

    return {"numpy, whole batch": make}
