"""Layers, neurons, connections and weights: live views of one vector, which cost nothing to keep."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
import pytest

import neuralframe as nf


class Web(nf.NeuralNetwork):
    """A network of every kind of connection."""

    def build(self):
        left, right = self.input_layer(2, name="left"), self.input_layer(3, name="right")
        hidden = self.layer(3, transfer_function="tanh", name="hidden")
        bare = self.layer(3, transfer_function="relu", bias=False, name="bare")
        out = self.layer(2, name="out")
        self.connect(left, hidden)
        self.connect(right, hidden, "one_to_one")
        self.connect(right, bare, nf.Sparse([0, 2, 1, 2], [2, 0, 1, 2]))
        self.connect(hidden, out)
        self.connect(bare.neurons[1], out.neurons[0], weight=0.25)
        self.connect(bare, out.neurons[1])
        self.connect(left.neurons[0], out.neurons[1], weight=-2.0)


SAMPLE = [[0.3, -0.8, 0.5, 1.2, -0.4]]


def made(build, **keywords):
    """Return a network that a function builds."""
    return type("Made", (nf.NeuralNetwork,), {"build": build})(seed=0, **keywords)


def all_connections(network):
    """Return the connections that feed any neuron."""
    return [
        connection for layer in network.layers for neuron in layer.neurons for connection in neuron.inputs
    ]


def test_writing_a_weight_changes_the_vector_and_the_outputs():
    """The view is the number itself, in both directions."""
    network = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    weight = network.layers[1].neurons[2].inputs[1].weight
    before = network([0.5, 0.5])
    weight.value = 7.5
    assert network.weights[weight.position] == 7.5
    assert network.layers[1].weights[2, 1] == 7.5
    assert network([0.5, 0.5]) != before
    network.weights[:] = 0
    assert weight.value == 0
    assert network([0.5, 0.5]).tolist() == [[0]]


def test_matrices_and_biases_are_views():
    """Of shape (n_out, n_in) and (n_out,); row i is what neuron i is fed with."""
    network = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    layer = network.layers[1]
    assert layer.weights.shape == (3, 2)
    assert np.shares_memory(layer.weights, network.weights)
    assert np.shares_memory(layer.biases, network.weights)
    layer.weights[:] = [[1, 2], [3, 4], [5, 6]]
    layer.biases[:] = [7, 8, 9]
    assert network.weights[:9].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [[c.weight.value for c in neuron.inputs] for neuron in layer.neurons] == [[1, 2], [3, 4], [5, 6]]
    assert [neuron.bias.value for neuron in layer.neurons] == [7, 8, 9]


def test_every_position_of_the_vector_has_an_owner():
    """Connections and biases together cover the vector, each position once where nothing is shared."""
    network = Web(seed=0)
    places = [c.weight.position for c in all_connections(network)]
    places += [n.bias.position for layer in network.layers for n in layer.neurons if n.bias is not None]
    assert sorted(places) == list(range(len(network.weights)))


def test_connections_know_their_ends_and_neurons_their_connections():
    """What one neuron lists among its inputs, the other lists among its outputs."""
    network = Web(seed=0)
    fed = {(c.source, c.target, c.weight.position) for c in all_connections(network)}
    feeding = {
        (c.source, c.target, c.weight.position)
        for layer in network.layers
        for n in layer.neurons
        for c in n.outputs
    }
    assert fed == feeding
    assert len(fed) == 6 + 3 + 4 + 6 + 1 + 3 + 1
    out = network.layers[4].neurons[1]
    assert [(c.source.layer.name, c.source.position) for c in out.inputs] == [
        *(("hidden", 0), ("hidden", 1), ("hidden", 2)),
        *(("bare", 0), ("bare", 1), ("bare", 2), ("left", 0)),
    ]
    assert all(c.target == out for c in out.inputs)
    assert out.inputs[-1].weight.value == -2
    assert not network.layers[0].neurons[0].inputs
    assert out.outputs == []


def test_a_neuron_is_computed_from_what_its_connections_say():
    """Walked by hand, one output equals that of the network."""
    network = Web(seed=3)
    at = network.activations(SAMPLE)
    neuron = network.layers[4].neurons[1]
    net = sum(c.weight.value * at[c.source.layer.name][0, c.source.position] for c in neuron.inputs)
    assert network(SAMPLE)[0, 1] == pytest.approx(net + neuron.bias.value)


def test_layers_tell_what_they_are():
    """Names, sizes, functions; a layer without biases has an empty view of them."""
    network = Web(seed=0)
    assert [(layer.name, layer.size, layer.is_input) for layer in network.layers] == [
        *(("left", 2, True), ("right", 3, True)),
        *(("hidden", 3, False), ("bare", 3, False), ("out", 2, False)),
    ]
    assert network.layers[2].transfer_function == nf.Tanh()
    assert network.layers[2].input_function == nf.WeightedSum()
    assert network.layers[3].biases.shape == (0,)
    assert network.layers[3].neurons[0].bias is None
    assert network.layers[0].initializer is None
    assert [p.source.name for p in network.layers[4].projections] == ["hidden", "bare", "left"]


def test_a_layer_fed_in_several_ways_has_no_one_matrix():
    """It says where to read instead."""
    network = Web(seed=0)
    with pytest.raises(nf.ShapeError, match=r"'hidden' is fed by 2 projection.*projections\[i\].weights"):
        _ = network.layers[2].weights
    with pytest.raises(nf.ShapeError, match="'bare' is fed by 1 projection"):
        _ = network.layers[3].weights
    by_hand = network.layers[4].projections[1].weights
    assert by_hand.tolist()[0] == 0.25
    with pytest.raises(ValueError, match="read-only"):
        by_hand[0] = 1


def test_views_are_sequences():
    """Indices from either end, slices, and an error beyond."""
    neurons = nf.MultilayerPerceptron(2, 3, 1, seed=0).layers[1].neurons
    assert len(neurons) == 3
    assert neurons[-1] == neurons[2]
    assert neurons[1:] == [neurons[1], neurons[2]]
    assert repr(neurons) == "[Neuron('hidden', 0), Neuron('hidden', 1), Neuron('hidden', 2)]"
    assert repr(nf.MultilayerPerceptron(6, 1).layers[0].neurons).endswith("Neuron('input', 3), ... 2 more]")
    with pytest.raises(IndexError):
        _ = neurons[3]


def test_views_of_one_thing_are_equal_and_hash_alike():
    """However often they are made; those of another network are others."""
    network, other = Web(seed=0), Web(seed=0)
    for views in (
        [n.layers[2] for n in (network, network, other)],
        [n.layers[2].neurons[1] for n in (network,) * 2],
    ):
        assert views[0] == views[1]
        assert hash(views[0]) == hash(views[1])
    assert network.layers[2] != other.layers[2]
    weights = [n.layers[2].neurons[1].inputs[0].weight for n in (network, network, other)]
    assert weights[0] == weights[1] != weights[2]
    assert len(set(weights)) == 2


def test_a_weight_passed_twice_is_one_number():
    """Shared connections move together, also across layers; the user's object becomes a view."""
    shared = nf.Weight(0.5)

    def build(net):
        inputs, hidden, out = net.input_layer(2), net.layer(2), net.layer(1)
        net.connect(inputs.neurons[0], hidden.neurons[0], weight=shared)
        net.connect(inputs.neurons[1], hidden.neurons[1], weight=shared)
        net.connect(hidden, out.neurons[0], weight=shared)

    network = made(build)
    connections = all_connections(network)
    assert {c.weight for c in connections} == {shared}
    assert len(network.weights) == 1 + 2 + 1
    assert shared.vector is network.weights
    shared.value = 3
    assert network([1, 2]).tolist() == [[3 * (3 + 6)]]
    network.initialize(seed=1)
    assert shared.value == 0.5


def test_a_shared_projection_is_one_block():
    """Chains of sharing lead to the same block."""

    def build(net):
        layers = [
            net.input_layer(2),
            net.layer(2, bias=False),
            net.layer(2, bias=False),
            net.layer(2, bias=False),
        ]
        first = net.connect(layers[0], layers[1])
        second = net.connect(layers[1], layers[2], share=first)
        net.connect(layers[2], layers[3], share=second)

    network = made(build)
    assert len(network.weights) == 4
    network.layers[3].weights[:] = [[0, 2], [1, 0]]
    assert network([1, 10]).tolist() == [[40, 2]]


def test_projections_of_different_sizes_share_nothing():
    """The message names both."""

    def build(net):
        layers = [net.input_layer(2), net.layer(3), net.layer(4)]
        net.connect(layers[1], layers[2], share=net.connect(layers[0], layers[1]))

    with pytest.raises(nf.TopologyError, match="of 2 and 3 neurons; these have 3 and 4"):
        made(build)


def test_transfer_functions_neuron_by_neuron():
    """As a list, or assigned inside build; afterwards the functions are fixed."""

    def build(net):
        inputs = net.input_layer(1)
        listed = net.layer(3, transfer_function=["tanh", nf.ReLU(), "tanh"], name="listed")
        assigned = net.layer(2, transfer_function="sin", name="assigned")
        assigned.neurons[1].transfer_function = "gaussian"
        alike = net.layer(2, transfer_function=["sigmoid", "sigmoid"], name="alike")
        for layer in (listed, assigned, alike):
            net.connect(inputs, layer)

    network = made(build)
    assert network.layers[1].transfer_function == (nf.Tanh(), nf.ReLU(), nf.Tanh())
    assert network.layers[2].transfer_function == (nf.Sin(), nf.Gaussian())
    assert network.layers[3].transfer_function == nf.Sigmoid()
    network.weights[:] = 0.5
    assert network([1]).tolist()[0] == pytest.approx(
        [np.tanh(1), 1, np.tanh(1), np.sin(1), np.exp(-0.5), *[1 / (1 + np.exp(-1))] * 2]
    )
    with pytest.raises(nf.TopologyError, match="is built"):
        network.layers[1].neurons[0].transfer_function = "tanh"


FREEZERS = {
    "weight": lambda net: setattr(net.layers[1].neurons[0].inputs[1].weight, "frozen", True),
    "projection": lambda net: net.projections[0].freeze(),
    "layer": lambda net: net.layers[1].freeze(),
}


@pytest.mark.parametrize(("what", "frozen"), [("weight", [1]), ("projection", range(6)), ("layer", range(9))])
def test_what_is_frozen_after_building_stays(what, frozen):
    """Neither learning nor drawing anew touches it; the rest moves; released, it learns again."""
    network = nf.MultilayerPerceptron(2, 3, 1, initializer="normal", seed=0)
    FREEZERS[what](network)
    before, keeps = network.weights.copy(), np.isin(range(len(network.weights)), list(frozen))
    data = nf.DataSet([[0, 1], [1, 0.5], [0.3, 0.2]], [1, -1, 0.5])
    network.learn(data, stop=nf.MaxIterations(3), rule=nf.GradientDescent(0.1))
    assert np.array_equal(network.weights == before, keeps)
    network.initialize(seed=9)
    assert np.array_equal(network.weights == before, keeps)
    network.layers[1].freeze(False)
    network.learn(data, stop=nf.MaxIterations(3), rule=nf.GradientDescent(0.1))
    assert (network.weights != before).all()


def test_what_is_frozen_while_building_is_drawn_once():
    """By projection, connection or Weight: it gets its initial value like any other and then keeps it."""

    def build(net):
        inputs, hidden, out = net.input_layer(2), net.layer(3), net.layer(2)
        net.connect(inputs, hidden, frozen=True)
        net.connect(inputs.neurons[0], out, frozen=True)
        net.connect(inputs.neurons[1], out.neurons[0], weight=0.75, frozen=True)
        net.connect(hidden.neurons[0], out.neurons[0], weight=nf.Weight(frozen=True))
        net.connect(hidden, out)

    network = made(build)
    hand = [network.projections[1].weights, network.projections[2].weights]
    frozen = np.concatenate([network.projections[0].weights.ravel(), hand[0], hand[1][:1]])
    assert np.isfinite(network.weights).all()
    assert (frozen != 0).all()
    assert len(set(frozen)) == len(frozen)
    assert hand[0][2] == 0.75
    marks = network.parameters.frozen
    before = network.weights.copy()
    assert marks.sum() == len(frozen) == 10
    network.initialize(seed=5)
    assert np.array_equal(network.weights == before, marks | (network.weights == 0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(value):
    """Wherever one is given."""
    network = nf.MultilayerPerceptron(2, 1, seed=0)
    before = network.weights.copy()
    with pytest.raises(nf.NonFiniteError, match="must be finite"):
        network.layers[1].neurons[0].inputs[0].weight.value = value
    with pytest.raises(nf.NonFiniteError, match="weights"):
        network.weights = [0, value, 0]
    with pytest.raises(nf.NonFiniteError):
        nf.Weight(value)
    with pytest.raises(nf.NonFiniteError):
        made(lambda net: net.connect(net.input_layer(1).neurons[0], net.layer(1).neurons[0], weight=value))
    assert np.array_equal(network.weights, before)


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1), (1, 3), ()])
def test_assigned_weights_must_fit(shape):
    """The message says how many there are."""
    network = nf.MultilayerPerceptron(2, 1, seed=0)
    with pytest.raises(nf.ShapeError, match=r"weights have shape \(3,\)"):
        network.weights = np.zeros(shape)


@pytest.mark.parametrize("inputs", [[1], [1, 2, 3], [[1], [2]], np.zeros((2, 2, 2)), [[1, 2], [3]], "ab", 5])
def test_inputs_must_fit(inputs):
    """One sample may come as a vector; everything else needs two columns."""
    network = nf.MultilayerPerceptron(2, 1, seed=0)
    with pytest.raises(nf.ShapeError, match=r"inputs"):
        network(inputs)


def test_inputs_must_be_finite_and_keep_their_type():
    """NaN is named with its place; float32 samples get float32 outputs, whole numbers float64."""
    network = nf.MultilayerPerceptron(2, 1, seed=0)
    with pytest.raises(nf.NonFiniteError, match="row 1, column 0"):
        network([[0, 1], [np.nan, 1]])
    assert network(np.zeros((3, 2), np.float32)).dtype == np.float32
    assert network(np.zeros((3, 2), int)).dtype == np.float64
    assert network(np.zeros((0, 2))).shape == (0, 1)


def kept_bytes(make):
    """Return the memory that what `make` returns keeps."""
    make()  # what is imported or cached on first use is not the network's
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    kept = make()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return after - before, kept


@pytest.mark.parametrize("sizes", [(8000, 20), (784, 1000, 10)])
def test_a_network_takes_the_memory_of_its_weights(sizes):
    """A fifth more at most, and 200 kB: no object per neuron or connection is kept."""
    kept, network = kept_bytes(lambda: nf.MultilayerPerceptron(*sizes, seed=0))
    assert kept <= 1.2 * network.weights.nbytes + 200_000


def test_views_are_not_kept():
    """Walking over every connection leaves nothing behind."""
    network = nf.MultilayerPerceptron(100, 50, 10, seed=0)

    def walk():
        for connection in all_connections(network):
            connection.weight.value += connection.source.position

    kept, _ = kept_bytes(walk)
    assert kept < 10_000


def calls(make):
    """Return how many function calls something takes: a measure of work that no busy machine disturbs."""
    count = 0

    def profile(_frame, event, _argument):
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(profile)
    try:
        make()
    finally:
        sys.setprofile(None)
    return count


def test_wiring_by_hand_is_linear():
    """Twice the connections take twice the work, with and without shared weights."""

    def wired(n):
        shared = nf.Weight(0.5)

        def build(net):
            inputs, out = net.input_layer(n), net.layer(4)
            for i in range(n):
                net.connect(inputs.neurons[i], out.neurons[i % 4], weight=shared if i % 3 == 0 else None)

        return lambda: made(build)

    wired(10)()
    small, large = (calls(wired(n)) for n in (1000, 2000))
    assert large < 2.1 * small


def test_what_is_no_setting_cannot_be_set():
    """A size assigned in vain would be worse than an error."""
    layer = nf.MultilayerPerceptron(2, 1, seed=0).layers[1]
    with pytest.raises(AttributeError):
        layer.index = 0
    with pytest.raises(AttributeError):
        layer.size = 5
