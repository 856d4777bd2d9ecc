"""The battery of every error function."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralframe.core.components import from_json, to_json
from neuralframe.core.error_functions import ErrorFunction
from neuralframe.core.transfer_functions import Linear, Sigmoid, Softmax
from tests.contracts.registries import ERROR_FUNCTIONS, TRANSFER_FUNCTIONS

RESOLVED = list(dict.fromkeys(function.for_output(Softmax()) for function in ERROR_FUNCTIONS))
FUSED = [
    (function, transfer)
    for function in RESOLVED
    for transfer in TRANSFER_FUNCTIONS
    if function.fuses(transfer)
]
LARGEST = {"float64": 1e308, "float32": 2.0**127}
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)

every_function = pytest.mark.parametrize("function", RESOLVED, ids=repr)
every_fused_pair = pytest.mark.parametrize(("function", "transfer"), FUSED, ids=repr)


@st.composite
def samples(draw):
    """Draw outputs and targets well inside (0, 1), as every error function accepts them."""
    shape = draw(SHAPES)
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    targets = random.random(shape)
    return random.uniform(0.05, 0.95, shape), targets / targets.sum(axis=1, keepdims=True)


@st.composite
def extreme_samples(draw):
    """Draw two arrays of one type and shape, the first out to the largest numbers, the second in [0, 1]."""
    dtype = draw(st.sampled_from(["float64", "float32"]))
    shape, width = draw(SHAPES), 8 * np.dtype(dtype).itemsize
    huge = st.floats(-LARGEST[dtype], LARGEST[dtype], width=width) | st.sampled_from([0.0, 1.0])
    share = st.floats(0, 1, width=width) | st.sampled_from([0.0, 1.0])
    return draw(hnp.arrays(dtype, shape, elements=huge)), draw(hnp.arrays(dtype, shape, elements=share))


def central_differences(values, argument):
    """Return the slope of each value with respect to each entry of its row."""
    slopes = np.empty_like(argument)
    for column in range(argument.shape[1]):
        step = np.zeros_like(argument)
        step[:, column] = 1e-6
        slopes[:, column] = (values(argument + step) - values(argument - step)) / 2e-6
    return slopes


@every_function
@given(sample=samples())
def test_the_derivative_is_the_slope(function, sample):
    """The derivative agrees with central differences in each output."""
    outputs, targets = sample
    if np.abs(np.abs(outputs - targets)[..., np.newaxis] - [0, getattr(function, "delta", 0)]).min() < 1e-5:
        return  # within a step of a kink
    slopes = central_differences(lambda y: function.values(y, targets), outputs)
    assert function.derivative(outputs, targets) == pytest.approx(slopes, rel=1e-5, abs=1e-7)


@every_function
@given(sample=samples())
def test_errors_are_never_negative_and_least_at_the_target(function, sample):
    """An output that equals the target cannot be improved."""
    outputs, targets = sample
    values = function.values(outputs, targets)
    assert values.min() >= 0
    if function.name != "categorical_cross_entropy":  # which compares distributions only
        assert (function.values(targets, targets) <= values + 1e-12).all()


@every_function
@given(sample=extreme_samples())
def test_any_outputs_pass_without_a_warning_in_their_own_type(function, sample):
    """Also outputs far from any target, which are left alone."""
    outputs, targets = sample
    before = outputs.copy(), targets.copy()
    values, derivative = function.values(outputs, targets), function.derivative(outputs, targets)
    assert values.shape == (len(outputs),)
    assert derivative.shape == outputs.shape
    assert values.dtype == derivative.dtype == outputs.dtype
    assert not np.isnan(values).any()
    assert np.isfinite(derivative).all()
    assert np.array_equal(before, (outputs, targets))


@every_function
@given(sample=samples())
def test_column_order_of_the_arrays_is_kept_and_changes_nothing(function, sample):
    """Kernels pass transposed views."""
    outputs, targets = map(np.asfortranarray, sample)
    assert function.values(outputs, targets) == pytest.approx(function.values(*sample), rel=1e-14)
    derivative = function.derivative(outputs, targets)
    assert derivative.flags.f_contiguous
    assert np.array_equal(derivative, function.derivative(*sample))


@every_function
@given(sample=samples())
def test_the_total_is_a_weighted_sum_of_the_values(function, sample):
    """A sum and not a mean, of weight 1 a sample unless told."""
    outputs, targets = sample
    values = function.values(outputs, targets)
    weights = np.arange(1.0, 1 + len(values))
    assert function.total(outputs, targets) == pytest.approx(sum(values.tolist()))
    assert function.total(outputs, targets, weights) == pytest.approx(values @ weights)
    assert isinstance(function.total(outputs, targets), float)


@every_function
def test_the_total_of_float32_is_accumulated_in_float64(function):
    """A hundred thousand equal errors add up exactly enough."""
    outputs = np.full((100_000, 1), 0.3, dtype=np.float32)
    targets = np.ones_like(outputs)
    one = float(function.values(outputs[:1], targets[:1])[0])
    assert function.total(outputs, targets) == pytest.approx(100_000 * one, rel=1e-12)


@every_function
def test_targets_that_are_probabilities_pass(function):
    """Every error function accepts them."""
    function.check_targets(np.array([[0.25, 0.75], [1.0, 0.0]]))


@every_fused_pair
@given(sample=samples(), seed=st.integers(0, 99))
def test_the_fused_form_is_the_unfused_one(function, transfer, sample, seed):
    """Values and deltas on the net inputs are those of the two steps."""
    _, targets = sample
    net = np.random.default_rng(seed).normal(scale=3, size=targets.shape)
    outputs = transfer.value(net)
    values = function.values(outputs, targets)
    assert function.net_values(net, outputs, targets) == pytest.approx(values, rel=1e-9, abs=1e-12)
    delta = transfer.backward(net, outputs, function.derivative(outputs, targets))
    assert function.net_derivative(net, outputs, targets) == pytest.approx(delta, rel=1e-8, abs=1e-9)


@every_fused_pair
@given(sample=samples(), seed=st.integers(0, 99))
def test_the_fused_derivative_is_the_slope_in_the_net_input(function, transfer, sample, seed):
    """Also where the outputs are nearly 0 or 1."""
    _, targets = sample
    net = np.random.default_rng(seed).normal(scale=10, size=targets.shape)
    slopes = central_differences(lambda x: function.net_values(x, transfer.value(x), targets), net)
    derivative = function.net_derivative(net, transfer.value(net), targets)
    assert derivative == pytest.approx(slopes, rel=1e-5, abs=1e-7)


@every_fused_pair
@given(sample=extreme_samples(), order=st.sampled_from("CF"))
def test_the_fused_form_takes_any_net_input(function, transfer, sample, order):
    """At the largest numbers nothing is NaN and every derivative is finite."""
    net, targets = (np.asarray(array, order=order) for array in sample)
    outputs = transfer.value(net)
    values = function.net_values(net, outputs, targets)
    derivative = function.net_derivative(net, outputs, targets)
    assert values.dtype == derivative.dtype == net.dtype
    assert not np.isnan(values).any()
    assert values.min() >= 0
    assert np.isfinite(derivative).all()
    assert derivative.flags.f_contiguous == net.flags.f_contiguous


def test_exactly_the_cross_entropies_fuse_with_their_transfer_functions():
    """No other pair has a fused form."""
    names = {(function.name, transfer.name) for function, transfer in FUSED}
    assert names == {("categorical_cross_entropy", "softmax"), ("binary_cross_entropy", "sigmoid")}


def test_a_function_of_ones_own_takes_a_few_lines():
    """It is found by name and object and written as JSON like any other."""

    @attrs.frozen
    class Quartic(ErrorFunction):
        scale: float = 0.25

        def values(self, outputs, targets):
            return self.scale * ((outputs - targets) ** 4).sum(axis=-1)

        def derivative(self, outputs, targets):
            return 4 * self.scale * (outputs - targets) ** 3

    quartic = ErrorFunction.of("quartic")
    assert quartic == ErrorFunction.of(Quartic(0.25)) == from_json(to_json(quartic))
    assert quartic.for_output(Linear()) is quartic
    assert not quartic.fuses(Sigmoid())
    assert quartic.total(np.array([[2.0], [3.0]]), np.array([[0.0], [2.0]])) == 4.25
