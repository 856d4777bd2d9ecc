"""The cases that kernels are compared on: networks, random samples, and the right answer in plain numpy."""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

import neuralframe as nf

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS_AT_ONCE = 10_000
"""Samples of which the right answer is computed at once, so that it needs no memory to speak of."""

TOLERANCES = {"float64": 1e-11, "float32": 2e-4}
"""How far a contestant may be from the right answer, relative to it; tests hold ours to less. In float32 a
rectifier whose net input is within rounding of zero falls on either side, for everybody."""


@attrs.frozen
class Case:
    """A network and a number of samples.

    One output is a sigmoid with binary cross-entropy, several are a softmax with cross-entropy.
    """

    letter: str
    sizes: tuple[int, ...]
    n_samples: int
    hidden: str = "tanh"

    @property
    def name(self) -> str:
        """What a table calls it."""
        hidden = "" if self.hidden == "tanh" else f" {self.hidden}"
        return f"({self.letter}) {'-'.join(map(str, self.sizes))}{hidden}, {self.n_samples:,}"

    @property
    def output(self) -> str:
        """The transfer function of the outputs."""
        return "sigmoid" if self.sizes[-1] == 1 else "softmax"

    @property
    def n_weights(self) -> int:
        """How many weights the network has, biases included."""
        return sum((before + 1) * size for before, size in pairwise(self.sizes))

    def shrunk(self, share: float) -> Case:
        """Return the case with a share of its samples, if they are many; small ones stay as they are."""
        return attrs.evolve(self, n_samples=max(min(self.n_samples, 5000), int(self.n_samples * share)))


CASES = (
    Case("a", (8, 16, 3), 4177),
    Case("b", (400, 25, 10), 5000),
    Case("c", (400, 25, 10), 500_000),
    Case("d", (784, 500, 10), 60_000),
    Case("e", (784, 800, 800, 10), 20_000, hidden="relu"),
    Case("f", (32, 5, 1), 198),
)


@attrs.define(eq=False, slots=False)
class Problem:
    """A case with its samples and weights, in the numbers that contestants compute in.

    Attributes
    ----------
    case : Case
    dtype : {"float64", "float32"}
    threads : int
        How many threads a contestant may use.
    inputs : (n_samples, n_inputs) array
    classes : (n_samples,) int64
        The class of each sample; 0 or 1 where there is one output.
    targets : (n_samples, n_outputs) array
        The same as numbers.
    weights : (n_weights,) float64
        Layer by layer: the matrix, row by row and one row a neuron, then the biases. They are numbers of
        `dtype`, so that everyone computes at the same point.

    """

    case: Case
    dtype: str
    threads: int
    inputs: np.ndarray
    classes: np.ndarray
    targets: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, case: Case, dtype: str = "float64", threads: int = 1) -> Problem:
        """Return the problem of a case; the same numbers each time."""
        random = np.random.default_rng(0)
        inputs = random.standard_normal((case.n_samples, case.sizes[0]), dtype=np.dtype(dtype))
        classes = random.integers(0, max(2, case.sizes[-1]), case.n_samples)
        targets = classes[:, np.newaxis] if case.output == "sigmoid" else np.eye(case.sizes[-1])[classes]
        network = nf.MultilayerPerceptron(*case.sizes, hidden=case.hidden, output=case.output, seed=0)
        weights = network.weights.astype(dtype).astype(np.float64)
        return cls(case, dtype, threads, inputs, classes, targets.astype(dtype), weights)

    def network(self) -> nf.MultilayerPerceptron:
        """Return our network with the problem's weights."""
        case = self.case
        network = nf.MultilayerPerceptron(*case.sizes, hidden=case.hidden, output=case.output, seed=0)
        network.weights[:] = self.weights
        return network

    def layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the matrix (size, n_inputs) and the biases (size,) of each layer, in `dtype`."""
        return list(split(self.case.sizes, self.weights.astype(self.dtype)))

    @cached_property
    def answer(self) -> tuple[float, np.ndarray]:
        """The mean error and its gradient in float64 by plain numpy."""
        error, gradient = 0.0, np.zeros(len(self.weights))
        layers = list(split(self.case.sizes, self.weights))
        for start in range(0, self.case.n_samples, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            part = loss_and_gradient(
                layers, self.inputs[rows].astype(float), self.targets[rows].astype(float), self.case.hidden
            )
            error, gradient = error + part[0], gradient + joined(part[1])
        return error / self.case.n_samples, gradient / self.case.n_samples

    def distance(self, error: float, gradient: np.ndarray) -> float:
        """Return how far an answer is from the right one, relative to it; the worse of error and gradient."""
        right_error, right = self.answer
        off = float(np.linalg.norm(gradient - right) / np.linalg.norm(right))
        return max(off, abs(error - right_error) / abs(right_error))


def split(sizes: tuple[int, ...], weights: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield matrix and biases of each layer as views of a weight vector."""
    start = 0
    for n_inputs, size in pairwise(sizes):
        bias = start + size * n_inputs
        yield weights[start:bias].reshape(size, n_inputs), weights[bias : bias + size]
        start = bias + size


def joined(layers: list[tuple[Any, Any]]) -> np.ndarray:
    """Return matrices (size, n_inputs) and biases as one float64 vector."""
    parts = [np.ravel(array) for layer in layers for array in layer]
    return np.concatenate(parts, dtype=np.float64)


def loss_and_gradient(
    layers: list[tuple[np.ndarray, np.ndarray]], inputs: np.ndarray, targets: np.ndarray, hidden: str
) -> tuple[float, list[tuple[np.ndarray, np.ndarray]]]:
    """Return the summed error and its gradient as everyone writes it first: all samples at once.

    Samples are rows. See Rumelhart, Hinton and Williams (1986); the delta of the outputs is
    output - target for both cross-entropies.
    """
    activations = [inputs]
    for weights, bias in layers[:-1]:
        net = activations[-1] @ weights.T + bias
        activations.append(np.tanh(net) if hidden == "tanh" else np.maximum(net, 0))
    net = activations[-1] @ layers[-1][0].T + layers[-1][1]
    error, delta = output_error(net, targets)
    gradients = []
    for number in range(len(layers) - 1, -1, -1):
        gradients.append((delta.T @ activations[number], delta.sum(axis=0)))
        if number:
            output = activations[number]
            slope = 1 - output * output if hidden == "tanh" else output > 0
            delta = (delta @ layers[number][0]) * slope
    return error, gradients[::-1]


def output_error(net: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the summed cross-entropy and its derivative in the net inputs."""
    if net.shape[1] == 1:
        error = np.sum(np.logaddexp(0, net) - targets * net, dtype=np.float64)
        return float(error), 1 / (1 + np.exp(-net)) - targets
    net = net - net.max(axis=1, keepdims=True)
    powers = np.exp(net)
    sums = powers.sum(axis=1, keepdims=True)
    error = np.sum(np.log(sums), dtype=np.float64) - np.sum(targets * net, dtype=np.float64)
    return float(error), powers / sums - targets
