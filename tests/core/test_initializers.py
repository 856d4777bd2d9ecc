"""What the initializers draw, against independent loops, statistics and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from neuralframe.core import initializers as init
from neuralframe.core import transfer_functions as tf
from neuralframe.core.initializers import Fan, default_initializer
from neuralframe.exceptions import ParameterError, ShapeError


def draw(initializer, fan, seed=0):
    """Draw with a fresh generator."""
    return initializer.draw(fan, np.random.default_rng(seed))


def unit_fan(n_out, n_in, active_range=(-2.0, 2.0), *, has_bias=True):
    """Return a fan whose inputs lie in [-1, 1]."""
    return Fan(n_out, n_in, [(-1, 1)] * n_in, active_range, has_bias)


def nguyen_widrow_by_loops(fan, random):
    """Recompute ``initnw`` number by number."""
    varying = [i for i, (low, high) in enumerate(fan.input_ranges.tolist()) if low != high]
    beta = 0.7 * fan.n_out ** (1 / len(varying))
    draws = [[random.uniform(-1, 1) for _ in varying] for _ in range(fan.n_out)]
    active_low, active_high = fan.active_range
    weights, biases = [], []
    for place, row in enumerate(draws):
        norm = math.sqrt(sum(value * value for value in row))
        unit = [beta * value / norm * (active_high - active_low) / 2 for value in row]
        spread = 0 if fan.n_out == 1 else beta * (2 * place / (fan.n_out - 1) - 1) * math.copysign(1, row[0])
        bias = spread * (active_high - active_low) / 2 + (active_high + active_low) / 2
        weights.append([0.0] * fan.n_in)
        for value, i in zip(unit, varying, strict=True):
            low, high = fan.input_ranges[i]
            weights[-1][i] = value * 2 / (high - low)
            bias += value * (1 - high * 2 / (high - low))
        biases.append(bias)
    return weights, biases


@pytest.mark.parametrize("n_out", [1, 2, 9])
@pytest.mark.parametrize("active_range", [(-2, 2), (-4, 4), (0, 1)])
def test_nguyen_widrow_agrees_with_a_loop(n_out, active_range):
    """Ranges of several widths and a constant input, which gets weight 0."""
    ranges = [(0, 1), (5, 5), (-3, 7), (100, 101)]
    fan = Fan(n_out, 4, ranges, active_range)
    weights, biases = draw(init.NguyenWidrow(), fan, seed=4)
    expected_weights, expected_biases = nguyen_widrow_by_loops(fan, np.random.default_rng(4))
    assert weights == pytest.approx(np.array(expected_weights), rel=1e-12)
    assert biases == pytest.approx(np.array(expected_biases), rel=1e-10)
    assert not weights[:, 1].any()


def test_nguyen_widrow_has_rows_of_one_length_on_unit_ranges():
    """By hand for 16 neurons of 4 inputs: the magnitude is 0.7 * 2, the active half-width 2."""
    weights, biases = draw(init.NguyenWidrow(), unit_fan(16, 4))
    assert np.linalg.norm(weights, axis=1) == pytest.approx(np.full(16, 2 * 0.7 * 2))  # 16^(1/4) = 2
    assert np.sort(np.abs(biases)) == pytest.approx(np.sort(np.abs(2.8 * np.linspace(-1, 1, 16))))
    assert (np.sign(biases) == np.sign(np.linspace(-1, 1, 16)) * np.sign(weights[:, 0])).all()


def test_nguyen_widrow_with_one_input_covers_its_range():
    """Each of S neurons is centred, its net input 0, at a place of its own, evenly spaced."""
    weights, biases = draw(init.NguyenWidrow(), Fan(11, 1, [(20, 40)], (-2, 2)))
    centres = np.sort(-biases / weights[:, 0])
    assert centres == pytest.approx(np.linspace(20, 40, 11))


@pytest.mark.parametrize(
    "fan",
    [
        unit_fan(300, 4, has_bias=False),
        unit_fan(300, 4, None),
        unit_fan(300, 4, (-math.inf, math.inf)),
        Fan(300, 4, [(2, 2)] * 4, (-2, 2)),
    ],
    ids=["no bias", "no active range", "infinite active range", "constant inputs"],
)
def test_nguyen_widrow_is_uniform_where_there_is_nothing_to_spread(fan):
    """Weights and biases pass for a sample of U[-1, 1]."""
    for numbers in draw(init.NguyenWidrow(), fan):
        assert stats.kstest(numbers.ravel(), stats.uniform(-1, 2).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    ("scheme", "variance"), [(init.Glorot, 2 / 500), (init.He, 2 / 300), (init.LeCun, 1 / 300)]
)
@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_scaled_weights_have_the_variance_and_the_distribution_they_promise(scheme, variance, distribution):
    """Over 60,000 weights; the biases are 0."""
    weights, biases = draw(scheme(distribution), unit_fan(200, 300))
    assert weights.var() == pytest.approx(variance, rel=0.02)
    assert not biases.any()
    deviation = math.sqrt(variance)
    limit = math.sqrt(3) * deviation
    expected = stats.norm(0, deviation) if distribution == "normal" else stats.uniform(-limit, 2 * limit)
    assert stats.kstest(weights.ravel(), expected.cdf).pvalue > 0.01


def test_the_limit_of_glorot_by_hand():
    """The paper's interval is sqrt(6 / (n_in + n_out)) to either side."""
    weights, _ = draw(init.Glorot(), unit_fan(200, 400))
    assert 0.099 < np.abs(weights).max() <= 0.1


@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (1, 4), (4, 1)])
def test_orthogonal_weights_are_orthonormal_times_the_gain(shape):
    """Rows or columns, whichever are fewer."""
    weights, biases = draw(init.Orthogonal(gain=1.5), unit_fan(*shape))
    smaller = weights @ weights.T if shape[0] <= shape[1] else weights.T @ weights
    assert smaller / 1.5**2 == pytest.approx(np.eye(min(shape)), abs=1e-13)
    assert weights.flags.c_contiguous
    assert not biases.any()


def test_orthogonal_weights_prefer_no_direction():
    """Without the signs of the decomposition settled, half of the angles never occur."""
    firsts = [draw(init.Orthogonal(), unit_fan(2, 2), seed)[0][0, 0] for seed in range(400)]
    angles = np.arccos(firsts)
    assert stats.kstest(angles, stats.uniform(0, math.pi).cdf).pvalue > 0.01


def test_plain_distributions_have_their_bounds_and_moments():
    """Weights and biases alike."""
    weights, biases = draw(init.Uniform(1, 3), unit_fan(200, 300))
    for numbers in (weights.ravel(), biases):
        assert stats.kstest(numbers, stats.uniform(1, 2).cdf).pvalue > 0.01
    weights, biases = draw(init.Normal(mean=5, sd=0.1), unit_fan(200, 300))
    for numbers in (weights.ravel(), biases):
        assert stats.kstest(numbers, stats.norm(5, 0.1).cdf).pvalue > 0.01
    weights, biases = draw(init.Constant(0.5), unit_fan(2, 3))
    assert weights.tolist() == [[0.5] * 3] * 2
    assert biases.tolist() == [0.5] * 2


@pytest.mark.parametrize(
    ("transfer", "hidden", "expected"),
    [
        (tf.Tanh(), True, init.NguyenWidrow()),
        (tf.Sigmoid(), True, init.NguyenWidrow()),
        (tf.Tanh(), False, init.Glorot()),
        (tf.Sigmoid(), False, init.Glorot()),
        (tf.Softmax(), False, init.Glorot()),
        (tf.Linear(), True, init.Glorot()),
        (tf.ReLU(), True, init.He()),
        (tf.LeakyReLU(), False, init.He()),
    ],
)
def test_a_layer_that_was_given_none_gets_the_one_that_suits_it(transfer, hidden, expected):
    """By its transfer function and by whether it is hidden."""
    assert default_initializer(transfer, hidden=hidden) == expected


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: init.Glorot("cauchy"), "uniform, normal"),
        (lambda: init.Orthogonal(gain=0), "gain"),
        (lambda: init.Uniform(low=1), "low < high"),
        (lambda: init.Normal(sd=-1), "sd"),
        (lambda: init.Constant(math.inf), "value"),
        (lambda: Fan(0, 1, [(0, 1)]), "n_out"),
    ],
)
def test_parameters_without_meaning_are_refused(make, problem):
    """The message names the parameter or the choices."""
    with pytest.raises(ParameterError, match=problem):
        make()


def test_a_fan_needs_a_range_for_each_input():
    """The message says which shape was expected."""
    with pytest.raises(ShapeError, match=r"\(3, 2\)"):
        Fan(2, 3, [(0, 1)] * 2)


def test_the_documented_names_exist():
    """Programs ask for initializers by these names."""
    assert set(init.Initializer.members()) >= {
        *("nguyen_widrow", "glorot", "he", "lecun", "orthogonal", "uniform", "normal", "constant"),
    }
