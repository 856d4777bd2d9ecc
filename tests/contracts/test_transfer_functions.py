"""The battery of every transfer function."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralframe.core.components import from_json, to_json
from neuralframe.core.transfer_functions import Sin, TransferFunction
from tests.contracts.registries import TRANSFER_FUNCTIONS

ELEMENTWISE = [function for function in TRANSFER_FUNCTIONS if function.elementwise]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)
ORDERS = st.sampled_from("CF")

every_function = pytest.mark.parametrize("function", TRANSFER_FUNCTIONS, ids=repr)
every_elementwise = pytest.mark.parametrize("function", ELEMENTWISE, ids=repr)


def nets(dtype, bound):
    """Draw net inputs of a type, out to a bound."""
    width = 8 * np.dtype(dtype).itemsize
    bound = float(np.dtype(dtype).type(bound))
    return hnp.arrays(dtype, SHAPES, elements=st.floats(-bound, bound, width=width))


@every_function
@given(net=nets("float64", 1e308) | nets("float32", 3e38), order=ORDERS)
def test_results_are_finite_of_the_type_and_order_of_the_net_input(function, net, order):
    """Also at the largest numbers, without a warning, and leaving the net input alone."""
    net = np.asarray(net, order=order)
    before = net.copy()
    output = function.value(net)
    derivative = function.derivative(net, output)
    delta = function.backward(net, output, np.ones_like(net))
    for result in (output, derivative, delta):
        assert result.shape == net.shape
        assert result.dtype == net.dtype
        assert result.flags.c_contiguous == net.flags.c_contiguous
        assert result.flags.f_contiguous == net.flags.f_contiguous
        assert np.isfinite(result).all()
        assert not np.shares_memory(result, net)
    assert np.array_equal(net, before)


@every_function
@given(net=nets("float32", 100))
def test_float32_is_close_to_float64(function, net):
    """The same numbers in single precision give the same results, rounded."""
    wide = net.astype(np.float64)
    output, wide_output = function.value(net), function.value(wide)
    assert output == pytest.approx(wide_output, rel=1e-5, abs=1e-6)
    derivative = function.derivative(wide, wide_output)
    assert function.derivative(net, output) == pytest.approx(derivative, rel=1e-4, abs=2e-6)


@every_function
@given(net=nets("float64", 1e308))
def test_outputs_stay_in_the_output_range(function, net):
    """The next layer may rely on the bounds for any net input."""
    if function.output_range is not None:
        low, high = function.output_range
        output = function.value(net)
        assert low <= output.min()
        assert output.max() <= high


def bracket_of_slopes(function, net):
    """Return the smaller and the larger of the slopes to the left and to the right, and their error."""
    step = 1e-6 * np.maximum(1, np.abs(net))
    above, below = net + step, net - step
    here, right, left = (function.value(x) for x in (net, above, below))
    slopes = np.stack([(here - left) / (net - below), (right - here) / (above - net)])
    largest = np.abs(np.stack([here, right, left])).max(axis=0)
    error = 1e-6 * np.abs(slopes).max(axis=0) + 1e-11 + 4 * np.finfo(float).eps * largest / step
    return slopes.min(axis=0), slopes.max(axis=0), error


@every_elementwise
@given(net=nets("float64", 8) | nets("float64", 100) | nets("float64", 1e300))
def test_the_derivative_is_the_slope(function, net):
    """At a kink it lies between the slopes on the two sides."""
    if isinstance(function, Sin):
        net = np.fmod(net, 100)  # further out a relative step passes whole periods
    derivative = function.derivative(net, function.value(net))
    low, high, error = bracket_of_slopes(function, net)
    assert (low - error <= derivative).all()
    assert (derivative <= high + error).all()


@every_function
@given(net=nets("float64", 30), seed=st.integers(0, 99))
def test_backward_is_the_transposed_jacobian(function, net, seed):
    """dE/d net agrees with central differences in each net input, also across a layer."""
    net = np.round(net, 2) + 0.001234  # off every kink
    output_delta = np.random.default_rng(seed).normal(size=net.shape)
    backward = function.backward(net, function.value(net), output_delta)
    expected = np.empty_like(net)
    for place in np.ndindex(net.shape):
        step = np.zeros_like(net)
        step[place] = 1e-5
        change = function.value(net + step) - function.value(net - step)
        expected[place] = (output_delta * change).sum() / 2e-5
    assert backward == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_function_of_ones_own_takes_a_few_lines():
    """It is found by name and object and written as JSON like any other."""

    @attrs.frozen
    class ScaledSquare(TransferFunction):
        scale: float = 2.0
        output_range = (0.0, 9.0)

        def value(self, net):
            return self.scale * net * net

        def derivative(self, net, output):
            return 2 * self.scale * net

    net = np.array([[1.0, -3.0]])
    square = TransferFunction.of("scaled_square")
    assert square == TransferFunction.of(ScaledSquare(2.0)) == from_json(to_json(square))
    assert square.output_range == (0.0, 9.0)
    assert square.backward(net, square.value(net), np.array([[1.0, 0.5]])).tolist() == [[4.0, -6.0]]
