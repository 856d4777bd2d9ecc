"""RPROP: its four variants, step by step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.exceptions import ParameterError
from neuralframe.learning.resilient_propagation import ResilientPropagation
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, Script, steps

VARIANTS = ["rprop-", "irprop-", "rprop+", "irprop+"]

each_variant = pytest.mark.parametrize("variant", VARIANTS)


def _weights(rule, objective, n):
    return np.array([step.weights for step in steps(rule, objective, n)])


class LoopRprop:
    """The pseudo-code of Igel and Huesken, one weight at a time: an oracle that shares nothing.

    It remembers changes and derivatives, and multiplies derivatives, as the paper does.
    """

    def __init__(self, variant, n_weights, initial_step):
        self.variant = variant
        self.delta = [initial_step] * n_weights
        self.last_derivative = [0.0] * n_weights
        self.last_change = [0.0] * n_weights
        self.last_error = 0.0

    def update(self, weights, error, gradient):
        """Return the weights after one iteration."""
        moved = [self._move(i, w, error, g) for i, (w, g) in enumerate(zip(weights, gradient, strict=True))]
        self.last_error = error
        return moved

    def _move(self, i, weight, error, derivative):
        product = self.last_derivative[i] * derivative
        if product > 0:
            self.delta[i] = min(self.delta[i] * 1.2, 50.0)
        elif product < 0:
            self.delta[i] = max(self.delta[i] * 0.5, 1e-6)
        if product < 0 and self.variant in ("rprop+", "irprop+"):
            rose = error > self.last_error
            change = -self.last_change[i] if self.variant == "rprop+" or rose else 0.0
            self.last_derivative[i] = 0.0
        else:
            if product < 0 and self.variant == "irprop-":
                derivative = 0.0
            change = -math.copysign(self.delta[i], derivative) if derivative != 0 else 0.0
            self.last_derivative[i] = derivative
        self.last_change[i] = change
        return weight + change


def _loop(variant, objective, n, initial_step=0.0125):
    oracle = LoopRprop(variant, objective.n_weights, initial_step)
    path = [objective.start.tolist()]
    for _ in range(n):
        error, gradient = objective.value_and_gradient(np.array(path[-1]))
        path.append(oracle.update(path[-1], error, gradient.tolist()))
    return np.array(path)


@each_variant
@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_follows_the_loop_oracle(variant, problem):
    """On smooth functions each variant takes the path of the paper's pseudo-code."""
    path = _weights(ResilientPropagation(variant), problem(), 100)
    np.testing.assert_allclose(path, _loop(variant, problem(), 100), rtol=0, atol=1e-11)


@each_variant
@given(
    calls=st.lists(
        st.tuples(st.floats(0, 9), st.lists(st.sampled_from([-2.0, 0.0, 0.5]), min_size=3, max_size=3)),
        min_size=2,
        max_size=25,
    ),
    initial_step=st.sampled_from([1.5e-6, 0.0125, 45.0]),
)
def test_follows_the_loop_oracle_anywhere(variant, calls, initial_step):
    """Whatever signs, zeros and errors come along, and at the bounds of the sizes, they agree."""
    errors, gradients = zip(*calls, strict=True)
    n = len(calls) - 1
    path = _weights(ResilientPropagation(variant, initial_step=initial_step), Script(errors, gradients), n)
    expected = _loop(variant, Script(errors, gradients), n, initial_step)
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_irprop_minus_follows_torch(problem):
    """torch.optim.Rprop sets the gradient to 0 where its sign turned: it is iRprop-, and ours agrees."""
    torch = pytest.importorskip("torch", reason="torch, an oracle for iRprop-, is not installed")
    objective = problem()
    weights = torch.tensor(objective.start)
    optimizer = torch.optim.Rprop([weights], lr=0.0125, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0))
    expected = [objective.start]
    for _ in range(300):
        weights.grad = torch.tensor(objective.gradient(expected[-1]))
        optimizer.step()
        expected.append(weights.numpy().copy())
    path = _weights(ResilientPropagation("irprop-"), problem(), 300)
    np.testing.assert_allclose(path, expected, rtol=0, atol=1e-11)


def _scripted(variant, gradients, errors=None, **parameters):
    """Return the path of one weight from 0 with a first step of 1, doubled or halved."""
    rule = ResilientPropagation(variant, **({"initial_step": 1.0, "increase": 2.0} | parameters))
    objective = Script(errors or [0.0] * len(gradients), [[g] for g in gradients])
    return _weights(rule, objective, len(gradients) - 1)[:, 0].tolist()


@pytest.mark.parametrize(
    ("variant", "errors", "path"),
    [
        ("rprop-", None, [0.0, -1.0, -3.0, -2.0, 0.0, -1.0]),
        ("irprop-", None, [0.0, -1.0, -3.0, -3.0, -2.0, -2.0]),
        ("rprop+", None, [0.0, -1.0, -3.0, -1.0, 0.0, -1.0]),
        ("irprop+", [9.0, 5.0, 6.0, 4.0, 4.0], [0.0, -1.0, -3.0, -1.0, 0.0, 0.0]),
        ("irprop+", [9.0, 5.0, 5.0, 4.0, 4.5], [0.0, -1.0, -3.0, -3.0, -2.0, -3.0]),
    ],
)
def test_sign_change_by_hand(variant, errors, path):
    """Where the sign turns each variant does its own thing, and iRprop+ asks whether the error rose.

    The gradients say: forward, forward, back, back, forward. The errors decide the third and the fifth
    step.
    """
    errors = [0.0] * 6 if errors is None else [*errors, 0.0]
    assert _scripted(variant, [1.0, 1.0, -1.0, -1.0, 1.0, 0.0], errors) == path


def test_no_change_of_size_after_a_sign_change():
    """Where the sign turned it is forgotten: the next step neither grows nor shrinks the size."""
    for variant in ["irprop-", "rprop+", "irprop+"]:
        rule = ResilientPropagation(variant, initial_step=1.0, increase=2.0)
        taken = steps(rule, Script([0.0] * 6, [[1.0], [1.0], [-1.0], [-1.0], [-1.0], [1.0]]), 5)
        assert [float(step.state.sizes[0]) for step in taken] == [1.0, 1.0, 2.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize("variant", ["rprop+", "irprop+"])
@given(st.floats(-1e3, 1e3), st.floats(1e-5, 40))
def test_takes_back_exactly(variant, start, size):
    """A step that is taken back ends at the very bits where it began."""
    objective = Script([0.0, 1.0, 1.0], [[1.0], [-1.0], [1.0]])
    objective.start = np.array([start])
    path = _weights(ResilientPropagation(variant, initial_step=size), objective, 2)
    assert path[2, 0] == path[0, 0]


@each_variant
def test_zero_gradient_moves_nothing(variant):
    """The sign of 0 is 0: the weight stays, its size too, and the next step is like a first one."""
    assert _scripted(variant, [1.0, 0.0, -1.0, 0.0]) == [0.0, -1.0, -1.0, 0.0]


@each_variant
def test_sizes_are_bounded(variant):
    """Growth ends at max_step, and shrinking at min_step."""
    path = _scripted(variant, [1.0] * 5 + [0.0], max_step=3.0)
    assert path == [0.0, -1.0, -3.0, -6.0, -9.0, -12.0]
    rule = ResilientPropagation(variant, initial_step=1.0, min_step=0.3)
    taken = steps(rule, Script([0.0] * 9, [[g] for g in (1, -1, -1, 1, 1, -1, -1, 1, 0)]), 8)
    assert min(float(step.state.sizes[0]) for step in taken) == 0.3


@each_variant
@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**500])
def test_scale_of_the_error(variant, scale):
    """Gradients whose product would underflow or overflow are treated as any others, to the bit."""
    errors = [0.0, 1.0, 3.0, 2.0, 2.0, 5.0, 1.0, 1.0]
    gradients = np.array([[1.0], [2.0], [3.0], [-1.0], [-1.0], [1.0], [2.0], [3.0]])
    rule = ResilientPropagation(variant)
    plain = _weights(rule, Script(errors, gradients), 7)
    scaled = _weights(rule, Script(np.array(errors) * scale, gradients * scale), 7)
    assert np.array_equal(plain, scaled)


@each_variant
def test_one_gradient_job_an_iteration(variant):
    """Each iteration costs one gradient job and nothing else; iRprop+ has its error from the same."""
    objective = Rosenbrock()
    steps(ResilientPropagation(variant), objective, 10)
    assert (objective.gradient_jobs, objective.value_jobs) == (11, 0)


@each_variant
def test_nan_raises_no_warning(variant):
    """A gradient that is not a number gives weights that are not; the driver ends the training."""
    path = _scripted(variant, [1.0, np.nan, 1.0])
    assert math.isnan(path[-1])


@each_variant
def test_weights_are_treated_one_by_one(variant):
    """On a sum of functions of one weight each, the weights move as they would alone."""
    curvatures = np.array([1.0, 7.0, 50.0])
    together = FunctionObjective(lambda w: 0.0 * w[0], lambda w: curvatures * w, np.ones(3))
    path = _weights(ResilientPropagation(variant), together, 80)
    for column, curvature in zip(path.T, curvatures, strict=True):
        alone = FunctionObjective(lambda w: 0.0 * w[0], lambda w, c=curvature: c * w, [1.0])
        assert np.array_equal(column, _weights(ResilientPropagation(variant), alone, 80)[:, 0])


@pytest.mark.parametrize(
    "parameters",
    [
        {"variant": "rprop"},
        {"initial_step": 0},
        {"initial_step": 60.0},
        {"initial_step": 1e-7},
        {"increase": 1.0},
        {"decrease": 1.0},
        {"min_step": -1.0},
        {"max_step": np.inf},
    ],
)
def test_parameters_out_of_range(parameters):
    """A hyper-parameter with which the rule means nothing is refused."""
    with pytest.raises(ParameterError):
        ResilientPropagation(**parameters)
