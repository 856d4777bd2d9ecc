"""Truncated Newton: its steps against dense algebra, its ends against scipy's, its jobs counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

import neuralframe as nf
from neuralframe.learning.truncated_newton import TruncatedNewton
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


def classes(n=60, seed=0):
    """Return three overlapping classes."""
    random = np.random.default_rng(seed)
    numbers = random.integers(0, 3, n)
    return nf.DataSet(
        random.normal(size=(n, 3)) + numbers[:, np.newaxis] * [1, 0, -1], np.eye(3)[numbers], block_size=16
    )


@pytest.mark.parametrize("curvature", ["gauss_newton", "hessian"])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_a_step_solves_the_damped_equations_as_far_as_it_promises(curvature, decay):
    """|(B + damping I) step + g| is at most min(1/2, sqrt|g|) |g|, with B from differences of gradients.

    Of logistic regression: there the two kinds of curvature are one.
    """
    network, data = nf.MultilayerPerceptron(3, 3, output="softmax", seed=0), classes()

    def gradient(weights):
        network.weights[:] = weights
        return nf.error_and_gradient(network, data, decay=decay)[1]

    start = network.weights.copy()
    shifts = 1e-5 * np.eye(len(start))
    matrix = np.array([(gradient(start + s) - gradient(start - s)) / 2e-5 for s in shifts])
    slope = gradient(start)
    network.weights[:] = start
    rule = TruncatedNewton(curvature, damping=0.03)
    network.learn(data, rule=rule, decay=decay, stop=nf.MaxIterations(1), progress=False)
    step = network.weights - start
    residual = matrix @ step + 0.03 * step + slope
    norm = np.linalg.norm(slope)
    assert np.linalg.norm(residual) <= min(0.5, np.sqrt(norm)) * norm + 1e-9


@pytest.mark.parametrize("curvature", ["gauss_newton", "hessian"])
def test_a_convex_error_ends_at_its_one_minimum(curvature):
    """Logistic regression with decay, against scipy's BFGS on our own error, and against gradient zero."""
    network, data = nf.MultilayerPerceptron(3, 3, output="softmax", seed=0), classes()
    start = network.weights.copy()

    def error_and_gradient(weights):
        network.weights[:] = weights
        return nf.error_and_gradient(network, data, decay=0.05)

    theirs = minimize(error_and_gradient, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    network.weights[:] = start
    run = network.learn(
        data,
        rule=TruncatedNewton(curvature),
        decay=0.05,
        stop=[nf.GradientNorm(1e-9), nf.MaxIterations(60)],
        progress=False,
    )
    assert run.error == pytest.approx(theirs.fun, rel=1e-12)
    assert run.history[-1].gradient_norm <= 1e-9
    weights = ~network.topology.is_bias  # all biases may rise together: softmax does not see it
    assert network.weights[weights] == pytest.approx(theirs.x[weights], abs=1e-7)


def test_few_iterations_suffice_near_the_end():
    """The damping dies away and the residual's goal tightens: digits multiply from step to step."""
    taken = steps(TruncatedNewton("hessian", damping=1e-6), Rosenbrock(), 100)
    norms = [np.linalg.norm(step.gradient) for step in taken if np.linalg.norm(step.gradient) < 1e-2]
    assert any(after < 1e-3 * before for before, after in pairwise(norms))


@pytest.mark.parametrize("rule", [TruncatedNewton(), TruncatedNewton("hessian")], ids=str)
def test_rosenbrock_ends_where_scipy_ends(rule):
    objective = Rosenbrock()
    theirs = minimize(
        objective.error, objective.start, jac=objective.gradient, hess=objective.hessian, method="trust-ncg"
    )
    assert steps(rule, objective, 150)[-1].weights == pytest.approx(theirs.x, abs=1e-3)
    assert steps(rule, objective, 150)[-1].weights == pytest.approx([1, 1], abs=1e-7)


class Saddle(FunctionObjective):
    """Two valleys at (-1, 0) and (1, 0) of depth -1/4, a ridge between them, and a saddle at the origin."""

    def __init__(self, start):
        super().__init__(
            lambda w: w[0] ** 4 / 4 - w[0] ** 2 / 2 + w[1] ** 2 / 2,
            lambda w: np.array([w[0] ** 3 - w[0], w[1]]),
            start,
        )


def test_negative_curvature_leads_down_from_a_saddle():
    """Near it the Hessian's first product shows a ridge, and the step goes down along it."""
    objective = Saddle([1e-3, 0.0])
    rule = TruncatedNewton("hessian")
    first = rule.start(objective, objective.start)
    after = rule.step(objective, first)
    assert objective.sum_jobs == 1
    # the gradient's length is 1e-3 and the curvature -1, less the damping
    assert after.weights[0] == pytest.approx(1e-3 + 1e-3 / 0.99, rel=1e-4)
    *_, last = steps(rule, objective, 60)
    assert last.weights == pytest.approx([1, 0], abs=1e-6)


def test_negative_curvature_met_later_keeps_what_was_found():
    """The first direction bends upwards, the second downwards: the step is the first one's."""
    objective = Saddle([0.01, 0.02])
    rule = TruncatedNewton("hessian", damping=1e-9)
    first = rule.start(objective, objective.start)
    gradient, hessian = first.gradient, objective.hessian(first.weights)
    after = rule.step(objective, first)
    expected = -gradient * (gradient @ gradient) / (gradient @ hessian @ gradient)
    assert after.weights - first.weights == pytest.approx(expected, rel=1e-6)
    assert objective.sum_jobs == 2


class CountingObjective(FunctionObjective):
    """Keeps how many weight vectors each job of values had."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.asked = []

    def values(self, candidates):
        self.asked.append(len(candidates))
        return super().values(candidates)


def test_shorter_steps_are_one_job_and_the_longest_that_will_do_is_made():
    """A curvature that is a hundred times too small sends the whole step far beyond the minimum."""
    objective = CountingObjective(
        lambda w: w @ w / 2, lambda w: w, [1.0, 2.0], jacobian=lambda _: 0.1 * np.eye(2)
    )
    rule = TruncatedNewton(damping=1e-9, halvings=9)
    after = rule.step(objective, rule.start(objective, objective.start))
    assert objective.asked == [9]
    assert objective.gradient_jobs == 3
    # of 100/64 and 100/128 the first lowers the error: from 1 to (1 - 100/64)^2 = 0.32
    assert after.weights == pytest.approx([1 - 100 / 64, 2 - 200 / 64], rel=1e-6)
    assert after.state == pytest.approx(2e-9)


def test_the_damping_follows_what_the_model_was_worth():
    """On a quadratic the model is right and the damping falls; a curvature that is wrong makes it rise."""
    right = steps(TruncatedNewton(damping=0.1), Quadratic(), 4)
    assert [step.state for step in right] == pytest.approx([0.1, 0.05, 0.025, 0.0125, 0.00625])
    wrong = FunctionObjective(lambda w: w @ w / 2, lambda w: w, [1.0], jacobian=lambda _: 0.75 * np.eye(1))
    rule = TruncatedNewton(damping=1e-3)
    first = rule.start(wrong, wrong.start)
    assert rule.step(wrong, first).state > first.state


def test_a_step_that_leads_nowhere_is_discarded_and_the_damping_rises():
    """The gradient lies; in the end no damping is left to try."""
    objective = FunctionObjective(lambda w: float(w @ w), lambda w: -np.ones_like(w), [0.0, 0.0])
    rule = TruncatedNewton()
    taken = steps(rule, objective, 60)
    assert [step.state for step in taken[:4]] == pytest.approx([0.01, 0.04, 0.16, 0.64])
    assert taken[-1].finished == "no step lowers the error"
    assert all(np.array_equal(step.weights, objective.start) for step in taken)


def test_at_gradient_zero_there_is_nothing_to_do():
    objective = Quadratic()
    rule, still = TruncatedNewton(), np.zeros(10)
    last = rule.step(objective, rule.start(objective, still))
    assert last.finished == "the gradient is 0"
    assert objective.sum_jobs == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_products_that_are_not_finite_leave_the_gradients_direction(bad):
    objective = FunctionObjective(
        lambda w: w @ w / 2, lambda w: w, [1.0, 2.0], jacobian=lambda _: np.full((2, 2), bad)
    )
    rule = TruncatedNewton()
    with np.errstate(invalid="ignore"):
        after = rule.step(objective, rule.start(objective, objective.start))
    assert after.weights == pytest.approx([0, 0])


def test_trial_steps_without_a_finite_error_are_answers():
    """The logarithm ends at 0, and the whole step goes beyond."""

    def error(w):
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(w[0] - np.log(w[0]))

    objective = FunctionObjective(error, lambda w: 1 - 1 / w, [5.0])
    taken = steps(TruncatedNewton("hessian", damping=1e-6), objective, 60)
    assert all(step.weights[0] > 0 for step in taken)
    assert taken[-1].weights == pytest.approx([1.0], abs=1e-6)


@pytest.mark.parametrize(("most", "taken"), [(1, 1), (3, 3), (50, 12)])
def test_the_inner_iterations_are_bounded(most, taken):
    """Near the minimum much is demanded; in ten dimensions ten products and a few for rounding are enough."""
    objective = Quadratic()
    rule = TruncatedNewton(cg_iterations=most, damping=1e-9)
    rule.step(objective, rule.start(objective, 1e-12 * objective.start))
    assert objective.sum_jobs <= taken
    assert objective.sum_jobs >= min(taken, 8)


@pytest.mark.parametrize("curvature", ["gauss_newton", "hessian"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_network_of_classes_is_learnt_with_frozen_weights_in_their_place(curvature, dtype):
    network, data = nf.MultilayerPerceptron(3, 6, 3, output="softmax", seed=1), classes()
    network.layers[1].freeze()
    before = network.weights.copy()
    run = network.learn(
        data, rule=TruncatedNewton(curvature), stop=nf.MaxIterations(15), dtype=dtype, progress=False
    )
    errors = run.history.column("error")
    assert errors[-1] < 0.6 * errors[0]
    free = network.parameters.free()
    frozen = np.setdiff1d(np.arange(len(before)), free)
    assert np.array_equal(network.weights[frozen], before[frozen])
    assert (network.weights[free] != before[free]).all()


def test_several_sessions_share_their_jobs():
    """Products at the weights of several sessions are one job as long as all of them ask."""
    data = classes()
    jobs = [
        nf.MultilayerPerceptron(3, 4, 3, output="softmax", seed=1)
        .learn(data, rule=TruncatedNewton(), stop=nf.MaxIterations(4), sessions=n, seed=0, progress=False)
        .jobs
        for n in (1, 3)
    ]
    assert jobs[1] < 2 * jobs[0]


@pytest.mark.parametrize(
    "wrong", [{"curvature": "newton"}, {"cg_iterations": 0}, {"damping": 0}, {"change": 1}, {"halvings": 0}]
)
def test_hyper_parameters_out_of_their_range_are_refused(wrong):
    with pytest.raises(nf.ParameterError, match=f"TruncatedNewton: {next(iter(wrong))}"):
        TruncatedNewton(**wrong)
