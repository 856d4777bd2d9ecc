"""The weight-stationary kernels, emulated thread by thread, against the numpy kernel in float64."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.kernels.cuda import lanes, weight_stationary
from neuralframe.kernels.cuda.functions import device_functions
from neuralframe.kernels.cuda.stationary_kernels import N_THREADS
from neuralframe.kernels.cuda.weight_stationary import WeightStationary
from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.kernels.stack import Stack
from tests.kernels.cuda import compile_gate, kernel_list
from tests.kernels.cuda.family_checks import TOLERANCES, block_of, check, distance, made, same, vectors_of


def family_of(network, dtype="float32", **options):
    return made(WeightStationary, network, dtype, **options)


def check_family(network, block, dtype="float32", **options):
    """Check a family on a block; return it."""
    family = family_of(network, dtype, **options)
    check(family, network, block)
    return family


NETWORKS = {
    "one hidden layer, split by units": (8, 16, 3, {"output": "softmax"}),
    "split by inputs": (32, 5, 1, {}),
    "no hidden layer": (21, 3, {"output": "sigmoid", "error": "cross_entropy"}),
    "three hidden layers": (6, 9, 7, 5, 3, {"hidden": "sigmoid", "output": "softmax"}),
    "softmax and squares": (5, 6, 4, {"output": "softmax", "error": "sum_of_squares"}),
    "one of everything": (1, 1, 1, {}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_errors_gradients_and_outputs_are_those_of_the_numpy_kernel(name, dtype):
    *sizes, options = NETWORKS[name]
    network = nf.MultilayerPerceptron(*sizes, **options, seed=1)
    check_family(network, block_of(network, 33, weighted=True), dtype, seed=2)


@pytest.mark.parametrize("n", [1, 31, 33, 257])
def test_any_number_of_samples_is_served(n):
    """One sample, one less and one more than a warp, and a chunk that has one sample."""
    network = nf.MultilayerPerceptron(8, 16, 3, output="softmax", seed=1)
    family = check_family(network, block_of(network, n), seed=3)
    assert family.device.launches[0] == ("gradient_kernel", (-(-n // 128), 2))


def test_no_samples_have_no_error():
    network = nf.MultilayerPerceptron(3, 2, seed=1)
    family, block = family_of(network), block_of(network, 0)
    errors, gradients = family.errors_and_gradients(vectors_of(network), *block)
    assert (errors.tolist(), gradients.any(), family.device.launches) == ([0, 0], False, [])
    assert family.outputs(network.weights, block[0]).shape == (0, 2)


@attrs.frozen
class Swish(nf.ScalarFunction):
    beta: float = 1.5

    @staticmethod
    def scalar_value(net, beta):
        return net / (1 + math.exp(-beta * net))

    @staticmethod
    def scalar_derivative(net, output, beta):
        share = 1 / (1 + math.exp(-beta * net))
        return share + beta * output * (1 - share)


@attrs.frozen
class Mish(nf.ScalarFunction):
    @staticmethod
    def scalar_value(net):
        return net * math.tanh(math.log1p(math.exp(net)))

    @staticmethod
    def scalar_derivative(net, output):  # noqa: ARG004
        inner = math.tanh(math.log1p(math.exp(net)))
        return inner + net * (1 - inner * inner) / (1 + math.exp(-net))


FUNCTIONS = [
    *(cls() for name, cls in nf.TransferFunction.members().items() if cls.__module__.startswith("neuralframe")
      and cls.elementwise),
    nf.Gaussian(0.7), nf.LeakyReLU(0.2), nf.ELU(0.5), nf.Step(0.1, -2, 3), nf.Ramp(-1, 1, -2, 2),
    nf.Trapezoid(-2, -1, 1, 2), Swish(), Mish(),
]  # fmt: skip


def use_plan(monkeypatch, network, splits, n_lanes):
    """Make families of this network share samples so."""
    plan = lanes._plan(Stack.of(network.topology).layers, splits, n_lanes)
    monkeypatch.setattr(weight_stationary, "lane_plan", lambda *_: plan)


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_every_transfer_function_is_served(function, monkeypatch):
    """In the hidden layer; 7 units leave one of 4 lanes without its second, where zeros must stay zeros."""
    network = nf.MultilayerPerceptron(2, 7, 2, hidden=function, seed=1)
    use_plan(monkeypatch, network, ("units", "inputs"), 4)
    check_family(network, block_of(network, 32))


@pytest.mark.parametrize("function", FUNCTIONS, ids=str)
def test_every_transfer_function_is_served_at_the_outputs(function):
    network = nf.MultilayerPerceptron(3, 2, output=function, error="sum_of_squares", seed=1)
    check_family(network, block_of(network, 9), "float64")


@pytest.mark.parametrize("n_lanes", lanes.LANES)
@pytest.mark.parametrize(
    "splits", [("units", "inputs", "whole"), ("inputs", "units", "inputs"), ("whole", "whole", "whole")]
)
def test_lanes_may_share_a_sample_in_any_way(splits, n_lanes, monkeypatch):
    network = nf.MultilayerPerceptron(5, 6, 7, 3, output="softmax", seed=1)
    use_plan(monkeypatch, network, splits, n_lanes)
    check_family(network, block_of(network, 19, weighted=True), "float64", seed=1)


def test_the_numbers_do_not_depend_on_the_order_of_blocks_and_threads():
    network = nf.MultilayerPerceptron(8, 16, 3, output="softmax", seed=1)
    block, vectors = block_of(network, 300, weighted=True), vectors_of(network)
    first, second = (family_of(network, seed=seed).errors_and_gradients(vectors, *block) for seed in (0, 17))
    assert same(first, second)


def test_the_numbers_do_not_depend_on_what_is_asked_for_together(monkeypatch):
    """Alone, three in one launch, and in launches of one because rows would take too much memory."""
    network = nf.MultilayerPerceptron(4, 3, 2, seed=1)
    block, vectors = block_of(network, 100), vectors_of(network, 3)
    family = family_of(network)
    together = family.errors_and_gradients(vectors, *block)
    monkeypatch.setattr(weight_stationary, "ROW_BYTES", 1)
    apart = family.errors_and_gradients(vectors, *block)
    assert [grid for _, grid in family.device.launches] == [(1, 3), (1, 1), (1, 1), (1, 1)]
    assert same(apart, together)


def test_a_long_chunk_is_added_up_in_spans(monkeypatch):
    """Each group of lanes goes on in float64 after 64 samples; one chunk for all makes it go on often."""
    monkeypatch.setattr(weight_stationary, "MOST_CHUNKS", 1)
    network = nf.MultilayerPerceptron(2, 3, 1, seed=1)
    use_plan(monkeypatch, network, ("units", "inputs"), 32)
    family = check_family(network, block_of(network, 530))
    assert family.device.launches[0][1] == (1, 2)


def test_memory_is_shared_without_races():
    network = nf.MultilayerPerceptron(3, 4, 2, seed=1)
    check_family(network, block_of(network, 40, weighted=True), watch=True, seed=1)


def test_a_sample_of_weight_0_is_left_out_whatever_it_holds():
    """Its numbers are beyond float32, so that its error is infinite and its slopes are NaN."""
    network = nf.MultilayerPerceptron(2, 3, 2, hidden="relu", seed=1)
    inputs, targets, _ = block_of(network, 9)
    inputs[4], targets[4] = 1e300, -1e300
    sample_weights = np.where(np.arange(9) == 4, 0.0, 1.5)
    kept = np.flatnonzero(sample_weights)
    family, vectors = family_of(network), vectors_of(network)
    errors, gradients = family.errors_and_gradients(vectors, inputs, targets, sample_weights)
    block = inputs[kept], targets[kept], sample_weights[kept]
    expected_errors, expected = NumpyKernel(network.topology).errors_and_gradients(vectors, *block)
    assert errors == pytest.approx(expected_errors, rel=1e-6)
    assert distance(gradients, expected) <= 2e-6


@attrs.frozen
class Reciprocal(nf.ScalarFunction):
    """Infinite at 0, where a sample that does not count, and a unit that is not there, would compute it."""

    @staticmethod
    def scalar_value(net):
        return 1 / net

    @staticmethod
    def scalar_derivative(net, output):  # noqa: ARG004
        return -1 / (net * net)


@pytest.mark.parametrize("splits", [("units", "inputs", "whole"), ("inputs", "units", "inputs")])
def test_what_is_not_there_counts_for_nothing(splits, monkeypatch):
    """5 samples for the threads of 32 groups, one of weight 0; 3 and 6 units for 4 lanes; no biases."""
    network = nf.MultilayerPerceptron(2, 3, 6, 2, hidden=Reciprocal(), seed=1)
    use_plan(monkeypatch, network, splits, 4)
    vectors = np.abs(vectors_of(network)) + 0.5
    for layer in network.topology.layers[1:]:
        vectors[:, layer.bias : layer.bias + layer.size] = 0
    inputs, targets, _ = block_of(network, 5)
    block = np.abs(inputs) + 0.5, targets, np.array([1.0, 0, 2, 1, 1])
    check(family_of(network, "float64"), network, block, vectors)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
def test_a_saturated_wrong_answer_keeps_its_error_and_its_gradient(output):
    """A net input of 1,000 for the wrong class: the error is 1,000, the slope 1; exp alone would overflow."""
    network = nf.MultilayerPerceptron(1, 2, output=output, seed=1)
    weights = np.array([[1000.0, 0, 0, 0]])
    block = np.array([[1.0]]), np.array([[0.0, 1.0]])
    plain = NumpyKernel(network.topology)
    for dtype in TOLERANCES:
        errors, gradients = family_of(network, dtype).errors_and_gradients(weights, *block)
        expected_errors, expected = plain.errors_and_gradients(weights, *block)
        assert errors == pytest.approx(expected_errors, rel=1e-6)
        assert gradients == pytest.approx(expected)
    assert expected_errors[0] >= 1000


@pytest.mark.parametrize("wild", [np.inf, np.nan, 1e300])
def test_wild_weights_give_an_answer_that_is_not_finite(wild):
    network = nf.MultilayerPerceptron(2, 3, 2, output="softmax", seed=1)
    vectors = np.full((1, network.topology.n_weights), wild)
    errors, gradients = family_of(network).errors_and_gradients(vectors, *block_of(network, 5))
    assert not np.isfinite(errors).any()
    assert not np.isfinite(gradients).all()


sizes = st.lists(st.integers(1, 40), min_size=2, max_size=5)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(sizes, st.sampled_from([4, 8]))
def test_every_weight_has_a_slot_and_every_plan_fits(widths, itemsize):
    stack = Stack.of(nf.MultilayerPerceptron(*widths, error="sum_of_squares", seed=0).topology)
    plan = lanes.lane_plan(stack, itemsize, N_THREADS)
    if plan is None:
        assert stack.n_weights > 60
        return
    sources = lanes.slot_sources(stack, plan)
    vector = np.arange(1.0, stack.n_weights + 1)
    laid = lanes.packed(vector[np.newaxis], sources, np.dtype("float64"))[0]
    assert np.array_equal(laid.reshape(-1)[lanes.weight_columns(sources, stack.n_weights)], vector)
    assert plan.fits(itemsize, N_THREADS)
    assert plan.n_slots * plan.n_lanes >= stack.n_weights


def test_what_is_not_served_says_why():
    def reason(*sizes, **options):
        stack = Stack.of(nf.MultilayerPerceptron(*sizes, seed=0, **options).topology)
        return WeightStationary.reason_against(stack, np.dtype("float32"))

    class Cube(nf.TransferFunction):
        def value(self, net):
            return net**3

        def derivative(self, net, output):
            return 3 * net**2

    assert reason(8, 16, 3) == ""
    assert "do not fit" in reason(64, 32, 10)
    assert "'cube' is not written for CUDA" in reason(2, 3, 1, hidden=Cube())
    assert "'mean_absolute' of 'linear' outputs" in reason(2, 1, error="mean_absolute")
    assert "'softmax'" in reason(2, 3, 1, hidden="softmax")
    assert "do not fit" in reason(*[2] * 8)


@pytest.mark.skipif(compile_gate.missing() != "", reason=compile_gate.missing() or "everything is there")
@pytest.mark.parametrize("real", [np.float32, np.float64])
@pytest.mark.parametrize("widths", [(8, 16, 3), (32, 5, 1), (20, 32, 10), (8, 8, 6, 4, 3)], ids=str)
def test_everything_stays_in_registers(widths, real):
    """No spills and no stack: the arrays of a thread are registers, and the loops are unrolled."""
    kernels = kernel_list.weight_stationary(widths, real)
    assert kernels or (widths, real) == ((20, 32, 10), np.float64)
    for listed in kernels if widths == (8, 16, 3) else kernels[:1]:
        for budget in compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values():
            assert (budget.stack, budget.spills) == (0, 0), listed.name
            assert budget.shared <= lanes.SHARED_BYTES + 100
            assert real is np.float64 or budget.wide <= 1  # a sample's error times its weight


def chained(pairs):
    """Return a kernel that calls the value and the slope of each pair of device functions in turn."""

    def after(rest, value, slope):
        def both(net):
            output = value(rest(net))
            return output + slope(net, output)

        return both

    def net_itself(net):
        return net

    whole = net_itself
    for value, slope in pairs:
        whole = after(whole, value, slope)

    def kernel(numbers):
        numbers[0] = whole(numbers[0])

    return kernel


@pytest.mark.skipif(compile_gate.missing() != "", reason=compile_gate.missing() or "everything is there")
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_every_transfer_function_compiles_without_numbers_of_another_type(real):
    """A float64 constant among float32 numbers would make a GPU slow; only the user's own are in float64.

    The device's sine itself takes float64 and a stack for arguments beyond 100,000.
    """
    from numba import types

    own = [one for one in FUNCTIONS if not isinstance(one, nf.ScalarFunction | nf.Sin)]
    for functions, may_be_wide in ((own, real is np.float64), ((nf.Sin(), Swish(), Mish()), True)):
        kernel = chained([device_functions(function, real) for function in functions])
        numbers = (types.float32 if real is np.float32 else types.float64)[::1]
        for budget in compile_gate.compiled(kernel, (numbers,)).values():
            assert (budget.wide > 0) == may_be_wide
