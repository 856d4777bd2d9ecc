"""Scaled conjugate gradients against Moeller's steps, written out one by one."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from neuralframe.exceptions import ParameterError
from neuralframe.learning.scaled_conjugate_gradient import ScaledConjugateGradient
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


def moeller(objective, n, sigma=5e-5, scale=5e-7):
    """Return the weights after each of the iterations 1 to n, by the paper's eight steps."""
    w = np.array(objective.start)
    size = len(w)
    lam, lam_bar = scale, 0.0
    p = r = -objective.gradient(w)
    success, delta, path = True, 0.0, []
    for k in range(1, n + 1):
        if success:  # 2
            sigma_k = sigma / np.linalg.norm(p)
            s = (objective.gradient(w + sigma_k * p) - objective.gradient(w)) / sigma_k
            delta = p @ s
        delta = delta + (lam - lam_bar) * (p @ p)  # 3
        if delta <= 0:  # 4
            lam_bar = 2 * (lam - delta / (p @ p))
            delta = -delta + lam * (p @ p)
            lam = lam_bar
        mu = p @ r  # 5
        alpha = mu / delta
        comparison = 2 * delta * (objective.error(w) - objective.error(w + alpha * p)) / mu**2  # 6
        square = p @ p
        if comparison >= 0:  # 7
            w = w + alpha * p
            following = -objective.gradient(w)
            lam_bar, success = 0.0, True
            beta = (following @ following - following @ r) / mu
            p = following if k % size == 0 else following + beta * p
            r = following
            if comparison >= 0.75:
                lam = lam / 4
        else:
            lam_bar, success = lam, False
        if comparison < 0.25:  # 8
            lam = lam + delta * (1 - comparison) / square
        path.append(w.copy())
    return np.array(path)


def _hill(start=(0.3, 0.2)):
    """Return a function that bends downwards where training begins."""
    return FunctionObjective(
        lambda w: np.cos(w[0]) + np.cos(w[1] - 0.5) + 0.01 * w @ w,
        lambda w: np.array([-np.sin(w[0]), -np.sin(w[1] - 0.5)]) + 0.02 * w,
        start,
    )


@pytest.mark.parametrize(
    ("problem", "n"), [(Quadratic, 6), (Rosenbrock, 38), (_hill, 12), (lambda: _hill((0.01, 0.52)), 12)]
)
def test_takes_moellers_steps(problem, n):
    """The same weights after each iteration, discarded ones and hills included.

    As long as rounding, which the difference of near gradients magnifies, has not parted the ways.
    """
    path = np.array([step.weights for step in steps(ScaledConjugateGradient(), problem(), n)])
    np.testing.assert_allclose(path[1:], moeller(problem(), n), rtol=1e-5, atol=1e-7)


def test_the_cases_of_the_paper_all_occurred():
    """On the banana steps are discarded; on the hill curvatures are negative."""
    path = steps(ScaledConjugateGradient(), Rosenbrock(), 60)
    discarded = [np.array_equal(*(s.weights for s in pair)) for pair in pairwise(path)]
    assert 3 < sum(discarded) < 40
    objective = _hill()
    p = -objective.gradient(objective.start)
    assert p @ (objective.gradient(objective.start + 1e-4 * p) - objective.gradient(objective.start)) < 0


def test_a_step_costs_two_gradient_jobs_and_a_discarded_one_leaves_the_next_with_one():
    objective = Rosenbrock()
    last = ScaledConjugateGradient().start(objective, objective.start)
    anew = True
    for _ in range(60):
        before, jobs = last, objective.gradient_jobs
        last = ScaledConjugateGradient().step(objective, last)
        assert objective.gradient_jobs - jobs == (2 if anew else 1)
        anew = last.weights is not before.weights
    assert objective.value_jobs == 0


def test_a_discarded_step_changes_nothing_but_lambda():
    path = steps(ScaledConjugateGradient(), Rosenbrock(), 60)
    for before, after in pairwise(path):
        if after.weights is before.weights:
            assert after.error == before.error
            assert after.gradient is before.gradient
            assert np.array_equal(after.state.direction, before.state.direction)
            assert after.state.scale > before.state.scale


def test_the_error_never_rises():
    for problem in (Quadratic, Rosenbrock, _hill):
        errors = [step.error for step in steps(ScaledConjugateGradient(), problem(), 60)]
        assert all(after <= before for before, after in pairwise(errors))


@pytest.mark.parametrize("wild", [math.inf, math.nan])
def test_a_wild_trial_is_discarded_and_shortened(wild):
    """Beyond 2 the error is no number; the rule finds the minimum before it."""
    objective = FunctionObjective(
        lambda w: -np.log(2 - w[0]) - 3 * w[0] if w[0] < 2 else wild,
        lambda w: 1 / (2 - w) - 3 if w[0] < 2 else np.array([wild]),
        [-8.0],
    )
    path = steps(ScaledConjugateGradient(), objective, 60)
    assert any(after.weights is before.weights for before, after in pairwise(path))
    assert path[-1].weights[0] == pytest.approx(2 - 1 / 3, abs=1e-6)


def test_on_a_straight_line_it_goes_on_without_overflow():
    """No second derivative at all: lambda alone keeps the step finite."""
    objective = FunctionObjective(lambda w: -w[0], lambda _: np.array([-1.0]), [0.0])
    path = steps(ScaledConjugateGradient(), objective, 100)
    assert path[-1].error < -1e6
    assert np.isfinite(path[-1].weights).all()


def test_at_a_minimum_it_is_done():
    objective = Quadratic()
    objective.start = np.zeros(10)
    (*_, last) = steps(ScaledConjugateGradient(), objective, 5)
    assert last.finished == "no step lowers the error"
    assert objective.gradient_jobs == 1


def test_ends_where_rounding_hides_what_is_left():
    path = steps(ScaledConjugateGradient(), Rosenbrock(), 2000)
    assert path[-1].finished == "no step lowers the error"
    assert path[-1].error < 1e-20


@pytest.mark.parametrize("options", [{"sigma": 0}, {"scale": 0}, {"scale": math.nan}])
def test_bad_options_are_refused(options):
    with pytest.raises(ParameterError):
        ScaledConjugateGradient(**options)
