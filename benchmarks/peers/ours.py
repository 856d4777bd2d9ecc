"""Ours: the objective that a rule is given on an opened data set, and the kernels without an engine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

import neuralframe as nf
from neuralframe.exceptions import MissingPackageError
from neuralframe.kernels import AUTO, KERNELS
from neuralframe.kernels.numba_kernel import NumbaKernel
from neuralframe.kernels.work import TRAINING_PASSES
from neuralframe.networks.preparation import make_evaluator
from neuralframe.training.session_objective import SessionObjective
from peers.contestant import Contestant, NotTakingPartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from cases import Problem

PUBLIC, BARE = "ours", "ours without engine"


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes each contestant: every kernel of the CPU, and the one that is chosen by itself."""
    made: dict[str, Callable[[], Contestant]] = {
        f"{PUBLIC}, {kernel}": lambda kernel=kernel: public(problem, kernel, stack)
        for kernel in (AUTO, *cpu_kernels())
    }
    if problem.threads == 1:
        made |= {
            f"{BARE}, {kernel}": lambda kernel=kernel: bare(problem, kernel, stack)
            for kernel in cpu_kernels()
        }
    return made


def cpu_kernels() -> list[str]:
    """Return the kernels that run without a device."""
    return [name for name in KERNELS if not name.startswith("cuda")]


@contextmanager
def opened(problem: Problem, kernel: str) -> Iterator[SessionObjective]:
    """Yield the objective as `NeuralNetwork.learn` gives it to a rule, on an engine that is open.

    Raises
    ------
    NotTakingPartError
        If the kernel is not installed, or would compute this problem as another does.

    """
    network = problem.network()
    data = nf.DataSet(problem.inputs, problem.targets)
    try:
        evaluator = make_evaluator(
            network,
            data.blocks,
            engine=nf.InProcessEngine(problem.threads),
            kernel=kernel,
            dtype=problem.dtype,
            passes=TRAINING_PASSES,
        )
    except MissingPackageError as reason:
        raise NotTakingPartError(str(reason)) from reason
    if isinstance(evaluator.kernel, NumbaKernel) and not evaluator.kernel.is_compiled:
        raise NotTakingPartError("it computes this network as numpy does")
    objective = SessionObjective(network.weights.copy(), network.parameters.free(), np.random.default_rng(0))
    objective.ask_through(lambda question: evaluator.answer([question])[0], evaluator)
    with evaluator.engine:
        yield objective


def public(problem: Problem, kernel: str, stack: ExitStack) -> Contestant:
    """Return the objective's error and gradient; like the driver, ask what is known of the point after it."""
    objective, weights = stack.enter_context(opened(problem, kernel)), problem.weights

    def evaluate() -> tuple[float, np.ndarray]:
        found = objective.value_and_gradient(weights)
        objective.evaluation(weights)
        return found

    return Contestant(f"{PUBLIC}, {kernel}", evaluate, lambda found: found, objective.evaluator.kernel.name)


def bare(problem: Problem, kernel: str, stack: ExitStack) -> Contestant:
    """Return plain calls of the kernel, block by block."""
    objective = stack.enter_context(opened(problem, kernel))
    evaluator, weights, n = objective.evaluator, problem.weights[np.newaxis], problem.case.n_samples
    blocks = list(evaluator.blocks)

    def evaluate() -> Any:
        error, gradient = 0.0, np.zeros(weights.shape)
        for block in blocks:
            part, slope = evaluator.kernel.errors_and_gradients(weights, block.inputs, block.targets)
            error += part[0]
            gradient += slope
        return error, gradient

    return Contestant(f"{BARE}, {kernel}", evaluate, lambda found: (found[0] / n, found[1][0] / n))
