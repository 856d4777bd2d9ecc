"""A hypothesis strategy for networks of every shape that can be wired.

A `Plan` is what hypothesis draws, shrinks and prints; `Plan.network` and `Plan.data` make the objects.
Numbers come from a seed: their values matter less than the wiring, and drawn one by one they would crowd
around 0, where distances, minima and rectifiers have their kinks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

import neuralframe as nf

SMOOTH_TRANSFERS = ["linear", "sigmoid", "tanh", "gaussian", "softplus", "sin", "softmax"]
KINKED_TRANSFERS = ["relu", "leaky_relu", "elu", "softsign", "log", "step", "sgn", "ramp", "trapezoid"]
SMOOTH_INPUTS = ["weighted_sum", "sum", "sum_of_squares", "product", "and", "or"]
KINKED_INPUTS = ["minimum", "maximum", "difference", "euclidean_rbf"]
N_SHARED = 3
"""How many `Weight` objects the connections made by hand may share."""


@dataclass(frozen=True)
class Computing:
    """A layer that computes; `transfers` holds one name, or one for each neuron."""

    size: int
    input_function: str
    transfers: tuple[str, ...]
    bias: bool


@dataclass(frozen=True)
class Join:
    """A way from one layer to another; `ends` and `weights` are for single connections."""

    source: int
    target: int
    kind: str
    ends: tuple[tuple[int, int], ...] = ()
    weights: tuple[int | float | None, ...] = ()
    frozen: bool = False
    share: bool = False


@dataclass(frozen=True)
class Plan:
    """A network and its data. Layers are numbered from inputs to outputs, and made in the order `made`."""

    input_sizes: tuple[int, ...]
    computing: tuple[Computing, ...]
    joins: tuple[Join, ...]
    made: tuple[int, ...]
    error: str
    weighted: bool
    seed: int

    def network(self):
        """Return the network with weights from the seed."""
        network = RandomNetwork(self, error=self.error, seed=self.seed)
        random = np.random.default_rng(self.seed)
        network.weights = random.choice([-1, 1], len(network.weights)) * random.uniform(
            0.2, 0.9, len(network.weights)
        )
        return network

    def data(self, network):
        """Return a few samples; each output layer's targets are probabilities, which suit every error."""
        random = np.random.default_rng(self.seed + 1)
        n = int(random.integers(1, 6))
        parts = [random.uniform(0.1, 1, (n, network.layers[i].size)) for i in network.topology.outputs]
        targets = np.hstack([part / part.sum(axis=1, keepdims=True) for part in parts])
        weights = random.uniform(0.1, 2, n) if self.weighted else None
        return nf.DataSet(random.uniform(-1.5, 1.5, (n, network.n_inputs)), targets, weights, block_size=2)


class RandomNetwork(nf.NeuralNetwork):
    """What a plan says."""

    def build(self, plan):
        """Make the layers in the order of `made`, then the joins."""
        n_inputs = len(plan.input_sizes)
        layers = {i: self.input_layer(size) for i, size in enumerate(plan.input_sizes)}
        for number in plan.made:
            spec = plan.computing[number]
            one = len(spec.transfers) == 1
            layers[n_inputs + number] = self.layer(
                spec.size,
                input_function=spec.input_function,
                transfer_function=spec.transfers[0] if one else spec.transfers,
                bias=spec.bias,
            )
        shared = [nf.Weight() for _ in range(N_SHARED)]
        joined = {}
        for join in plan.joins:
            self._join(join, layers, shared, joined)

    def _join(self, join, layers, shared, joined):
        source, target = layers[join.source], layers[join.target]
        if join.kind == "by hand":
            for (start, end), given in zip(join.ends, join.weights, strict=True):
                weight = shared[given] if isinstance(given, int) else given
                self.connect(source.neurons[start], target.neurons[end], weight=weight)
            return
        pattern = nf.Sparse(*zip(*join.ends, strict=True)) if join.kind == "sparse" else join.kind
        alike = join.kind, source.size, target.size
        if join.share and alike in joined:
            self.connect(source, target, share=joined[alike], frozen=join.frozen)
        else:
            joined[alike] = self.connect(source, target, pattern, frozen=join.frozen)


@st.composite
def plans(draw, *, smooth=False):
    """Draw a `Plan` of 2 to 6 layers; `smooth` leaves out every function with a kink."""
    input_sizes = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    n_computing = draw(st.integers(1, 6 - len(input_sizes)))
    computing = tuple(draw(_computing(smooth=smooth)) for _ in range(n_computing))
    sizes = [*input_sizes, *(layer.size for layer in computing)]
    joins = []
    for number in range(len(input_sizes), len(sizes)):
        sources = draw(st.lists(st.integers(0, number - 1), min_size=1, max_size=3))
        joins += [draw(_join(sizes, source, number, first=i == 0)) for i, source in enumerate(sources)]
    fed = {join.source for join in joins}
    joins += [Join(i, len(sizes) - 1, "full") for i in range(len(input_sizes)) if i not in fed]
    outputs = {i for i in range(n_computing) if i + len(input_sizes) not in fed}
    if probability := draw(st.sampled_from([None, "sigmoid", "softmax"])):
        computing = tuple(
            replace(layer, transfers=(probability,)) if i in outputs else layer
            for i, layer in enumerate(computing)
        )
    return Plan(
        input_sizes,
        computing,
        tuple(draw(st.permutations(joins))),
        tuple(draw(st.permutations(range(n_computing)))),
        draw(_error(probability, smooth=smooth)),
        draw(st.booleans()),
        draw(st.integers(0, 2**16)),
    )


@st.composite
def _computing(draw, *, smooth):
    size = draw(st.integers(1, 4))
    names = st.sampled_from(SMOOTH_TRANSFERS if smooth else SMOOTH_TRANSFERS + KINKED_TRANSFERS)
    transfers = draw(st.one_of(names.map(lambda name: (name,)), st.tuples(*[names] * size)))
    inputs = st.sampled_from(SMOOTH_INPUTS if smooth else SMOOTH_INPUTS + KINKED_INPUTS)
    return Computing(size, draw(st.one_of(st.just("weighted_sum"), inputs)), transfers, draw(st.booleans()))


@st.composite
def _join(draw, sizes, source, target, *, first):
    """Draw a join; a layer's first one reaches every neuron."""
    n_sources, n_targets = sizes[source], sizes[target]
    kinds = ["full", "sparse", "by hand"] + ["one_to_one"] * (n_sources == n_targets)
    kind = draw(st.sampled_from(kinds))
    if kind in {"full", "one_to_one"}:
        return Join(source, target, kind, frozen=draw(st.booleans()), share=draw(st.booleans()))
    end = st.tuples(st.integers(0, n_sources - 1), st.integers(0, n_targets - 1))
    ends = draw(st.lists(end, min_size=1, max_size=6))
    if first:
        ends += [(draw(st.integers(0, n_sources - 1)), i) for i in range(n_targets)]
    weight = st.one_of(st.none(), st.floats(-1, 1), st.integers(0, N_SHARED - 1))
    weights = [draw(weight) for _ in ends] if kind == "by hand" else ()
    return Join(source, target, kind, tuple(ends), tuple(weights))


def _error(probability, *, smooth):
    """Return a strategy for the error functions that mean something for the outputs."""
    general = ["sum_of_squares"] if smooth else ["sum_of_squares", "mean_absolute", "huber"]
    return st.sampled_from(general) if probability is None else st.sampled_from([*general, "cross_entropy"])
