"""BFGS and L-BFGS: the update against the textbook's matrices, and both against scipy."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.exceptions import ChoiceError, LearningRuleError, ParameterError
from neuralframe.learning.bfgs import BFGS
from neuralframe.learning.lbfgs import LBFGS
from neuralframe.learning.line import LinePoint
from neuralframe.learning.line_search import LineSearch
from neuralframe.learning.line_searches import WolfeLineSearch
from neuralframe.learning.secant_pair import SecantPair
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps

each_rule = pytest.mark.parametrize("rule", [BFGS(), LBFGS()], ids=["BFGS", "LBFGS"])
each_problem = pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])


def _textbook(inverse, step, change):
    """Return equation 6.17 of Nocedal and Wright, with whole matrices."""
    rho = 1 / (change @ step)
    left = np.eye(len(step)) - rho * np.outer(step, change)
    return left @ inverse @ left.T + rho * np.outer(step, step)


def _pairs(path):
    return [
        (after.weights - before.weights, after.gradient - before.gradient) for before, after in pairwise(path)
    ]


@each_problem
def test_bfgs_is_the_textbooks_update(problem):
    """The matrix after each step is that of the textbook, from the first pair's scale on."""
    path = steps(BFGS(), problem(), 15)
    inverse = None
    for (step, change), after in zip(_pairs(path), path[1:], strict=True):
        if inverse is None:
            inverse = step @ change / (change @ change) * np.eye(len(step))
        inverse = _textbook(inverse, step, change)
        np.testing.assert_allclose(after.state.memory, inverse, rtol=1e-6, atol=1e-9 * np.abs(inverse).max())


@each_problem
def test_the_matrix_stays_symmetric_and_positive(problem):
    for step in steps(BFGS(), problem(), 30)[1:]:
        inverse = step.state.memory
        assert np.array_equal(inverse, inverse.T)
        assert np.all(np.linalg.eigvalsh(inverse) > 0)


@each_problem
@pytest.mark.parametrize("memory", [1, 3, 10])
def test_two_loops_are_the_textbooks_update_of_the_last_pairs(problem, memory):
    """The direction is -H g with H built, as a matrix, from the latest pair's scale and the pairs kept."""
    path = steps(LBFGS(memory), problem(), 14)
    pairs = _pairs(path)
    for n, last in enumerate(path[1:], start=1):
        step, change = pairs[n - 1]
        inverse = step @ change / (change @ change) * np.eye(len(step))
        for pair in pairs[max(0, n - memory) : n]:
            inverse = _textbook(inverse, *pair)
        found = LBFGS(memory).direction(last.gradient, last.state.memory)
        np.testing.assert_allclose(found, -inverse @ last.gradient, rtol=1e-6, atol=1e-12)
        assert len(last.state.memory) == min(n, memory)


def test_with_all_pairs_and_the_same_scale_both_rules_are_one():
    """The second step, which knows one pair only, is the same."""
    ours = [steps(rule, Rosenbrock(), 2)[-1].weights for rule in (BFGS(), LBFGS())]
    np.testing.assert_allclose(*ours, rtol=1e-12)


@attrs.frozen
class ExactOnQuadratics(LineSearch):
    """Goes to where the slope, which changes linearly, is zero."""

    def search(self, line, first_step):
        trial = line.point(first_step)
        bend = (trial.slope - line.origin.slope) / first_step
        return line.point(-line.origin.slope / bend)


def test_bfgs_knows_a_quadratic_after_as_many_exact_steps_as_weights():
    """The error is zero then, and the matrix is the inverse of the second derivatives."""
    matrix = np.diag(np.arange(1.0, 11.0))
    bowl = FunctionObjective(lambda w: 0.5 * w @ matrix @ w, lambda w: matrix @ w, np.cos(np.arange(10)))
    path = steps(BFGS(line_search=ExactOnQuadratics()), bowl, 10)
    assert path[9].error > 1e-9
    assert path[10].error < 1e-20
    np.testing.assert_allclose(path[10].state.memory @ matrix, np.eye(10), atol=1e-6)


@each_rule
@pytest.mark.parametrize(("problem", "times"), [(Quadratic, 3), (Rosenbrock, 1.2)])
def test_scipy_needs_as_many_gradients(rule, problem, times):
    """To the same end point, in the league of scipy's BFGS and L-BFGS-B.

    On the quadratic, whose curvatures are all 1 and more, scipy's BFGS is lucky to begin with the identity.
    """
    objective = problem()
    options = {"gtol": 1e-6} if isinstance(rule, BFGS) else {"gtol": 1e-6, "ftol": 0}
    theirs = scipy.optimize.minimize(
        objective._error,
        objective.start,
        jac=objective.gradient,
        method="BFGS" if isinstance(rule, BFGS) else "L-BFGS-B",
        options=options,
    )
    last = rule.start(objective, objective.start)
    while np.max(np.abs(last.gradient)) > 1e-6:
        last = rule.step(objective, last)
    np.testing.assert_allclose(last.weights, theirs.x, atol=1e-5)
    assert objective.gradient_jobs <= times * theirs.njev


@each_rule
def test_most_steps_are_whole_and_cost_one_job(rule):
    """On a quadratic hardly more gradients are computed than steps taken."""
    objective = Quadratic()
    path = steps(rule, objective, 40)
    assert objective.gradient_jobs <= len(path) + 8
    assert np.mean([step.state.step == 1.0 for step in path[4:]]) > 0.8


@each_rule
def test_the_first_step_changes_all_weights_together_by_one(rule):
    """1 / |g|_1 where the gradient is large, the gradient itself where it is small."""

    @attrs.frozen
    class First(LineSearch):
        def search(self, line, first_step):
            return line.point(first_step)

    rule = attrs.evolve(rule, line_search=First())
    for scale in (1.0, 1e-3):
        objective = FunctionObjective(lambda w, s=scale: s * w @ w / 2, lambda w, s=scale: s * w, [3.0, -1.0])
        first = steps(rule, objective, 1)[-1].state.step
        assert first == pytest.approx(min(1.0, 1 / (4 * scale)))


def _saddle():
    """Return a function that bends downwards at the start, so that the first pair has s.y < 0."""
    return FunctionObjective(
        lambda w: np.cos(w[0]) + w[1] ** 2, lambda w: np.array([-np.sin(w[0]), 2 * w[1]]), [0.3, 0.0]
    )


@each_rule
def test_a_pair_that_bends_downwards_is_passed_over(rule):
    """A short step near a maximum teaches nothing, and is followed by the steepest descent."""

    @attrs.frozen
    class Timid(LineSearch):
        def search(self, line, first_step):
            return line.point(min(first_step, 0.05))

    path = steps(attrs.evolve(rule, line_search=Timid()), _saddle(), 3)
    assert [step.state.memory for step in path] == [None] * 4


@each_rule
def test_over_a_hill_both_rules_come_to_the_valley(rule):
    """Wolfe's conditions see to it that pairs bend upwards in the end."""
    last = steps(rule, _saddle(), 20)[-1]
    assert last.error == pytest.approx(-1)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_a_pair_is_kept_only_if_it_bends_upwards(bend, length):
    """Over a straight line, a hill and nothing at all there is no pair; over a bowl its scale is 1 / bend."""
    start = LinePoint(0.0, np.zeros(2), 0.0, np.array([-1.0, 0.0]))
    end = LinePoint(1.0, np.array([length, 0.0]), 0.0, np.array([bend * length - 1.0, 0.0]))
    pair = SecantPair.between(start, end)
    if bend * length > 1e-9:
        assert pair.scale == pytest.approx(1 / bend, rel=1e-6)
        assert pair.product == pytest.approx(bend * length**2, rel=1e-6)
    elif bend <= 0:
        assert pair is None


def test_too_many_weights_are_refused_before_any_job():
    """The message says how large the matrix would be and what to use."""
    objective = Quadratic()
    with pytest.raises(LearningRuleError, match=r"0 MB for 10 weights; max_weights is 9. Use LBFGS"):
        BFGS(max_weights=9).start(objective, objective.start)
    assert objective.gradient_jobs == 0
    assert BFGS(max_weights=10).start(objective, objective.start).error > 0


def test_choose_loose_searches_of_those_that_are_named():
    assert LBFGS(line_search="wolfe") == LBFGS()
    assert BFGS().line_search == WolfeLineSearch(curvature=0.9)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: LBFGS(0), ParameterError),
        (lambda: LBFGS(line_search="none"), ChoiceError),
        (lambda: BFGS(max_weights=0), ParameterError),
    ],
)
def test_bad_options_are_refused(make, error):
    with pytest.raises(error):
        make()


@each_rule
def test_errors_of_any_size_raise_nothing(rule):
    """Huge and tiny errors are followed as far as numbers go."""
    for scale in (1e150, 1e-150):
        bowl = FunctionObjective(lambda w, s=scale: s * (w @ w), lambda w, s=scale: 2 * s * w, [1.0, -2.0])
        path = steps(rule, bowl, 10)
        assert path[-1].error <= path[0].error


@attrs.frozen
class FirstStep(LineSearch):
    """Takes the step that the rule would try first, whatever comes of it."""

    def search(self, line, first_step):
        return line.point(first_step)


@each_problem
@pytest.mark.parametrize("memory", [3, 10])
def test_lbfgs_follows_torch_step_by_step(problem, memory):
    """torch.optim.LBFGS without a line search: the same first step, scaling, pairs and directions."""
    torch = pytest.importorskip("torch", reason="torch, an oracle for L-BFGS, is not installed")
    objective = problem()
    weights = torch.tensor(objective.start)
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=1, history_size=memory, tolerance_grad=0.0, tolerance_change=0.0
    )

    def closure():
        weights.grad = torch.tensor(objective.gradient(weights.numpy()))
        return torch.tensor(objective.error(weights.numpy()))

    for step in steps(LBFGS(memory, line_search=FirstStep()), problem(), 12)[1:]:
        optimizer.step(closure)
        np.testing.assert_allclose(weights.numpy(), step.weights, rtol=1e-6, atol=1e-9)


@each_problem
def test_lbfgs_ends_where_torch_ends(problem):
    """With strong Wolfe conditions on both sides."""
    torch = pytest.importorskip("torch", reason="torch, an oracle for L-BFGS, is not installed")
    objective = problem()
    weights = torch.tensor(objective.start)
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=200, tolerance_grad=1e-10, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )

    def closure():
        weights.grad = torch.tensor(objective.gradient(weights.numpy()))
        return torch.tensor(objective.error(weights.numpy()))

    optimizer.step(closure)
    ended = steps(LBFGS(), problem(), 200)[-1]
    np.testing.assert_allclose(ended.weights, weights.numpy(), atol=1e-6)
