"""What rules that use second derivatives ask of every transfer, error and input function."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralframe.core.error_functions import CrossEntropy, ErrorFunction, SumOfSquares
from neuralframe.core.input_functions import InputFunction
from neuralframe.core.transfer_functions import Linear, Sigmoid, Sin, Softmax, TransferFunction
from tests.contracts.registries import ERROR_FUNCTIONS, INPUT_FUNCTIONS, TRANSFER_FUNCTIONS

ELEMENTWISE = [function for function in TRANSFER_FUNCTIONS if function.elementwise]
SMOOTH = {"linear", "sigmoid", "tanh", "gaussian", "softplus", "sin"}
RESOLVED = list(dict.fromkeys(function.for_output(Softmax()) for function in ERROR_FUNCTIONS))
FUSED = [
    (function, transfer)
    for function in [*RESOLVED, CrossEntropy().for_output(Sigmoid())]
    for transfer in (Softmax(), Sigmoid())
    if function.fuses(transfer)
]
POLYNOMIAL = [
    f for f in INPUT_FUNCTIONS if f.name in {"weighted_sum", "sum_of_squares", "product", "and", "or"}
]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)

every_transfer = pytest.mark.parametrize("function", TRANSFER_FUNCTIONS, ids=repr)
every_elementwise = pytest.mark.parametrize("function", ELEMENTWISE, ids=repr)


def nets(dtype, bound):
    """Draw net inputs of a type, out to a bound."""
    width = 8 * np.dtype(dtype).itemsize
    bound = float(np.dtype(dtype).type(bound))
    return hnp.arrays(dtype, SHAPES, elements=st.floats(-bound, bound, width=width))


def rate(function, at, along, step=1e-5):
    """Return how fast a function changes along a direction, by central differences."""
    return (function(at + step * along) - function(at - step * along)) / (2 * step)


@every_transfer
@given(net=nets("float64", 1e308) | nets("float32", 3e38), order=st.sampled_from("CF"))
def test_results_are_finite_of_the_type_and_order_of_the_net_input(function, net, order):
    """Also at the largest numbers, without a warning."""
    net = np.asarray(net, order=order)
    output, ones = function.value(net), np.ones_like(net)
    results = [function.output_change(net, output, ones), function.backward_change(net, output, ones, ones)]
    if function.elementwise:
        results.append(function.second_derivative(net, output))
    for result in results:
        assert result.shape == net.shape
        assert result.dtype == net.dtype
        assert np.isfinite(result).all()
        assert result.flags.c_contiguous == net.flags.c_contiguous


@every_elementwise
@given(net=nets("float64", 8) | nets("float64", 100) | nets("float64", 1e300))
def test_the_second_derivative_is_the_slope_of_the_first(function, net):
    """At a kink or a jump of the derivative it lies between the slopes on the two sides."""
    if isinstance(function, Sin):
        net = np.fmod(net, 100)
    step = 1e-6 * np.maximum(1, np.abs(net))
    above, below = net + step, net - step
    left, here, right = (function.derivative(x, function.value(x)) for x in (below, net, above))
    slopes = np.stack([(here - left) / (net - below), (right - here) / (above - net)])
    error = 1e-5 * np.abs(slopes).max(axis=0) + 1e-8
    found = function.second_derivative(net, function.value(net))
    assert (slopes.min(axis=0) - error <= found).all()
    assert (found <= slopes.max(axis=0) + error).all()


@pytest.mark.parametrize("function", [f for f in ELEMENTWISE if f.name in SMOOTH], ids=repr)
@given(net=nets("float64", 30))
def test_differences_do_where_nobody_wrote_the_second_derivative(function, net):
    """The default of the family agrees with the exact form to about ten digits of the derivative."""
    exact = function.second_derivative(net, function.value(net))
    differences = TransferFunction.second_derivative(function, net, function.value(net))
    assert differences == pytest.approx(exact, rel=1e-7, abs=2e-8)


@every_transfer
@given(net=nets("float64", 30), seed=st.integers(0, 99))
def test_changes_are_those_along_a_direction(function, net, seed):
    """Outputs and what comes back through them change as differences say, also across a layer."""
    net = np.round(net, 2) + 0.001234  # off every kink
    random = np.random.default_rng(seed)
    change, delta = random.normal(size=(2, *net.shape))
    output = function.value(net)
    assert function.output_change(net, output, change) == pytest.approx(
        rate(function.value, net, change), rel=1e-5, abs=1e-7
    )
    assert function.backward_change(net, output, delta, change) == pytest.approx(
        rate(lambda x: function.backward(x, function.value(x), delta), net, change), rel=1e-5, abs=1e-7
    )


@attrs.frozen
class Neighbourly(TransferFunction):
    """Each output takes in the square of its neighbour's net input: a Jacobian that is not symmetric."""

    elementwise = False

    def value(self, net):
        return net + np.roll(net, 1, axis=-1) ** 2

    def derivative(self, net, output):
        return np.ones_like(net)

    def backward(self, net, output, output_delta):
        return output_delta + 2 * net * np.roll(output_delta, -1, axis=-1)


def test_a_function_of_ones_own_across_a_layer_needs_no_more_than_backward():
    """By hand: the outputs change by c_i + 2 n_(i-1) c_(i-1), what comes back by 2 c_i d_(i+1)."""
    net, change, delta = np.random.default_rng(0).normal(size=(3, 4, 3))
    function, output = Neighbourly(), Neighbourly().value(net)
    expected = change + 2 * np.roll(net * change, 1, axis=-1)
    assert function.output_change(net, output, change) == pytest.approx(expected, rel=1e-8)
    expected = 2 * change * np.roll(delta, -1, axis=-1)
    assert function.backward_change(net, output, delta, change) == pytest.approx(expected, rel=1e-8)


def test_differences_of_numbers_at_rest_are_zero():
    """No direction, no change: nothing is divided by 0."""
    net = np.array([[1.0, 2.0]])
    assert Neighbourly().output_change(net, Neighbourly().value(net), np.zeros_like(net)).tolist() == [[0, 0]]


@pytest.mark.parametrize("function", [*RESOLVED, CrossEntropy().for_output(Sigmoid())], ids=repr)
@given(seed=st.integers(0, 2**16), dtype=st.sampled_from(["float64", "float32"]))
def test_the_change_of_an_errors_derivative(function, seed, dtype):
    """It is that of differences, and so is the family's default; float32 stays float32."""
    random = np.random.default_rng(seed)
    outputs, targets, change = random.uniform(0.05, 0.95, (3, 4, 2)).astype(dtype)
    found = function.derivative_change(outputs, targets, change)
    assert found.dtype == outputs.dtype
    if np.abs(np.abs(outputs - targets)[..., np.newaxis] - [0, getattr(function, "delta", 0)]).min() < 1e-4:
        return  # within a step of a kink
    wide = outputs.astype(float)
    expected = rate(lambda y: function.derivative(y, targets.astype(float)), wide, change.astype(float), 1e-6)
    close = {"rel": 1e-5, "abs": 1e-5} if dtype == "float64" else {"rel": 1e-4, "abs": 1e-4}
    assert found == pytest.approx(expected, **close)
    assert ErrorFunction.derivative_change(function, outputs, targets, change) == pytest.approx(
        expected, **close
    )


@pytest.mark.parametrize(("function", "transfer"), FUSED, ids=repr)
@given(seed=st.integers(0, 2**16))
def test_the_change_of_an_errors_derivative_in_the_net_inputs(function, transfer, seed):
    random = np.random.default_rng(seed)
    net, change = random.normal(size=(2, 4, 3))
    targets = random.uniform(size=(4, 3))
    outputs = transfer.value(net)
    moved = transfer.output_change(net, outputs, change)
    expected = rate(lambda x: function.net_derivative(x, transfer.value(x), targets), net, change)
    for owner in (type(function), ErrorFunction):
        found = owner.net_derivative_change(function, net, outputs, targets, change, moved)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_no_form_on_net_inputs_no_change_of_it():
    with pytest.raises(ValueError, match="no form on the net inputs"):
        SumOfSquares().net_derivative_change(*np.ones((5, 1, 1)))


@pytest.mark.parametrize("function", POLYNOMIAL, ids=repr)
@given(seed=st.integers(0, 2**16), shared=st.booleans())
def test_what_an_input_function_carries_back_changes(function, seed, shared):
    """Of a polynomial an imaginary step gives the derivative free of rounding."""
    random = np.random.default_rng(seed)
    weights, weights_change = random.normal(size=(2, 3, 2))
    inputs, inputs_change = random.normal(size=(2, 4, 1 if shared else 3, 2))
    delta = random.normal(size=(4, 3))
    step = 1e-30j
    exact = function.backward(weights + step * weights_change, inputs + step * inputs_change, delta)
    found = function.backward_change(weights, inputs, delta, weights_change, inputs_change)
    for part, expected in zip(found, exact, strict=True):
        assert part == pytest.approx(np.imag(expected) / 1e-30, rel=1e-7, abs=1e-8)


def test_float32_stays_float32_in_differences_which_are_taken_in_float64():
    random = np.random.default_rng(1)
    weights, inputs, delta = (random.normal(size=s).astype("float32") for s in ((3, 2), (4, 3, 2), (4, 3)))
    function = InputFunction.of("difference")
    narrow = function.backward_change(weights, inputs, delta, np.ones_like(weights), inputs)
    wide = function.backward_change(
        *(a.astype(float) for a in (weights, inputs, delta, np.ones_like(weights), inputs))
    )
    for part, expected in zip(narrow, wide, strict=True):
        assert part.dtype == np.float32
        assert part == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_a_straight_line_does_not_bend():
    net = np.array([[-3.0, 0.0, 1e300]])
    assert not Linear().second_derivative(net, net).any()
