"""The numba kernel: its numbers against the numpy kernel and differences, its bits, its limits."""

# ruff: noqa: ARG004 - scalar functions keep the signatures of their family

from __future__ import annotations

import copy
import gc
import math
import os
import pickle
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.kernels.narrow_stacks import MAX_INPUTS, MAX_SIZE
from tests.reference.random_networks import plans

pytest.importorskip("numba", reason="the numba kernel needs numba")

TOLERANCES = {"float64": (1e-13, 1e-13), "float32": (2e-6, 1e-7)}
"""Of gradients and of errors, against the numpy kernel in float64."""


@attrs.frozen
class Gated(nf.ScalarFunction):
    """``net`` times its own logistic function."""

    beta: float = 1.5

    @staticmethod
    def scalar_value(net, beta):
        return net / (1 + math.exp(-beta * net))

    @staticmethod
    def scalar_derivative(net, output, beta):
        share = 1 / (1 + math.exp(-beta * net))
        return share + beta * (output * (1 - share))


@attrs.frozen
class Signed(nf.ScalarFunction):
    """The sign of its field."""

    field: float = 1.0

    @staticmethod
    def scalar_value(net, field):
        return math.copysign(1.0, field)

    @staticmethod
    def scalar_derivative(net, output, field):
        return 0.0


class OwnArrays(Gated):
    """One that computes arrays otherwise than its two functions say."""

    def value(self, net):
        return 2 * super().value(net)

    def derivative(self, net, output):
        return 2 * super().derivative(net, output / 2)


class OwnBackward(Gated):
    """One that computes dE/d(net) otherwise."""

    def backward(self, net, output, output_delta):
        return 0.5 * super().backward(net, output, output_delta)


@attrs.frozen
class Refusing(nf.ScalarFunction):
    """Raises an exception, in one of its functions, for numbers beyond a limit."""

    value_limit: float = math.inf
    slope_limit: float = math.inf

    @staticmethod
    def scalar_value(net, value_limit, slope_limit):
        if net > value_limit:
            raise ValueError("too large")
        return net

    @staticmethod
    def scalar_derivative(net, output, value_limit, slope_limit):
        if net > slope_limit:
            raise ValueError("too steep")
        return 1.0


FUNCTIONS = [
    "linear", "sigmoid", "tanh", "gaussian", nf.Gaussian(0.6), "softmax", "relu", "leaky_relu",
    nf.LeakyReLU(slope=0.3), "elu", nf.ELU(alpha=0.4), "softplus", "softsign", "log", "step",
    nf.Step(threshold=0.2, low=-2.0, high=3.0), "sgn", "ramp",
    nf.Ramp(low_x=-2.0, high_x=3.0, low_y=-1.0, high_y=0.5), "trapezoid",
    nf.Trapezoid(left_low=-3.0, left_high=-1.0, right_high=0.5, right_low=1.0), Gated(), Gated(beta=0.4),
]  # fmt: skip


def drawn(network, n, seed=3):
    """Return n inputs, and n targets that are the probabilities of classes."""
    random = np.random.default_rng(seed)
    targets = random.uniform(0.1, 1, (n, network.n_outputs))
    return random.normal(size=(n, network.n_inputs)), targets / targets.sum(axis=1, keepdims=True)


def vectors_for(network, n, seed=5):
    """Return n weight vectors."""
    return np.random.default_rng(seed).normal(0, 0.5, (n, len(network.weights)))


def distance(given_one, expected):
    """Return how far apart two arrays are, relative to the second."""
    size = np.linalg.norm(expected)
    return np.linalg.norm(np.subtract(given_one, expected)) / (size or 1)


def kernels_for(network, dtype):
    """Return the numba kernel, which must have compiled code for the network, and the reference."""
    kernel = make_kernel("numba", network.topology, dtype)
    assert kernel.is_compiled
    assert kernel._call is not None
    return kernel, make_kernel("numpy", network.topology)


def assert_agreement(network, dtype, block, vectors):
    """Errors and gradients are those of the reference within the tolerances of the type."""
    kernel, reference = kernels_for(network, dtype)
    errors, gradients = kernel.errors_and_gradients(vectors, *block)
    expected, expected_gradients = reference.errors_and_gradients(vectors, *block)
    for_gradients, for_errors = TOLERANCES[dtype]
    assert (errors.dtype, gradients.dtype) == (np.float64, np.float64)
    assert distance(errors, expected) <= for_errors
    assert distance(gradients, expected_gradients) <= for_gradients
    assert np.array_equal(kernel.errors(vectors, *block), errors)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_every_transfer_function_agrees_with_the_reference(function, dtype):
    """In a hidden layer, and in an output layer whose error is the sum of squares."""
    for network in (
        nf.MultilayerPerceptron(5, 7, 3, hidden=function, output="softmax", seed=1),
        nf.MultilayerPerceptron(5, 6, hidden="tanh", output=function, error="sum_of_squares", seed=1),
    ):
        assert_agreement(network, dtype, drawn(network, 300), vectors_for(network, 2))


SHAPES = [(1, 1), (3, 2), (8, 16, 3), (32, 5, 1), (9, 13, 11, 7, 6), (64, 32, 32, 10), (66, 7, 3)]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_shape_agrees_with_the_reference(shape, output, dtype):
    """Whatever remains when rows and columns are taken four at a time."""
    network = nf.MultilayerPerceptron(*shape, output=output, seed=1)
    assert_agreement(network, dtype, drawn(network, 70), vectors_for(network, 2))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("n", [1, 15, 16, 17, 255, 256, 257, 1000])
def test_every_number_of_samples_agrees_with_the_reference(n, dtype):
    """Less than a vector, a tile, one more: what lies beyond the last sample counts nothing."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    assert_agreement(network, dtype, drawn(network, n), vectors_for(network, 2))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear"])
def test_sample_weights_agree_with_the_reference(output, dtype):
    """Samples of weight 0 are left out, even if they are no numbers."""
    network = nf.MultilayerPerceptron(4, 5, 3, output=output, seed=1)
    inputs, targets = drawn(network, 300)
    sample_weights = np.random.default_rng(2).uniform(0.5, 2, 300)
    sample_weights[::7] = 0
    inputs[::14] = np.nan
    assert_agreement(network, dtype, (inputs, targets, sample_weights), vectors_for(network, 2))


def test_a_block_without_a_sample_that_counts_sums_to_nothing():
    """All weights 0, or no samples at all."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    kernel, vectors = make_kernel("numba", network.topology), vectors_for(network, 2)
    for block in ((*drawn(network, 3), np.zeros(3)), drawn(network, 0)):
        errors, gradients = kernel.errors_and_gradients(vectors, *block)
        assert not errors.any()
        assert not gradients.any()


def test_the_gradient_is_the_slope_of_the_error():
    """By central differences, of the kernel's own errors."""
    network = nf.MultilayerPerceptron(4, 5, 3, hidden=Gated(), output="softmax", seed=1)
    block, kernel = drawn(network, 40), make_kernel("numba", network.topology)
    vector = vectors_for(network, 1)[0]
    steps = 1e-6 * np.eye(len(vector))
    slopes = (kernel.errors(vector + steps, *block) - kernel.errors(vector - steps, *block)) / 2e-6
    gradient = kernel.errors_and_gradients(vector[np.newaxis], *block)[1][0]
    assert distance(gradient, slopes) <= 1e-8


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_every_network_is_computed(plan):
    """By compiled code or by numpy, the numbers are those of the reference."""
    network = plan.network()
    data = plan.data(network)
    block = data.inputs, data.targets, data.sample_weights
    kernel, reference = (make_kernel(name, network.topology) for name in ("numba", "numpy"))
    vectors = network.weights[np.newaxis]
    for given_one, expected in zip(
        kernel.errors_and_gradients(vectors, *block),
        reference.errors_and_gradients(vectors, *block),
        strict=True,
    ):
        assert distance(given_one, expected) <= 1e-12


OUTSIDE = {
    "inputs": lambda: nf.MultilayerPerceptron(MAX_INPUTS + 1, 2, seed=1),
    "size": lambda: nf.MultilayerPerceptron(4, MAX_SIZE + 1, 2, seed=1),
    "towers": lambda: nf.TwoTowerPerceptron((4, 3), (3, 2), 2, seed=1),
    "sine": lambda: nf.MultilayerPerceptron(4, 5, 2, hidden="sin", seed=1),
    "own way with arrays": lambda: nf.MultilayerPerceptron(4, 5, 2, hidden=OwnArrays(), seed=1),
    "own way back": lambda: nf.MultilayerPerceptron(4, 5, 2, hidden=OwnBackward(), seed=1),
    "error": lambda: nf.MultilayerPerceptron(4, 5, 2, error="huber", seed=1),
    "unfused": lambda: nf.MultilayerPerceptron(
        4, 5, 2, output="softmax", error=nf.BinaryCrossEntropy(), seed=1
    ),
}


@pytest.mark.parametrize("make", OUTSIDE.values(), ids=OUTSIDE)
def test_networks_beyond_its_limits_are_left_to_numpy(make):
    """The same bits, as it is the numpy kernel that computes them."""
    network = make()
    kernel, reference = (make_kernel(name, network.topology) for name in ("numba", "numpy"))
    assert not kernel.is_compiled
    block, vectors = drawn(network, 9), vectors_for(network, 2)
    for given_one, expected in zip(
        kernel.errors_and_gradients(vectors, *block),
        reference.errors_and_gradients(vectors, *block),
        strict=True,
    ):
        assert np.array_equal(given_one, expected)
    assert np.array_equal(kernel.errors(vectors, *block), reference.errors(vectors, *block))


def test_outputs_and_curvature_are_those_of_numpy():
    """What the compiled pass does not compute."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    kernel, reference = kernels_for(network, "float64")
    (inputs, targets), weights = drawn(network, 9), network.weights
    assert np.array_equal(kernel.outputs(weights, inputs), reference.outputs(weights, inputs))
    for given_one, expected in zip(
        kernel.activations(weights, inputs), reference.activations(weights, inputs), strict=True
    ):
        assert np.array_equal(given_one, expected)
    asked = weights, weights[np.newaxis], inputs, targets
    assert np.array_equal(kernel.hessian_products(*asked), reference.hessian_products(*asked))


def test_noise_disturbs_it_as_it_disturbs_numpy():
    """A training with dropout has the same history on either kernel."""
    random = np.random.default_rng(1)
    data = nf.DataSet(random.normal(size=(40, 4)), np.eye(3)[random.integers(0, 3, 40)])
    errors = []
    for kernel in ("numpy", "numba"):
        network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
        result = network.learn(
            data,
            rule="resilient_propagation",
            noise=nf.Dropout(0.3),
            kernel=kernel,
            stop=nf.MaxIterations(5),
            seed=2,
        )
        errors.append(result.error)
    assert errors[0] == errors[1]


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_bits_do_not_depend_on_what_is_asked_for_together(dtype):
    """One weight vector, three or 64; with a gradient or without; before and after others."""
    network = nf.MultilayerPerceptron(8, 16, 3, output="softmax", seed=1)
    kernel, block = make_kernel("numba", network.topology, dtype), drawn(network, 300)
    vectors = vectors_for(network, 64)
    errors, gradients = kernel.errors_and_gradients(vectors, *block)
    assert np.array_equal(kernel.errors(vectors, *block), errors)
    for rows in ([0], [63], [5, 0, 63]):
        some, some_gradients = kernel.errors_and_gradients(vectors[rows], *block)
        assert np.array_equal(some, errors[rows])
        assert np.array_equal(some_gradients, gradients[rows])


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_bits_do_not_depend_on_how_the_arrays_lie(dtype):
    """By columns, backwards, read-only; and weights that may not be written to."""
    network = nf.MultilayerPerceptron(5, 6, 3, output="softmax", seed=1)
    kernel, (inputs, targets) = make_kernel("numba", network.topology, dtype), drawn(network, 50)
    vectors = vectors_for(network, 2)
    expected = kernel.errors_and_gradients(vectors, inputs, targets)
    fixed = vectors.copy()
    fixed.flags.writeable = False
    others = [
        (np.asfortranarray(vectors), np.asfortranarray(inputs), np.asfortranarray(targets)),
        (fixed, inputs[::-1].copy()[::-1], np.repeat(targets, 2, axis=1)[:, ::2]),
    ]
    for other in others:
        for given_one, wanted in zip(kernel.errors_and_gradients(*other), expected, strict=True):
            assert np.array_equal(given_one, wanted)


def test_one_kind_of_code_serves_all_layouts():
    """Compiling takes seconds: arrays by columns, or that may not be written to, must not start it again."""
    from neuralframe.kernels.compiled.stack_pass import sum_block

    network = nf.MultilayerPerceptron(5, 6, 3, output="softmax", seed=1)
    kernel, (inputs, targets) = make_kernel("numba", network.topology), drawn(network, 50)
    vectors = vectors_for(network, 2)
    kernel.errors_and_gradients(vectors, inputs, targets)
    known = len(sum_block.signatures)
    fixed = [array.copy() for array in (vectors, inputs, targets)]
    for array in fixed:
        array.flags.writeable = False
    for block in (fixed, [np.asfortranarray(array) for array in fixed]):
        kernel.errors_and_gradients(*block)
        kernel.errors(*block)
    assert len(sum_block.signatures) == known


def test_a_block_that_may_change_is_laid_out_anew():
    """What was computed from its old numbers is not used again."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    kernel, (inputs, targets) = make_kernel("numba", network.topology), drawn(network, 20)
    vectors = vectors_for(network, 1)
    before = kernel.errors(vectors, inputs, targets)
    inputs *= 2
    assert kernel.errors(vectors, inputs, targets) != before
    targets[:] = targets[::-1].copy()
    inputs.flags.writeable = False
    middle = kernel.errors(vectors, inputs, targets)
    targets[:] = targets[::-1].copy()
    assert kernel.errors(vectors, inputs, targets) != middle


def test_a_fixed_block_is_laid_out_once():
    """And each pair of inputs and targets by itself, for as long as it lives."""
    from neuralframe.kernels.compiled import stack_call

    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    inputs, targets = drawn(network, 20)
    others = targets[::-1].copy()
    for array in (inputs, targets, others):
        array.flags.writeable = False
    call = make_kernel("numba", network.topology)._call
    tiles = call.block(inputs, targets, None)[0]
    assert call.block(inputs, targets, None)[0] is tiles
    assert call.block(inputs, others, None)[0] is not tiles
    held = stack_call._residency.n_bytes
    del inputs
    gc.collect()
    assert stack_call._residency.n_bytes < held


def fixed(*arrays):
    """Make arrays read-only, as those of a data set are."""
    for array in arrays:
        array.flags.writeable = False
    return arrays


def test_sample_weights_in_turn_are_each_taken_for_what_they_are():
    """The same inputs and targets, under two weightings and under none, twice."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    kernel, reference = kernels_for(network, "float64")
    block, vectors = fixed(*drawn(network, 20)), vectors_for(network, 1)
    weightings = [*fixed(np.linspace(0, 1, 20), np.linspace(3, 2, 20)), None]
    for weighting in (*weightings, *weightings):
        expected = reference.errors(vectors, *block, weighting)
        assert kernel.errors(vectors, *block, weighting) == pytest.approx(expected, rel=1e-13)


def test_targets_and_weights_made_writeable_are_looked_at_again():
    """Right after a call in which they were fixed."""
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    kernel, reference = kernels_for(network, "float64")
    inputs, targets, weights = fixed(*drawn(network, 20), np.linspace(1, 2, 20))
    vectors = vectors_for(network, 1)
    for changing in (targets, weights):
        kernel.errors(vectors, inputs, targets, weights)
        changing.flags.writeable = True
        changing[:] = changing[::-1].copy()
        expected = reference.errors(vectors, inputs, targets, weights)
        assert kernel.errors(vectors, inputs, targets, weights) == pytest.approx(expected, rel=1e-13)
        changing.flags.writeable = False


def test_inputs_that_are_their_own_targets_are_let_go_of():
    """An autoencoder's block is laid out once, and what was made of it goes with it."""
    from neuralframe.kernels.compiled import stack_call

    network = nf.MultilayerPerceptron(4, 2, 4, output="linear", seed=1)
    inputs = fixed(drawn(network, 20)[0])[0]
    other = fixed(inputs.copy())[0]
    call = make_kernel("numba", network.topology)._call
    tiles = call.block(inputs, inputs, None)[0]
    assert call.block(inputs, inputs, None)[0] is tiles
    assert call.block(inputs, other, None)[0] is not tiles
    held, gone = stack_call._residency.n_bytes, weakref.ref(inputs)
    del inputs, tiles
    gc.collect()
    assert gone() is None
    assert stack_call._residency.n_bytes < held


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_what_a_users_function_refuses_is_not_a_number(dtype, capfd):
    """Neither the error nor the gradient is finite, and nothing is printed."""
    block, vectors = (np.linspace(0, 2, 40)[:, np.newaxis], np.zeros((40, 1))), np.array([[1.0, 0.0]])
    for refusing, finite in ((Refusing(slope_limit=1.0), [True, False]), (Refusing(1.0), [False, False])):
        network = nf.MultilayerPerceptron(1, 1, output=refusing, error="sum_of_squares", seed=1)
        computed = make_kernel("numba", network.topology, dtype).errors_and_gradients(vectors, *block)
        assert [bool(np.isfinite(numbers).all()) for numbers in computed] == finite
    assert capfd.readouterr() == ("", "")


def test_fields_that_are_equal_but_differ_have_code_of_their_own():
    """0.0 and -0.0, whose quotients have opposite signs."""
    found = []
    for zero in (0.0, -0.0):
        network = nf.MultilayerPerceptron(1, 1, output=Signed(zero), error="sum_of_squares", seed=1)
        errors = make_kernel("numba", network.topology).errors(
            np.array([[1.0, 0.0]]), np.ones((1, 1)), np.ones((1, 1))
        )
        found.append(errors[0])
    assert found == [0, 2]


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_hopeless_class_costs_its_distance(output):
    """Fused cross-entropy stays finite where the probability itself is 0: the error is the net input."""
    network = nf.MultilayerPerceptron(1, 2, output=output, seed=0)
    vectors = np.array([[1000.0, -1000.0, 0.0, 0.0]])
    errors, gradients = make_kernel("numba", network.topology).errors_and_gradients(
        vectors, np.array([[1.0]]), np.array([[0.0, 1.0]])
    )
    assert errors == pytest.approx(2000, abs=1e-12)
    assert gradients[0] == pytest.approx([1, -1, 1, -1], abs=1e-12)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("size", [1e4, 1e30, 3e38, 1e300, np.inf, np.nan])
@pytest.mark.parametrize("output", ["sigmoid", "softmax", "linear", "relu"])
def test_huge_numbers_pass_quietly(output, size, dtype):
    """No exception and no warning; NaN does not become a number."""
    network = nf.MultilayerPerceptron(3, 4, 2, output=output, seed=1)
    kernel, block = make_kernel("numba", network.topology, dtype), drawn(network, 20)
    vectors = size * vectors_for(network, 1)
    errors, gradients = kernel.errors_and_gradients(vectors, *block)
    assert np.array_equal(kernel.errors(vectors, *block), errors, equal_nan=True)
    if np.isnan(size):
        assert np.isnan(errors).all()
        assert np.isnan(gradients).all()


@pytest.mark.parametrize("n", [16, 17])
def test_an_infinite_error_is_infinite(n):
    """What fills up the last vector of samples counts nothing, where 0 times infinity would be NaN."""
    network = nf.MultilayerPerceptron(1, 1, output="linear", seed=0)
    block = np.ones((n, 1)), np.zeros((n, 1))
    assert make_kernel("numba", network.topology).errors(np.array([[1e200, 0.0]]), *block) == np.inf


def test_threads_may_share_a_kernel():
    """Each computes in its own memory: the bits are those of one thread alone."""
    network = nf.MultilayerPerceptron(8, 16, 3, output="softmax", seed=1)
    kernel, block = make_kernel("numba", network.topology), drawn(network, 2000)
    vectors = vectors_for(network, 40)
    expected = kernel.errors_and_gradients(vectors, *block)[1]
    barrier = threading.Barrier(4)

    def compute(part):
        barrier.wait()
        return [kernel.errors_and_gradients(vectors[row : row + 1], *block)[1][0] for row in part]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(compute, [range(start, 40, 4) for start in range(4)]))
    for start, gradients in enumerate(found):
        assert np.array_equal(gradients, expected[start::4])


def test_a_kernel_travels_as_its_topology_and_type():
    """Copied or pickled it computes the same bits."""
    network = nf.MultilayerPerceptron(4, 5, 3, hidden=Gated(), output="softmax", seed=1)
    kernel, block = make_kernel("numba", network.topology, "float32"), drawn(network, 9)
    vectors = vectors_for(network, 1)
    for twin in (copy.copy(kernel), pickle.loads(pickle.dumps(kernel))):
        assert twin.dtype == np.float32
        for given_one, expected in zip(
            twin.errors_and_gradients(vectors, *block),
            kernel.errors_and_gradients(vectors, *block),
            strict=True,
        ):
            assert np.array_equal(given_one, expected)


def test_whoever_only_carries_a_kernel_needs_no_numba():
    """Making, asking and pickling it import nothing heavy; a reducer does no more."""
    program = (
        "import pickle, sys\n"
        "import neuralframe as nf\n"
        "from neuralframe.kernels import make_kernel\n"
        "kernel = make_kernel('numba', nf.MultilayerPerceptron(2, 1).topology)\n"
        "print(pickle.loads(pickle.dumps(kernel)).is_compiled, 'numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True False\n"


def test_with_compiling_switched_off_the_message_says_so():
    """And a user's function is computed as Python does."""
    program = (
        "import numpy as np\n"
        "import neuralframe as nf\n"
        "from neuralframe.kernels import make_kernel\n"
        "class Square(nf.ScalarFunction):\n"
        "    @staticmethod\n"
        "    def scalar_value(net): return net * net\n"
        "    @staticmethod\n"
        "    def scalar_derivative(net, output): return 2 * net\n"
        "print(Square().value(np.array([3.0])))\n"
        "kernel = make_kernel('numba', nf.MultilayerPerceptron(2, 1).topology)\n"
        "try: kernel.errors(np.zeros((1, 3)), np.zeros((1, 2)), np.zeros((1, 1)))\n"
        "except ImportError as problem: print(problem)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("[9.]\nnumba compiles nothing while NUMBA_DISABLE_JIT is set")


def test_without_numba_the_message_says_how_to_get_it():
    """Also `ScalarFunction` still works then: see tests/core/test_scalar_function.py."""
    program = (
        "import sys; sys.modules['numba'] = None\n"
        "import neuralframe as nf\n"
        "from neuralframe.kernels import make_kernel\n"
        "network = nf.MultilayerPerceptron(2, 1)\n"
        "try: make_kernel('numba', network.topology)\n"
        "except nf.MissingPackageError as problem: print(problem)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "kernel='numba' needs the package 'numba'" in done.stdout
    assert "pip install numba" in done.stdout
