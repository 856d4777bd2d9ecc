"""The numpy kernel: its numbers by hand and against the reference network, and how its bits repeat."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings

import neuralframe as nf
from neuralframe.kernels import chunks, make_kernel
from tests.reference.random_networks import plans
from tests.reference.reference_network import ReferenceNetwork


def kernel_of(network, dtype="float64"):
    """Return a numpy kernel for a network."""
    return make_kernel("numpy", network.topology, dtype)


def drawn(network, n, seed=3):
    """Return n inputs and targets."""
    random = np.random.default_rng(seed)
    return random.normal(size=(n, network.n_inputs)), random.normal(size=(n, network.n_outputs))


def distance(given, expected):
    """Return how far apart two vectors are, relative to the second."""
    return np.linalg.norm(np.subtract(given, expected)) / np.linalg.norm(expected)


class Small(nf.NeuralNetwork):
    """Two inputs, two linear neurons, one output with a skip connection; the weights are 1, 2, 3, ..."""

    def build(self):
        inputs = self.input_layer(2)
        hidden = self.layer(2)
        output = self.layer(1)
        self.connect(inputs, hidden)
        self.connect(hidden, output)
        self.connect(inputs.neurons[0], output)


def test_outputs_errors_and_gradients_by_hand():
    """Worked out on paper: hidden 1*1 - 2*1 + 5 = 4 and 3 - 4 + 6 = 5, output 7*4 + 8*5 + 9*1 + 10 = 87."""
    network = Small()
    network.weights = range(1, 11)
    kernel, sample = kernel_of(network), np.array([[1.0, -1.0]])
    assert kernel.outputs(network.weights, sample).tolist() == [[87]]
    assert [layer.tolist() for layer in kernel.activations(network.weights, sample)] == [
        [[1, -1]],
        [[4, 5]],
        [[87]],
    ]
    errors, gradients = kernel.errors_and_gradients(network.weights[np.newaxis], sample, np.array([[85.0]]))
    assert errors.tolist() == [2]
    assert (gradients / 2).tolist() == [[7, -7, 8, -8, 7, 8, 4, 5, 1, 1]]


def test_cross_entropies_by_hand():
    """Uniform guesses cost ln 2 a yes-or-no output and ln 3 among three classes; the slope is y - t."""
    targets = np.array([[1.0, 0.0, 0.0]])
    for output, cost, y in (("softmax", np.log(3), 1 / 3), ("sigmoid", 3 * np.log(2), 1 / 2)):
        network = nf.MultilayerPerceptron(1, 3, output=output, seed=0)
        kernel = kernel_of(network)
        errors, gradients = kernel.errors_and_gradients(np.zeros((1, 6)), np.array([[2.0]]), targets)
        assert errors == pytest.approx(cost)
        slope = y - targets[0]
        assert gradients[0] == pytest.approx(np.concatenate([2 * slope, slope]))


NETWORKS = {
    "narrow": lambda: nf.MultilayerPerceptron(3, 4, 2, seed=1),
    "classes": lambda: nf.MultilayerPerceptron(5, 6, 4, output="softmax", error="sum_of_squares", seed=1),
    "wide": lambda: nf.MultilayerPerceptron(60, 70, 20, hidden="sigmoid", seed=1),
    "two towers": lambda: nf.TwoTowerPerceptron((4, 3), (3, 2), 2, seed=1),
    "patchwork": lambda: Patchwork(seed=1),
}


class Patchwork(nf.NeuralNetwork):
    """Every kind of stage: sparse, one to one, by hand, shared, and input functions other than sums."""

    def build(self):
        inputs = self.input_layer(3)
        bells = self.layer(5, input_function="euclidean_rbf", transfer_function="gaussian")
        middle = self.layer(3, transfer_function=["tanh", "sin", "tanh"])
        output = self.layer(3, input_function="or", transfer_function="softplus")
        shared = nf.Weight()
        self.connect(inputs, bells)
        self.connect(bells, middle, nf.Sparse([0, 1, 2, 3, 4, 0, 2], [0, 1, 2, 0, 1, 2, 0]))
        joined = self.connect(inputs, output, "one_to_one")
        self.connect(middle, output, share=joined)
        self.connect(inputs, middle.neurons[1], weight=shared)
        self.connect(bells.neurons[0], output, weight=shared)


each_network = pytest.mark.parametrize(
    "network", [pytest.param(make(), id=name) for name, make in NETWORKS.items()]
)


@each_network
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 2e-6)])
def test_both_types_agree_with_the_reference(network, dtype, tolerance):
    """Sums over the samples, undivided and in float64; outputs in the type that was asked for."""
    data = nf.DataSet(*drawn(network, 4), [0.5, 1, 2, 0.25])
    reference, kernel = ReferenceNetwork(network), kernel_of(network, dtype)
    errors, gradients = kernel.errors_and_gradients(
        network.weights[np.newaxis], data.inputs, data.targets, data.sample_weights
    )
    outputs = kernel.outputs(network.weights, data.inputs)
    expected, expected_gradient = reference.error_and_gradient(data)
    assert (outputs.dtype, errors.dtype, gradients.dtype) == (dtype, np.float64, np.float64)
    assert distance(outputs, reference(data.inputs)) <= tolerance
    assert errors[0] == pytest.approx(expected * 3.75, rel=tolerance)
    assert distance(gradients[0] / 3.75, expected_gradient) <= tolerance


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_bits_do_not_depend_on_what_is_asked_for_together(plan):
    """S weight vectors at once give what each gives alone; errors come out the same without gradients."""
    network = plan.network()
    data, kernel = plan.data(network), kernel_of(network)
    block = data.inputs, data.targets, data.sample_weights
    vectors = np.stack([network.weights, -network.weights, 0.5 * network.weights])
    errors, gradients = kernel.errors_and_gradients(vectors, *block)
    assert np.array_equal(kernel.errors(vectors, *block), errors, equal_nan=True)
    for row, vector in enumerate(vectors):
        alone, gradient = kernel.errors_and_gradients(vector[np.newaxis].copy(), *block)
        assert np.array_equal(alone, errors[row : row + 1], equal_nan=True)
        assert np.array_equal(gradient[0], gradients[row], equal_nan=True)


def misaligned(array):
    """Return a copy that starts at an odd address."""
    raw = np.zeros(array.nbytes + 1, np.uint8)
    copy = raw[1:].view(array.dtype).reshape(array.shape)
    copy[:] = array
    assert not copy.flags.aligned
    return copy


def strided(array):
    """Return a view with gaps between rows and between columns."""
    wide = np.zeros([2 * size for size in array.shape], array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[:] = array
    return view


LAYOUTS = [np.asfortranarray, misaligned, strided, lambda array: np.repeat(array, 2, axis=0)[::2], np.flip]


@each_network
@pytest.mark.parametrize(
    "layout", LAYOUTS, ids=["by columns", "misaligned", "strided", "every other", "backwards"]
)
@pytest.mark.parametrize("n", [1, 7, 100])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_bits_do_not_depend_on_how_the_arrays_lie(network, layout, n, dtype):
    """A data set keeps the caller's arrays as they are; how they came to be must not show in a sum."""
    random = np.random.default_rng(5)
    inputs, targets = (array.astype(dtype) for array in drawn(network, n))
    shares = random.uniform(0.5, 2, n)
    vectors = random.normal(size=(3, len(network.weights)))
    block = [vectors, inputs, targets, shares]
    # flipped twice, an array is itself, walked through backwards
    views = [np.flip(np.flip(array).copy()) if layout is np.flip else layout(array) for array in block]
    assert all(np.array_equal(view, array) for view, array in zip(views, block, strict=True))
    kernel = kernel_of(network, dtype)
    for given_one, expected in zip(
        kernel.errors_and_gradients(*views), kernel.errors_and_gradients(*block), strict=True
    ):
        assert np.array_equal(given_one, expected)
    assert np.array_equal(kernel.outputs(views[0][0], views[1]), kernel.outputs(vectors[0], inputs))


@each_network
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("beyond", [-1, 0, 1, 17])
def test_sums_go_on_across_chunks(network, dtype, beyond):
    """A sample less than a chunk, a chunk, one more, several chunks: the sum is that of the samples."""
    kernel = kernel_of(network, dtype)
    kernel._chunk = 8
    inputs, targets = drawn(network, 8 + beyond)
    vectors = network.weights[np.newaxis]
    errors, gradients = kernel.errors_and_gradients(vectors, inputs, targets)
    singly = [
        kernel.errors_and_gradients(vectors, inputs[i : i + 1], targets[i : i + 1]) for i in range(8 + beyond)
    ]
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    assert errors == pytest.approx(sum(error for error, _ in singly), rel=tolerance)
    assert distance(gradients, sum(gradient for _, gradient in singly)) <= tolerance
    outputs = np.concatenate([kernel.outputs(network.weights, inputs[i : i + 1]) for i in range(8 + beyond)])
    assert distance(kernel.outputs(network.weights, inputs), outputs) <= tolerance


def test_a_whole_chunk_and_its_neighbours_in_earnest():
    """The chunk that the kernel chose itself, against one so large that there is no other."""
    network = NETWORKS["narrow"]()
    own, undivided = kernel_of(network), kernel_of(network)
    undivided._chunk = 1 << 20
    for n in (own._chunk - 1, own._chunk, own._chunk + 1):
        block = (network.weights[np.newaxis], *drawn(network, n))
        for given_one, expected in zip(
            own.errors_and_gradients(*block), undivided.errors_and_gradients(*block), strict=True
        ):
            assert distance(given_one, expected) <= 1e-13


def test_chunks_are_powers_of_two_that_fit(monkeypatch):
    """Narrow networks get the largest chunk, wide ones what fits, none less than one sample."""
    chunk = chunks.chunk_size
    assert (chunk(10, 8), chunk(10, 4)) == (1024, 2048)
    assert chunk(10_000, 8) == 64
    assert chunk(10**9, 8) == 1
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 800)
    assert chunk(10, 8) == 8
    assert kernel_of(NETWORKS["narrow"]())._chunk == 16


@each_network
def test_a_sample_weight_is_a_number_of_repetitions(network):
    """Weights 1, 0 and 3 mean once, never and three times."""
    kernel, (inputs, targets) = kernel_of(network), drawn(network, 3)
    vectors, times = network.weights[np.newaxis], [1, 0, 3]
    repeated = [np.repeat(array, times, axis=0) for array in (inputs, targets)]
    weighted = kernel.errors_and_gradients(vectors, inputs, targets, np.array(times, dtype=float))
    for given_one, expected in zip(weighted, kernel.errors_and_gradients(vectors, *repeated), strict=True):
        assert distance(given_one, expected) <= 1e-13


@each_network
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", [1e4, 1e30, 3e38])
def test_huge_numbers_do_not_warn(network, dtype, size):
    """An overflow becomes an infinite error, which the driver looks for; warnings would be errors here."""
    inputs, targets = drawn(network, 3)
    kernel, vectors = kernel_of(network, dtype), size * network.weights[np.newaxis]
    block = (np.sign(inputs) * size).astype(dtype), targets.astype(dtype)
    errors, _ = kernel.errors_and_gradients(vectors, *block)
    assert np.array_equal(kernel.errors(vectors, *block), errors, equal_nan=True)
    kernel.outputs(vectors[0], block[0])


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_hopeless_class_costs_its_distance(output):
    """Fused cross-entropy stays finite where the probability itself is 0: the error is the net input."""
    network = nf.MultilayerPerceptron(1, 2, output=output, seed=0)
    vectors = np.array([[1000.0, -1000.0, 0.0, 0.0]])
    errors, gradients = kernel_of(network).errors_and_gradients(
        vectors, np.array([[1.0]]), np.array([[0.0, 1.0]])
    )
    assert errors.tolist() == [2000]
    assert gradients.tolist() == [[1, -1, 1, -1]]


def test_a_kernel_travels_as_its_topology_and_type():
    """What arrives computes the same bits."""
    network = Patchwork(seed=2)
    kernel = kernel_of(network, "float32")
    arrived = pickle.loads(pickle.dumps(kernel))
    block = (network.weights[np.newaxis], *drawn(network, 9))
    assert arrived.dtype == np.float32
    for given_one, expected in zip(
        arrived.errors_and_gradients(*block), kernel.errors_and_gradients(*block), strict=True
    ):
        assert np.array_equal(given_one, expected)


def test_unknown_kernels_and_types_list_the_choices():
    """Names are checked where they enter."""
    topology = NETWORKS["narrow"]().topology
    with pytest.raises(nf.ChoiceError, match=r"kernel 'nunpy'.*'numpy'"):
        make_kernel("nunpy", topology)
    with pytest.raises(nf.ChoiceError, match=r"float16.*float32, float64"):
        make_kernel("numpy", topology, "float16")
