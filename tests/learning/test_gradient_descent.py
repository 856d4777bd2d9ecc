"""Gradient descent, its momentum and the variable rate."""

from __future__ import annotations

import math
from fractions import Fraction

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.core.learning_rule import Iterate
from neuralframe.exceptions import ChoiceError, ParameterError
from neuralframe.learning.adaptive_rates import AdaptiveRate, Pace, VariableRate
from neuralframe.learning.gradient_descent import GradientDescent, eaton_olivier_rate
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, Script, steps


def _parabola(curvature, start=1.0):
    return FunctionObjective(lambda w: 0.5 * curvature * w[0] ** 2, lambda w: curvature * w, [start])


def _path(rule, objective, n):
    return np.array([step.weights[0] for step in steps(rule, objective, n)])


def _heavy_ball_exactly(rate, momentum, curvature, n):
    """Return w(n) from w(0) = 1 in rational numbers, by the power of the 2x2 recurrence."""
    rate, momentum, curvature = Fraction(rate), Fraction(momentum), Fraction(curvature)
    recurrence = np.array([[1 + momentum - rate * curvature, -momentum], [Fraction(1), Fraction(0)]])
    return float((np.linalg.matrix_power(recurrence, n) @ [1, 1])[0])


def _heavy_ball_by_eigenvalues(rate, momentum, curvature, n):
    """Return w(n) from w(0) = w(-1) = 1 as a sum of powers of the two roots."""
    trace = 1 + momentum - rate * curvature
    root = np.sqrt(complex(trace**2 - 4 * momentum))
    first, second = (trace + root) / 2, (trace - root) / 2
    share = (1 - second) * first / (first - second)
    return (share * first**n + (1 - share) * second**n).real


@pytest.mark.parametrize(("rate", "momentum"), [(0.1, 0.0), (0.1, 0.5), (0.25, 0.9), (0.8, 0.3)])
@pytest.mark.parametrize("closed_form", [_heavy_ball_exactly, _heavy_ball_by_eigenvalues])
def test_momentum_is_the_heavy_ball(rate, momentum, closed_form):
    """On a parabola the weight follows the closed form of the two-term recurrence."""
    path = _path(GradientDescent(rate, momentum), _parabola(1.5), 60)
    expected = [closed_form(rate, momentum, 1.5, n) for n in range(61)]
    np.testing.assert_allclose(path, expected, rtol=1e-12, atol=1e-13)


@given(st.floats(0.001, 1), st.floats(0, 0.99), st.floats(0.001, 2))
def test_momentum_at_any_rate(rate, momentum, curvature):
    """The closed form holds for all hyper-parameters with which the rule converges."""
    path = _path(GradientDescent(rate, momentum), _parabola(curvature), 20)
    np.testing.assert_allclose(path[-1], _heavy_ball_exactly(rate, momentum, curvature, 20), atol=1e-12)


def test_momentum_by_hand():
    """Gradient 1, rate 0.5, momentum 0.5: the changes are -0.5, -0.75, -0.875."""
    path = _path(GradientDescent(0.5, 0.5), Script([0.0] * 4), 3)
    assert path.tolist() == [0.0, -0.5, -1.25, -2.125]


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_nesterov_is_told_from_the_point_ahead(problem):
    """Nesterov's two points, as Sutskever writes them: ours is the one where the gradient is taken."""
    objective, rate, momentum = problem(), 0.0005, 0.9
    behind, velocity, expected = objective.start, np.zeros(objective.n_weights), []
    for _ in range(200):
        expected.append(behind + momentum * velocity)
        velocity = momentum * velocity - rate * objective.gradient(expected[-1])
        behind = behind + velocity
    taken = steps(GradientDescent(rate, momentum, nesterov=True), problem(), 199)
    np.testing.assert_allclose([step.weights for step in taken], expected, rtol=1e-11, atol=1e-13)


def test_nesterov_by_hand():
    """Gradient 1, rate 0.5, momentum 0.5: velocities -0.5, -0.75, -0.875, and half of each is run ahead."""
    path = _path(GradientDescent(0.5, 0.5, nesterov=True), Script([0.0] * 4), 3)
    assert path.tolist() == [0.0, -0.75, -1.625, -2.5625]


def test_nesterov_without_momentum_is_plain_descent():
    """There is nothing to look ahead along."""
    one, other = (_path(GradientDescent(0.3, nesterov=ahead), _parabola(1.0), 20) for ahead in (True, False))
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_limit_of_stability(momentum):
    """It converges just below a rate of 2 (1 + momentum) / curvature, and diverges just above."""
    limit = 2 * (1 + momentum) / 4.0
    assert abs(_path(GradientDescent(0.99 * limit, momentum), _parabola(4.0), 2000)[-1]) < 1e-3
    assert abs(_path(GradientDescent(1.01 * limit, momentum), _parabola(4.0), 2000)[-1]) > 1e3


def test_divergence_raises_no_warning():
    """Weights may overflow; what that means is for the driver to say."""
    assert not np.isfinite(_path(GradientDescent(1e300), _parabola(4.0), 5)[-1])


def _bold(errors, gradients=None, *, rate=1.0, momentum=0.5, **factors):
    rule = GradientDescent(rate, momentum, adaptive=VariableRate(**factors))
    return steps(rule, Script(errors, gradients), len(errors) - 1)


def test_variable_rate_by_hand():
    """Rate 1, momentum 0.5, gradient always 1: every branch of the rule, worked out on paper.

    The fourth step builds no momentum on anything but the third, since both before it were discarded.
    """
    taken = _bold([1.0, 1.05, 2.0, 1.03, 1.02, 1.0608], up=1.5, down=0.5)
    at = [
        (float(step.weights[0]), step.error, step.state.rate, float(step.state.change[0])) for step in taken
    ]
    assert at == [
        (0.0, 1.0, 1.0, 0.0),
        (0.0, 1.0, 0.5, 0.0),  # 1.05 > 1.04: discarded
        (0.0, 1.0, 0.25, 0.0),  # discarded again
        (-0.25, 1.03, 0.25, -0.25),  # within the tolerance: kept at the same rate, no momentum yet
        (-0.625, 1.02, 0.375, -0.375),  # lower: kept, faster, with momentum again
        (-1.1875, 1.0608, 0.375, -0.5625),  # 1.0608 = 1.04 * 1.02 is not above the tolerance
    ]


def test_momentum_is_off_after_a_discarded_step():
    """The momentum that had built up is gone in the step after a discarded one."""
    taken = _bold([1.0, 0.9, 9.0, 0.8], rate=1.0, momentum=0.5, up=1.0, down=0.5)
    assert [float(step.weights[0]) for step in taken] == [0.0, -1.0, -1.0, -1.5]


def test_discarded_step_returns_the_old_standing():
    """After a discarded step the weights, the error and the gradient are the old ones, at one job."""
    objective = Quadratic()
    rule = GradientDescent(1.0, adaptive=VariableRate())
    first = rule.start(objective, objective.start)
    second = rule.step(objective, first)
    assert (second.weights is first.weights, second.error, second.state.rate) == (True, first.error, 0.7)
    assert second.gradient is first.gradient
    assert (objective.gradient_jobs, objective.value_jobs) == (2, 0)


@pytest.mark.parametrize(
    ("error", "gradient"), [(np.nan, 1.0), (np.inf, 1.0), (-np.inf, 1.0), (0.5, np.nan), (0.5, np.inf)]
)
def test_trial_that_is_not_finite(error, gradient):
    """An infinity or a NaN is a failed step, even where the error looks lower."""
    taken = _bold([1.0, error, 0.9], [[1.0], [gradient], [1.0]], down=0.5)
    assert [step.error for step in taken] == [1.0, 1.0, 0.9]
    assert [float(step.weights[0]) for step in taken] == [0.0, 0.0, -0.5]


def test_trial_weights_that_are_not_finite():
    """Weights that overflow are discarded, though the error there may be as good as it gets."""
    taken = _bold([1.0, 0.0, 0.9], [[1e10]] * 3, rate=1e300, momentum=0.0, down=1e-300)
    assert [step.error for step in taken] == [1.0, 1.0, 0.9]
    assert np.isfinite(taken[-1].weights).all()


def test_rate_stays_finite():
    """An error that falls forever does not raise the rate to infinity."""
    taken = _bold([1.0, 0.9, 0.8, 0.7], [[0.0]] * 4, rate=1e308, up=10.0)
    assert np.isfinite(taken[-1].state.rate)


def test_negative_errors_may_not_rise():
    """Below zero 1.04 times the error would be lower; there a step is discarded only if the error rose."""
    assert [step.error for step in _bold([-1.0, -1.01, -1.005])] == [-1.0, -1.01, -1.01]


def test_recovers_from_a_wild_rate():
    """From a rate a million times too large it still reaches the minimum."""
    taken = steps(GradientDescent(1e3, 0.9, adaptive="variable_rate"), Quadratic(), 600)
    assert taken[-1].error < 1e-6


@pytest.mark.parametrize("given", ["variable_rate", VariableRate, VariableRate()])
def test_adaptive_by_name_class_or_object(given):
    """The adaptive rate may be given as components are everywhere."""
    assert GradientDescent(adaptive=given) == GradientDescent(adaptive=VariableRate())


def test_an_adaptive_rate_of_ones_own():
    """A rate for each weight needs one method: here each halves where the gradient's sign turns."""

    @attrs.frozen
    class Halving(AdaptiveRate):
        def settle(self, last, trial):
            turned = last.gradient * trial.gradient < 0
            pace = Pace(np.where(turned, 0.5, 1.0) * trial.state.rate, trial.state.change)
            return Iterate(trial.weights, trial.error, trial.gradient, pace)

    curvatures = np.array([10.0, 1.0])
    objective = FunctionObjective(lambda w: 0.5 * curvatures @ w**2, lambda w: curvatures * w, np.ones(2))
    last = steps(GradientDescent(1.0, adaptive="halving"), objective, 40)[-1]
    assert last.error < 1e-12
    assert last.state.rate.tolist() == [0.0625, 1.0]  # the first below 1 / curvature


@pytest.mark.parametrize("sizes", [[50, 50, 50], [1], [20, 300, 0]])
def test_eaton_olivier_is_their_rate_for_errors_that_are_means(sizes):
    """Times the gradient of the mean it is 1.5 / sqrt(sum of squares) times the gradient of the sum."""
    of_the_sum = 1.5 / math.sqrt(sum(size**2 for size in sizes))
    assert eaton_olivier_rate(sizes) / sum(sizes) == pytest.approx(of_the_sum, rel=1e-14)


@pytest.mark.parametrize("sizes", [[], [0, 0], [-1, 3], [math.nan]])
def test_eaton_olivier_needs_samples(sizes):
    """Without any there is no rate."""
    with pytest.raises(ParameterError, match="class_sizes"):
        eaton_olivier_rate(sizes)


@pytest.mark.parametrize(
    "build",
    [
        lambda: GradientDescent(0),
        lambda: GradientDescent(np.nan),
        lambda: GradientDescent(momentum=1.0),
        lambda: GradientDescent(momentum=-0.1),
        lambda: VariableRate(up=0.9),
        lambda: VariableRate(down=1.0),
        lambda: VariableRate(tolerance=0.99),
    ],
)
def test_parameters_out_of_range(build):
    """A hyper-parameter with which the rule means nothing is refused."""
    with pytest.raises(ParameterError):
        build()


def test_unknown_adaptive_rate():
    """An unknown name lists those that exist."""
    with pytest.raises(ChoiceError, match="variable_rate"):
        GradientDescent(adaptive="variable")
