"""Conjugate gradients: the formulas, the restarts, and what theory promises."""

from __future__ import annotations

import math
from itertools import pairwise

import attrs
import numpy as np
import pytest
import scipy.optimize

from neuralframe.exceptions import ChoiceError, ParameterError
from neuralframe.learning.conjugacy import CONJUGACIES
from neuralframe.learning.conjugate_gradient import ConjugateGradient
from neuralframe.learning.line_search import LineSearch
from neuralframe.learning.line_searches import HagerZhangLineSearch, WolfeLineSearch
from neuralframe.learning.scaled_conjugate_gradient import ScaledConjugateGradient
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps

each_formula = pytest.mark.parametrize("beta", CONJUGACIES)


@attrs.frozen
class ExactOnQuadratics(LineSearch):
    """Goes to where the slope, which changes linearly, is zero."""

    def search(self, line, first_step):
        trial = line.point(first_step)
        bend = (trial.slope - line.origin.slope) / first_step
        return line.point(-line.origin.slope / bend)


def _exact(beta, **options):
    return ConjugateGradient(beta, line_search=ExactOnQuadratics(), **options)


def _bowl(curvatures, start):
    matrix = np.diag(np.asarray(curvatures, dtype=float))
    return FunctionObjective(lambda w: 0.5 * w @ matrix @ w, lambda w: matrix @ w, start)


@each_formula
def test_ends_in_as_many_steps_as_there_are_weights(beta):
    """With exact searches, on a quadratic of ten weights."""
    path = steps(_exact(beta), _bowl(np.arange(1, 11), np.cos(np.arange(10))), 10)
    assert path[9].error > 1e-9
    assert path[10].error < 1e-20


@each_formula
def test_ends_in_as_many_steps_as_there_are_different_curvatures(beta):
    """Five weights of two curvatures: two steps."""
    path = steps(_exact(beta), _bowl([1, 1, 7, 7, 7], [1, -2, 3, 0.5, -1]), 2)
    assert path[1].error > 1e-3
    assert path[2].error < 1e-25


def test_on_a_quadratic_all_formulas_take_the_same_path():
    """That of the linear conjugate gradients of Hestenes and Stiefel, here with a matrix and no rule."""
    objective = Quadratic()
    matrix = np.array([objective.gradient(row) for row in np.eye(10)])
    weights = [objective.start]
    residual = direction = -matrix @ weights[0]
    for _ in range(6):
        share = residual @ residual / (direction @ matrix @ direction)
        weights.append(weights[-1] + share * direction)
        following = residual - share * matrix @ direction
        direction = following + following @ following / (residual @ residual) * direction
        residual = following
    for beta in CONJUGACIES:
        path = [step.weights for step in steps(_exact(beta), Quadratic(), 6)]
        np.testing.assert_allclose(path, weights, rtol=0, atol=1e-6, err_msg=beta)


@each_formula
def test_successive_gradients_are_orthogonal_to_directions(beta):
    """After an exact search the new gradient has nothing along the old direction."""
    path = steps(_exact(beta), Quadratic(), 5)
    for before, after in pairwise(path):
        step = after.weights - before.weights
        assert abs(after.gradient @ step) < 1e-9 * np.linalg.norm(before.gradient) * np.linalg.norm(step)


def test_the_formulas_by_hand():
    """With y = (2, -1), g.g = 10, g'.g' = y.y = g.y = 5, d'.y = 1 and g.d' = 4."""
    vectors = np.array([[3.0, 1.0], [1.0, 2.0], [1.0, 1.0]])
    assert {name: formula(*vectors) for name, formula in CONJUGACIES.items()} == {
        "fletcher_reeves": 2.0,
        "polak_ribiere": 1.0,
        "hestenes_stiefel": 5.0,
        "dai_yuan": 10.0,
        "hager_zhang": pytest.approx(5 - 2 * 5 * 4),
    }


def test_hager_zhang_has_a_floor():
    """By hand: with d' a hundred times as long beta is -0.35, and the floor -1 / (141.4 * 0.01) is lower."""
    formula, gradient, before = CONJUGACIES["hager_zhang"], np.array([3.0, 1.0]), np.array([1.0, 2.0])
    assert formula(gradient, before, np.array([100.0, 100.0])) == pytest.approx(-0.35)
    along = np.array([1000.0, 1900.0])  # d'.y = 100, g.d' = 4900: 0.05 - 2 * 0.05 * 49 = -4.85
    assert formula(gradient, before, along) == pytest.approx(-1 / (math.hypot(1000, 1900) * 0.01))


def test_polak_ribiere_never_goes_below_zero():
    gradient = np.array([1.0, 0.0])
    assert CONJUGACIES["polak_ribiere"](gradient, 3 * gradient, gradient) == 0.0


@each_formula
def test_a_formula_over_zero_makes_no_direction(beta):
    """Where nothing has changed, d'.y is zero; the rule then goes down the steepest slope."""
    still = np.zeros(2)
    assert not CONJUGACIES[beta](np.ones(2), still, still) > 0


@each_formula
@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_every_direction_leads_downhill(beta, problem):
    """Whatever formula and search, the error never rises."""
    for search in ("wolfe", "brent", "armijo", "batched"):
        errors = [step.error for step in steps(ConjugateGradient(beta, line_search=search), problem(), 25)]
        assert all(after < before for before, after in pairwise(errors))


def _is_steepest(before, after):
    """Whether a step went against the gradient."""
    step = after.weights - before.weights
    cosine = -step @ before.gradient / np.linalg.norm(step) / np.linalg.norm(before.gradient)
    return cosine == pytest.approx(1, abs=1e-12)


def test_begins_anew_every_so_many_lines():
    """With a restart every three lines, the first, fourth and seventh go against the gradient."""
    path = steps(_exact("polak_ribiere", restart_every=3, powell=None), Quadratic(), 7)
    steepest = [_is_steepest(*pair) for pair in pairwise(path)]
    assert steepest == [True, False, False, True, False, False, True]


def test_begins_anew_after_as_many_lines_as_there_are_weights():
    path = steps(ConjugateGradient("fletcher_reeves", powell=None), Rosenbrock(), 6)
    assert [_is_steepest(*pair) for pair in pairwise(path)] == [True, False] * 3


def test_begins_anew_where_gradients_overlap():
    """Powell: a step that hardly changes the gradient is followed by the steepest descent."""

    @attrs.frozen
    class Timid(LineSearch):
        def search(self, line, first_step):
            return line.point(1e-5)

    for powell, steepest in ((0.2, True), (None, False)):
        rule = ConjugateGradient("fletcher_reeves", line_search=Timid(), powell=powell)
        path = steps(rule, Quadratic(), 2)
        assert _is_steepest(*path[1:]) == steepest


@pytest.mark.parametrize(("search", "times"), [("wolfe", 1.5), ("hager_zhang", 2)])
def test_scipy_needs_as_many_gradients(search, times):
    """To a gradient of 1e-5 on the banana, our gradient jobs are in the league of scipy's evaluations."""
    objective = Rosenbrock()
    theirs = scipy.optimize.minimize(
        objective._error, objective.start, jac=objective.gradient, method="CG", options={"gtol": 1e-5}
    )
    last = rule_to(ConjugateGradient(line_search=search), objective, 1e-5)
    np.testing.assert_allclose(last.weights, theirs.x, atol=1e-4)
    assert objective.gradient_jobs <= times * theirs.njev


def rule_to(rule, objective, norm):
    """Return the standing where the gradient is small."""
    last = rule.start(objective, objective.start)
    while np.max(np.abs(last.gradient)) > norm:
        last = rule.step(objective, last)
    return last


def test_the_first_trial_expects_the_last_lines_change():
    """On a bowl, a second line begins where as much first-order change would be made as on the first."""
    seen = []

    @attrs.frozen
    class Watched(LineSearch):
        def search(self, line, first_step):
            seen.append((first_step, line.origin.slope))
            return WolfeLineSearch(curvature=0.1).search(line, first_step)

    path = steps(ConjugateGradient(line_search=Watched()), Quadratic(), 2)
    assert seen[0][0] == pytest.approx(1 / np.sum(np.abs(path[0].gradient)))
    assert seen[1][0] == pytest.approx(path[1].state.step * seen[0][1] / seen[1][1])


def test_where_no_step_lowers_the_error_the_rule_is_done():
    """At a minimum, and where rounding hides what is left; weights, error and gradient stay."""
    objective = Quadratic()
    objective.start = np.zeros(10)
    (*_, last) = steps(ConjugateGradient(), objective, 5)
    assert last.finished == "no step lowers the error"
    assert np.array_equal(last.weights, np.zeros(10))
    rounded = FunctionObjective(lambda w: 1e20 + w @ w, lambda w: 2 * w, np.ones(2))
    path = steps(ConjugateGradient(), rounded, 5)
    assert path[-1].finished == "no step lowers the error"
    assert len(path) == 2


def test_a_search_that_fails_begins_anew_with_the_steepest_descent():
    """Along the bent direction nothing is found; along the steepest descent it is."""

    @attrs.frozen
    class OnlySteepest(LineSearch):
        def search(self, line, first_step):
            steepest = np.array_equal(line.direction, -line.origin.gradient)
            return ExactOnQuadratics().search(line, first_step) if steepest else None

    path = steps(ConjugateGradient(line_search=OnlySteepest(), powell=None), Quadratic(), 4)
    assert [_is_steepest(*pair) for pair in pairwise(path)] == [True] * 4
    assert path[-1].finished is None


def test_wants_close_searches_of_those_that_are_named():
    """By name a search leaves a tenth of the slope; an object stays as it was given."""
    assert ConjugateGradient(line_search="wolfe") == ConjugateGradient()
    assert ConjugateGradient().line_search == WolfeLineSearch(curvature=0.1)
    assert ConjugateGradient(line_search=HagerZhangLineSearch()).line_search.curvature == 0.9


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"beta": "daniel"}, ParameterError),
        ({"line_search": "golden"}, ChoiceError),
        ({"restart_every": 0}, ParameterError),
        ({"powell": 0}, ParameterError),
    ],
)
def test_bad_options_are_refused(options, error):
    with pytest.raises(error):
        ConjugateGradient(**options)


@pytest.mark.parametrize("rule", [ConjugateGradient(), ScaledConjugateGradient()], ids=str)
def test_errors_of_any_size_raise_nothing(rule):
    """Huge and tiny errors are followed as far as numbers go."""
    for scale in (1e250, 1e150, 1e-150, 1e-250):
        bowl = FunctionObjective(lambda w, s=scale: s * (w @ w), lambda w, s=scale: 2 * s * w, [1.0, -2.0])
        path = steps(rule, bowl, 10)
        assert path[-1].error <= path[0].error
