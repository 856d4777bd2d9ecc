"""What cannot be wired, and what is said about it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import neuralframe as nf


def made(build, **keywords):
    """Return a network that a function builds."""
    return type("Made", (nf.NeuralNetwork,), {"build": build})(seed=0, **keywords)


def chain(net, *names):
    """Make an input layer "in" that feeds the first of some layers of two; return all layers."""
    layers = [net.input_layer(2, name="in"), *(net.layer(2, name=name) for name in names)]
    net.connect(layers[0], layers[1])
    return layers


def ring(net):
    """Wire a cycle of three with a layer behind it."""
    _, a, b, c, behind = chain(net, "a", "b", "c", "behind")
    for source, target in ((a, b), (b, c), (c, a), (c, behind)):
        net.connect(source, target)


def self_loop(net):
    """Let a layer feed itself."""
    _, a, b = chain(net, "a", "b")
    net.connect(a, b)
    net.connect(a.neurons[0], a.neurons[1])


def two_of_a_name(net):
    """Use a name twice."""
    _, a, b = chain(net, "same", "same")
    net.connect(a, b)


def unfed_neuron(net):
    """Leave a neuron without a bias out."""
    inputs = net.input_layer(2)
    net.connect(inputs, net.layer(3, bias=False, name="a"), nf.Sparse([0, 1], [0, 2]))


def unfed_product(net):
    """Leave a neuron out whose bias cannot save it: a product of nothing."""
    inputs = net.input_layer(2)
    net.connect(
        inputs, net.layer(3, bias=True, input_function="product", name="a"), nf.Sparse([0, 1], [0, 1])
    )


def unfed_layer(net):
    """Forget to feed a layer, biases or not."""
    chain(net, "a", "forgotten")


def useless_input(net):
    """Make an input layer that feeds nothing."""
    net.input_layer(1, name="useless")
    chain(net, "a")


def into_an_input(net):
    """Feed an input layer."""
    inputs, a = chain(net, "a")
    net.connect(a, inputs)


def unequal(net):
    """Join different sizes one to one."""
    net.connect(net.input_layer(2), net.layer(3), "one_to_one")


def sparse(sources, targets):
    """Return a build that wires these connections."""

    def build(net):
        net.connect(net.input_layer(2), net.layer(3), nf.Sparse(sources, targets))

    return build


WRONG = [
    (ring, "a cycle without a delay: '[abc]' -> '[abc]' -> '[abc]' -> '[abc]'"),
    (self_loop, "'a' -> 'a'"),
    (two_of_a_name, "two layers are called 'same'"),
    (unfed_neuron, "neuron 1 of layer 'a' has no input"),
    (unfed_product, "neuron 2 of layer 'a' has no input"),
    (unfed_layer, "nothing feeds layer 'forgotten'"),
    (useless_input, "input layer 'useless' feeds no other"),
    (into_an_input, "'a' cannot feed the input layer 'in'"),
    (unequal, "one size; these have 2 and 3"),
    (sparse([0, 2], [0, 1]), "source neurons 0 to 2, but the source layer has neurons 0 to 1"),
    (sparse([0, 1], [0, -1]), "target neurons -1 to 0, but the target layer has neurons 0 to 2"),
    (sparse([0, 1], [0]), "as many sources as targets .* got 2 and 1"),
    (sparse([], []), "at least one"),
    (sparse([0.5], [1]), "takes whole numbers"),
    (lambda net: net.input_layer(2), "needs a layer after its inputs"),
    (lambda net: net.layer(2), "needs an input layer"),
    (lambda _: None, "needs an input layer"),
    (lambda net: net.layer(0), "at least one; got 0"),
    (lambda net: net.layer(2.5), r"whole number of neurons.* got 2\.5"),
    (lambda net: net.input_layer(True), "got True"),
    (lambda net: net.layer(3, transfer_function=["tanh"]), "3 neurons but was given 1 transfer functions"),
    (lambda net: net.connect(net.input_layer(1), 5), "takes layers and neurons; got int"),
    (lambda net: net.connect(net.input_layer(1), net.layer(1), weight=1), "a projection has many weights"),
    (lambda net: net.connect(net.input_layer(1), net.layer(1)).freeze(), "before the network is built"),
    (lambda net: net.layer(1).neurons[0].bias, "before the network is built"),
    (nf.NeuralNetwork.build, r"Made has no build\(\)"),
]


@pytest.mark.parametrize(("build", "message"), WRONG)
def test_what_is_no_network_says_why(build, message):
    """One kind of error for all of it, with the names and numbers that help."""
    with pytest.raises(nf.TopologyError, match=message):
        made(build)


@pytest.mark.parametrize("own", ["layer", "neuron"])
@pytest.mark.parametrize("foreign_end", [0, 1])
def test_what_another_network_made_is_foreign(own, foreign_end):
    """At either end, as a layer or as a neuron."""
    other = nf.MultilayerPerceptron(2, 3, 1, seed=0)

    def build(net):
        ends = [net.input_layer(2), net.layer(3)]
        ends[foreign_end] = other.layers[foreign_end]
        if own == "neuron":
            ends[foreign_end] = ends[foreign_end].neurons[0]
        net.connect(*ends)

    with pytest.raises(nf.TopologyError, match="belongs to another network"):
        made(build)


@pytest.mark.parametrize(
    ("keywords", "what", "choice"),
    [
        ({"transfer_function": "tanhh"}, "transfer function", "softsign"),
        ({"transfer_function": ["tanh", "nothing"]}, "transfer function", "tanh"),
        ({"input_function": "weighted"}, "input function", "weighted_sum"),
        ({"initializer": "xavier"}, "initializer", "glorot"),
    ],
)
def test_unknown_names_list_the_choices(keywords, what, choice):
    """And guess what was meant."""
    with pytest.raises(nf.ChoiceError, match=rf"unknown {what}.*choices are: .*{choice}"):
        made(lambda net: net.layer(2, **keywords))


def test_unknown_projections_and_errors_list_the_choices():
    """The names of connect() and of the constructor too."""
    with pytest.raises(nf.ChoiceError, match=r"unknown projection 'ful'\. Did you mean 'full'"):
        made(lambda net: net.connect(net.input_layer(1), net.layer(1), "ful"))
    with pytest.raises(nf.ChoiceError, match=r"unknown error function 'mse'.*sum_of_squares"):
        nf.MultilayerPerceptron(1, 1, error="mse")


def test_a_built_network_is_finished():
    """Layers and connections are refused, and nothing changes."""
    network = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    attempts = [
        lambda: network.layer(2),
        lambda: network.input_layer(2),
        lambda: network.connect(network.layers[0], network.layers[2]),
        lambda: network.connect(network.layers[0].neurons[0], network.layers[2].neurons[0]),
    ]
    for attempt in attempts:
        with pytest.raises(nf.TopologyError, match=r"made inside build\(\)"):
            attempt()
    assert len(network.layers) == 3
    assert len(network.projections) == 2


def test_a_neuron_with_nothing_but_a_bias_is_a_constant():
    """Beside neurons that are fed it may stand: its bias is drawn and learns."""

    def build(net):
        inputs, out = net.input_layer(1), net.layer(2)
        net.connect(inputs.neurons[0], out.neurons[0])

    network = made(build)
    network.layers[1].biases[1] = 4
    assert network([[1], [-5]])[:, 1].tolist() == [4, 4]
    assert nf.check_gradient(network, nf.DataSet([[1.0], [2.0]], [[1.0, 2.0], [0.0, 3.0]])) < 1e-9


def test_layers_may_be_made_in_any_order():
    """They are computed in the order of their connections; outputs stand in the order of their making."""

    def build(net):
        last = net.layer(1, name="last")
        side = net.layer(1, name="side")
        first = net.layer(1, name="first")
        inputs = net.input_layer(1, name="in")
        for source, target in ((first, last), (inputs, side), (inputs, first)):
            net.connect(source, target)

    network = made(build)
    for name, weight in (("last", 10), ("side", 7), ("first", 2)):
        layer = next(layer for layer in network.layers if layer.name == name)
        layer.weights[:], layer.biases[:] = weight, 1
    assert network([3]).tolist() == [[71, 22]]
    assert network.topology.order == (1, 2, 0)


def test_sizes_of_numpy_are_sizes():
    """A size that was counted by numpy can be saved like any other."""
    network = made(lambda net: net.connect(net.input_layer(np.int64(2)), net.layer(np.uint8(3))))
    assert type(network.layers[0].size) is type(network.layers[1].size) is int


def test_a_projection_of_another_network_cannot_be_shared():
    donor = nf.MultilayerPerceptron(2, 2, 2, seed=0)

    class Borrowing(nf.NeuralNetwork):
        def build(self):
            self.connect(self.input_layer(2), self.layer(2), share=donor.projections[0])

    with pytest.raises(nf.TopologyError, match="belongs to another network"):
        Borrowing()


def test_a_shared_projection_brings_its_own_pattern():
    class Both(nf.NeuralNetwork):
        def build(self):
            inputs, first, second = self.input_layer(2), self.layer(2), self.layer(2)
            shared = self.connect(inputs, first)
            self.connect(first, second, "one_to_one", share=shared)

    with pytest.raises(nf.TopologyError, match="its own pattern"):
        Both()


def test_a_share_of_a_share_is_the_first_projection():
    class Tied(nf.NeuralNetwork):
        def build(self):
            layers = [self.input_layer(2), *(self.layer(2) for _ in range(3))]
            projection = self.connect(layers[0], layers[1])
            for source, target in itertools.pairwise(layers[1:]):
                projection = self.connect(source, target, share=projection)

    net = Tied(seed=0)
    assert len(net.weights) == 4 + 3 * 2
    assert np.shares_memory(net.layers[3].weights, net.layers[1].weights)


def test_a_weight_of_one_network_cannot_be_given_to_another():
    weight = nf.Weight(0.5)

    class One(nf.NeuralNetwork):
        def build(self):
            self.connect(self.input_layer(1).neurons[0], self.layer(1).neurons[0], weight=weight)

    One()
    assert weight.belongs_to_network
    with pytest.raises(nf.TopologyError, match="belongs to a network already"):
        One()


def test_a_transfer_function_that_no_neuron_uses_any_more_is_forgotten():
    class Turned(nf.NeuralNetwork):
        def build(self):
            layer = self.layer(2, transfer_function="tanh")
            self.connect(self.input_layer(1), layer)
            layer.neurons[0].transfer_function = "sin"
            layer.neurons[1].transfer_function = "sin"

    assert Turned().layers[0].transfer_function == nf.Sin()


def test_two_softmax_layers_are_checked_and_trained_each_by_itself():
    """The targets' rows sum to 1 in the columns of each output layer."""

    class TwoHeads(nf.NeuralNetwork):
        def build(self):
            inputs = self.input_layer(2)
            for size in (2, 3):
                self.connect(inputs, self.layer(size, transfer_function="softmax"))

    targets = np.hstack([np.eye(2)[[0, 1, 1, 0]], np.eye(3)[[0, 1, 2, 0]]])
    data = nf.DataSet(np.random.default_rng(0).standard_normal((4, 2)), targets)
    assert nf.check_gradient(TwoHeads(seed=0), data) < 1e-9
    with pytest.raises(nf.DataError):
        nf.error_and_gradient(TwoHeads(seed=0), nf.DataSet(data.inputs, targets[:, ::-1]))
