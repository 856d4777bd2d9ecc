"""JAX: value_and_grad under jit.

The number of threads is that of the processors that the process may use; see `processes.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from cases import joined

from peers.contestant import Contestant

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    import numpy as np
    from cases import Problem

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes the contestant."""
    del stack
    return {"JAX jit": lambda: contestant(problem)}


def contestant(problem: Problem) -> Contestant:
    """Return the compiled gradient; arrays are on JAX's device before it is timed."""
    layers = [(jnp.asarray(weights), jnp.asarray(bias)) for weights, bias in problem.layers()]
    inputs, targets = jnp.asarray(problem.inputs), jnp.asarray(problem.targets)
    gradient = jax.jit(jax.value_and_grad(loss_of(problem)))

    def evaluate() -> Any:
        return jax.block_until_ready(gradient(layers, inputs, targets))

    def answer(found: Any) -> tuple[float, np.ndarray]:
        return float(found[0]), joined(found[1])

    return Contestant("JAX jit", evaluate, answer)


def loss_of(problem: Problem) -> Callable[[Any, Any, Any], Any]:
    """Return the mean cross-entropy as a function of the layers and the samples."""
    activation = jnp.tanh if problem.case.hidden == "tanh" else jax.nn.relu

    def loss(layers: Any, inputs: Any, targets: Any) -> Any:
        values = inputs
        for weights, bias in layers[:-1]:
            values = activation(values @ weights.T + bias)
        net = values @ layers[-1][0].T + layers[-1][1]
        if problem.case.output == "sigmoid":
            return jnp.mean(jnp.logaddexp(0, net) - targets * net)
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(net, axis=1), axis=1))

    return loss
