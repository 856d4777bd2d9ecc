"""Products: each way to compute a projection against the projection's own arithmetic."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel, products
from neuralframe.kernels.products import (
    CompressedProduct,
    DenseProduct,
    FullProduct,
    PatternProduct,
    make_product,
)
from neuralframe.kernels.workspace import Workspace


class Joined(nf.NeuralNetwork):
    """Two layers, the second joined to the first as given, and one neuron after them."""

    def __init__(self, sizes, pattern):
        super().__init__(sizes, pattern, seed=0)

    def build(self, sizes, pattern):
        inputs, before, after = self.input_layer(1), self.layer(sizes[0]), self.layer(sizes[1])
        self.connect(inputs, before)
        self.connect(before, after, pattern)
        self.connect(after, self.layer(1))


def sparse(n, sizes, seed=0):
    """Return n connections, some of them side by side, with each target fed once at least."""
    random = np.random.default_rng(seed)
    sources, targets = random.integers(sizes[0], size=n), random.integers(sizes[1], size=n)
    targets[: sizes[1]] = np.arange(sizes[1])
    sources[1], targets[-1] = sources[0], targets[0]
    sources[-1] = sources[0]
    return nf.Sparse(sources, targets)


def spec_of(network):
    """Return the projection between the two layers."""
    return network.topology.incoming(2)[0]


CASES = {
    "full": (FullProduct, (7, 5), "full"),
    "one to one": (PatternProduct, (6, 6), "one_to_one"),
    "dense": (DenseProduct, (9, 8), sparse(20, (9, 8))),
    "compressed": (CompressedProduct, (90, 60), sparse(100, (90, 60))),
}


@pytest.mark.parametrize(("kind", "sizes", "pattern"), CASES.values(), ids=CASES.keys())
def test_each_product_is_that_of_its_pattern(kind, sizes, pattern):
    """Weighted sums, derivatives in the weights and in the inputs, fresh and added."""
    network = Joined(sizes, pattern)
    spec, random = spec_of(network), np.random.default_rng(1)
    product = make_product(network.topology, spec)
    assert type(product) is kind
    weights, work = random.normal(size=network.topology.n_weights), Workspace(np.dtype("float64"))
    inputs, delta = random.normal(size=(sizes[0], 11)), random.normal(size=(sizes[1], 11))
    block = network.topology.block(spec)
    net, back = np.empty((sizes[1], 11)), np.empty((sizes[0], 11))
    product.net(weights, inputs, net, work)
    product.input_delta(weights, inputs, delta, back, work)
    assert net == pytest.approx(spec.pattern.weighted_sum(weights[block], inputs, sizes[1]))
    assert back == pytest.approx(spec.pattern.input_delta(weights[block], inputs, delta))
    gradient = np.full(len(weights), np.nan)
    product.add_gradient(weights, inputs, delta, gradient, work, fresh=True)
    expected = spec.pattern.weight_gradient(weights[block], inputs, delta)
    assert gradient[block] == pytest.approx(expected)
    assert np.isnan(np.delete(gradient, np.arange(len(weights))[block])).all()
    product.add_gradient(weights, inputs, delta, gradient, work, fresh=False)
    assert gradient[block] == pytest.approx(2 * expected)


class Watched(Workspace):
    """Remembers what was taken."""

    def __init__(self, dtype):
        super().__init__(np.dtype(dtype))
        self.names = []

    def take(self, name, rows, columns):
        self.names.append(name)
        return super().take(name, rows, columns)


def test_a_narrow_layer_in_single_precision_is_computed_sample_by_sample():
    """The other layout gives the same sums."""
    network = Joined((80, 6), "full")
    product, work = make_product(network.topology, spec_of(network)), Watched("float32")
    random = np.random.default_rng(3)
    weights = random.normal(size=network.topology.n_weights).astype("float32")
    samples = random.normal(size=(13, 80)).astype("float32")
    by_sample, by_neuron = np.empty((6, 13), "float32"), np.empty((6, 13), "float32")
    product.net(weights, np.ascontiguousarray(samples.T), by_neuron, work)
    assert work.names == []
    product.net(weights, samples.T, by_sample, work)
    assert work.names == ["by sample"]
    assert by_sample == pytest.approx(by_neuron, rel=1e-4, abs=1e-5)


def test_an_infinity_reaches_only_what_it_is_connected_to():
    """Places of a matrix without a connection hold zeros, and 0 times infinity is no number."""
    network = Joined((3, 2), nf.Sparse([0, 1, 2], [0, 0, 1]))
    product, work = make_product(network.topology, spec_of(network)), Workspace(np.dtype("float64"))
    assert type(product) is DenseProduct
    weights, net, back = np.ones(network.topology.n_weights), np.empty((2, 1)), np.empty((3, 1))
    inputs = np.array([[np.inf], [1.0], [1.0]])
    with np.errstate(invalid="ignore"):
        product.net(weights, inputs, net, work)
        product.input_delta(weights, inputs, np.array([[1.0], [np.inf]]), back, work)
    assert net.tolist() == [[np.inf], [1]]
    assert back.tolist() == [[1], [1], [np.inf]]


def test_connections_that_compute_as_a_matrix_do_not_shorten_the_chunk():
    """A matrix product makes nothing for each connection, compressed rows do."""

    def chunk(*given):
        return make_kernel("numpy", Joined(*given).topology).chunk

    sizes = (300, 300)
    assert chunk(sizes, sparse(9000, sizes)) == chunk(sizes, "full")
    assert chunk(sizes, sparse(2000, sizes)) < chunk(sizes, "full")


@pytest.mark.parametrize("block_size", [64, 512])
def test_threads_have_buffers_of_their_own(block_size):
    """One kernel in four threads, each with blocks of another length, gives what it gives alone."""
    network = nf.MultilayerPerceptron(20, 30, 4, seed=0)
    kernel, random = make_kernel("numpy", network.topology), np.random.default_rng(4)
    blocks = [random.normal(size=(block_size + 7 * number, 24)) for number in range(4)]

    def gradient(block):
        return kernel.errors_and_gradients(network.weights[np.newaxis], block[:, :20], block[:, 20:])[1]

    alone = [gradient(block) for block in blocks]

    def same(number):
        return all(np.array_equal(gradient(blocks[number]), alone[number]) for _ in range(100))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(same, range(4)))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_are_compressed_where_a_matrix_would_be_too_large(monkeypatch, dtype):
    """Both ways give the gradient of the whole network."""
    network = Joined((30, 20), sparse(200, (30, 20)))
    data = nf.DataSet(np.random.default_rng(2).normal(size=(50, 1)).astype(dtype), np.zeros((50, 1)))
    expected = nf.error_and_gradient(network, data, dtype=dtype)
    monkeypatch.setattr(products, "DENSE_LIMIT", 100)
    assert type(make_product(network.topology, spec_of(network))) is CompressedProduct
    found = nf.error_and_gradient(network, data, dtype=dtype)
    assert found[0] == pytest.approx(expected[0])
    assert found[1] == pytest.approx(expected[1], rel=1e-4, abs=1e-6)


def test_a_buffer_is_the_same_memory_each_time():
    """Taken again under its name it is not made anew; a larger one takes its place."""
    work = Workspace(np.dtype("float32"))
    first = work.take("net", 3, 4)
    assert np.shares_memory(first, work.take("net", 2, 5))
    assert not np.shares_memory(first, work.take("delta", 3, 4))
    larger = work.take("net", 5, 5)
    assert larger.shape == (5, 5)
    assert larger.dtype == np.float32
    assert np.shares_memory(larger, work.take("net", 3, 4))
    for n in range(2000):
        work.take("net", 1, 1 + n % 25)
        work.take(n, 1, 1)
    assert np.shares_memory(larger, work.take("net", 3, 4))
