"""Wide first layers in the numba kernel: samples read where they lie, against the numpy kernel in float64."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.kernels.residency import Residency

pytest.importorskip("numba")

SHAPES = [(400, 25, 10), (65, 3, 1), (100, 7, 32, 5), (333, 32, 2)]
"""Neurons that fill tiles of five, that do not, and fewer than a tile; one to three layers."""


def drawn(network, n, dtype, seed=0):
    """Return n inputs and targets, probabilities of classes if there are several outputs."""
    random = np.random.default_rng(seed)
    targets = random.random((n, 1))
    if network.n_outputs > 1:
        targets = np.eye(network.n_outputs)[random.integers(network.n_outputs, size=n)]
    return random.normal(size=(n, network.n_inputs)).astype(dtype), targets.astype(dtype)


@pytest.mark.parametrize("sizes", SHAPES, ids=lambda sizes: "-".join(map(str, sizes)))
@pytest.mark.parametrize("n", [0, 1, 3, 16, 17, 255, 257, 1030])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_it_agrees_with_the_numpy_kernel(sizes, n, dtype, tolerance, weighted):
    """Numbers of samples that fill tiles of four and of 256, and that do not; samples left out."""
    network = nf.MultilayerPerceptron(*sizes, seed=1)
    inputs, targets = drawn(network, n, dtype)
    shares = np.random.default_rng(1).integers(0, 3, n) * 0.7 if weighted else None
    vectors = np.stack([network.weights, -0.5 * network.weights])
    kernel = make_kernel("numba", network.topology, dtype)
    assert kernel.is_compiled
    errors, gradients = kernel.errors_and_gradients(vectors, inputs, targets, shares)
    expected = make_kernel("numpy", network.topology).errors_and_gradients(vectors, inputs, targets, shares)
    of_few = 3 if n < 16 else 1  # the roundings of many samples cancel
    for_errors = of_few * 1e-7 if dtype == "float32" else tolerance
    assert errors == pytest.approx(expected[0], rel=for_errors, abs=1e-300)
    assert np.linalg.norm(gradients - expected[1]) <= tolerance * np.linalg.norm(expected[1])
    assert np.array_equal(kernel.errors(vectors, inputs, targets, shares), errors)
    alone = kernel.errors_and_gradients(vectors[1:].copy(), inputs, targets, shares)
    assert np.array_equal(alone[1][0], gradients[1])


def test_blocks_of_a_data_set_are_read_where_they_are(monkeypatch):
    """Nothing the size of the inputs is kept, and what is kept goes with the block."""
    from neuralframe.kernels.compiled import stack_call

    kept = Residency(1 << 20)
    monkeypatch.setattr(stack_call, "_residency", kept)
    network = nf.MultilayerPerceptron(300, 8, 1, seed=0)
    kernel = make_kernel("numba", network.topology)
    inputs, targets = drawn(network, 512, "float64")
    data = nf.DataSet(inputs, targets)
    block = data.blocks[0]
    first = kernel.errors(network.weights[np.newaxis], block.inputs, block.targets)
    assert 0 < kept.n_bytes < inputs.nbytes / 10
    assert np.array_equal(kernel.errors(network.weights[np.newaxis], block.inputs, block.targets), first)
    del block, data
    gc.collect()
    assert kept.n_bytes == 0


def test_training_comes_out_the_same_on_both_kernels():
    """Twenty iterations of RPROP: the same bits in process and through mrjob, near those of numpy."""
    weights = {}
    data = nf.DataSet(*drawn(nf.MultilayerPerceptron(70, 6, 3), 300, "float64"), block_size=64)
    for kernel, engine in (("numpy", "threads"), ("numba", "threads"), ("numba", "mrjob:inline")):
        network = nf.MultilayerPerceptron(70, 6, 3, seed=2)
        network.learn(
            data, rule="resilient_propagation", kernel=kernel, engine=engine, stop=nf.MaxIterations(20)
        )
        weights[kernel, engine] = network.weights.copy()
    assert np.array_equal(weights["numba", "threads"], weights["numba", "mrjob:inline"])
    assert weights["numba", "threads"] == pytest.approx(weights["numpy", "threads"], rel=1e-6, abs=1e-8)
