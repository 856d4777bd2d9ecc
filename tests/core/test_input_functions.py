"""The values of the input functions, against loops over plain numbers and by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from neuralframe.core import input_functions as inp
from neuralframe.core.transfer_functions import Gaussian
from neuralframe.exceptions import ParameterError

ORACLES = {
    inp.WeightedSum(): lambda w, x: sum(a * b for a, b in zip(w, x, strict=True)),
    inp.Sum(): lambda _, x: sum(x),
    inp.SumOfSquaredProducts(): lambda w, x: sum((a * b) ** 2 for a, b in zip(w, x, strict=True)),
    inp.Product(): lambda w, x: math.prod(w) * math.prod(x),
    inp.Minimum(): lambda w, x: min(a * b for a, b in zip(w, x, strict=True)),
    inp.Maximum(): lambda w, x: max(a * b for a, b in zip(w, x, strict=True)),
    inp.Difference(): math.dist,
    inp.EuclideanRBF(width=0.5): lambda w, x: 2 * math.dist(w, x),
    inp.And(): lambda w, x: math.prod(1 - a * (1 - b) for a, b in zip(w, x, strict=True)),
    inp.Or(): lambda w, x: 1 - math.prod(1 - a * b for a, b in zip(w, x, strict=True)),
}


def one_neuron(*numbers):
    """Return numbers as the weights of one neuron, or with another axis in front, as one sample for it."""
    return np.array([numbers], dtype=float)


def backward(function, weights, inputs):
    """Return both derivatives of the net input of one neuron on one sample."""
    gradients = function.backward(one_neuron(*weights), one_neuron(*inputs)[np.newaxis], np.ones((1, 1)))
    return gradients[0][0].tolist(), gradients[1][0, 0].tolist()


@pytest.mark.parametrize("function", ORACLES, ids=repr)
@pytest.mark.parametrize("m", [1, 4])
def test_net_agrees_with_a_loop_over_plain_numbers(function, m):
    """Sample by sample and neuron by neuron, with shared inputs and with own ones."""
    random = np.random.default_rng(3)
    weights, inputs = random.normal(size=(4, 5)), random.normal(size=(6, m, 5))
    net = function.net(weights, inputs)
    for sample, neuron in np.ndindex(6, 4):
        x = inputs[sample, neuron if m > 1 else 0].tolist()
        assert net[sample, neuron] == pytest.approx(ORACLES[function](weights[neuron].tolist(), x), rel=1e-12)


def test_backward_by_hand():
    """Both derivatives of each function on two inputs."""
    assert backward(inp.WeightedSum(), (2, 3), (5, 7)) == ([5, 7], [2, 3])
    assert backward(inp.Sum(), (2, 3), (5, 7)) == ([0, 0], [1, 1])
    assert backward(inp.SumOfSquaredProducts(), (2, 3), (5, 1)) == ([100, 6], [40, 18])
    assert backward(inp.Product(), (2, 3), (5, 7)) == ([105, 70], [42, 30])
    assert backward(inp.Minimum(), (2, 3), (5, 7)) == ([5, 0], [2, 0])
    assert backward(inp.Maximum(), (2, 3), (5, 7)) == ([0, 7], [0, 3])
    assert backward(inp.Difference(), (1, 1), (4, 5)) == (
        pytest.approx([-0.6, -0.8]),
        pytest.approx([0.6, 0.8]),
    )
    assert backward(inp.And(), (1, 0.5), (0.5, 0)) == ([-0.25, -0.5], [0.5, 0.25])
    assert backward(inp.Or(), (1, 0.5), (0.5, 1)) == ([0.25, 0.5], [0.5, 0.25])


def test_products_with_zeros_have_exact_derivatives():
    """A product loses one factor; two zeros leave nothing of it, one zero leaves its own derivative."""
    assert backward(inp.Product(), (2, 3, 4), (0, 1, 5)) == ([0, 0, 0], [2 * 3 * 20, 0, 0])
    assert backward(inp.Product(), (0, 3, 4), (2, 1, 5)) == ([2 * 3 * 20, 0, 0], [0, 0, 0])
    assert backward(inp.Product(), (2, 3, 4), (0, 0, 5)) == ([0, 0, 0], [0, 0, 0])
    assert backward(inp.And(), (1, 1, 1), (0, 1, 1)) == ([-1, 0, 0], [1, 0, 0])
    assert backward(inp.Or(), (1, 1, 1), (1, 0, 0)) == ([1, 0, 0], [1, 0, 0])


def test_a_product_of_one_input_is_linear():
    """The product of no other factors is 1."""
    assert backward(inp.Product(), (2,), (5,)) == ([5], [2])


def test_the_first_of_a_tie_takes_the_derivative():
    """The others get none of it."""
    assert backward(inp.Minimum(), (3, 1, 2, 1), (1, 2, 1, 2)) == ([0, 2, 0, 0], [0, 1, 0, 0])
    assert backward(inp.Maximum(), (1, 3, 3), (1, 2, 2)) == ([0, 2, 0], [0, 3, 0])


@pytest.mark.parametrize("fan_in", [1, 2, 3])
def test_and_and_or_are_logical_on_truth_values(fan_in):
    """With weights of 1, over the whole truth table."""
    inputs = np.array(list(itertools.product([0.0, 1.0], repeat=fan_in)))[:, np.newaxis]
    weights = np.ones((1, fan_in))
    assert inp.And().net(weights, inputs)[:, 0].tolist() == [float(all(row[0])) for row in inputs]
    assert inp.Or().net(weights, inputs)[:, 0].tolist() == [float(any(row[0])) for row in inputs]


def test_and_and_or_are_dual_and_pass_over_inputs_of_weight_zero():
    """De Morgan's law holds between the truth values too."""
    random = np.random.default_rng(5)
    weights, inputs = random.random((3, 4)), random.random((5, 1, 4))
    weights[:, 2] = 0
    conjunction = inp.And().net(weights, inputs)
    assert conjunction == pytest.approx(1 - inp.Or().net(weights, 1 - inputs), rel=1e-12)
    inputs[..., 2] = 0.987
    assert np.array_equal(inp.And().net(weights, inputs), conjunction)


def test_a_distance_has_derivative_zero_at_its_centre():
    """Where there is none, none is made up, and nothing is divided by 0."""
    assert backward(inp.Difference(), (1, 2), (1, 2)) == ([0, 0], [0, 0])
    assert backward(inp.EuclideanRBF(width=0.1), (1, 2), (1, 2)) == ([0, 0], [0, 0])


def test_an_rbf_and_a_gaussian_make_a_bell_around_the_weights():
    """Value and slope are those of exp(-r^2 / (2 width^2))."""
    random = np.random.default_rng(7)
    centre, inputs, width = random.normal(size=(1, 3)), random.normal(size=(9, 1, 3)), 0.8
    rbf, gaussian = inp.EuclideanRBF(width), Gaussian()
    net = rbf.net(centre, inputs)
    bell = np.exp(-((inputs[:, 0] - centre) ** 2).sum(axis=1, keepdims=True) / (2 * width**2))
    assert gaussian.value(net) == pytest.approx(bell, rel=1e-12)
    delta = gaussian.backward(net, gaussian.value(net), np.ones_like(net))
    _, input_delta = rbf.backward(centre, inputs, delta)
    assert input_delta[:, 0] == pytest.approx(-bell * (inputs[:, 0] - centre) / width**2, rel=1e-10)


def test_only_a_weighted_sum_has_a_bias_by_default():
    """The others have a scale or a place of their own."""
    biased = {name for name, member in inp.InputFunction.members().items() if member.has_bias}
    assert biased == {"weighted_sum"}


def test_the_documented_names_exist():
    """Programs ask for input functions by these names."""
    assert set(inp.InputFunction.members()) >= {
        *("weighted_sum", "sum", "product", "minimum", "maximum", "difference", "euclidean_rbf"),
        *("sum_of_squares", "and", "or"),
    }


def test_a_width_must_be_positive_and_does_not_widen_float32():
    """A float64 scalar of NumPy would, were it kept."""
    with pytest.raises(ParameterError, match="width"):
        inp.EuclideanRBF(width=0)
    narrow = np.ones((1, 2), dtype=np.float32)
    assert inp.EuclideanRBF(np.float64(2)).net(narrow, narrow[np.newaxis]).dtype == np.float32
