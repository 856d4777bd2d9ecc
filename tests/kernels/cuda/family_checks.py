"""What every family of kernels has to pass: the numbers of the numpy kernel in float64."""

from __future__ import annotations

import numpy as np
import pytest

from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.kernels.stack import Stack
from tests.kernels.cuda.emulated_device import EmulatedDevice

TOLERANCES = {"float32": (2e-6, 1e-7), "float64": (1e-13, 1e-14)}
"""Of gradients and of errors, relative to the size of the whole."""


def made(family, network, dtype="float32", **options):
    """Return a family for a network on an emulated device."""
    return family(Stack.of(network.topology), np.dtype(dtype), EmulatedDevice(**options))


def block_of(network, n, seed=4, *, weighted=False):
    """Return inputs, targets that any error function takes, and sample weights of which some are 0."""
    random = np.random.default_rng(seed)
    inputs, targets = random.normal(size=(n, network.n_inputs)), random.random((n, network.n_outputs))
    targets /= targets.sum(axis=1, keepdims=True) if network.n_outputs > 1 else 1
    return inputs, targets, random.integers(0, 3, n).astype(float) if weighted else None


def vectors_of(network, n=2, seed=5):
    return np.random.default_rng(seed).normal(size=(n, network.topology.n_weights)) / 2


def distance(found, expected):
    """Return how far apart two vectors are, relative to the second; one that is 0 has to be met."""
    return np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1)


def check(computing, network, block, vectors=None):
    """Compare a family's errors, gradients and outputs with those of the numpy kernel in float64."""
    vectors = vectors_of(network) if vectors is None else vectors
    errors, gradients = computing.errors_and_gradients(vectors, *block)
    inputs = block[0].astype(computing.dtype).astype(float)
    plain = NumpyKernel(network.topology)
    expected_errors, expected_gradients = plain.errors_and_gradients(vectors, inputs, *block[1:])
    of_gradient, of_error = TOLERANCES[computing.dtype.name]
    assert errors.dtype == gradients.dtype == np.float64
    assert distance(gradients, expected_gradients) <= of_gradient
    assert distance(errors, expected_errors) <= of_error
    assert np.array_equal(computing.errors(vectors, *block), errors)
    outputs = computing.outputs(vectors[0], block[0])
    assert outputs.dtype == computing.dtype
    assert outputs == pytest.approx(plain.outputs(vectors[0], inputs), abs=4 * of_gradient)


def same(found, expected):
    """Whether two answers have the same bits."""
    return all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


def check_left_out(computing, network):
    """Assert that a sample of weight 0 leaves no trace, even where infinite weights make NaN of its zeros.

    The others are all alike, so that infinities of two signs do not make NaN as well, and fill a small tile.
    """
    inputs, targets, _ = block_of(network, 9)
    inputs[:8], targets[:8] = inputs[0], targets[0]
    weights = np.append(np.full(8, 0.5), 0)
    for place in (0, network.topology.n_weights - network.n_outputs - 1):
        vectors = vectors_of(network, 1)
        vectors[0, place] = np.inf
        with_it = computing.errors_and_gradients(vectors, inputs, targets, weights)
        without = computing.errors_and_gradients(vectors, inputs[:8], targets[:8], weights[:8])
        assert all(np.array_equal(*pair, equal_nan=True) for pair in zip(with_it, without, strict=True))
        assert np.isfinite(with_it[1]).all() == (place == 0)  # tanh of infinity is 1
