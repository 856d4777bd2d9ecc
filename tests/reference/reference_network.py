"""The second oracle: a network computed in plain Python, neuron by neuron and connection by connection.

`ReferenceNetwork` walks the public objects of a network once, notes what feeds what, and then knows nothing
of numpy, layouts or kernels. Slow, and meant to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, fsum

from tests.reference.scalar_formulas import ERROR, ERROR_SLOPE, NET, NET_SLOPES, OUTPUT, OUTPUT_SLOPE


@dataclass(frozen=True)
class Cell:
    """One neuron as the walk found it; `place` is (layer, position in the layer)."""

    place: tuple[int, int]
    input_function: object
    transfer_function: object
    sources: list[tuple[int, int]]
    weights: list[float]
    positions: list[int]
    bias: float
    bias_position: int | None

    @classmethod
    def of(cls, neuron):
        """Note down a neuron and the connections that feed it."""
        connections, bias = list(neuron.inputs), neuron.bias
        return cls(
            place=(neuron.layer.index, neuron.position),
            input_function=neuron.layer.input_function,
            transfer_function=neuron.transfer_function,
            sources=[(c.source.layer.index, c.source.position) for c in connections],
            weights=[c.weight.value for c in connections],
            positions=[c.weight.position for c in connections],
            bias=0.0 if bias is None else bias.value,
            bias_position=None if bias is None else bias.position,
        )


class ReferenceNetwork:
    """A network at its present weights, in Python floats.

    Parameters
    ----------
    network : NeuralNetwork
        Only its objects are looked at, never its kernel.

    """

    def __init__(self, network):
        layers = {layer.index: [Cell.of(n) for n in layer.neurons] for layer in network.layers}
        feeding = {source[0] for cells in layers.values() for cell in cells for source in cell.sources}
        self.inputs = [
            cell.place for layer in network.layers if layer.is_input for cell in layers[layer.index]
        ]
        self.outputs = [cell.place for i, cells in layers.items() if i not in feeding for cell in cells]
        computing = {layer.index: layers[layer.index] for layer in network.layers if not layer.is_input}
        self.layers = list(_in_order(computing))
        self.n_weights = len(network.weights)
        self.frozen = {p for cells in self.layers for p in _positions(cells) if _is_frozen(network, p)}
        self.error_function = network.error_function

    def forward(self, inputs):
        """Return what goes in and what comes out of every neuron for one sample, by place."""
        nets, outputs = {}, dict(zip(self.inputs, map(float, inputs), strict=True))
        for cells in self.layers:
            for cell in cells:
                x = [outputs[source] for source in cell.sources]
                net = NET[cell.input_function.name] if x else NET["weighted_sum"]
                nets[cell.place] = net(cell.input_function, cell.weights, x) + cell.bias
            for cell in cells:
                outputs[cell.place] = _output(cell, cells, nets)
        return nets, outputs

    def __call__(self, samples):
        """Return the outputs, a list for each sample."""
        return [[self.forward(sample)[1][place] for place in self.outputs] for sample in samples]

    def sample_error(self, inputs, targets):
        """Return the error of one sample."""
        _, outputs = self.forward(inputs)
        error, f = ERROR[self.error_function.name], self.error_function
        pairs = zip((outputs[place] for place in self.outputs), map(float, targets), strict=True)
        return fsum(error(f, y, t) for y, t in pairs)

    def sample_gradient(self, inputs, targets):
        """Return the derivatives of one sample's error as pairs of a position and a term, to be added up."""
        nets, outputs = self.forward(inputs)
        slope, f = ERROR_SLOPE[self.error_function.name], self.error_function
        deltas = {place: [] for place in outputs}
        for place, t in zip(self.outputs, map(float, targets), strict=True):
            deltas[place].append(slope(f, outputs[place], t))
        terms = []
        for cells in reversed(self.layers):
            output_deltas = {cell.place: fsum(deltas[cell.place]) for cell in cells}
            for cell in cells:
                delta = _net_delta(cell, cells, nets, outputs, output_deltas)
                terms += _carried_back(cell, delta, outputs, deltas)
        return terms

    def error_and_gradient(self, data, *, decay=0.0):
        """Return E and dE/dw over a data set: means over the samples, plus weight decay."""
        shares = [1.0] * len(data) if data.sample_weights is None else data.sample_weights.tolist()
        samples = list(zip(data.inputs.tolist(), data.targets.tolist(), shares, strict=True))
        terms = [[] for _ in range(self.n_weights)]
        for x, t, share in samples:
            for position, term in self.sample_gradient(x, t):
                terms[position].append(share * term)
        n = fsum(shares)
        error = fsum(share * self.sample_error(x, t) for x, t, share in samples) / n
        gradient = [fsum(of_weight) / n for of_weight in terms]
        decayed = {
            p: w for cells in self.layers for c in cells for p, w in zip(c.positions, c.weights, strict=True)
        }
        for position, weight in decayed.items():
            gradient[position] += decay * weight
        for position in self.frozen:
            gradient[position] = 0.0
        return error + decay / 2 * fsum(w * w for w in decayed.values()), gradient


def _in_order(layers):
    """Yield the cells of each computing layer after those of the layers that feed it."""
    waiting = dict(layers)
    while waiting:
        needs = {i: {source[0] for c in cells for source in c.sources} for i, cells in waiting.items()}
        ready = next(i for i in waiting if not needs[i] & waiting.keys())
        yield waiting.pop(ready)


def _positions(cells):
    for cell in cells:
        yield from cell.positions
        if cell.bias_position is not None:
            yield cell.bias_position


def _is_frozen(network, position):
    frozen = network.parameters.frozen
    return frozen is not None and bool(frozen[position])


def _peers(cell, cells):
    """Return the neurons with which a softmax neuron shares its probability."""
    return [other for other in cells if other.transfer_function == cell.transfer_function]


def _output(cell, cells, nets):
    function = cell.transfer_function
    if function.name != "softmax":
        return OUTPUT[function.name](function, nets[cell.place])
    return 1 / fsum(exp(nets[peer.place] - nets[cell.place]) for peer in _peers(cell, cells))


def _net_delta(cell, cells, nets, outputs, output_deltas):
    """Return dE/d net of one neuron; through a softmax, every peer's output depends on it."""
    function, y = cell.transfer_function, outputs[cell.place]
    if function.name != "softmax":
        return OUTPUT_SLOPE[function.name](function, nets[cell.place]) * output_deltas[cell.place]
    return fsum(
        output_deltas[peer.place] * outputs[peer.place] * (float(peer is cell) - y)
        for peer in _peers(cell, cells)
    )


def _carried_back(cell, delta, outputs, deltas):
    """Add to the deltas of the neurons that feed `cell`; return the terms of the gradient."""
    x = [outputs[source] for source in cell.sources]
    by_weights, by_inputs = NET_SLOPES[cell.input_function.name](cell.input_function, cell.weights, x)
    for source, slope in zip(cell.sources, by_inputs, strict=True):
        deltas[source].append(delta * slope)
    terms = [(p, delta * slope) for p, slope in zip(cell.positions, by_weights, strict=True)]
    return terms if cell.bias_position is None else [*terms, (cell.bias_position, delta)]
