"""Training by L-BFGS down to a loss: ours, PyTorch's and scikit-learn's; one at a time as a process too.

Libraries are imported by those who need them, so that a fresh process loads its own only.
"""

from __future__ import annotations

import json
import sys
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_ITERATIONS = 2000


class ReachedError(Exception):
    """The loss is at the goal: ends somebody's optimizer, with the loss as the argument."""


class Task:
    """What is to be trained: read from a file that any of them can read.

    Parameters
    ----------
    path : str
        An archive of `inputs`, `classes`, `sizes`, `goal` and `weights`, (n, n_weights): several initial
        weight vectors, in the order of neuralframe.

    """

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.inputs, self.classes, self.weights = (
                arrays[name] for name in ("inputs", "classes", "weights")
            )
            self.sizes: list[int] = arrays["sizes"].tolist()
            self.goal = float(arrays["goal"])

    def layers(self, weights: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return matrix (size, n_inputs) and biases of each layer."""
        found, start = [], 0
        for n_inputs, size in pairwise(self.sizes):
            bias = start + size * n_inputs
            found.append((weights[start:bias].reshape(size, n_inputs), weights[bias : bias + size]))
            start = bias + size
        return found


def ours(task: Task, kernel: str) -> Callable[[np.ndarray], float]:
    """Return what trains by `NeuralNetwork.learn`."""
    import neuralframe as nf

    data = nf.DataSet(task.inputs, np.eye(task.sizes[-1])[task.classes])
    network = nf.MultilayerPerceptron(*task.sizes, output="softmax", seed=0)
    stop = [nf.ErrorGoal(task.goal), nf.MaxIterations(MOST_ITERATIONS)]

    def train(weights: np.ndarray) -> float:
        network.weights[:] = weights
        return network.learn(data, rule=nf.LBFGS(), kernel=kernel, stop=stop, progress=False).error

    return train


def pytorch(task: Task) -> Callable[[np.ndarray], float]:
    """Return what trains by ``torch.optim.LBFGS`` with its line search."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    linear = [nn.Linear(before, size, dtype=torch.float64) for before, size in pairwise(task.sizes)]
    module = nn.Sequential(*[part for layer in linear for part in (layer, nn.Tanh())][:-1])
    inputs, classes = torch.from_numpy(task.inputs), torch.from_numpy(task.classes)
    loss_function = nn.CrossEntropyLoss()

    def train(weights: np.ndarray) -> float:
        with torch.no_grad():
            for layer, (matrix, bias) in zip(linear, task.layers(weights), strict=True):
                layer.weight.copy_(torch.from_numpy(matrix))
                layer.bias.copy_(torch.from_numpy(bias))
        optimizer = torch.optim.LBFGS(
            module.parameters(),
            max_iter=MOST_ITERATIONS,
            history_size=10,
            tolerance_grad=0,
            tolerance_change=0,
            line_search_fn="strong_wolfe",
        )

        def closure() -> float:
            optimizer.zero_grad()
            loss = loss_function(module(inputs), classes)
            loss.backward()
            return ended(float(loss.detach()), task.goal)

        return until_reached(lambda: float(optimizer.step(closure)))

    return train


def scikit_learn(task: Task) -> Callable[[np.ndarray], float]:
    """Return what trains by `MLPClassifier`; the time includes its checks of the data."""
    from sklearn.neural_network import MLPClassifier

    perceptron = MLPClassifier(
        tuple(task.sizes[1:-1]), activation="tanh", solver="lbfgs", alpha=0, tol=0, max_iter=1,
        max_fun=10**9, warm_start=True,
    )  # fmt: skip
    warnings.simplefilter("ignore")  # of not having converged
    perceptron.fit(task.inputs, task.classes)  # makes the arrays that the weights are written into
    perceptron.max_iter = MOST_ITERATIONS
    own = perceptron._loss_grad_lbfgs  # noqa: SLF001 - it has no other way to end at a loss

    def watched(*arguments: Any) -> Any:
        loss, gradient = own(*arguments)
        return ended(loss, task.goal), gradient

    perceptron._loss_grad_lbfgs = watched  # noqa: SLF001

    def train(weights: np.ndarray) -> float:
        layers = task.layers(weights)
        perceptron.coefs_ = [matrix.T.copy() for matrix, _ in layers]
        perceptron.intercepts_ = [bias.copy() for _, bias in layers]
        return until_reached(lambda: float(perceptron.fit(task.inputs, task.classes).loss_))

    return train


def ended(loss: float, goal: float) -> float:
    """Return the loss, or end the training."""
    if loss <= goal:
        raise ReachedError(loss)
    return loss


def until_reached(train: Callable[[], float]) -> float:
    """Return the loss at which a training ended."""
    try:
        return train()
    except ReachedError as reached:
        return float(reached.args[0])


TRAINERS: dict[str, Callable[[Task], Callable[[np.ndarray], float]]] = {
    "ours, auto": lambda task: ours(task, "auto"),
    "ours, numba": lambda task: ours(task, "numba"),
    "PyTorch": pytorch,
    "scikit-learn": scikit_learn,
}


def main() -> None:
    """Train once, as a process of its own: ``python trainers.py NAME FILE``."""
    name, path = sys.argv[1:]
    task = Task(path)
    loss = TRAINERS[name](task)(task.weights[0])
    print(json.dumps({"loss": loss}))


if __name__ == "__main__":
    main()
