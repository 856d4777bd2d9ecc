"""J'J and products of second derivatives: against gradients, differences and numbers worked out by hand."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

import neuralframe as nf
from neuralframe.core.noise_draw import Draw
from neuralframe.kernels import make_kernel
from neuralframe.kernels.curvature import packed, unpacked
from tests.reference.random_networks import plans


def kernel_of(network, dtype="float64"):
    """Return a numpy kernel for a network."""
    return make_kernel("numpy", network.topology, dtype)


def distance(given_one, expected):
    """Return how far apart two arrays are, relative to the second where that is not tiny."""
    return np.linalg.norm(np.subtract(given_one, expected)) / max(np.linalg.norm(expected), 1e-3)


def block_of(data):
    """Return what a kernel is called with."""
    return data.inputs, data.targets, data.sample_weights


def counts(data):
    """Return how much each sample counts."""
    return np.ones(data.n_samples) if data.sample_weights is None else data.sample_weights


def hessian(kernel, weights, block, step=1e-5):
    """Return the second derivatives as central differences of the gradient."""
    shifts = step * np.eye(len(weights))
    ahead, behind = (kernel.errors_and_gradients(weights + s * shifts, *block)[1] for s in (1, -1))
    return (ahead - behind) / (2 * step)


def jacobian(kernel, weights, inputs, step=1e-5):
    """Return d outputs / d weights, (n_weights, n_samples, n_outputs), as central differences."""
    shifts = step * np.eye(len(weights))
    ahead, behind = (np.array([kernel.outputs(row, inputs) for row in weights + s * shifts]) for s in (1, -1))
    return (ahead - behind) / (2 * step)


def squares_topology(network):
    """Return the network's topology under a sum of squares."""
    return attrs.evolve(network.topology, error_function=nf.SumOfSquares())


def jacobian_by_gradients(network, inputs):
    """Return the same to full precision, also at kinks.

    The gradient of half the square of one output's residual is the residual times that output's derivative,
    and the residual is 1 where the target is the output less 1.
    """
    kernel = make_kernel("numpy", squares_topology(network))
    parts = []
    for sample in inputs:
        output = kernel.outputs(network.weights, sample[np.newaxis])
        for asked in np.eye(network.n_outputs):
            _, slope = kernel.errors_and_gradients(
                network.weights[np.newaxis], sample[np.newaxis], output - asked
            )
            parts.append(slope[0])
    return np.array(parts).T.reshape(len(network.weights), len(inputs), network.n_outputs)


def output_curvature(network, data):
    """Return the second derivatives of each error in its outputs: they lie on a diagonal."""
    y, t = network(data.inputs), data.targets
    return {
        "sum_of_squares": lambda: np.ones_like(y),
        "categorical_cross_entropy": lambda: 1 / y,  # as the net inputs have it: their targets sum to 1
        "binary_cross_entropy": lambda: 1 / (y * (1 - y)),
        "huber": lambda: (np.abs(y - t) <= 1).astype(float),
        "mean_absolute": lambda: np.zeros_like(y),
    }[network.error_function.name]()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(plans())
def test_the_squared_jacobian_of_random_networks(plan):
    """Whatever can be wired, kinks included: the gradients of single outputs know better than differences."""
    network = plan.network()
    data = plan.data(network)
    slopes = jacobian_by_gradients(network, data.inputs)
    expected = np.einsum("aso,bso,s->ab", slopes, slopes, counts(data))
    found = kernel_of(network).squared_jacobian(network.weights, data.inputs, data.sample_weights)
    assert distance(found, expected) <= 1e-12
    assert np.array_equal(found, found.T)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans(smooth=True))
def test_products_of_random_networks_agree_with_differences(plan):
    """The Hessian's against the gradient's differences, the Gauss-Newton matrix's against the outputs'."""
    network = plan.network()
    data, kernel, weights = plan.data(network), kernel_of(network), network.weights
    every = np.eye(len(weights))
    found = kernel.hessian_products(weights, every, *block_of(data))
    assert distance(found, hessian(kernel, weights, block_of(data))) <= 1e-6
    slopes = jacobian(kernel, weights, data.inputs)
    bent = output_curvature(network, data) * counts(data)[:, np.newaxis]
    expected = np.einsum("aso,bso,so->ab", slopes, slopes, bent)
    assert distance(kernel.gauss_newton_products(weights, every, *block_of(data)), expected) <= 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_gauss_newton_products_of_random_networks_to_full_precision(plan):
    """Also with kinks, where no difference is to be trusted."""
    network = plan.network()
    data = plan.data(network)
    slopes = jacobian_by_gradients(network, data.inputs)
    bent = output_curvature(network, data) * counts(data)[:, np.newaxis]
    expected = np.einsum("aso,bso,so->ab", slopes, slopes, bent)
    found = kernel_of(network).gauss_newton_products(network.weights, np.eye(len(expected)), *block_of(data))
    assert distance(found, expected) <= 1e-10


@pytest.mark.parametrize("combine", ["difference", nf.EuclideanRBF(0.7), "product", "and"])
@pytest.mark.parametrize("pattern", ["full", nf.Sparse([0, 1, 1, 2], [0, 0, 1, 1])], ids=["full", "sparse"])
def test_hessian_products_through_other_input_functions(combine, pattern):
    """Their second derivatives are differences, in the layer they belong to: ten digits are left."""

    class Net(nf.NeuralNetwork):
        def build(self):
            inputs, middle = (
                self.input_layer(3),
                self.layer(2, input_function=combine, transfer_function="gaussian"),
            )
            last = self.layer(2, input_function=combine, transfer_function="tanh", bias=True)
            self.connect(inputs, middle, pattern)
            self.connect(middle, last)
            self.connect(inputs, last)

    network, random = Net(seed=3), np.random.default_rng(3)
    block = random.normal(size=(6, 3)), random.normal(size=(6, 2)), random.uniform(0.5, 2, 6)
    kernel = kernel_of(network)
    found = kernel.hessian_products(network.weights, np.eye(len(network.weights)), *block)
    assert distance(found, found.T) <= 1e-8
    assert distance(found, hessian(kernel, network.weights, block)) <= 1e-6


def test_one_neuron_by_hand():
    """Of y = tanh(w x + b), J is (1 - y^2) (x, 1); the Hessian JJ' - 2 y (1 - y^2) (y - t) (x, 1)(x, 1)'."""
    network = nf.MultilayerPerceptron(1, 1, output="tanh", error="sum_of_squares", seed=0)
    weights, (x, t), kernel = np.array([0.5, -0.2]), (2.0, 0.3), kernel_of(network)
    y, ends = np.tanh(0.5 * x - 0.2), np.array([x, 1.0])
    square = (1 - y**2) ** 2 * np.outer(ends, ends)
    block = np.array([[x]]), np.array([[t]])
    assert kernel.squared_jacobian(weights, block[0]) == pytest.approx(square)
    assert kernel.gauss_newton_products(weights, np.eye(2), *block) == pytest.approx(square)
    whole = square - 2 * y * (1 - y**2) * (y - t) * np.outer(ends, ends)
    assert kernel.hessian_products(weights, np.eye(2), *block) == pytest.approx(whole)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_without_a_hidden_layer_cross_entropy_has_nothing_but_gauss_newton_curvature(output):
    """Logistic regression: the net inputs are linear in the weights, so the two matrices are one."""
    network, random = nf.MultilayerPerceptron(4, 3, output=output, seed=0), np.random.default_rng(0)
    targets = np.eye(3)[random.integers(0, 3, 9)]
    call = network.weights, np.eye(len(network.weights)), random.normal(size=(9, 4)), targets
    kernel = kernel_of(network)
    one, other = kernel.gauss_newton_products(*call), kernel.hessian_products(*call)
    assert distance(one, other) <= 1e-14
    assert np.linalg.eigvalsh(one).min() >= -1e-12


@attrs.frozen
class FourthPower(nf.ErrorFunction):
    """An error of the user's own, without a second derivative."""

    def values(self, outputs, targets):
        return ((outputs - targets) ** 4).sum(axis=-1)

    def derivative(self, outputs, targets):
        return 4 * (outputs - targets) ** 3


@attrs.frozen
class SlightlyCubic(nf.TransferFunction):
    """A transfer function of the user's own, without a second derivative."""

    def value(self, net):
        return net + net**3 / 10

    def derivative(self, net, output):
        return 1 + 0.3 * net**2


def test_functions_of_ones_own_need_no_second_derivatives():
    network = nf.MultilayerPerceptron(2, 3, 2, hidden=SlightlyCubic(), error=FourthPower(), seed=1)
    random = np.random.default_rng(1)
    block = random.normal(size=(5, 2)), random.normal(size=(5, 2))
    kernel = kernel_of(network)
    found = kernel.hessian_products(network.weights, np.eye(len(network.weights)), *block)
    assert distance(found, hessian(kernel, network.weights, block)) <= 1e-6
    assert distance(found, found.T) <= 1e-8


NETWORK = nf.MultilayerPerceptron(3, 5, 2, seed=2)


def drawn(n, network=NETWORK):
    """Return n inputs, targets and sample weights."""
    random = np.random.default_rng(n)
    return (
        random.normal(size=(n, network.n_inputs)),
        random.normal(size=(n, network.n_outputs)),
        random.uniform(0.5, 2, n),
    )


def everything(kernel, weights, inputs, targets, sample_weights=None):
    """Return J'J and the two kinds of products with every direction."""
    every = np.eye(len(weights))
    return (
        kernel.squared_jacobian(weights, inputs, sample_weights),
        kernel.gauss_newton_products(weights, every, inputs, targets, sample_weights),
        kernel.hessian_products(weights, every, inputs, targets, sample_weights),
    )


@pytest.mark.parametrize("beyond", [-1, 0, 1, 17])
def test_sums_go_on_across_chunks(beyond):
    block = drawn(8 + beyond)
    cut, whole = kernel_of(NETWORK), kernel_of(NETWORK)
    cut._chunk = cut._jacobian_chunk = 8
    pairs = zip(
        everything(cut, NETWORK.weights, *block), everything(whole, NETWORK.weights, *block), strict=True
    )
    assert all(distance(one, other) <= 1e-13 for one, other in pairs)


def test_a_jacobian_is_held_for_as_many_samples_as_fit():
    """The chunk shrinks with the number of weights and of outputs; a gradient's does not."""
    wide = nf.MultilayerPerceptron(50, 100, 10, seed=0)
    kernel = kernel_of(wide)
    assert (
        kernel._jacobian_chunk * wide.n_outputs * len(wide.weights) * 8
        <= 1 << 23
        < kernel._chunk * 10 * 8 * 6000
    )
    assert kernel._jacobian_chunk >= 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_direction_has_the_same_product_alone(dtype):
    """In bits: how many directions are asked for together does not show."""
    kernel, random = kernel_of(NETWORK, dtype), np.random.default_rng(0)
    directions, block = random.normal(size=(4, len(NETWORK.weights))), drawn(30)
    for products in (kernel.gauss_newton_products, kernel.hessian_products):
        together = products(NETWORK.weights, directions, *block)
        for direction, expected in zip(directions, together, strict=True):
            assert np.array_equal(products(NETWORK.weights, direction[np.newaxis], *block)[0], expected)


def test_a_sample_weight_is_a_number_of_repetitions_and_0_is_none_even_of_an_infinite_sample():
    inputs, targets, _ = drawn(4)
    inputs[3] = 1e300
    times = np.array([1, 2, 3, 0])
    repeated = [np.repeat(array, times, axis=0) for array in (inputs, targets)]
    kernel = kernel_of(NETWORK)
    weighted = everything(kernel, NETWORK.weights, inputs, targets, times.astype(float))
    for one, other in zip(weighted, everything(kernel, NETWORK.weights, *repeated), strict=True):
        assert distance(one, other) <= 1e-13


def test_float32_is_float64_rounded():
    block = drawn(40)
    wide = everything(kernel_of(NETWORK), NETWORK.weights, *block)
    narrow = everything(kernel_of(NETWORK, "float32"), NETWORK.weights, *block)
    for one, other in zip(narrow, wide, strict=True):
        assert one.dtype == np.float64
        assert distance(one, other) <= 1e-5


def test_free_weights_are_a_corner_of_the_whole():
    free = np.array([0, 3, 4, 11, 20])
    kernel, inputs = kernel_of(NETWORK), drawn(25)[0]
    whole = kernel.squared_jacobian(NETWORK.weights, inputs)
    assert (
        distance(kernel.squared_jacobian(NETWORK.weights, inputs, free=free), whole[np.ix_(free, free)])
        <= 1e-14
    )


@pytest.mark.parametrize("size", [1e4, 1e155, 1e300])
def test_huge_numbers_do_not_warn(size):
    inputs, targets, _ = drawn(3)
    everything(kernel_of(NETWORK), size * NETWORK.weights, size * inputs, targets)


@pytest.mark.parametrize("hidden", ["tanh", "gaussian"])
@pytest.mark.parametrize("error", ["sum_of_squares", "cross_entropy"])
def test_under_noise_they_are_those_of_the_disturbed_network(hidden, error):
    """Neurons dropped and inputs shifted: the differences are taken under the same noise."""
    network = nf.MultilayerPerceptron(3, 6, 4, 2, hidden=hidden, output="softmax", error=error, seed=4)
    inputs, targets, shares = drawn(40)
    shares[7] = 0
    draw = Draw((nf.Dropout({"hidden 1": 0.5, "input": 0.1}), nf.InputNoise(0.2)), (0, 1), 0)
    kernel, quiet = kernel_of(network).noisy(draw), kernel_of(network)
    kernel._jacobian_chunk = 8
    block = inputs, np.abs(targets) / np.abs(targets).sum(axis=1, keepdims=True), shares
    square, gauss_newton, whole = everything(kernel, network.weights, *block)
    assert distance(whole, hessian(kernel, network.weights, block)) <= 1e-6
    assert distance(whole, everything(quiet, network.weights, *block)[2]) > 0.1
    if error == "sum_of_squares":
        assert distance(square, gauss_newton) <= 1e-12
        assert distance(square, everything(quiet, network.weights, *block)[0]) > 0.1


def test_a_kernel_without_curvature_of_its_own_leaves_it_to_the_numpy_kernel():
    class Bare(nf.Kernel):
        """A kernel with nothing but what it must have."""

        outputs = activations = errors = errors_and_gradients = None

    block = drawn(5)
    bare = everything(Bare(NETWORK.topology), NETWORK.weights, *block)
    for one, other in zip(bare, everything(kernel_of(NETWORK), NETWORK.weights, *block), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("n", [1, 2, 7, 300])
def test_a_packed_triangle_is_unpacked_to_the_same_bits(n):
    matrix = np.random.default_rng(n).normal(size=(n, n))
    matrix += matrix.T
    triangle = packed(matrix)
    assert triangle.shape == (n * (n + 1) // 2,)
    assert np.array_equal(triangle, matrix[np.triu_indices(n)])
    assert np.array_equal(unpacked(triangle), matrix)
