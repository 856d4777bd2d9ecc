"""Sums that a rule invents: right, undivided, of what the rule sees, in the same jobs for all sessions."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels.sample_sum import free_part, whole_vector
from neuralframe.mapreduce.sample_sum_job import SampleSumJob


@attrs.frozen(eq=False)
class Outputs(nf.SampleSum):
    """The sum of the outputs, of some blocks, at weights that moved in a direction."""

    remainder: int
    direction: np.ndarray

    def wants(self, row, number):
        return number % 2 == self.remainder

    def terms(self, kernel, weights, block, *, row, free):
        moved = weights + row * whole_vector(self.direction, free, len(weights))
        _, gradients = kernel.errors_and_gradients(moved[None], block.inputs, block.targets)
        return {
            "outputs": kernel.outputs(moved, block.inputs).sum(axis=0, dtype=np.float64),
            "gradient": free_part(gradients[0], free),
        }


@attrs.frozen
class Summing(nf.LearningRule):
    """Asks for sums of its own, and says what it got."""

    def step(self, objective, last):
        task = Outputs(int(objective.n_blocks) % 2, 0.1 * np.ones(objective.n_weights))
        totals = objective.totals(task, np.array([last.weights, last.weights]))
        state = tuple(total[name] for total in totals for name in ("outputs", "gradient", "samples"))
        return attrs.evolve(last, state=state)


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((75, 3))
    return nf.DataSet(inputs, np.sin(inputs[:, :1]), block_size=16)


def network():
    net = nf.MultilayerPerceptron(3, 4, 1, seed=0)
    net.layers[1].neurons[2].inputs[1].weight.frozen = True
    return net


def learnt(data, **options):
    run = network().learn(data, rule=Summing(), stop=nf.MaxIterations(1), seed=3, **options)
    return [session.standing.state for session in run.sessions]


def test_sums_are_those_of_the_blocks_that_are_wanted(data):
    """Five blocks: those with odd numbers, by hand; a frozen weight is neither moved nor seen."""
    net = network()
    outputs, gradient, samples, moved, _, _ = learnt(data)[0]
    rows = np.r_[16:32, 48:64]
    np.testing.assert_allclose(outputs, net(data.inputs[rows]).sum(axis=0))
    assert samples.tolist() == [32, 32]
    part = nf.DataSet(data.inputs[rows], data.targets[rows])
    whole = 32 * nf.error_and_gradient(net, part)[1]
    free = net.parameters.free()
    assert len(gradient) == len(free) == len(net.weights) - 1
    np.testing.assert_allclose(gradient, whole[free], rtol=1e-12, atol=1e-14)
    net.weights[free] += 0.1
    np.testing.assert_allclose(moved, net(data.inputs[rows]).sum(axis=0))


@pytest.mark.parametrize("engine", [nf.InProcessEngine(2), "mrjob:inline"], ids=["two threads", "inline"])
def test_two_sessions_on_any_engine_get_the_sums_of_each_alone(data, engine):
    validation = nf.DataSet(data.inputs[:20], data.targets[:20])
    together = learnt(data, sessions=2, engine=engine, validation=validation)
    alone = learnt(data, engine=nf.InProcessEngine(1))
    for found, expected in zip(together[0], alone[0], strict=True):
        assert found.tobytes() == expected.tobytes()
    assert together[1][0].tobytes() != together[0][0].tobytes()


class NoSamples(nf.Objective):
    """A parabola."""

    n_weights = 1

    def value_and_gradient(self, weights):
        return float(weights @ weights), 2 * weights

    def values(self, candidates):
        return np.sum(candidates**2, axis=1)


def test_an_objective_without_samples_says_so_and_does_all_else():
    objective = NoSamples()
    with pytest.raises(nf.LearningRuleError, match="Outputs is a sum over samples, and NoSamples has none"):
        objective.totals(Outputs(0, np.zeros(1)), np.zeros((1, 1)))
    errors, gradients = objective.values_and_gradients(np.array([[1.0], [3.0]]))
    assert errors.tolist() == [1.0, 9.0]
    assert gradients.tolist() == [[2.0], [6.0]]
    assert objective.penalised(np.ones(1), 2.0) == (2.0, None)
    assert objective.penalty_curvature().tolist() == [0.0]


class LosesABlock(nf.Engine):
    """An engine with a bug: of sums that a rule invents it loses those of the first block."""

    name = "losing"

    def run(self, job, blocks):
        if isinstance(job, SampleSumJob):
            job = attrs.evolve(job, tasks=tuple(Late(task) for task in job.tasks))
        return nf.InProcessEngine(1).run(job, blocks)


@attrs.frozen(eq=False)
class Late(nf.SampleSum):
    """A sum over all blocks but the first."""

    task: nf.SampleSum

    def wants(self, row, number):
        return number > 0 and self.task.wants(row, number)

    def terms(self, kernel, weights, block, *, row, free):
        return self.task.terms(kernel, weights, block, row=row, free=free)


def test_samples_that_were_lost_are_missed(data):
    with pytest.raises(nf.EngineError, match=r"summed 59 samples of 5 blocks .* has 75 in 5"):
        network().learn(data, rule=nf.LevenbergMarquardt(), engine=LosesABlock(), stop=nf.MaxIterations(2))
    small = nf.DataSet(data.inputs[:16], data.targets[:16], block_size=16)
    with pytest.raises(nf.EngineError, match="summed 0 samples"):
        network().learn(small, rule=nf.Adam(), engine=LosesABlock(), stop=nf.MaxIterations(2))
