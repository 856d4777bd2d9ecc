"""Which weights are a neuron's."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.core.weight_groups import WeightGroups


def test_a_hidden_neuron_owns_what_feeds_it_and_what_it_feeds():
    """By the object model, whose connections tell their weights: each weight is its own position here."""
    network = nf.MultilayerPerceptron(3, 4, 2)
    network.weights[:] = np.arange(len(network.weights))
    groups = WeightGroups.of(network.topology).neurons
    for number, neuron in enumerate(network.layers[1].neurons):
        weights = [connection.weight for connection in (*neuron.inputs, *neuron.outputs)]
        owned = {int(weight.value) for weight in (*weights, neuron.bias)}
        assert set(np.flatnonzero(groups == 3 + number)) == owned


def test_every_weight_has_an_owner_that_is_no_input():
    """There are inputs 0 to 2, hidden neurons 3 to 7, and outputs 8 and 9 with their biases alone."""
    groups = WeightGroups.of(nf.MultilayerPerceptron(3, 3, 2, 2).topology)
    assert groups.n_weights == 9 + 3 + 6 + 2 + 4 + 2
    assert np.bincount(groups.neurons).tolist() == [0, 0, 0, 4, 4, 4, 6, 6, 1, 1]


def test_without_a_hidden_layer_the_output_neurons_own_all():
    groups = WeightGroups.of(nf.MultilayerPerceptron(3, 2).topology)
    assert groups.neurons.tolist() == [3, 3, 3, 4, 4, 4, 3, 4]


def test_the_first_half_of_the_rows_of_each_matrix():
    """Five hidden neurons, the first three of them in the first half; one of two outputs."""
    groups = WeightGroups.of(nf.MultilayerPerceptron(2, 5, 2).topology)
    fed_by_inputs, biases = [True] * 6 + [False] * 4, [True] * 3 + [False] * 2
    assert groups.in_first_half.tolist() == fed_by_inputs + biases + [True] * 5 + [False] * 5 + [True, False]


@pytest.mark.parametrize("free", [None, np.array([1, 4, 8])])
def test_only_some_weights(free):
    groups = WeightGroups.of(nf.MultilayerPerceptron(2, 2, 1).topology)
    places = slice(None) if free is None else free
    assert np.array_equal(groups.only(free).neurons, groups.neurons[places])
    assert np.array_equal(groups.only(free).in_first_half, groups.in_first_half[places])
