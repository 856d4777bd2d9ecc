"""Drawing the weights of whole networks: who draws for which neurons, and what is kept."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.initialization import draw_weights
from tests.reference.random_networks import plans


@attrs.frozen
class Recording(nf.Initializer):
    """Notes the fans it is asked for and draws 1, 2, 3, ... with biases -1, -2, ..."""

    fans: list = attrs.field(factory=list, eq=False)

    def draw(self, fan, random):
        self.fans.append(fan)
        weights = np.arange(1.0, fan.n_out * fan.n_in + 1).reshape(fan.n_out, fan.n_in)
        return weights, -np.arange(1.0, fan.n_out + 1)


def made(build, **keywords):
    """Return a network that a function builds."""
    return type("Made", (nf.NeuralNetwork,), {"build": build})(seed=0, **keywords)


def test_nguyen_and_widrow_spread_over_the_range_of_the_data():
    """Nets reach the same interval whatever the inputs' units: their centres are drawn to fit the box."""
    ranges = np.array([[100.0, 300.0], [-0.02, 0.01], [5, 5]])
    network = nf.MultilayerPerceptron(3, 40, 1, seed=0, input_ranges=ranges)
    plain = nf.MultilayerPerceptron(3, 40, 1, seed=0, input_ranges=[[-1, 1], [-1, 1], [0, 0]])
    layer, standard = network.layers[1], plain.layers[1]
    assert not layer.weights[:, 2].any()
    centre, half = ranges.mean(axis=1), np.diff(ranges, axis=1)[:, 0] / 2
    for corner in np.array([[0, 0, 0], [1, 1, 0], [-1, 1, 0]]):
        nets = layer.weights @ (centre + corner * half) + layer.biases
        assert nets == pytest.approx(standard.weights @ corner + standard.biases, abs=1e-9)


def test_the_widths_of_nguyen_and_widrow_by_hand():
    """Each row has length 0.7 h^(1/n) times half of tanh's active range, 2, on inputs from -1 to 1."""
    layer = nf.MultilayerPerceptron(3, 8, 1, seed=0).layers[1]
    assert np.linalg.norm(layer.weights, axis=1) == pytest.approx(0.7 * 8 ** (1 / 3) * 2)
    assert sorted(abs(layer.biases)) == pytest.approx(sorted(abs(0.7 * 2 * 2 * np.linspace(-1, 1, 8))))


def test_data_give_their_ranges():
    """for_data and initialize(data=...) draw what the ranges themselves would."""
    data = nf.DataSet([[0.0, 5.0], [10.0, -5.0], [4.0, 1.0]], [1.0, 2.0, 3.0])
    ranges = [[0, 10], [-5, 5]]
    expected = nf.MultilayerPerceptron(2, 4, 1, seed=3, input_ranges=ranges).weights
    assert np.array_equal(nf.MultilayerPerceptron.for_data(data, 4, seed=3).weights, expected)
    network = nf.MultilayerPerceptron(2, 4, 1, seed=0)
    assert np.array_equal(network.initialize(seed=3, data=data).weights, expected)
    assert np.array_equal(network.initialize(seed=3, input_ranges=ranges).weights, expected)


@pytest.mark.parametrize("ranges", [[[0, 1]], [0, 1], [[0, 1, 2]] * 2])
def test_ranges_must_fit(ranges):
    """One pair for each input."""
    with pytest.raises(nf.ShapeError, match="each of 2 inputs"):
        nf.MultilayerPerceptron(2, 1, input_ranges=ranges)


def test_ranges_follow_the_inputs_through_the_layers():
    """Each input layer has its own columns; what a layer puts out is taken from its transfer function."""
    recording = Recording()

    def build(net):
        left, right = net.input_layer(1), net.input_layer(2)
        bells = net.layer(2, transfer_function=["tanh", "sigmoid"], initializer="constant")
        unbounded = net.layer(1, transfer_function="relu", initializer="constant")
        out = net.layer(1, initializer=recording, transfer_function="sigmoid")
        for source, target in (
            (left, bells),
            (right, unbounded),
            (right, out),
            (bells, out),
            (unbounded, out),
        ):
            net.connect(source, target)

    made(build, input_ranges=[[1, 2], [3, 4], [5, 6]])
    (fan,) = recording.fans
    assert fan.input_ranges.tolist() == [[3, 4], [5, 6], [-1, 1], [0, 1], [-1, 1]]
    assert (fan.n_out, fan.n_in, fan.has_bias, fan.active_range) == (1, 5, True, (-4, 4))


def test_one_draw_is_cut_into_the_full_projections_of_a_layer():
    """The fan-in counts all of them; the matrix is laid side by side."""
    recording = Recording()

    def build(net):
        left, right, out = net.input_layer(2), net.input_layer(1), net.layer(2, initializer=recording)
        net.connect(left, out)
        net.connect(right, out)

    network = made(build)
    assert [fan.n_in for fan in recording.fans] == [3]
    assert network.projections[0].weights.tolist() == [[1, 2], [4, 5]]
    assert network.projections[1].weights.tolist() == [[3], [6]]
    assert network.layers[2].biases.tolist() == [-1, -2]


def test_sparse_neurons_are_drawn_in_groups_of_one_fan_in():
    """Each group gets the ranges of its own sources, position by position."""
    recording = Recording()

    def build(net):
        inputs, out = net.input_layer(3), net.layer(3, initializer=recording)
        net.connect(inputs, out, nf.Sparse([0, 1, 2, 1], [0, 1, 1, 2]))

    network = made(build, input_ranges=[[0, 1], [2, 3], [4, 5]])
    assert [(fan.n_out, fan.n_in, fan.input_ranges.tolist()) for fan in recording.fans] == [
        (2, 1, [[0, 3]]),
        (1, 2, [[2, 3], [4, 5]]),
    ]
    assert network.projections[0].weights.tolist() == [1, 1, 2, 2]
    assert network.layers[1].biases.tolist() == [-1, -1, -2]


def test_neurons_of_different_functions_are_drawn_apart():
    """Each kind for its own active range."""
    recording = Recording()

    def build(net):
        inputs = net.input_layer(2)
        net.connect(
            inputs, net.layer(3, transfer_function=["tanh", "sigmoid", "tanh"], initializer=recording)
        )

    made(build)
    assert [(fan.n_out, fan.active_range) for fan in recording.fans] == [(2, (-2, 2)), (1, (-4, 4))]


def test_given_values_are_kept_on_every_draw():
    """Those of connections and of Weight objects; the others are drawn around them."""
    shared, open_ = nf.Weight(0.5), nf.Weight()

    def build(net):
        inputs, out = net.input_layer(3), net.layer(2, initializer="normal")
        for source, weight in enumerate((shared, 0.25, None)):
            net.connect(inputs.neurons[source], out.neurons[0], weight=weight)
        net.connect(inputs.neurons[0], out.neurons[1], weight=shared)
        net.connect(inputs.neurons[1], out.neurons[1], weight=open_)

    network = made(build)
    drawn = []
    for seed in (0, 1):
        network.initialize(seed=seed)
        weights = [c.weight.value for c in network.layers[1].neurons[0].inputs]
        assert weights[:2] == [0.5, 0.25]
        drawn += [weights[2], open_.value]
    assert len(set(drawn)) == 4


def test_frozen_weights_keep_what_they_have_and_nan_is_not_a_weight_yet():
    """draw_weights itself: kept where frozen, drawn where nothing stands yet."""
    topology = nf.MultilayerPerceptron(2, 1, initializer="normal", seed=0).topology
    keep, frozen = np.array([5.0, np.nan, 7.0]), np.array([True, True, False])
    free = draw_weights(topology, np.random.default_rng(1))
    kept = draw_weights(topology, np.random.default_rng(1), keep=keep, frozen=frozen)
    assert kept.tolist() == [5.0, free[1], free[2]]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(plans(), st.integers(0, 2**32))
def test_a_seed_is_all_it_takes(plan, seed):
    """The same seed gives the same weights, all of them finite; another one, others."""
    network = plan.network()
    first, again, other = (network.initialize(seed=s).weights.copy() for s in (seed, seed, seed + 1))
    frozen = network.parameters.frozen
    assert np.array_equal(first, again)
    assert np.isfinite(first).all()
    assert np.array_equal(network.initialize(seed=np.random.default_rng(seed)).weights, first)
    if frozen is not None:
        assert np.array_equal(first[frozen], other[frozen])


def test_networks_are_drawn_differently_without_a_seed():
    """No hidden state gives the same numbers twice."""
    first, second = nf.MultilayerPerceptron(3, 2), nf.MultilayerPerceptron(3, 2)
    assert (first.weights != second.weights).any()
    assert (
        nf.MultilayerPerceptron(3, 2, seed=0).weights != nf.MultilayerPerceptron(3, 2, seed=1).weights
    ).any()


@pytest.mark.parametrize(
    ("transfer", "hidden", "output"),
    [
        *(("tanh", "nguyen_widrow", "glorot"), ("sigmoid", "nguyen_widrow", "glorot"), ("relu", "he", "he")),
        *(("linear", "glorot", "glorot"), ("softmax", "glorot", "glorot"), ("softplus", "he", "he")),
    ],
)
def test_each_layer_gets_the_initializer_that_suits_it(transfer, hidden, output):
    """By its transfer function, and by whether it feeds another layer."""
    network = nf.MultilayerPerceptron(2, 3, 2, hidden=transfer, output=transfer)
    assert [layer.initializer.name for layer in network.layers[1:]] == [hidden, output]
