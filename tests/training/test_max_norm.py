"""Max-norm: the projection by itself, and in trainings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.max_norm import MaxNorm
from neuralframe.exceptions import ParameterError, TopologyError
from tests.reference.random_networks import plans

SAMPLES = np.random.default_rng(0)
INPUTS = SAMPLES.standard_normal((60, 3))
DATA = nf.DataSet(INPUTS, 3 * np.sin(INPUTS[:, :1]) + INPUTS[:, 1:2] * INPUTS[:, 2:], block_size=16)


class TwoWeights(nf.NeuralNetwork):
    """Two connections by one weight."""

    def build(self, *, shared=False):
        inputs, output = self.input_layer(2), self.layer(1)
        weight = nf.Weight(0.5)
        for neuron in inputs.neurons:
            self.connect(neuron, output.neurons[0], weight=weight if shared else 0.5)


def network(*sizes):
    return nf.MultilayerPerceptron(*(sizes or (3, 8, 1)), seed=1)


def learn(max_norm, n=8, **options):
    return network().learn(DATA, **{"max_norm": max_norm, "stop": nf.MaxIterations(n), "seed": 3} | options)


def lengths(net):
    """Return the Euclidean length of the weights that feed each neuron, found connection by connection."""
    neurons = [neuron for layer in net.layers if not layer.is_input for neuron in layer.neurons]
    return np.array(
        [np.sqrt(sum(connection.weight.value**2 for connection in neuron.inputs)) for neuron in neurons]
    )


def test_by_hand():
    """Of weights (3, 4) and biases 9, limit 2.5: the former are halved, the latter stay."""
    net = nf.MultilayerPerceptron(2, 2, seed=0)
    weights = np.array([3.0, 4.0, 1.0, 0.0, 9.0, 9.0])
    projected = MaxNorm(net.topology, 2.5).projected(weights)
    np.testing.assert_allclose(projected, [1.5, 2.0, 1.0, 0.0, 9.0, 9.0], rtol=1e-15)
    assert weights[0] == 3.0


def test_weights_within_the_limit_are_returned_as_they_are():
    net = nf.MultilayerPerceptron(2, 2, seed=0)
    limit = MaxNorm(net.topology, 5.0)
    weights = np.array([3.0, 4.0, 1.0, 0.0, 9.0, 9.0])
    assert limit.projected(weights) is weights
    assert limit.projected(np.zeros(6)).tolist() == [0] * 6


def has_weights_of_its_own(net):
    """Return whether no two connections of a network share a weight."""
    try:
        MaxNorm(net.topology, 1.0)
    except TopologyError:
        return False
    return True


@given(plan=plans(), limit=st.sampled_from([1e-3, 0.5, 1.0, 2.0]))
@settings(max_examples=60)
def test_no_neuron_is_above_the_limit_and_the_projection_is_the_nearest(plan, limit):
    """Of every network that can be wired: the object model measures, and a random point is no nearer."""
    net = plan.network()
    if not has_weights_of_its_own(net):
        return
    before, projection = net.weights.copy(), MaxNorm(net.topology, limit)
    after = projection.projected(before)
    assert projection.projected(after) is after
    net.weights[:] = after
    measured = lengths(net)
    assert (measured <= limit * (1 + 1e-11)).all()
    assert np.array_equal(after[net.topology.is_bias], before[net.topology.is_bias])
    another = projection.projected(before + np.random.default_rng(plan.seed).standard_normal(len(before)))
    assert np.linalg.norm(after - before) <= np.linalg.norm(another - before) + 1e-12


def test_frozen_weights_are_neither_changed_nor_counted():
    net = nf.MultilayerPerceptron(2, 2, seed=0)
    weights = np.array([3.0, 4.0, 1.0, 0.0, 9.0, 9.0])
    projected = MaxNorm(net.topology, 2.0).projected(weights, np.array([1, 2, 3, 4, 5]))
    assert projected.tolist() == [3.0, 2.0, 1.0, 0.0, 9.0, 9.0]


def test_wild_weights_raise_nothing():
    net = nf.MultilayerPerceptron(2, 2, seed=0)
    MaxNorm(net.topology, 2.0).projected(np.array([1e300, 1e300, np.inf, np.nan, 0.0, np.inf]))


def test_shared_weights_are_refused():
    data = nf.DataSet([[0.0, 1.0]], [1.0])
    with pytest.raises(TopologyError, match="connections share weights"):
        TwoWeights(shared=True, seed=0).learn(data, max_norm=1.0)
    TwoWeights(seed=0).learn(data, max_norm=1.0, stop=nf.MaxIterations(1))


@pytest.mark.parametrize("limit", [0, -1.0, np.inf, "much"])
def test_a_limit_that_is_none_is_refused(limit):
    with pytest.raises(ParameterError, match="max_norm must be a finite number and > 0, or None"):
        learn(limit)


RULES = ["resilient_propagation", nf.GradientDescent(0.3, 0.9), "stochastic_gradient_descent", "lbfgs"]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_the_weights_of_every_iteration_are_allowed_and_the_record_is_theirs(rule):
    """Looked at through trainings of so many iterations."""
    for n in (0, 1, 7):
        run = learn(0.8, n, rule=rule, decay=0.01)
        assert lengths(run.network).max() <= 0.8 * (1 + 1e-11)
        assert run.error == nf.error_and_gradient(run.network, DATA, decay=0.01)[0]
    assert lengths(run.network).max() == pytest.approx(0.8)
    assert lengths(learn(None, 7, rule=rule).network).max() > 0.9


def test_a_limit_that_is_never_reached_changes_nothing_and_costs_no_job():
    free, wide = learn(None), learn(1e6)
    assert np.array_equal(free.network.weights, wide.network.weights)
    assert free.jobs == wide.jobs
    assert free.jobs < learn(0.8).jobs <= 2 * free.jobs


def test_sessions_side_by_side_are_what_they_are_alone():
    together = learn(0.8, sessions=2)
    assert np.array_equal(together.sessions[0].weights, learn(0.8).network.weights)
    for session in together.sessions:
        net = network()
        net.weights[:] = session.weights
        assert lengths(net).max() <= 0.8 * (1 + 1e-11)


def test_frozen_layers_stay_in_a_training():
    net = network()
    net.layers[1].freeze()
    before = net.weights.copy()
    net.learn(DATA, max_norm=0.1, stop=nf.MaxIterations(5))
    frozen = net.parameters.frozen
    assert np.array_equal(net.weights[frozen], before[frozen])
    assert lengths(net)[-1] <= 0.1 * (1 + 1e-11)


def test_a_resumed_training_keeps_the_limit(tmp_path):
    learn(0.8, 3, checkpoint=tmp_path / "run")
    again = nf.resume(tmp_path / "run", DATA, stop=nf.MaxIterations(8))
    assert np.array_equal(again.network.weights, learn(0.8).network.weights)
