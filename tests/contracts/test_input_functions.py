"""The battery of every input function."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralframe.core.components import from_json, to_json
from neuralframe.core.input_functions import InputFunction
from tests.contracts.registries import INPUT_FUNCTIONS

SIZES = st.integers(1, 4)

every_function = pytest.mark.parametrize("function", INPUT_FUNCTIONS, ids=repr)


@st.composite
def calls(draw, *, shared=False):
    """Draw weights, inputs (shared by the neurons or not) and deltas."""
    n_samples, n_neurons, fan_in = draw(SIZES), draw(SIZES), draw(SIZES)
    m = 1 if shared or draw(st.booleans()) else n_neurons
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = random.normal(size=(n_neurons, fan_in))
    inputs = random.normal(size=(n_samples, m, fan_in))
    return weights, inputs, random.normal(size=(n_samples, n_neurons))


@st.composite
def extreme_calls(draw):
    """Draw what a function may be called with, out to the largest numbers of its type."""
    dtype, bound = draw(st.sampled_from([("float64", 1e308), ("float32", 2.0**127)]))
    n_samples, n_neurons, fan_in = draw(SIZES), draw(SIZES), draw(SIZES)
    elements = st.floats(-bound, bound, width=8 * np.dtype(dtype).itemsize) | st.sampled_from([0.0, 1.0])
    shapes = (
        (n_neurons, fan_in),
        (n_samples, draw(st.sampled_from([1, n_neurons])), fan_in),
        (n_samples, n_neurons),
    )
    return tuple(draw(hnp.arrays(dtype, shape, elements=elements)) for shape in shapes)


def central_differences(error, argument):
    """Return the slope of a number with respect to each entry of an array."""
    slopes = np.empty_like(argument)
    for place in np.ndindex(argument.shape):
        step = np.zeros_like(argument)
        step[place] = 1e-6
        slopes[place] = (error(argument + step) - error(argument - step)) / 2e-6
    return slopes


@every_function
@given(call=calls())
def test_backward_is_the_slope_in_weights_and_inputs(function, call):
    """Both derivatives agree with central differences, for shared inputs and for own ones."""
    weights, inputs, net_delta = call
    if _near_a_kink(function, weights, inputs):
        return
    weight_gradient, input_delta = function.backward(weights, inputs, net_delta)
    by_weights = central_differences(lambda w: (net_delta * function.net(w, inputs)).sum(), weights)
    by_inputs = central_differences(lambda x: (net_delta * function.net(weights, x)).sum(), inputs)
    assert weight_gradient == pytest.approx(by_weights, rel=1e-4, abs=1e-6)
    assert input_delta == pytest.approx(by_inputs, rel=1e-4, abs=1e-6)


def _near_a_kink(function, weights, inputs):
    if function.name in {"minimum", "maximum"} and weights.shape[1] > 1:
        return np.diff(np.sort(weights * inputs, axis=-1), axis=-1).min() < 1e-4
    if function.name in {"difference", "euclidean_rbf"}:
        return np.linalg.norm(weights - inputs, axis=-1).min() < 1e-2
    return False


@every_function
@given(call=calls(shared=True))
def test_shared_inputs_are_the_same_inputs_for_each_neuron(function, call):
    """Broadcasting is an abbreviation of repeating; the deltas are then summed over the neurons."""
    weights, inputs, net_delta = call
    own = np.repeat(inputs, len(weights), axis=1)
    assert np.array_equal(function.net(weights, inputs), function.net(weights, own))
    weight_gradient, input_delta = function.backward(weights, inputs, net_delta)
    own_gradient, own_delta = function.backward(weights, own, net_delta)
    assert weight_gradient == pytest.approx(own_gradient, rel=1e-12, abs=1e-14)
    assert input_delta == pytest.approx(own_delta.sum(axis=1, keepdims=True), rel=1e-12, abs=1e-14)


@every_function
@given(call=calls())
def test_weight_gradients_of_samples_add_up(function, call):
    """The gradient of a block is the sum over its samples, never a mean."""
    weights, inputs, net_delta = call
    together, _ = function.backward(weights, inputs, net_delta)
    apart = [
        function.backward(weights, inputs[i : i + 1], net_delta[i : i + 1])[0] for i in range(len(inputs))
    ]
    assert together == pytest.approx(sum(apart), rel=1e-12, abs=1e-13)


@every_function
@given(call=calls())
def test_the_memory_order_of_kernels_is_kept_and_changes_nothing(function, call):
    """With samples fastest in memory, as kernels hold them, results come out in the same order."""
    weights, inputs, net_delta = call
    feature_major = np.ascontiguousarray(inputs.transpose(1, 2, 0)).transpose(2, 0, 1)
    net = function.net(weights, feature_major)
    # Where a neuron has a single input, shared by all, both orders describe the inputs.
    assert net.T.flags.c_contiguous or inputs[0].size == 1
    assert net == pytest.approx(function.net(weights, inputs), rel=1e-12, abs=1e-14)
    gradients = function.backward(weights, feature_major, np.asfortranarray(net_delta))
    for gradient, expected in zip(gradients, function.backward(weights, inputs, net_delta), strict=True):
        assert gradient == pytest.approx(expected, rel=1e-12, abs=1e-13)
    assert gradients[1].transpose(1, 2, 0).flags.c_contiguous


@every_function
@given(call=extreme_calls())
def test_the_largest_numbers_pass_without_a_warning(function, call):
    """Shapes and types are right and the arguments untouched, whatever overflows."""
    before = [array.copy() for array in call]
    weights, inputs, net_delta = call
    net = function.net(weights, inputs)
    weight_gradient, input_delta = function.backward(weights, inputs, net_delta)
    assert net.shape == net_delta.shape
    assert weight_gradient.shape == weights.shape
    assert input_delta.shape == inputs.shape
    assert {net.dtype, weight_gradient.dtype, input_delta.dtype} == {weights.dtype}
    assert all(np.array_equal(array, copy) for array, copy in zip(call, before, strict=True))


@every_function
@given(call=calls())
def test_float32_is_close_to_float64(function, call):
    """The same numbers in single precision give the same results, rounded."""
    narrow = [array.astype(np.float32) for array in call]
    wide = [array.astype(np.float64) for array in narrow]
    if _near_a_kink(function, *wide[:2]):
        return
    assert function.net(*narrow[:2]) == pytest.approx(function.net(*wide[:2]), rel=1e-4, abs=1e-4)
    for given_, expected in zip(function.backward(*narrow), function.backward(*wide), strict=True):
        assert given_ == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_a_function_of_ones_own_takes_a_few_lines():
    """It is found by name and object and written as JSON like any other."""

    @attrs.frozen
    class FirstInput(InputFunction):
        def net(self, weights, inputs):
            return weights[:, 0] * inputs[..., 0]

        def backward(self, weights, inputs, net_delta):
            weight_gradient, input_delta = np.zeros_like(weights), np.zeros_like(inputs)
            weight_gradient[:, 0] = (net_delta * inputs[..., 0]).sum(axis=0)
            input_delta[..., 0] = net_delta * weights[:, 0]
            return weight_gradient, input_delta

    first = InputFunction.of("first_input")
    assert first == InputFunction.of(FirstInput()) == from_json(to_json(first))
    assert not first.has_bias
    assert first.net(np.array([[2.0, 9.0]]), np.array([[[3.0, 7.0]]])).tolist() == [[6.0]]
