"""scikit-learn's perceptron: the function that its L-BFGS minimises, without weight decay."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from cases import joined
from sklearn.neural_network import MLPClassifier

from peers.contestant import Contestant, NotTakingPartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from cases import Problem

MOST_NUMBERS = 4_000_000
"""Inputs above which it is left out: it computes like plain numpy, and would only take time."""


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes the contestant."""
    del stack
    return {"scikit-learn": lambda: contestant(problem)}


def contestant(problem: Problem) -> Contestant:
    """Return the function, with work arrays that are kept as in its own training."""
    case, dtype = problem.case, np.dtype(problem.dtype)
    if problem.inputs.size > MOST_NUMBERS:
        raise NotTakingPartError("left out of the large cases: it computes like plain numpy")
    perceptron, first = prepared(problem)
    targets = problem.targets
    activations: list[Any] = [problem.inputs] + [None] * (len(case.sizes) - 1)
    deltas: list[Any] = [None] * (len(case.sizes) - 1)
    matrices = [np.empty((before, size), dtype) for before, size in pairwise(case.sizes)]
    biases = [np.empty(size, dtype) for size in case.sizes[1:]]

    def evaluate() -> Any:
        return perceptron._loss_grad_lbfgs(  # noqa: SLF001 - it has no public gradient
            first, problem.inputs, targets, None, activations, deltas, matrices, biases
        )

    def answer(found: Any) -> tuple[float, np.ndarray]:
        error, packed = found
        ends = np.cumsum([matrix.size for matrix in matrices] + [len(bias) for bias in biases])
        parts = np.split(packed, ends[:-1])
        turned = [
            part.reshape(matrix.shape).T
            for part, matrix in zip(parts[: len(matrices)], matrices, strict=True)
        ]
        return float(error), joined(list(zip(turned, parts[len(matrices) :], strict=True)))

    return Contestant("scikit-learn", evaluate, answer)


def prepared(problem: Problem) -> tuple[Any, np.ndarray]:
    """Return a perceptron that has its shapes from a first iteration, and the problem's packed weights."""
    case = problem.case
    few = slice(0, 50)
    perceptron = MLPClassifier(
        case.sizes[1:-1], activation=case.hidden, solver="lbfgs", alpha=0.0, max_iter=1, max_fun=1
    )
    classes = np.arange(50) % max(2, case.sizes[-1])
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of not having converged in one iteration
        perceptron.fit(problem.inputs[few], classes)
    layers = problem.layers()
    packed = [weights.T.ravel() for weights, _ in layers] + [bias for _, bias in layers]
    return perceptron, np.concatenate(packed)
