"""The two spirals: second-order rules unwind them where plain descent does not."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf

GRADIENTS = 700
"""What each rule may spend, in gradients of the whole set; J'J is worth about as much as one."""


@pytest.fixture(scope="module")
def data():
    """Lang and Witbrock's 194 points."""
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    spiral = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    return nf.DataSet(np.concatenate([spiral, -spiral]) / 6.5, np.repeat([1.0, -1.0], 97))


def share_of_errors(data, rule):
    network = nf.MultilayerPerceptron(2, 30, 20, 1, output="tanh", seed=0)
    stop = [nf.ErrorGoal(1e-4), nf.MaxIterations(GRADIENTS)]
    run = network.learn(data, rule=rule, stop=stop, seed=0)
    assert run.jobs <= 2 * GRADIENTS
    return np.mean(np.sign(network(data.inputs)) != np.sign(data.targets))


@pytest.mark.slow
@pytest.mark.parametrize("rule", [nf.LBFGS(), nf.LevenbergMarquardt()], ids=["L-BFGS", "Levenberg-Marquardt"])
def test_second_order_rules_get_under_one_per_cent(data, rule):
    assert share_of_errors(data, rule) < 0.01


def test_plain_gradient_descent_does_not_with_as_many_gradients(data):
    assert share_of_errors(data, nf.GradientDescent(0.1)) > 0.1
