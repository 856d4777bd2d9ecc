"""Levenberg-Marquardt: its steps against dense algebra, its ends against MINPACK, its jobs counted."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
from scipy.optimize import least_squares

import neuralframe as nf
from neuralframe.learning.levenberg_marquardt import LevenbergMarquardt
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


def residual_jacobian(network, data, step=1e-6):
    """Return d residuals / d weights, (n_samples * n_outputs, n_weights), as central differences."""
    columns = []
    kept = network.weights.copy()
    for shift in step * np.eye(len(kept)):
        network.weights[:] = kept + shift
        ahead = network(data.inputs)
        network.weights[:] = kept - shift
        columns.append((ahead - network(data.inputs)).ravel() / (2 * step))
    network.weights[:] = kept
    return np.array(columns).T


def curve(n=40, seed=0, weighted=False):
    """Return a noisy wave."""
    random = np.random.default_rng(seed)
    inputs = np.linspace(-2, 2, n)[:, np.newaxis]
    targets = np.sin(2 * inputs) + 0.1 * random.normal(size=(n, 1))
    return nf.DataSet(inputs, targets, random.uniform(0.5, 2, n) if weighted else None, block_size=16)


def regression(*sizes, seed=0):
    """Return a network of tanh layers with linear outputs."""
    return nf.MultilayerPerceptron(*sizes, output="linear", seed=seed)


@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_is_that_of_dense_algebra(decay, weighted):
    """The Jacobian from differences of the outputs, the linear equations solved as they stand."""
    network, data = regression(1, 4, 1), curve(weighted=weighted)
    start, shares = (
        network.weights.copy(),
        np.ones(40) if data.sample_weights is None else data.sample_weights,
    )
    error, gradient = nf.error_and_gradient(network, data, decay=decay)
    slopes = residual_jacobian(network, data)
    matrix = slopes.T @ (shares[:, np.newaxis] * slopes) / shares.sum()
    penalty = np.where(network.topology.is_bias, 0, decay)
    expected = start - np.linalg.solve(matrix + np.diag(penalty) + 0.02 * np.eye(len(start)), gradient)
    run = network.learn(
        data, rule=LevenbergMarquardt(0.02), decay=decay, stop=nf.MaxIterations(1), progress=False
    )
    assert run.error < error
    assert network.weights == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_a_curve_fit_ends_where_minpack_ends(seed):
    """From the same weights, on residuals of scipy's own differences: the errors agree to nine digits.

    Where the two end in different valleys, ours may not be the higher one by more than a tenth.
    """
    network, data = regression(1, 3, 1, seed=seed), curve(seed=seed)
    start = network.weights.copy()

    def residuals(weights):
        network.weights[:] = weights
        return (network(data.inputs) - data.targets).ravel()

    theirs = least_squares(residuals, start, method="lm", xtol=1e-12, ftol=1e-12).cost / data.n_samples
    network.weights[:] = start
    ours = network.learn(data, rule="levenberg_marquardt", stop=nf.MaxIterations(150), progress=False).error
    assert ours == pytest.approx(theirs, rel=1e-9) or ours <= 1.1 * theirs


def test_rosenbrock_ends_where_minpack_ends():
    def residuals(w):
        return np.array([10 * (w[1] - w[0] ** 2), 1 - w[0]])

    theirs = least_squares(residuals, [-1.2, 1.0], method="lm").x
    ours = steps(LevenbergMarquardt(), Rosenbrock(), 100)[-1]
    assert ours.weights == pytest.approx(theirs, abs=1e-7)
    assert ours.finished == "the gradient is 0"


def test_a_linear_network_is_solved_in_one_step():
    """Least squares: with hardly any damping the first step ends at the solution of the normal equations."""
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(50, 3)), random.normal(size=(50, 2))
    network = nf.MultilayerPerceptron(3, 2, output="linear", seed=0)
    rule = LevenbergMarquardt(1e-12)
    network.learn(nf.DataSet(inputs, targets), rule=rule, stop=nf.MaxIterations(1), progress=False)
    solution, *_ = np.linalg.lstsq(np.column_stack([inputs, np.ones(50)]), targets, rcond=None)
    assert network.weights == pytest.approx(np.concatenate([solution[:3].T.ravel(), solution[3]]), rel=1e-9)


def test_a_failed_step_needs_no_new_jacobian():
    """One job of J'J for each iteration, however many values of mu it takes: each of them a gradient job."""
    objective = Rosenbrock()
    taken = steps(LevenbergMarquardt(1e-10), objective, 10)
    assert objective.sum_jobs == len(taken) - 1
    rises = [round(np.log10(after.state / before.state)) + 1 for before, after in pairwise(taken)]
    assert max(rises) > 0
    assert objective.gradient_jobs == 1 + sum(rise + 1 for rise in rises)


class CountingObjective(Rosenbrock):
    """Keeps how many weight vectors each gradient job had."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def values_and_gradients(self, candidates):
        self.asked.append(len(candidates))
        return super().values_and_gradients(candidates)


def test_several_values_of_mu_are_one_job_and_the_best_is_taken():
    objective = CountingObjective()
    rule = LevenbergMarquardt(0.1, trials=5)
    start = rule.start(objective, objective.start)
    made = rule.step(objective, start)
    assert objective.asked == [5]
    singly = []
    for mu in 0.1 * 10.0 ** np.arange(5):
        matrix = objective.squared_jacobian(start.weights) + mu * np.eye(2)
        singly.append(objective.error(start.weights - np.linalg.solve(matrix, start.gradient)))
    assert made.error == pytest.approx(min(singly))
    assert made.state == pytest.approx(0.1 * 10.0 ** (np.argmin(singly) - 1))


def test_more_values_of_mu_need_fewer_jobs_in_the_end():
    jobs = []
    for trials in (1, 3):
        network = regression(1, 5, 1)
        run = network.learn(
            curve(), rule=LevenbergMarquardt(trials=trials), stop=nf.MaxIterations(40), progress=False
        )
        jobs.append(next(record.jobs for record in run.history if record.error < 0.006))
    assert jobs[1] <= jobs[0]


def test_trial_steps_without_a_finite_error_are_answers():
    """The logarithm ends at 0: a step beyond has no error, and a shorter one is taken."""

    def error(w):
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(w[0] - np.log(w[0]))

    objective = FunctionObjective(error, lambda w: 1 - 1 / w, [5.0])
    rule = LevenbergMarquardt(1e-9)
    last = rule.start(objective, objective.start)
    after = rule.step(objective, last)
    assert 0 < after.weights[0] < 5
    assert steps(rule, objective, 60)[-1].weights == pytest.approx([1.0])


def test_a_singular_matrix_waits_for_the_damping():
    """Two weights that do the same: until mu shows beside J'J there is no step, and no job either."""
    objective = FunctionObjective(
        lambda w: (1000 * w.sum() - 1) ** 2 / 2,
        lambda w: np.full(2, 1000 * (1000 * w.sum() - 1)),
        [1.0, 1.0],
        jacobian=lambda _: np.full((1, 2), 1000.0),
    )
    rule = LevenbergMarquardt(1e-20)
    made = rule.step(objective, rule.start(objective, objective.start))
    assert objective.gradient_jobs == 2
    assert made.error < 1e-6
    assert 1e-15 < made.state < 1e-5


def test_it_is_finished_where_no_step_lowers_the_error():
    """A gradient that lies: it points downhill where there is none."""
    objective = FunctionObjective(lambda w: float(w @ w), lambda w: -np.ones_like(w), [0.0, 0.0])
    *_, last = steps(LevenbergMarquardt(max_mu=1e3), objective, 5)
    assert last.finished == "no step lowers the error, up to mu = 1000"
    assert last.weights.tolist() == [0, 0]
    assert last.error == 0


def test_mu_does_not_sink_to_nothing():
    """After hundreds of good steps it can still be raised."""
    rule = LevenbergMarquardt(1e-19)
    objective = Quadratic()
    first = rule.start(objective, objective.start)
    assert rule.step(objective, attrs.evolve(first, state=1e-20)).state == 1e-20


def test_frozen_weights_stay_and_the_others_move_as_if_they_were_constants():
    """J'J holds the free weights only."""
    network, data = regression(1, 4, 1), curve()
    network.layers[1].freeze()
    free = network.parameters.free()
    start = network.weights.copy()
    _, gradient = nf.error_and_gradient(network, data)
    slopes = residual_jacobian(network, data)[:, free]
    matrix = slopes.T @ slopes / data.n_samples + 0.02 * np.eye(len(free))
    network.learn(data, rule=LevenbergMarquardt(0.02), stop=nf.MaxIterations(1), progress=False)
    expected = start.copy()
    expected[free] -= np.linalg.solve(matrix, gradient[free])
    assert network.weights == pytest.approx(expected, rel=1e-6, abs=1e-8)
    frozen = np.setdiff1d(np.arange(len(start)), free)
    assert np.array_equal(network.weights[frozen], start[frozen])


def test_a_sample_weight_is_a_number_of_repetitions():
    inputs, targets = curve(12).inputs, curve(12).targets
    times = np.arange(12) % 4
    weighted = nf.DataSet(inputs, targets, times.astype(float))
    repeated = nf.DataSet(np.repeat(inputs, times, axis=0), np.repeat(targets, times, axis=0))
    ends = []
    for data in (weighted, repeated):
        network = regression(1, 3, 1)
        network.learn(data, rule=LevenbergMarquardt(), stop=nf.MaxIterations(5), progress=False)
        ends.append(network.weights.copy())
    assert ends[0] == pytest.approx(ends[1], rel=1e-6)


def test_under_noise_each_step_lowers_the_disturbed_error():
    """J'J, gradient and trial steps see the same neurons dropped, and the next iteration others."""
    network, data = regression(1, 6, 1), curve()
    options = {"noise": nf.Dropout(0.2), "stop": nf.MaxIterations(8), "progress": False, "seed": 0}
    runs = [
        regression(1, 6, 1).learn(data, rule=LevenbergMarquardt(), engine=engine, **options)
        for engine in (nf.InProcessEngine(1), nf.InProcessEngine(2))
    ]
    assert runs[0].history.column("error").tolist() == runs[1].history.column("error").tolist()
    assert nf.error_and_gradient(runs[0].network, data)[0] < nf.error_and_gradient(network, data)[0]


def test_float32_gets_as_far_as_its_digits_go():
    errors = [
        regression(1, 4, 1)
        .learn(curve(), rule="levenberg_marquardt", stop=nf.MaxIterations(30), dtype=dtype, progress=False)
        .error
        for dtype in ("float64", "float32")
    ]
    assert errors[1] == pytest.approx(errors[0], rel=0.02)


def test_too_many_weights_are_refused_with_the_size_of_the_matrix():
    network = regression(40, 50, 1)
    data = nf.DataSet(np.zeros((2, 40)), np.zeros((2, 1)))
    with pytest.raises(
        nf.LearningRuleError, match=r"2101 x 2101 weights, 35 MB.*max_weights is 2000.*Truncated"
    ):
        network.learn(data, rule=LevenbergMarquardt(), progress=False)
    network.layers[1].freeze()
    network.learn(data, rule=LevenbergMarquardt(), stop=nf.MaxIterations(1), progress=False)


def test_an_error_that_is_no_sum_of_squares_is_refused_with_what_to_use():
    network = nf.MultilayerPerceptron(2, 3, 2, output="softmax", seed=0)
    data = nf.DataSet(np.eye(2), np.eye(2))
    with pytest.raises(
        nf.LearningRuleError, match=r"CategoricalCrossEntropy\(\).*error='sum_of_squares'.*Truncated"
    ):
        network.learn(data, rule=LevenbergMarquardt(), progress=False)


@pytest.mark.parametrize(
    "wrong", [{"mu": 0}, {"increase": 1}, {"decrease": 1}, {"max_mu": 0}, {"trials": 0}, {"max_weights": 0.5}]
)
def test_hyper_parameters_out_of_their_range_are_refused(wrong):
    with pytest.raises(nf.ParameterError, match=f"LevenbergMarquardt: {next(iter(wrong))}"):
        LevenbergMarquardt(**wrong)
