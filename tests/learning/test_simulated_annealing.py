"""Simulated annealing, move by move and as a sampler."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from scipy import stats

import neuralframe as nf
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


def bowl(start=(1.0, -0.75)):
    return FunctionObjective(lambda w: w @ w, lambda w: 2 * w, start)


def rastrigin():
    """Many minima, about one in each unit square; the lowest, 0, at the origin."""
    return FunctionObjective(
        lambda w: 10 * len(w) + np.sum(w**2 - 10 * np.cos(2 * np.pi * w)),
        lambda w: 2 * w + 20 * np.pi * np.sin(2 * np.pi * w),
        np.full(2, 3.1),
    )


def test_the_best_is_kept_and_the_walk_goes_uphill():
    """The error never rises; that of the walk does, and never is below the best."""
    course = steps(nf.SimulatedAnnealing(temperature=1.0, cooling=0.99), bowl(), 100)
    errors = np.array([step.error for step in course])
    walk = np.array([step.state.error for step in course])
    assert np.all(np.diff(errors) <= 0)
    assert np.any(np.diff(walk) > 0)
    assert np.all(walk >= errors)


def test_the_walk_is_where_it_says():
    for step in steps(nf.SimulatedAnnealing(4), Rosenbrock(), 50):
        assert Rosenbrock().value(step.state.weights) == step.state.error


def test_at_a_constant_temperature_it_samples_the_boltzmann_distribution():
    """Of E = x**2/2 at temperature 1 that is the standard normal distribution; one proposal in a job.

    Cooling by one part in a million million leaves the temperature as good as constant.
    """
    rule = nf.SimulatedAnnealing(1, temperature=1.0, cooling=1 - 1e-12, size=2.0, adaptation=1.0)
    objective = FunctionObjective(lambda w: w @ w / 2, None, [0.0])
    walk = np.array([step.state.weights[0] for step in steps(rule, objective, 12_000)])[200::20]
    assert stats.kstest(walk, "norm").pvalue > 0.01


def test_several_proposals_to_a_job_sample_the_same_distribution():
    """Each state counts as often as proposals from it were judged, the rejected ones among them."""
    rule = nf.SimulatedAnnealing(6, temperature=1.0, cooling=1 - 1e-12, size=2.0, adaptation=1.0)
    objective = FunctionObjective(lambda w: w @ w / 2, None, [0.0])
    states, times = [], []
    last = rule.start(objective, objective.start)
    for _ in range(8000):
        following = rule.step(objective, last)
        states.append(last.state.weights[0])
        times.append(judged(rule, last.state, following.state))
        last = following
    mean = np.average(states, weights=times)
    assert abs(mean) < 0.06
    assert np.average(np.square(states), weights=times) == pytest.approx(1.0, abs=0.08)


def judged(rule, walk, following):
    """Return how many proposals were judged in a step, by drawing them again."""
    random = np.random.default_rng((walk.seed, walk.iteration))
    proposals = walk.weights + walk.size * random.standard_normal((rule.candidates, 1))
    met = np.flatnonzero((proposals == following.weights).all(axis=1))
    return met[0] + 1 if len(met) else rule.candidates


def test_the_temperature_falls_by_the_same_factor():
    course = steps(nf.SimulatedAnnealing(temperature=8.0, cooling=0.5), bowl(), 3)
    assert [step.state.temperature for step in course] == [8.0, 4.0, 2.0, 1.0]


def test_the_first_temperature_is_the_mean_change_of_the_error():
    objective = bowl()
    begun = nf.SimulatedAnnealing(5, cooling=0.5).start(objective, objective.start)
    walk = begun.state
    shifts = np.random.default_rng((walk.seed, 0)).standard_normal((5, 2)) * 0.1
    changes = np.sum((objective.start + shifts) ** 2, axis=1) - begun.error
    following = nf.SimulatedAnnealing(5, cooling=0.5).step(objective, begun)
    assert following.state.temperature == pytest.approx(0.5 * np.mean(np.abs(changes)))


def test_the_size_settles_at_the_wanted_acceptance():
    """On a bowl in ten dimensions, a fifth of the judged proposals are accepted in the long run."""
    rule = nf.SimulatedAnnealing(1, temperature=1.0, cooling=1 - 1e-12, acceptance=0.2, size=30.0)
    objective = FunctionObjective(lambda w: w @ w / 2, None, np.zeros(10))
    walk = np.array([step.state.weights for step in steps(rule, objective, 3000)])[500:]
    accepted = np.any(np.diff(walk, axis=0) != 0, axis=1)
    assert accepted.mean() == pytest.approx(0.2, abs=0.03)


def test_a_step_is_one_job_without_a_gradient():
    objective = bowl()
    steps(nf.SimulatedAnnealing(7), objective, 10)
    assert (objective.value_jobs, objective.gradient_jobs) == (11, 0)


def test_it_comes_to_the_lowest_of_many_valleys():
    """From the same start descent is caught in a valley of 18 at once. Steps of one size, all seeds."""
    caught = rastrigin()
    assert steps(nf.ResilientPropagation(), caught, 100)[-1].error > 17
    for seed in range(6):
        objective = rastrigin()
        objective.random = np.random.default_rng(seed)
        rule = nf.SimulatedAnnealing(temperature=10.0, cooling=0.98, size=1.0, adaptation=1.0)
        assert steps(rule, objective, 500)[-1].error < 0.5  # the next valley is at 0.995


def test_what_is_not_finite_is_rejected():
    """Half of the plane is out of bounds, by NaN or by infinity."""
    for outside in (np.nan, np.inf):
        objective = FunctionObjective(lambda w, bad=outside: w @ w if w[0] < 1.2 else bad, None, [1.0, 1.0])
        for step in steps(nf.SimulatedAnnealing(size=1.0), objective, 50):
            assert np.isfinite(step.state.error)
            assert step.state.weights[0] < 1.2


def test_nothing_but_bad_proposals_leaves_it_where_it_was():
    objective = FunctionObjective(lambda w: 1.0 if w[0] == 0 else np.nan, None, [0.0])
    last = steps(nf.SimulatedAnnealing(), objective, 5)[-1]
    assert (last.error, last.weights[0], last.state.weights[0]) == (1.0, 0.0, 0.0)
    assert last.state.size < 0.1


def test_proposals_keep_to_what_is_allowed():
    class Bounded(FunctionObjective):
        def project(self, weights):
            return np.clip(weights, 0.5, 2.0)

    objective = Bounded(lambda w: w @ w, None, [1.0, 1.0])
    course = steps(nf.SimulatedAnnealing(size=1.0), objective, 60)
    assert all(step.state.weights.min() >= 0.5 for step in course)
    assert course[-1].error == pytest.approx(0.5, abs=1e-2)


def test_sessions_are_walks_of_their_own_in_shared_jobs():
    data = nf.DataSet([[0.0, 0], [0, 1], [1, 0], [1, 1]], [[0.0], [1], [1], [0]])
    net = nf.MultilayerPerceptron(2, 2, 1, seed=0)
    run = net.learn(data, rule=nf.SimulatedAnnealing(), sessions=4, stop=nf.MaxIterations(10), seed=0)
    assert run.jobs == 11
    assert len({session.objective.n_weights for session in run.sessions}) == 1
    assert len({session.weights.tobytes() for session in run.sessions}) == 4


@pytest.mark.parametrize(
    "bad",
    [
        {"candidates": 0}, {"temperature": 0}, {"cooling": 1}, {"cooling": 0}, {"size": 0}, {"acceptance": 1},
        {"adaptation": 0.9},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(bad):
    with pytest.raises(nf.ParameterError):
        nf.SimulatedAnnealing(**bad)


def test_a_seed_is_all_that_chance_depends_on():
    ends = []
    for seed in (1, 1, 2):
        objective = Quadratic()
        objective.random = np.random.default_rng(seed)
        ends.append(attrs.astuple(steps(nf.SimulatedAnnealing(), objective, 20)[-1].state)[0].tobytes())
    assert ends[0] == ends[1] != ends[2]


def test_on_a_plateau_it_waits_for_a_slope_to_take_its_temperature_from():
    objective = FunctionObjective(lambda w: float(w[0] > 5), np.zeros_like, np.zeros(2))
    rule = nf.SimulatedAnnealing()
    walked = steps(rule, objective, 5)
    assert [step.state.temperature for step in walked] == [None] * 6
