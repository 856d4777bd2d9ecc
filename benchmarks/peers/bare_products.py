"""The matrix products alone: what is left of a gradient when everything else costs nothing.

Several ways of laying the same products out are tried, and the fastest takes part: it is a floor, and no
floor that a clumsy layout has made too high.
"""

from __future__ import annotations

import time
from copy import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from peers.contestant import Contestant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    from cases import Problem

CHUNKS = (1024, 2048, 4096, None)
"""Samples of one product; None is all of them."""

TRIALS = 3
TRIAL_SAMPLES = 8192
"""How many samples tell which way is the fastest."""


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes the contestant."""
    del stack

    def make() -> Contestant:
        ways = {way.name: way for way in all_ways(problem)}
        seconds = {way.name: min(once(way) for _ in range(TRIALS)) for way in all_ways(few(problem))}
        fastest = min(seconds, key=lambda name: seconds[name])
        return Contestant("bare products", ways[fastest], None, fastest)

    return {"bare products": make}


def all_ways(problem: Problem) -> Iterator[Products]:
    """Yield the ways that fit the problem."""
    for chunk in CHUNKS:
        if chunk is None or chunk < len(problem.inputs):
            yield Products(problem, chunk, by_features=False)
            yield Products(problem, chunk, by_features=True)


def few(problem: Problem) -> Problem:
    """Return the first samples of a problem."""
    twin = copy(problem)
    twin.inputs = problem.inputs[:TRIAL_SAMPLES]
    return twin


def once(way: Callable[[], None]) -> float:
    """Return the seconds that one run takes."""
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


class Products:
    """Forward, dE/dW and dE/d(activation) of every layer, into arrays that are kept.

    Parameters
    ----------
    problem : Problem
    chunk : int or None
        Samples at once.
    by_features : bool
        Whether activations have shape (size, samples) rather than (samples, size).

    """

    def __init__(self, problem: Problem, chunk: int | None, *, by_features: bool) -> None:
        n = min(chunk or len(problem.inputs), len(problem.inputs))
        self.name = f"{'features' if by_features else 'samples'} first, {'all' if chunk is None else chunk}"
        self._inputs, self._chunk, self._by_features = problem.inputs, n, by_features
        self._weights = [weights for weights, _ in problem.layers()]
        sizes = problem.case.sizes
        filled = np.random.default_rng(1).standard_normal
        shapes = [(size, n) if by_features else (n, size) for size in sizes[1:]]
        self._activations = [np.empty(shape, problem.dtype) for shape in shapes]
        self._deltas = [filled(shape).astype(problem.dtype) for shape in shapes]
        self._backed = [np.empty(shape, problem.dtype) for shape in shapes[:-1]]
        self._gradients = [np.empty((size, before), problem.dtype) for before, size in pairwise(sizes)]

    def __call__(self) -> None:
        for start in range(0, len(self._inputs), self._chunk):
            rows = self._inputs[start : start + self._chunk]
            if self._by_features:
                self._feature_major(rows.T, len(rows))
            else:
                self._sample_major(rows, len(rows))

    def _feature_major(self, columns: np.ndarray, n: int) -> None:
        layers = [columns, *(array[:, :n] for array in self._activations)]
        deltas = [array[:, :n] for array in self._deltas]
        for weights, before, output in zip(self._weights, layers, layers[1:], strict=False):
            np.matmul(weights, before, out=output)
        for number in range(len(deltas) - 1, -1, -1):
            np.matmul(deltas[number], layers[number].T, out=self._gradients[number])
            if number:
                np.matmul(self._weights[number].T, deltas[number], out=self._backed[number - 1][:, :n])

    def _sample_major(self, rows: np.ndarray, n: int) -> None:
        layers = [rows, *(array[:n] for array in self._activations)]
        deltas = [array[:n] for array in self._deltas]
        for weights, before, output in zip(self._weights, layers, layers[1:], strict=False):
            np.matmul(before, weights.T, out=output)
        for number in range(len(deltas) - 1, -1, -1):
            np.matmul(deltas[number].T, layers[number], out=self._gradients[number])
            if number:
                np.matmul(deltas[number], self._weights[number], out=self._backed[number - 1][:n])
