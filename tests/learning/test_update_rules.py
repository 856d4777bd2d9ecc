"""SGD, Adam, AdamW, RMSprop and Adagrad, step by step, against PyTorch and against scalar arithmetic."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.exceptions import ParameterError
from neuralframe.learning.adagrad import Adagrad
from neuralframe.learning.adam import Adam, AdamW
from neuralframe.learning.gradient_descent import GradientDescent
from neuralframe.learning.rmsprop import RMSprop
from neuralframe.learning.stochastic_gradient_descent import StochasticGradientDescent
from tests.contracts.problems import Rosenbrock, Script, steps

START = 0.5
GRADIENTS = [0.3, -1.2, 0.0, 1e-9, 4.0, 4.0, -0.7, -0.7, 250.0, -1e-3, 0.02, 0.02]


def sgd(rate, momentum=0.0, *, nesterov=False):
    """Return how torch.optim.SGD moves one weight along given gradients."""
    weight, velocity = START, 0.0
    for g in GRADIENTS:
        velocity = momentum * velocity + g
        weight -= rate * (g + momentum * velocity if nesterov else velocity)
        yield weight


def adam(rate, beta1=0.9, beta2=0.999, *, decay=0.0):
    """Return how Adam moves one weight, by the efficient order of Kingma and Ba's section 2.

    Its epsilon is another one, the root of the bias correction times ours.
    """
    weight, m, v = START, 0.0, 0.0
    for t, g in enumerate(GRADIENTS, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        root = math.sqrt(1 - beta2**t)
        weight *= 1 - rate * decay
        weight -= rate * root / (1 - beta1**t) * m / (math.sqrt(v) + 1e-8 * root)
        yield weight


def rmsprop(rate, memory=0.99, momentum=0.0, *, centered=False):
    """Return how RMSprop moves one weight."""
    weight, square, mean, velocity = START, 0.0, 0.0, 0.0
    for g in GRADIENTS:
        square += (1 - memory) * (g**2 - square)
        mean += (1 - memory) * (g - mean)
        spread = square - mean**2 if centered else square
        velocity = momentum * velocity + g / (math.sqrt(spread) + 1e-8)
        weight -= rate * velocity
        yield weight


def adagrad(rate, slowing=0.0, initial=0.0):
    """Return how Adagrad moves one weight."""
    weight, total = START, initial
    for t, g in enumerate(GRADIENTS):
        total += g**2
        weight -= rate / (1 + t * slowing) * g / (math.sqrt(total) + 1e-10)
        yield weight


CASES = [
    (StochasticGradientDescent(0.1), lambda: sgd(0.1), "SGD", {"lr": 0.1}),
    (StochasticGradientDescent(0.1, 0.9), lambda: sgd(0.1, 0.9), "SGD", {"lr": 0.1, "momentum": 0.9}),
    (
        StochasticGradientDescent(0.01, 0.9, nesterov=True),
        lambda: sgd(0.01, 0.9, nesterov=True),
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    ),
    (
        GradientDescent(0.01, 0.9, nesterov=True),
        lambda: sgd(0.01, 0.9, nesterov=True),
        "SGD",
        {"lr": 0.01, "momentum": 0.9, "nesterov": True},
    ),
    (Adam(), lambda: adam(0.001), "Adam", {}),
    (
        Adam(0.02, momentum=0.5, memory=0.9),
        lambda: adam(0.02, 0.5, 0.9),
        "Adam",
        {"lr": 0.02, "betas": (0.5, 0.9)},
    ),
    (AdamW(), lambda: adam(0.001, decay=0.01), "AdamW", {}),
    (AdamW(0.1, decay=0.3), lambda: adam(0.1, decay=0.3), "AdamW", {"lr": 0.1, "weight_decay": 0.3}),
    (RMSprop(), lambda: rmsprop(0.01), "RMSprop", {}),
    (
        RMSprop(0.001, memory=0.9, momentum=0.8, centered=True),
        lambda: rmsprop(0.001, 0.9, 0.8, centered=True),
        "RMSprop",
        {"lr": 0.001, "alpha": 0.9, "momentum": 0.8, "centered": True},
    ),
    (Adagrad(), lambda: adagrad(0.01), "Adagrad", {}),
    (
        Adagrad(0.5, slowing=0.1, initial_total=2.0),
        lambda: adagrad(0.5, 0.1, 2.0),
        "Adagrad",
        {"lr": 0.5, "lr_decay": 0.1, "initial_accumulator_value": 2.0},
    ),
]
each_case = pytest.mark.parametrize(
    ("rule", "scalar", "name", "options"), CASES, ids=[str(case[0]) for case in CASES]
)


def whole(rule):
    """Return the rule, to be trained with the gradient of the whole training set."""
    return attrs.evolve(rule, batch_blocks=None) if hasattr(rule, "batch_blocks") else rule


@each_case
def test_follows_the_formulas_one_number_at_a_time(rule, scalar, name, options):
    """Along gradients that are given, with zeros, tiny ones, huge ones and turns."""
    objective = Script([0.0] * 13, [[g] for g in [*GRADIENTS, 0.0]])
    objective.start = np.array([START])
    path = [float(step.weights[0]) for step in steps(whole(rule), objective, 12)]
    np.testing.assert_allclose(path[1:], list(scalar()), rtol=1e-12)


@each_case
def test_follows_torch(rule, scalar, name, options):
    """On the banana valley the two stay together for 100 steps, each with the gradients of its own path."""
    torch = pytest.importorskip("torch", reason="torch, an oracle for first-order rules, is not installed")
    objective = Rosenbrock()
    weights = torch.tensor(objective.start)
    small = {} if name != "SGD" else {"lr": options["lr"] / 100}
    optimizer = getattr(torch.optim, name)([weights], **(options | small))
    expected = [objective.start]
    for _ in range(100):
        weights.grad = torch.tensor(objective.gradient(expected[-1]))
        optimizer.step()
        expected.append(weights.numpy().copy())
    rule = attrs.evolve(rule, rate=small["lr"]) if small else rule
    path = np.array([step.weights for step in steps(whole(rule), Rosenbrock(), 100)])
    assert np.ptp(path, axis=0).max() > 1e-2
    np.testing.assert_allclose(path, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("rule", [case[0] for case in CASES if hasattr(case[0], "batch_blocks")], ids=str)
def test_one_block_is_the_whole_training_set(rule):
    """Where there is one block, mini-batches are the same path, by other jobs: sums and errors."""
    by_batches, by_gradients = Rosenbrock(), Rosenbrock()
    rule = attrs.evolve(rule, rate=rule.rate / 100)
    one, other = steps(rule, by_batches, 20), steps(whole(rule), by_gradients, 20)
    assert [step.weights.tobytes() for step in one] == [step.weights.tobytes() for step in other]
    assert [step.error for step in one] == [step.error for step in other]
    assert all(step.gradient is None for step in one)
    assert (by_batches.gradient_jobs, by_batches.value_jobs, by_batches.sum_jobs) == (0, 21, 20)
    assert (by_gradients.gradient_jobs, by_gradients.value_jobs, by_gradients.sum_jobs) == (21, 0, 0)


def test_adams_first_step_is_as_long_as_the_rate():
    """Whatever the size of the gradient: the moments are freed of their start at 0."""
    objective = Script([0.0] * 2, [[1e-3, -1e3, 0.0]] * 2)
    moved = steps(Adam(0.25, batch_blocks=None), objective, 1)[1].weights
    np.testing.assert_allclose(moved, [-0.25, 0.25, 0.0], rtol=1e-4)


@given(st.floats(1e-6, 1e6), st.integers(1, 40))
def test_adam_does_not_care_for_the_scale_of_the_error(scale, n):
    """Gradients times a constant lead the same way, as far as epsilon allows."""
    random = np.random.default_rng(n)
    gradients = random.standard_normal((n + 1, 3))
    paths = [
        steps(Adam(0.1, batch_blocks=None, epsilon=1e-300), Script([0.0] * (n + 1), by * gradients), n)[-1]
        for by in (1.0, scale)
    ]
    np.testing.assert_allclose(paths[0].weights, paths[1].weights, rtol=1e-9, atol=1e-12)


def test_adagrad_by_hand():
    """Gradients 3 and 4: the first step is the rate, the second 4/5 of it."""
    objective = Script([0.0] * 3, [[3.0], [4.0], [0.0]])
    path = [float(step.weights[0]) for step in steps(Adagrad(1.0, batch_blocks=None), objective, 2)]
    np.testing.assert_allclose(path, [0.0, -1.0, -1.8], rtol=1e-9)


def test_a_centered_spread_that_rounds_below_zero():
    """With gradients that never change the spread is 0, or less by rounding; no NaN comes of it."""
    gradient = np.random.default_rng(0).uniform(0, 10, 20)
    square = mean = np.zeros(20)
    for _ in range(60):
        square, mean = 0.5 * square + 0.5 * gradient**2, 0.5 * mean + 0.5 * gradient
    assert (square - mean**2).min() < 0, "the case does arise"
    rule = RMSprop(centered=True, memory=0.5, batch_blocks=None)
    assert np.isfinite(steps(rule, Script([0.0] * 80, [gradient] * 80), 79)[-1].weights).all()


@pytest.mark.parametrize(
    "build",
    [
        lambda: Adam(0),
        lambda: Adam(memory=1.0),
        lambda: Adam(momentum=-0.1),
        lambda: Adam(epsilon=0),
        lambda: AdamW(decay=-1),
        lambda: RMSprop(memory=1.0),
        lambda: RMSprop(momentum=1.0),
        lambda: Adagrad(slowing=-1.0),
        lambda: Adagrad(initial_total=-1.0),
        lambda: StochasticGradientDescent(momentum=1.0),
        lambda: StochasticGradientDescent(batch_blocks=0),
        lambda: StochasticGradientDescent(batch_blocks=1.5),
    ],
)
def test_parameters_out_of_range(build):
    """A hyper-parameter with which the rule means nothing is refused."""
    with pytest.raises(ParameterError):
        build()
