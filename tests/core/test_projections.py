"""Projections: the pattern, its arithmetic and what the layers make of it, against loops over connections."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.fan_in import fan_in_groups
from neuralframe.core.projections import ConnectionTable, GroupedSum
from tests.reference.reference_network import ReferenceNetwork

LISTED = nf.Sparse([3, 0, 1, 3, 0, 3], [2, 0, 0, 2, 3, 0])
"""Neuron 1 gets nothing, 2 is fed by the same source twice."""

PATTERNS = [(nf.Full(), 4, 3), (nf.Full(), 1, 5), (nf.OneToOne(), 4, 4), (LISTED, 4, 4)]
each_pattern = pytest.mark.parametrize(
    ("pattern", "n_sources", "n_targets"), PATTERNS, ids=["full", "full from one", "one to one", "sparse"]
)


def connections(pattern, n_sources, n_targets):
    """Return the table as triples of source, target and weight."""
    table = pattern.table(n_sources, n_targets)
    return list(zip(table.sources.tolist(), table.targets.tolist(), table.weights.tolist(), strict=True))


def drawn(pattern, n_sources, n_targets, n_samples=6):
    """Return whole-numbered weights, inputs and deltas, on which sums are exact in any order."""
    random = np.random.default_rng(1)
    shapes = (pattern.n_weights(n_sources, n_targets),), (n_sources, n_samples), (n_targets, n_samples)
    return [random.integers(-9, 10, shape).astype(float) for shape in shapes]


@each_pattern
def test_the_arithmetic_is_that_of_the_connections(pattern, n_sources, n_targets):
    """The weighted sum and both derivatives, connection by connection."""
    weights, inputs, delta = drawn(pattern, n_sources, n_targets)
    net, gradient, input_delta = np.zeros_like(delta), np.zeros_like(weights), np.zeros_like(inputs)
    for source, target, weight in connections(pattern, n_sources, n_targets):
        net[target] += weights[weight] * inputs[source]
        gradient[weight] += sum(delta[target] * inputs[source])
        input_delta[source] += weights[weight] * delta[target]
    assert np.array_equal(pattern.weighted_sum(weights, inputs, n_targets), net)
    assert np.array_equal(pattern.weight_gradient(weights, inputs, delta), gradient)
    assert np.array_equal(pattern.input_delta(weights, inputs, delta), input_delta)


@each_pattern
def test_the_ways_to_look_at_a_pattern_agree(pattern, n_sources, n_targets):
    """The table, one neuron's connections, one connection's ends, and which neurons are fed."""
    pattern.check(n_sources, n_targets)
    table = connections(pattern, n_sources, n_targets)
    assert len(table) == pattern.n_weights(n_sources, n_targets)
    for target in range(n_targets):
        numbers = pattern.incoming(target, n_sources).tolist()
        found = [(*pattern.ends(number, n_sources), pattern.weight_of(number)) for number in numbers]
        assert found == [row for row in map(tuple, table) if row[1] == target]
    assert [pattern.ends(weight, n_sources) for *_, weight in table] == [tuple(row[:2]) for row in table]
    assert pattern.feeds(n_targets).tolist() == [i in {row[1] for row in table} for i in range(n_targets)]


@each_pattern
def test_float32_stays_float32_and_results_are_new(pattern, n_sources, n_targets):
    """Kernels add biases in place."""
    weights, inputs, delta = (array.astype(np.float32) for array in drawn(pattern, n_sources, n_targets))
    net = pattern.weighted_sum(weights, inputs, n_targets)
    results = (
        net,
        pattern.weight_gradient(weights, inputs, delta),
        pattern.input_delta(weights, inputs, delta),
    )
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
    assert not any(np.shares_memory(net, array) for array in (weights, inputs, delta))


def test_a_full_projection_stands_row_by_row():
    """Row i holds the weights of target i."""
    weights = np.array([1.0, 2, 3, 4, 5, 6])
    assert nf.Full().weighted_sum(weights, np.array([[1.0], [10], [100]]), 2).tolist() == [[321], [654]]


def test_listed_connections_cannot_be_changed_from_outside():
    """The pattern keeps a copy, and refuses to write to it."""
    sources = np.array([0, 1])
    pattern = nf.Sparse(sources, [0, 0])
    sources[0] = 1
    assert pattern.sources.tolist() == [0, 1]
    with pytest.raises(ValueError, match="read-only"):
        pattern.sources[0] = 1


@pytest.mark.parametrize("given", [[0.0, 1.0], [np.nan], ["a"], [True]])
def test_neurons_are_whole_numbers(given):
    """A fraction cut off in silence would wire another neuron."""
    with pytest.raises(nf.TopologyError, match="whole numbers"):
        nf.Sparse(given, [0] * len(given))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(6, 8))
def test_grouped_sums_add_rows_that_go_together(index, size):
    """What np.add.at does, also into what is there already."""
    rows = np.arange(1.0, 2 * len(index) + 1).reshape(-1, 2)
    expected = np.zeros((size, 2))
    np.add.at(expected, index, rows)
    add = GroupedSum(np.array(index))
    assert np.array_equal(add(rows, size), expected)
    out = np.ones((size, 2))
    add.add_into(out, rows)
    assert np.array_equal(out, expected + 1)


class Patchwork(nf.NeuralNetwork):
    """A layer fed in three ways, by two layers."""

    def build(self):
        first, second = self.input_layer(2), self.input_layer(3)
        out = self.layer(3)
        self.connect(second, out, "one_to_one")
        self.connect(first, out.neurons[1])
        self.connect(second, out, nf.Sparse([0, 2], [2, 1]))


def test_fan_in_groups_hold_every_connection_once():
    """By neurons of equal fan-in; sources count through the feeding layers in the order of their joining."""
    network = Patchwork(seed=0)
    groups = fan_in_groups(network.topology, 2)
    assert [(group.neurons.tolist(), group.fan_in) for group in groups] == [([0], 1), ([2], 2), ([1], 4)]
    assert [group.sources.tolist() for group in groups] == [[[0]], [[2, 0]], [[1, 3, 4, 2]]]
    neuron = network.layers[2].neurons[1]
    assert groups[2].weights.tolist() == [[c.weight.position for c in neuron.inputs]]


def test_fan_in_groups_keep_kinds_apart():
    """Neurons that are drawn or computed differently stand in different groups."""
    topology = nf.MultilayerPerceptron(2, 4, seed=0).topology
    (together,) = fan_in_groups(topology, 1)
    assert together.same_sources
    apart = fan_in_groups(topology, 1, np.array([1, 0, 1, 1]))
    assert [group.neurons.tolist() for group in apart] == [[1], [0, 2, 3]]


class Neighbours(nf.Projection):
    """Each neuron is fed by the next one of a ring."""

    def n_weights(self, n_sources, n_targets):
        return n_targets

    def table(self, n_sources, n_targets):
        targets = np.arange(n_targets)
        return ConnectionTable(targets, (targets + 1) % n_sources, targets)

    def incoming(self, target, n_sources):
        return np.array([target])

    def ends(self, connection, n_sources):
        return (connection + 1) % n_sources, connection

    def weighted_sum(self, weights, inputs, n_targets):
        return weights[:, np.newaxis] * np.roll(inputs, -1, axis=0)

    def weight_gradient(self, weights, inputs, net_delta):
        return (net_delta * np.roll(inputs, -1, axis=0)).sum(axis=1)

    def input_delta(self, weights, inputs, net_delta):
        return np.roll(weights[:, np.newaxis] * net_delta, 1, axis=0)


@attrs.frozen
class Convolution(nf.Projection):
    """A one-dimensional convolution: every target has the same few weights, over a window of its own."""

    width: int = 3

    def check(self, n_sources, n_targets):
        if n_targets != n_sources - self.width + 1:
            raise nf.TopologyError("a window must fit at every target")

    def n_weights(self, n_sources, n_targets):
        return self.width

    def table(self, n_sources, n_targets):
        numbers = np.arange(n_targets * self.width)
        targets, shifts = np.divmod(numbers, self.width)
        return ConnectionTable(targets, targets + shifts, shifts)

    def incoming(self, target, n_sources):
        return np.arange(target * self.width, (target + 1) * self.width)

    def ends(self, connection, n_sources):
        target, shift = divmod(connection, self.width)
        return target + shift, target

    def weight_of(self, connection):
        return connection % self.width

    def weighted_sum(self, weights, inputs, n_targets):
        return sum(weight * inputs[i : i + n_targets] for i, weight in enumerate(weights))

    def weight_gradient(self, weights, inputs, net_delta):
        n = len(net_delta)
        return np.array([(net_delta * inputs[i : i + n]).sum() for i in range(self.width)], net_delta.dtype)

    def input_delta(self, weights, inputs, net_delta):
        delta = np.zeros_like(inputs)
        for i, weight in enumerate(weights):
            delta[i : i + len(net_delta)] += weight * net_delta
        return delta


@pytest.mark.parametrize("combine", ["weighted_sum", "difference", "product"])
def test_a_convolution_needs_nothing_but_its_own_class(combine, tmp_path):
    """The seam for shared weights: objects, arithmetic, gradient and file follow from the pattern."""

    class Filter(nf.NeuralNetwork):
        def build(self):
            inputs = self.input_layer(7)
            first = self.layer(5, input_function=combine, transfer_function="tanh")
            second = self.layer(3)
            self.connect(inputs, first, Convolution(3))
            self.connect(first, second, Convolution(3))

    network = Filter(seed=0)
    kernel = network.projections[0].weights
    assert kernel.shape == (3,)
    network.layers[1].neurons[4].inputs[1].weight.value = 0.25
    assert kernel[1] == 0.25
    assert [c.source.position for c in network.layers[1].neurons[4].inputs] == [4, 5, 6]
    data = nf.DataSet(np.random.default_rng(0).normal(size=(5, 7)), np.zeros((5, 3)))
    assert nf.check_gradient(network, data) < 1e-7
    assert network(data.inputs) == pytest.approx(np.array(ReferenceNetwork(network)(data.inputs)), rel=1e-12)
    network.save(tmp_path / "filter.nf")
    np.testing.assert_array_equal(nf.load(tmp_path / "filter.nf")(data.inputs), network(data.inputs))


@pytest.mark.parametrize("combine", ["weighted_sum", "difference"])
def test_a_projection_of_ones_own_is_wired_like_any_other(combine):
    """The pattern and its arithmetic are all it takes, for every input function."""

    class Ring(nf.NeuralNetwork):
        def build(self):
            layers = [self.input_layer(4), *(self.layer(4, input_function=combine) for _ in range(2))]
            self.connect(layers[0], layers[1], Neighbours())
            self.connect(layers[1], layers[2], Neighbours())

    network = Ring(seed=0)
    data = nf.DataSet(np.random.default_rng(0).normal(size=(5, 4)), np.zeros((5, 4)))
    assert nf.check_gradient(network, data) < 1e-7
    assert network(data.inputs) == pytest.approx(np.array(ReferenceNetwork(network)(data.inputs)), rel=1e-12)
