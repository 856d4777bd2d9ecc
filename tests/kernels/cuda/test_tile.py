"""The tile kernels, emulated thread by thread, against the numpy kernel in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.kernels.cuda import grouped_reduction, tile, tile_kernels, tile_plan
from neuralframe.kernels.cuda.tile import Tile
from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.kernels.stack import Stack
from tests.kernels.cuda import compile_gate, kernel_list
from tests.kernels.cuda.family_checks import (
    block_of,
    check,
    check_left_out,
    distance,
    made,
    same,
    vectors_of,
)

NETWORKS = {
    "one hidden layer": (8, 6, 3, {"output": "softmax"}),
    "no hidden layer": (21, 3, {"output": "sigmoid", "error": "cross_entropy"}),
    "three hidden layers": (6, 9, 7, 5, 3, {"hidden": "sigmoid", "output": "softmax"}),
    "softmax and squares": (5, 6, 4, {"output": "softmax", "error": "sum_of_squares"}),
    "one of everything": (1, 1, 1, {}),
    "functions that need the net input": (4, 5, 3, {"hidden": "gaussian", "output": "softsign"}),
}


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 8 samples, so that few samples make many."""
    monkeypatch.setattr(tile_plan, "TILES", (8,))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_errors_gradients_and_outputs_are_those_of_the_numpy_kernel(name, dtype, small_tiles):
    *sizes, options = NETWORKS[name]
    network = nf.MultilayerPerceptron(*sizes, **options, seed=1)
    check(made(Tile, network, dtype, seed=2), network, block_of(network, 19, weighted=True))


class WithoutBiases(nf.NeuralNetwork):
    def build(self):
        hidden = self.layer_above(self.input_layer(5), 4, "softplus")
        self.layer_above(hidden, 2, "linear")

    def layer_above(self, below, size, function):
        layer = self.layer(size, transfer_function=function, bias=False)
        self.connect(below, layer)
        return layer


def test_layers_need_no_biases(small_tiles):
    network = WithoutBiases(seed=1)
    check(made(Tile, network, "float64"), network, block_of(network, 19))


@pytest.mark.parametrize("n", [1, 31, 33, 65])
def test_any_number_of_samples_is_served(n):
    """One sample, one less and one more than a warp, and one more than a tile."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    computing = made(Tile, network, seed=3)
    check(computing, network, block_of(network, n))
    assert computing.device.launches[0] == ("tile_gradient_kernel", (-(-n // 64), 2))


def test_a_network_of_the_size_that_it_is_for():
    network = nf.MultilayerPerceptron(64, 32, 10, output="softmax", seed=1)
    check(made(Tile, network), network, block_of(network, 33), vectors_of(network, 1))


def test_no_samples_have_no_error():
    network = nf.MultilayerPerceptron(3, 2, seed=1)
    computing, block = made(Tile, network), block_of(network, 0)
    errors, gradients = computing.errors_and_gradients(vectors_of(network), *block)
    assert (errors.tolist(), gradients.any(), computing.device.launches) == ([0, 0], False, [])
    assert computing.outputs(network.weights, block[0]).shape == (0, 2)


@pytest.mark.parametrize("seed", [0, 1])
def test_memory_is_shared_without_races(seed, small_tiles):
    """Two tiles in a chunk, two spans, two chunks and two vectors; every access is looked at."""
    network = nf.MultilayerPerceptron(3, 4, 3, 2, output="softmax", seed=1)
    computing = made(Tile, network, watch=True, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile, "MOST_CHUNKS", 2)
        patch.setattr(tile_kernels, "SPAN", 8)
        tile_kernels.tile_gradient_kernel.cache_clear()
        check(computing, network, block_of(network, 31, weighted=True))
    tile_kernels.tile_gradient_kernel.cache_clear()


def test_the_numbers_do_not_depend_on_the_order_of_blocks_and_threads(small_tiles):
    network = nf.MultilayerPerceptron(3, 4, 2, output="softmax", seed=1)
    block, vectors = block_of(network, 140, weighted=True), vectors_of(network, 1)
    first, second = (made(Tile, network, seed=s).errors_and_gradients(vectors, *block) for s in (0, 9))
    assert same(first, second)


def test_the_numbers_do_not_depend_on_what_is_asked_for_together(small_tiles, monkeypatch):
    """Alone, three in one launch, and in launches of one because rows would take too much memory."""
    network = nf.MultilayerPerceptron(4, 3, 2, seed=1)
    block, vectors, computing = block_of(network, 40), vectors_of(network, 3), made(Tile, network)
    together = computing.errors_and_gradients(vectors, *block)
    monkeypatch.setattr(tile, "ROW_BYTES", 1)
    assert same(computing.errors_and_gradients(vectors, *block), together)
    assert [grid[1] for _, grid in computing.device.launches] == [3, 1, 1, 1]
    assert same(computing.errors_and_gradients(vectors[1:2], *block), [part[1:2] for part in together])


def test_many_chunks_are_added_up_in_groups(small_tiles):
    """18 chunks: a group of 16, a group of 2, and then both."""
    network = nf.MultilayerPerceptron(1, 1, seed=1)
    computing = made(Tile, network, "float64", seed=6)
    check(computing, network, block_of(network, 18 * 8 - 3))
    assert computing.device.launches[0][1] == (18, 2)
    assert [grouped_reduction.n_groups(n) for n in (1, 16, 17, 264)] == [1, 1, 2, 17]


def test_a_sample_of_weight_0_is_left_out_whatever_it_holds(small_tiles):
    """Its numbers are beyond float32, so that its error is infinite and its slopes are NaN."""
    network = nf.MultilayerPerceptron(2, 3, 3, 2, hidden="relu", seed=1)
    inputs, targets, _ = block_of(network, 9)
    inputs[4], targets[4] = 1e300, -1e300
    weights = np.where(np.arange(9) == 4, 0.0, 1.5)
    vectors, kept = vectors_of(network), np.flatnonzero(weights)
    errors, gradients = made(Tile, network).errors_and_gradients(vectors, inputs, targets, weights)
    plain = NumpyKernel(network.topology)
    expected = plain.errors_and_gradients(vectors, inputs[kept], targets[kept], weights[kept])
    assert errors == pytest.approx(expected[0], rel=1e-6)
    assert distance(gradients, expected[1]) <= 2e-6


def test_a_sample_of_weight_0_leaves_no_trace_beside_infinite_weights(small_tiles):
    network = nf.MultilayerPerceptron(3, 4, 3, 2, seed=1)
    check_left_out(made(Tile, network), network)


@pytest.mark.parametrize("wild", [np.inf, np.nan, 1e300])
def test_wild_weights_give_an_answer_that_is_not_finite(wild):
    network = nf.MultilayerPerceptron(2, 3, 2, output="softmax", seed=1)
    vectors = np.full((1, network.topology.n_weights), wild)
    errors, gradients = made(Tile, network).errors_and_gradients(vectors, *block_of(network, 5))
    assert not np.isfinite(errors).any()
    assert not np.isfinite(gradients).all()


sizes = st.lists(st.integers(1, 150), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sizes, st.sampled_from([4, 8]))
def test_every_weight_belongs_to_one_thread_and_every_plan_fits(widths, itemsize):
    stack = Stack.of(nf.MultilayerPerceptron(*widths, error="sum_of_squares", seed=0).topology)
    plan = tile_plan.tile_plan(stack, itemsize)
    if plan is None:
        assert stack.n_weights > 5000
        return
    assert plan.n_rows * plan.stride * itemsize <= tile_plan.SHARED_BYTES
    for layer in plan.layers:
        share = layer.share
        assert share.unit_threads * share.input_threads == tile_plan.N_THREADS
        assert share.unit_threads * share.n_units >= layer.size
        assert share.input_threads * share.n_inputs >= layer.n_inputs + (layer.bias is not None)


def test_what_is_not_served_says_why():
    def reason(*widths, **options):
        network = nf.MultilayerPerceptron(*widths, seed=0, **options)
        return Tile.reason_against(Stack.of(network.topology), np.dtype("float32"))

    assert reason(400, 25, 10) == ""
    assert "do not fit" in reason(784, 500, 10)
    assert "mean_absolute" in reason(4, 3, 2, error="mean_absolute")


@pytest.mark.skipif(bool(compile_gate.missing()), reason=compile_gate.missing() or "nothing is missing")
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("widths", [(64, 32, 10), (400, 25, 10)], ids=str)
def test_kernels_compile_without_spills(widths, real):
    for listed in kernel_list.tile(widths, real):
        for budget in compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values():
            assert (budget.spills, budget.stack) == (0, 0), listed.name
            assert budget.shared <= 48 << 10
            assert real is np.float64 or budget.wide <= 1  # a sample's error times its weight
