"""Max-norm beside every rule: what a rule remembers of the way does not lead it astray."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import neuralframe as nf
from tests.contracts.rule_registry import LEARNING_RULES

OF_EACH_KIND = {str(entry.rule): entry.rule for entry in LEARNING_RULES}


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((100, 2))
    targets = np.sin(2 * inputs[:, :1]) * inputs[:, 1:]
    return nf.DataSet(inputs, targets, block_size=25)


@pytest.mark.parametrize("rule", OF_EACH_KIND.values(), ids=OF_EACH_KIND)
def test_no_rule_ends_above_where_it_began(rule, data):
    """The memory of a quasi-Newton rule, of points that were not kept, led to errors of 1e7."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nf.DivergenceWarning)  # rates that suit other problems
        run = nf.MultilayerPerceptron(2, 6, 1, seed=1).learn(
            data, rule=rule, max_norm=1.5, stop=nf.MaxIterations(30), seed=0
        )
    assert run.error <= 1.001 * run.history[0].error


@pytest.mark.parametrize(
    "rule", [nf.BFGS(), nf.LBFGS(), nf.ConjugateGradient(), nf.ScaledConjugateGradient()]
)
def test_rules_with_a_memory_come_near_those_without(rule, data):
    ends = [
        nf.MultilayerPerceptron(2, 6, 1, seed=1)
        .learn(data, rule=one, max_norm=1.5, stop=nf.MaxIterations(200), seed=0)
        .error
        for one in (rule, "resilient_propagation")
    ]
    assert ends[0] < 2 * ends[1]
