"""The particle swarm, by hand and on problems of its kind."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import neuralframe as nf
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps


def bowl():
    return FunctionObjective(lambda w: w @ w, None, [1.0, -0.75])


def test_a_move_by_hand():
    """Particle by particle and weight by weight, as the paper writes it."""
    objective = Rosenbrock()
    rule = nf.ParticleSwarm(3)
    last = steps(rule, objective, 5)[-1]
    swarm, following = last.state, rule.step(objective, last).state
    r, s = np.random.default_rng((swarm.seed, swarm.iteration)).random((2, 3, 2))
    leader = swarm.best_positions[np.argmin(swarm.best_errors)]
    for i in range(3):
        for j in range(2):
            velocity = (
                0.7298 * swarm.velocities[i, j]
                + 1.49618 * r[i, j] * (swarm.best_positions[i, j] - swarm.positions[i, j])
                + 1.49618 * s[i, j] * (leader[j] - swarm.positions[i, j])
            )
            assert following.velocities[i, j] == pytest.approx(velocity, rel=1e-14)
            assert following.positions[i, j] == pytest.approx(swarm.positions[i, j] + velocity, rel=1e-14)


def test_the_defaults_are_the_constriction_for_4_1():
    """The factor is 2 / (phi - 2 + sqrt(phi**2 - 4 phi)), times phi / 2 as the pull (Clerc, Kennedy)."""
    phi = 4.1
    chi = 2 / (phi - 2 + np.sqrt(phi**2 - 4 * phi))
    assert nf.ParticleSwarm().inertia == pytest.approx(chi, abs=5e-5)
    assert nf.ParticleSwarm().pull == pytest.approx(chi * phi / 2, abs=5e-5)


def test_the_best_is_the_best_of_all_that_was_evaluated():
    """The objective keeps a log of its own."""
    log = []

    def error(w):
        log.append(float(w @ w))
        return log[-1]

    objective = FunctionObjective(error, None, [1.0, -0.75])
    rule = nf.ParticleSwarm(5)
    last = rule.start(objective, objective.start)
    for _ in range(30):
        last = rule.step(objective, last)
        assert last.error == min(log)
        assert bowl().value(last.weights) == last.error


def test_each_particle_keeps_its_own_best():
    course = steps(nf.ParticleSwarm(4), bowl(), 30)
    for before, after in pairwise(course):
        assert np.all(after.state.best_errors <= before.state.best_errors)
        assert np.array_equal(bowl().values(after.state.best_positions), after.state.best_errors)


def test_it_starts_at_the_initial_weights():
    objective = bowl()
    begun = nf.ParticleSwarm(6, spread=0.5).start(objective, objective.start)
    assert np.array_equal(begun.state.positions[0], objective.start)
    assert np.array_equal(begun.weights, objective.start)
    assert not begun.state.velocities.any()


def test_the_swarm_contracts():
    """With the constriction the particles come together at the minimum."""
    course = steps(nf.ParticleSwarm(), bowl(), 300)
    assert np.abs(course[-1].state.positions).max() < 1e-6


def test_it_finds_the_lowest_of_many_minima():
    """Of Rastrigin's function in two dimensions, from a wide swarm, with all seeds."""
    for seed in range(5):
        objective = FunctionObjective(
            lambda w: 20 + np.sum(w**2 - 10 * np.cos(2 * np.pi * w)), None, np.full(2, 3.1)
        )
        objective.random = np.random.default_rng(seed)
        assert steps(nf.ParticleSwarm(40, spread=3.0), objective, 150)[-1].error < 1e-6


def test_scale_and_origin_of_the_error_do_not_matter():
    """Errors are only compared; powers of two and the constant round nothing away."""

    def path(factor, constant):
        objective = FunctionObjective(
            lambda w: factor * np.round((w @ w) * 2**20) / 2**20 + constant, None, [1.0, -0.75]
        )
        return np.array([step.weights for step in steps(nf.ParticleSwarm(), objective, 40)])

    assert np.array_equal(path(1, 0), path(1024, 512))


def test_a_step_is_one_job_without_a_gradient():
    objective = bowl()
    steps(nf.ParticleSwarm(), objective, 10)
    assert (objective.value_jobs, objective.gradient_jobs) == (11, 0)


def test_what_is_not_finite_is_never_the_best():
    for outside in (np.nan, np.inf):
        objective = FunctionObjective(lambda w, bad=outside: w @ w if w[0] < 1.2 else bad, None, [1.0, 1.0])
        for step in steps(nf.ParticleSwarm(spread=2.0), objective, 30):
            assert step.weights[0] < 1.2
            assert np.isfinite(step.error)


def test_particles_keep_to_what_is_allowed():
    class Bounded(FunctionObjective):
        def project(self, weights):
            return np.clip(weights, 0.5, 2.0)

    objective = Bounded(lambda w: w @ w, None, [1.0, 1.0])
    course = steps(nf.ParticleSwarm(), objective, 60)
    assert all(step.state.positions.min() >= 0.5 for step in course[1:])
    assert course[-1].error == 0.5


@pytest.mark.parametrize("bad", [{"particles": 1}, {"spread": 0}, {"inertia": 0}, {"pull": 0}])
def test_what_is_out_of_range_is_refused(bad):
    with pytest.raises(nf.ParameterError):
        nf.ParticleSwarm(**bad)


def test_a_seed_is_all_that_chance_depends_on():
    ends = []
    for seed in (1, 1, 2):
        objective = Quadratic()
        objective.random = np.random.default_rng(seed)
        ends.append(steps(nf.ParticleSwarm(), objective, 20)[-1].state.positions.tobytes())
    assert ends[0] == ends[1] != ends[2]
