"""Rules that cannot train a network say so before the first job."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf


class NoEngine(nf.Engine):
    """Fails at any job."""

    name = "none"

    def run(self, job, blocks):
        raise AssertionError(f"{job} should never have been asked for")


INPUTS = np.random.default_rng(0).standard_normal((40, 2))


def test_levenberg_marquardt_wants_a_sum_of_squares():
    data = nf.DataSet(INPUTS, np.where(INPUTS[:, 0] > 0, "a", "b"))
    network = nf.MultilayerPerceptron.for_data(data, 3, seed=0)
    with pytest.raises(nf.LearningRuleError, match=r"sum of squares.*CrossEntropy.*TruncatedNewton"):
        network.learn(data, rule=nf.LevenbergMarquardt(), engine=NoEngine())


@pytest.mark.parametrize("rule", [nf.ParticleSwarm(), nf.SimulatedAnnealing(), nf.GeneticReducer()])
def test_rules_that_remember_errors_refuse_noise(rule):
    data = nf.DataSet(INPUTS, INPUTS[:, :1])
    network = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    with pytest.raises(nf.LearningRuleError, match=f"{type(rule).__name__} remembers errors"):
        network.learn(data, rule=rule, noise=nf.Dropout(0.5), engine=NoEngine())
