"""The gradient of every function in every role, against differences of E and the reference network."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given, settings

import neuralframe as nf
from tests.reference.random_networks import plans
from tests.reference.reference_network import ReferenceNetwork

GOOD = 1e-7


def own(family):
    """Return the names of neuralframe's members of a family; other tests may have added some."""
    return {name for name, member in family.members().items() if member.__module__.startswith("neuralframe.")}


INPUTS = sorted(own(nf.InputFunction))
TRANSFERS = sorted(own(nf.TransferFunction) - {"step", "sgn"})
LEVEL = ["step", "sgn"]
"""Their slope is 0 wherever there is one: nothing passes back, and differences of E agree."""

POSITIVE = ["sigmoid", "softmax", "gaussian", "softplus"]
BELOW_ONE = ["sigmoid", "softmax"]
SENSIBLE = {
    "sum_of_squares": TRANSFERS,
    "mean_absolute": TRANSFERS,
    "huber": TRANSFERS,
    # -t ln y needs y > 0; other outputs reach 0 or less, where only the floor under the logarithm is left
    "categorical_cross_entropy": POSITIVE,
    # ln(1 - y) needs y < 1 too: softplus passes 1, and a gaussian reaches it where its net input is 0
    "binary_cross_entropy": BELOW_ONE,
}
"""The transfer functions on which each error means something; CrossEntropy stands for one of the last two."""

OUTPUT_ROLES = [(i, t, e) for e, transfers in SENSIBLE.items() for t in transfers for i in INPUTS]


class Tried(nf.NeuralNetwork):
    """Two inputs, a hidden layer of two and an output layer of two, with a skip connection."""

    def build(self, *, hidden=("weighted_sum", "tanh"), output=("weighted_sum", "linear")):
        inputs = self.input_layer(2)
        layers = [
            self.layer(size, input_function=combine, transfer_function=transfer, bias=True)
            for size, (combine, transfer) in ((2, hidden), (2, output))
        ]
        self.connect(inputs, layers[0])
        self.connect(layers[0], layers[1])
        self.connect(inputs, layers[1])


def with_weights(network, seed=5):
    """Give a network weights well away from 0, where some functions have kinks."""
    random, n = np.random.default_rng(seed), len(network.weights)
    network.weights = random.choice([-1, 1], n) * random.uniform(0.2, 0.8, n)
    network.weights[network.topology.is_bias] = random.uniform(0.2, 0.8)
    return network


def samples(network, *, weighted=False, seed=7):
    """Return five samples whose targets are probabilities."""
    random = np.random.default_rng(seed)
    targets = random.uniform(0.1, 1, (5, network.n_outputs))
    targets /= targets.sum(axis=1, keepdims=True)
    weights = random.uniform(0.2, 3, 5) if weighted else None
    return nf.DataSet(random.uniform(-1, 1, (5, network.n_inputs)), targets, weights)


BENT = {
    "euclidean_rbf": nf.EuclideanRBF(0.7),
    "gaussian": nf.Gaussian(1.3),
    "leaky_relu": nf.LeakyReLU(0.2),
    "elu": nf.ELU(0.6),
    "step": nf.Step(0.1, -0.5, 2),
    "ramp": nf.Ramp(-2.5, 2.5, -1, 0.5),
    "trapezoid": nf.Trapezoid(-3, 0.0, 0.01, 3),
    "huber": nf.Huber(0.4),
}
"""Parameters other than the default; ramp and trapezoid slope where small networks have their nets."""


def bent(name):
    """Return what a name stands for in the tests of single functions."""
    return BENT.get(name, name)


def passes(network, data, *, decay=0.0, max_weights=500):
    """Return whether the gradient is that of E; assert first that it is the reference network's."""
    error, gradient = nf.error_and_gradient(network, data, decay=decay)
    expected, reference = ReferenceNetwork(network).error_and_gradient(data, decay=decay)
    assert error == pytest.approx(expected, rel=1e-12)
    assert np.linalg.norm(gradient - reference) <= 1e-12 * np.linalg.norm(reference)
    return nf.check_gradient(network, data, decay=decay, max_weights=max_weights) <= GOOD


@pytest.mark.parametrize("transfer", TRANSFERS)
@pytest.mark.parametrize("combine", INPUTS)
def test_a_hidden_layer_of_any_functions(combine, transfer):
    """An error function reaches a hidden layer as deltas alone, so one of them speaks for all."""
    network = with_weights(Tried(hidden=(bent(combine), bent(transfer))))
    data = samples(network)
    assert passes(network, data, max_weights=5)
    _, gradient = nf.error_and_gradient(network, data)
    assert any(gradient[neuron.bias.position] for neuron in network.layers[1].neurons)


@pytest.mark.parametrize(("combine", "transfer", "error"), OUTPUT_ROLES, ids=str)
def test_an_output_layer_of_any_functions_under_any_error(combine, transfer, error):
    """What is not among `SENSIBLE` is left out for the reason given there.

    The reference speaks for every weight; differences, which cost more, for five of them.
    """
    network = with_weights(Tried(output=(bent(combine), bent(transfer)), error=bent(error)))
    data = samples(network)
    assert passes(network, data, max_weights=5)
    _, gradient = nf.error_and_gradient(network, data)
    assert gradient.any()


@pytest.mark.parametrize("transfer", LEVEL)
@pytest.mark.parametrize("combine", INPUTS)
def test_levels_pass_nothing_back(combine, transfer):
    """Behind a step or a sign the gradient is 0, and so are the differences; what comes after it learns."""
    hidden = with_weights(Tried(hidden=(bent(combine), bent(transfer))))
    assert passes(hidden, samples(hidden))
    _, gradient = nf.error_and_gradient(hidden, samples(hidden))
    learns = [any(gradient[neuron.bias.position] for neuron in layer.neurons) for layer in hidden.layers[1:]]
    assert learns == [False, True]
    output = with_weights(Tried(output=(bent(combine), bent(transfer))))
    assert passes(output, samples(output))
    assert not nf.error_and_gradient(output, samples(output))[1].any()


@pytest.mark.parametrize(("transfer", "resolved"), [("softmax", "categorical"), ("sigmoid", "binary")])
def test_cross_entropy_becomes_the_one_that_fits(transfer, resolved):
    """By name or by default, with the layer's derivative built in."""
    for error in (None, "cross_entropy"):
        network = with_weights(Tried(output=("weighted_sum", transfer), error=error))
        assert network.error_function.name == f"{resolved}_cross_entropy"
        assert passes(network, samples(network))


@pytest.mark.parametrize("transfer", sorted({*TRANSFERS, *LEVEL} - {"softmax", "sigmoid"}))
def test_cross_entropy_refuses_outputs_that_are_no_probabilities(transfer):
    """It says so when the network is built, not after an hour of training."""
    with pytest.raises(nf.TopologyError, match="cross-entropy needs outputs that are probabilities"):
        Tried(output=("weighted_sum", transfer), error="cross_entropy")


class Shared(nf.NeuralNetwork):
    """One projection used three times, once on the layer's own output; one Weight on four connections."""

    def build(self, pattern, combine, *, frozen):
        first, second = self.input_layer(3), self.input_layer(3)
        middle = self.layer(3, transfer_function="tanh", input_function=combine)
        last = self.layer(3, transfer_function="sigmoid", input_function=combine)
        joined = self.connect(first, middle, pattern, frozen=frozen)
        self.connect(second, middle, share=joined)
        self.connect(middle, last, share=joined)
        weight = nf.Weight(0.4, frozen=frozen)
        for source, target in ((0, 0), (1, 0), (1, 2)):
            self.connect(first.neurons[source], last.neurons[target], weight=weight)
        self.connect(second.neurons[1], middle.neurons[1], weight=weight)
        self.connect(second.neurons[2], middle.neurons[1])


PATTERNS = ["full", "one_to_one", nf.Sparse([0, 1, 1, 2, 0], [0, 0, 1, 2, 2])]


@pytest.mark.parametrize("pattern", PATTERNS, ids=["full", "one_to_one", "sparse"])
@pytest.mark.parametrize("combine", ["weighted_sum", "product", "difference"])
@pytest.mark.parametrize("frozen", [False, True])
def test_shared_and_frozen_weights(pattern, combine, frozen):
    """A shared weight gathers what all its connections say; a frozen one is left out of the gradient."""
    network = with_weights(Shared(pattern, combine, frozen=frozen))
    data = samples(network, weighted=True)
    assert passes(network, data, decay=0.03)
    _, gradient = nf.error_and_gradient(network, data, decay=0.03)
    joined = network.projections[0]
    places = network.topology.block(network.topology.projections[0])
    assert (gradient[places] == 0).all() == frozen
    assert np.shares_memory(joined.weights, network.projections[1].weights)


@pytest.mark.parametrize("combine", INPUTS)
def test_neurons_of_one_layer_with_transfer_functions_of_their_own(combine):
    """Softmax neurons share their probability among themselves, the others stand alone."""
    transfers = ["softmax", "tanh", "softmax", "relu", "gaussian", "softmax"]

    class Mixed(nf.NeuralNetwork):
        def build(self):
            inputs = self.input_layer(3)
            hidden = self.layer(6, transfer_function=transfers, input_function=combine, bias=True)
            output = self.layer(6, transfer_function=transfers[::-1])
            self.connect(inputs, hidden)
            self.connect(hidden, output)

    network = with_weights(Mixed())
    assert passes(network, samples(network), decay=0.1)
    outputs = network(samples(network).inputs)
    assert outputs[:, [0, 3, 5]].sum(axis=1) == pytest.approx(1)


def test_several_inputs_skips_outputs_sample_weights_and_decay():
    """All of it at once: towers, two output layers made in reverse order, weighted samples, decay."""

    class Everything(nf.NeuralNetwork):
        def build(self):
            late = self.layer(2, transfer_function="sin")
            left, right = self.input_layer(2), self.input_layer(3)
            early = self.layer(4, transfer_function="sigmoid", input_function="sum_of_squares")
            side = self.layer(2, transfer_function="softsign")
            self.connect(early, late)
            self.connect(right, early)
            self.connect(left, early)
            self.connect(early, side, nf.Sparse([3, 0, 3], [1, 0, 0]))
            self.connect(left, late, "one_to_one")
            self.connect(right.neurons[2], late)

    network = with_weights(Everything())
    assert (network.n_inputs, network.n_outputs) == (5, 4)
    assert passes(network, samples(network, weighted=True), decay=0.5)
    tower = with_weights(nf.TwoTowerPerceptron((2, 3), (3, 2), 2, output="softmax"))
    assert passes(tower, samples(tower, weighted=True), decay=0.01)


def test_the_penalty_counts_weights_and_leaves_out_biases():
    """E with decay less E without is half the decay times the squared weights, added up by hand."""
    network = with_weights(nf.MultilayerPerceptron(2, 3, 1))
    data = samples(network)
    plain, slope = nf.error_and_gradient(network, data)
    decayed, slope_decayed = nf.error_and_gradient(network, data, decay=0.2)
    squares = sum((layer.weights**2).sum() for layer in network.layers[1:])
    assert decayed - plain == pytest.approx(0.1 * squares, rel=1e-12)
    biases = network.topology.is_bias
    assert slope_decayed - slope == pytest.approx(np.where(biases, 0, 0.2 * network.weights), rel=1e-12)


# Random examples are the same on every run: a difference across a rare near-kink must not fail a release.
@settings(max_examples=150, deadline=None, derandomize=True)
@given(plans())
def test_random_networks_agree_with_the_reference(plan):
    """Outputs, error and gradient of whatever can be wired."""
    network = plan.network()
    data, reference = plan.data(network), ReferenceNetwork(network)
    np.testing.assert_allclose(network(data.inputs), reference(data.inputs), rtol=1e-11, atol=1e-13)
    error, gradient = nf.error_and_gradient(network, data, decay=0.1)
    expected, expected_gradient = reference.error_and_gradient(data, decay=0.1)
    assert error == pytest.approx(expected, rel=1e-12)
    difference = np.linalg.norm(gradient - expected_gradient)
    assert difference <= 1e-12 * np.linalg.norm(expected_gradient)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(plans(smooth=True))
def test_random_networks_agree_with_differences(plan):
    """Only smooth functions: a kink somewhere is near in any large random network."""
    network = plan.network()
    assert nf.check_gradient(network, plan.data(network), decay=0.1) <= GOOD


@attrs.frozen
class SlopeTooSteep(nf.TransferFunction):
    """A hyperbolic tangent whose derivative is a thousandth off."""

    def value(self, net):
        return np.tanh(net)

    def derivative(self, net, output):
        return 1.001 * (1 - output**2)


@attrs.frozen
class ForgottenInput(nf.InputFunction):
    """A weighted sum that carries nothing back for its first input."""

    def net(self, weights, inputs):
        return (weights * inputs).sum(axis=-1)

    def backward(self, weights, inputs, net_delta):
        by_inputs = net_delta[..., np.newaxis] * weights
        by_inputs[..., 0] = 0
        by_weights = (net_delta[..., np.newaxis] * inputs).sum(axis=0)
        return by_weights, by_inputs.sum(axis=1, keepdims=True) if inputs.shape[1] == 1 else by_inputs


@attrs.frozen
class WrongSign(nf.ErrorFunction):
    """Half the sum of squares with a derivative that points uphill."""

    def values(self, outputs, targets):
        return ((outputs - targets) ** 2).sum(axis=-1) / 2

    def derivative(self, outputs, targets):
        return targets - outputs


@pytest.mark.parametrize(
    ("wrong", "least"),
    [
        ({"hidden": ("weighted_sum", SlopeTooSteep())}, 1e-5),
        ({"output": ("weighted_sum", SlopeTooSteep())}, 1e-5),
        ({"output": (ForgottenInput(), "linear")}, 1e-3),
        ({"error": WrongSign()}, 1.0),
    ],
    ids=["slope of a hidden layer", "slope of the outputs", "forgotten input", "sign of the error"],
)
def test_the_check_finds_a_wrong_derivative(wrong, least):
    """A check that could not fail would be worth nothing."""
    network = with_weights(Tried(**wrong))
    assert nf.check_gradient(network, samples(network)) > least


def test_the_check_draws_among_many_weights_and_skips_frozen_ones():
    """A wrong derivative is found in a sample of the weights; a network frozen whole has nothing to check."""
    network = with_weights(Tried(hidden=("weighted_sum", SlopeTooSteep())))
    found = {nf.check_gradient(network, samples(network), max_weights=4, seed=seed) for seed in range(5)}
    assert len(found) > 1
    assert max(found) > 1e-5
    for layer in network.layers[1:]:
        layer.freeze()
    assert nf.check_gradient(network, samples(network)) == 0
