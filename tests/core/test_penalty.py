"""Penalties: by hand, against differences of their own value, and in trainings."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import neuralframe as nf
from neuralframe.core.components import from_json, to_json
from neuralframe.core.penalty import ElasticNet, Penalty
from neuralframe.exceptions import ParameterError

IS_BIAS = np.array([False, False, False, True, False, True])
WEIGHTS = np.array([2.0, -3.0, 0.0, 5.0, 0.5, 0.0])


@attrs.frozen
class Quartic(nf.Penalty):
    """A penalty of the user's own: the fourth powers of all weights."""

    strength: float = 1e-3

    def value(self, weights, is_bias):
        return self.strength * float(np.sum(weights**4))

    def slope(self, weights, gradient, is_bias):
        return gradient + 4 * self.strength * weights**3

    def curvature(self, weights, is_bias):
        return 12 * self.strength * weights**2


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((60, 5))
    return nf.DataSet(inputs, inputs[:, :1] + 0.1 * generator.standard_normal((60, 1)), block_size=16)


def network(n_hidden=4):
    return nf.MultilayerPerceptron(5, n_hidden, 1, seed=0)


# squares without biases are 4 + 9 + 0.25, biases bring 25 more; sizes are 2 + 3 + 0.5, biases bring 5 more
BY_HAND = [
    (ElasticNet(), 0.0, [0.1, 0.1, 0.1, 0.1, 0.1, 0.1], [0.0] * 6),
    (ElasticNet(0.2), 1.325, [0.5, -0.5, 0.1, 0.1, 0.2, 0.1], [0.2, 0.2, 0.2, 0, 0.2, 0]),
    (ElasticNet(l1=0.5), 2.75, [0.6, -0.4, 0.0, 0.1, 0.6, 0.1], [0.0] * 6),
    (ElasticNet(0.2, l1=0.5), 4.075, [1.0, -1.0, 0.0, 0.1, 0.7, 0.1], [0.2, 0.2, 0.2, 0, 0.2, 0]),
    (ElasticNet(0.2, l1=0.5, biases=True), 9.075, [1.0, -1.0, 0.0, 1.6, 0.7, 0.0], [0.2] * 6),
]
PENALTIES = [case[0] for case in BY_HAND]


@pytest.mark.parametrize(("penalty", "value", "slope", "curvature"), BY_HAND)
def test_numbers_by_hand(penalty, value, slope, curvature):
    assert penalty.value(WEIGHTS, IS_BIAS) == pytest.approx(value)
    np.testing.assert_allclose(penalty.slope(WEIGHTS, np.full(6, 0.1), IS_BIAS), slope, atol=1e-15)
    np.testing.assert_array_equal(penalty.curvature(WEIGHTS, IS_BIAS), curvature)
    error, gradient = penalty.added(WEIGHTS, 7.0, np.full(6, 0.1), IS_BIAS)
    assert error == pytest.approx(7 + value)
    np.testing.assert_allclose(gradient, slope, atol=1e-15)
    assert penalty.added(WEIGHTS, 7.0, None, IS_BIAS) == (error, None)


away_from_kinks = hnp.arrays(np.float64, 6, elements=st.floats(0.1, 4) | st.floats(-4, -0.1))


@pytest.mark.parametrize("penalty", [*PENALTIES, Quartic()], ids=str)
@given(weights=away_from_kinks)
def test_slope_and_curvature_are_the_differences_of_the_value(penalty, weights):
    shifts = 1e-4 * np.eye(6)
    up, down = ([penalty.value(weights + sign * shift, IS_BIAS) for shift in shifts] for sign in (1, -1))
    slope = penalty.slope(weights, np.zeros(6), IS_BIAS)
    np.testing.assert_allclose(slope, np.subtract(up, down) / 2e-4, atol=1e-7)
    up, down = (
        [penalty.slope(weights + sign * shift, np.zeros(6), IS_BIAS) @ shift for shift in shifts]
        for sign in (1, -1)
    )
    curvature = np.subtract(up, down) / 2e-8
    np.testing.assert_allclose(penalty.curvature(weights, IS_BIAS), curvature, atol=1e-6)


@pytest.mark.parametrize(("pull", "slope"), [(0.2, 0.0), (-0.5, 0.0), (0.7, 0.2), (-0.9, -0.4), (0.0, 0.0)])
def test_a_weight_leaves_0_only_if_the_error_pulls_harder_than_l1(pull, slope):
    """Both one-sided derivatives of the whole error, pull - 0.5 and pull + 0.5, are no nearer to 0."""
    found = ElasticNet(l1=0.5).slope(np.zeros(1), np.array([pull]), np.array([False]))
    assert found == pytest.approx(slope)
    nearest = min([pull - 0.5, pull + 0.5], key=abs) if abs(pull) > 0.5 else 0.0
    assert found == pytest.approx(nearest)


def test_nothing_penalised_leaves_gradients_as_they_are():
    gradient = np.ones(6)
    assert ElasticNet().slope(WEIGHTS, gradient, IS_BIAS) is gradient


def test_wild_weights_cost_infinitely_much_and_raise_nothing():
    assert ElasticNet(1.0, l1=1.0).value(np.full(6, 1e300), IS_BIAS) == np.inf


@pytest.mark.parametrize(
    "given_", [{"l2": -1}, {"l1": np.nan}, {"l1": "much"}, {"l2": np.inf}, {"biases": 1}]
)
def test_a_parameter_out_of_its_range_is_refused(given_):
    with pytest.raises(ParameterError):
        ElasticNet(**given_)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_survives_json(penalty):
    assert from_json(to_json(penalty)) == penalty


def test_a_number_stands_for_weight_decay():
    assert Penalty.given(0.3) == ElasticNet(0.3)
    with pytest.raises(ParameterError, match=r"decay takes a number, or an nf\.Penalty"):
        network().learn(nf.DataSet(np.zeros((2, 5)), np.zeros(2)), decay=-1)


@pytest.mark.parametrize("penalty", [0.01, *PENALTIES, Quartic()], ids=str)
def test_the_gradient_of_the_whole_error_is_its_slope(data, penalty):
    net = network()
    net.weights[net.weights == 0] = 0.3  # the biases begin at the kink of abs
    assert nf.check_gradient(net, data, decay=penalty) < 1e-8


def test_the_evaluator_adds_the_penalty_once_to_the_mean(data):
    net = network()
    plain, _ = nf.error_and_gradient(net, data)
    whole, _ = nf.error_and_gradient(net, data, decay=ElasticNet(0.1, l1=0.2, biases=True))
    expected = plain + 0.05 * np.sum(net.weights**2) + 0.2 * np.sum(np.abs(net.weights))
    assert whole == pytest.approx(expected, rel=1e-14)
    assert nf.errors(net, data, net.weights[None], decay=Quartic())[0] == pytest.approx(
        plain + 1e-3 * np.sum(net.weights**4), rel=1e-14
    )


@pytest.mark.parametrize("rule", ["resilient_propagation", "gradient_descent", nf.GradientDescent(0.05, 0.9)])
def test_the_record_tells_the_penalty_apart(data, rule):
    penalty = ElasticNet(0.01, l1=0.02)
    run = network().learn(data, rule=rule, decay=penalty, stop=nf.MaxIterations(20), seed=0)
    is_bias = run.network.topology.is_bias
    assert run.history[-1].penalty == penalty.value(run.network.weights, is_bias)
    assert run.error == nf.error_and_gradient(run.network, data, decay=penalty)[0]
    assert run.history.column("error")[-1] < run.history.column("error")[0]


def test_l1_makes_the_weights_of_useless_inputs_vanish(data):
    """Only the first input tells anything: of a linear network the other weights come within a step of 0.

    The solution is known: with nearly white inputs the weight shrinks from 1 by about l1.
    """
    net = nf.MultilayerPerceptron(5, 1, seed=0)
    net.learn(data, decay=ElasticNet(l1=0.1), stop=nf.MaxIterations(300))
    first, *others = net.weights[:5]
    assert first == pytest.approx(0.9, abs=0.05)
    assert np.abs(others).max() < 1e-5


def test_a_run_goes_on_with_its_penalty(data, tmp_path):
    penalty = ElasticNet(0.01, l1=0.02, biases=True)
    whole = network().learn(data, decay=penalty, stop=nf.MaxIterations(9), seed=0)
    network().learn(data, decay=penalty, stop=nf.MaxIterations(4), seed=0, checkpoint=tmp_path / "run")
    again = nf.resume(tmp_path / "run", data, stop=nf.MaxIterations(9))
    assert np.array_equal(again.network.weights, whole.network.weights)
    assert again.error == whole.error
