"""Salomon's evolutionary rate: two trials in one job, the better one survives."""

from __future__ import annotations

import numpy as np
import pytest

from neuralframe.exceptions import ParameterError
from neuralframe.learning.evolutionary_rate import EvolutionaryRate
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


class Counting(Rosenbrock):
    """Counts the jobs of several gradients, too."""

    joint_jobs = 0

    def values_and_gradients(self, candidates):
        self.joint_jobs += 1
        assert len(candidates) == 2
        return super().values_and_gradients(candidates)


def parabola(curvature=1.0):
    return FunctionObjective(lambda w: 0.5 * curvature * w @ w, lambda w: curvature * w, [1.0])


def test_by_hand():
    """On w^2/2 from 1 with rate 0.25 and factor 2: rates 0.5, 1 (the minimum), then the plateau."""
    taken = steps(EvolutionaryRate(0.25, 2.0), parabola(), 2)
    assert [(float(step.weights[0]), step.state) for step in taken] == [(1.0, 0.25), (0.5, 0.5), (0.0, 1.0)]


def test_the_smaller_rate_may_win():
    """With rate 3 the trials are 6 and 1.5: only the second lowers the error."""
    taken = steps(EvolutionaryRate(3.0, 2.0), parabola(), 1)
    assert (float(taken[1].weights[0]), taken[1].state) == (-0.5, 1.5)


def test_if_both_trials_raise_the_error_the_weights_stay():
    """The standing is the old one, the rate the smaller one."""
    first, second, third = steps(EvolutionaryRate(16.0, 2.0), parabola(), 2)
    assert (second.weights is first.weights, second.error, second.state) == (True, first.error, 8.0)
    assert (third.weights is first.weights, third.state) == (True, 4.0)


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
@pytest.mark.parametrize("rate", [1e-12, 1.0, 1e12])
def test_the_error_never_rises(problem, rate):
    """Whatever the first rate is, and it finds its own within a few dozen steps."""
    taken = steps(EvolutionaryRate(rate), problem(), 150)
    errors = np.array([step.error for step in taken])
    assert (np.diff(errors) <= 0).all()
    assert errors[-1] < errors[0] / 2


def test_a_step_is_one_job():
    """Both trials, with error and gradient, come from one call."""
    objective = Counting()
    steps(EvolutionaryRate(), objective, 10)
    assert objective.joint_jobs == 10


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf])
def test_trials_that_are_not_finite_lose(wild):
    """An error or a gradient that is no number is worse than any, even where it looks lower."""
    for by_error in (True, False):
        objective = FunctionObjective(
            lambda w, e=by_error: wild if e and w[0] < 0 else w @ w,
            lambda w, e=by_error: np.array([wild]) if not e and w[0] < 0 else 2 * w,
            [1.0],
        )
        taken = steps(EvolutionaryRate(0.4, 2.0), objective, 3)
        assert taken[1].state == 0.2
        assert all(np.isfinite(step.error) and step.weights[0] >= 0 for step in taken)


def test_a_rate_stays_a_number_on_the_plain():
    """Where the gradient is 0 nothing moves, and the rate neither overflows nor vanishes for good."""
    objective = FunctionObjective(lambda _: 1.0, lambda w: 0.0 * w, [1.0])
    last = steps(EvolutionaryRate(1e300, 1e5), objective, 20)[-1]
    assert np.isfinite(last.state)
    assert last.state > 0
    assert last.weights.tolist() == [1.0]


@pytest.mark.parametrize("build", [lambda: EvolutionaryRate(0), lambda: EvolutionaryRate(factor=1.0)])
def test_parameters_out_of_range(build):
    """A hyper-parameter with which the rule means nothing is refused."""
    with pytest.raises(ParameterError):
        build()
