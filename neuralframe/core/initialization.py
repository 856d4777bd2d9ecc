"""Drawing a network's initial weights, layer by layer, each with its own initializer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.fan_in import all_full, fan_in_groups, source_layers
from neuralframe.core.initializers import Fan, default_initializer

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.initializers import Initializer
    from neuralframe.core.topology import LayerSpec, Topology

ASSUMED_RANGE = (-1.0, 1.0)
"""What inputs are taken to lie between when nothing is known of them."""


def draw_weights(
    topology: Topology,
    random: np.random.Generator,
    *,
    input_ranges: npt.ArrayLike | None = None,
    keep: Vector | None = None,
    frozen: npt.NDArray[np.bool_] | None = None,
) -> Vector:
    """Return a new weight vector.

    Parameters
    ----------
    topology : Topology
        The network.
    random : numpy.random.Generator
        Where the numbers come from; the same generator state gives the same weights.
    input_ranges : (n_inputs, 2) array_like, optional
        Lowest and highest value of each input, for initializers that need them (Nguyen-Widrow);
        [-1, 1] unless given.
    keep : (n_weights,) float64, optional
        Present weights; those that are frozen are kept, unless they are NaN: not drawn yet.
    frozen : (n_weights,) bool, optional
        Which weights of `keep` are kept.

    Returns
    -------
    (n_weights,) float64

    """
    weights = np.zeros(topology.n_weights)
    ranges = _layer_ranges(topology, input_ranges)
    for number in topology.order:
        if all_full(topology, number) and topology.layers[number].transfer_index is None:
            _draw_full(topology, number, ranges, random, weights)
        else:
            _draw_groups(topology, number, ranges, random, weights)
    _set_given(topology, weights)
    if keep is not None and frozen is not None:
        kept = frozen & ~np.isnan(keep)
        weights[kept] = keep[kept]
    return weights


def _layer_ranges(topology: Topology, input_ranges: npt.ArrayLike | None) -> list[Vector]:
    """Return for each layer the range of each of its outputs, shape (size, 2)."""
    given = (
        np.tile(ASSUMED_RANGE, (topology.n_inputs, 1)) if input_ranges is None else np.asarray(input_ranges)
    )
    ranges = [
        np.array(
            [layer.transfer_of(i).output_range or ASSUMED_RANGE for i in range(layer.size)], dtype=np.float64
        )
        if layer.transfer_index is not None
        else np.tile(np.array(layer.transfer_functions[0].output_range or ASSUMED_RANGE), (layer.size, 1))
        for layer in topology.layers
    ]
    start = 0
    for number in topology.inputs:
        size = topology.layers[number].size
        ranges[number] = given[start : start + size].astype(np.float64)
        start += size
    return ranges


def _draw_full(
    topology: Topology, number: int, ranges: list[Vector], random: np.random.Generator, weights: Vector
) -> None:
    """Draw one matrix for all full projections of a layer and cut it into their blocks, without an index."""
    layer, incoming = topology.layers[number], topology.incoming(number)
    fan = _fan(layer, layer.size, np.concatenate([ranges[spec.source] for spec in incoming]), kind=0)
    drawn, biases = _initializer(layer).draw(fan, random)
    column = 0
    for spec in incoming:
        size = topology.layers[spec.source].size
        block = weights[topology.block(spec)].reshape(layer.size, size)
        block[:] = drawn[:, column : column + size]
        column += size
    if layer.bias is not None:
        weights[layer.bias : layer.bias + layer.size] = biases


def _draw_groups(
    topology: Topology, number: int, ranges: list[Vector], random: np.random.Generator, weights: Vector
) -> None:
    """Draw for each group of neurons with one fan-in and one transfer function."""
    layer = topology.layers[number]
    sources = np.concatenate([ranges[source] for source in source_layers(topology, number)])
    for group in fan_in_groups(topology, number, layer.transfer_index):
        kind = 0 if layer.transfer_index is None else int(layer.transfer_index[group.neurons[0]])
        source_ranges = np.stack(
            [sources[group.sources, 0].min(axis=0), sources[group.sources, 1].max(axis=0)], axis=1
        )
        fan = _fan(layer, len(group.neurons), source_ranges, kind)
        drawn, biases = _initializer(layer).draw(fan, random)
        weights[group.weights] = drawn
        if layer.bias is not None:
            weights[layer.bias + group.neurons] = biases


def _fan(layer: LayerSpec, n_out: int, source_ranges: Vector, kind: int) -> Fan:
    return Fan(
        n_out=n_out,
        n_in=len(source_ranges),
        input_ranges=source_ranges,
        active_range=layer.transfer_functions[kind].active_range,
        has_bias=layer.bias is not None,
    )


def _initializer(layer: LayerSpec) -> Initializer:
    """Return the layer's initializer; a layer described without one gets what suits a hidden layer."""
    return layer.initializer or default_initializer(layer.transfer_functions[0], hidden=True)


def _set_given(topology: Topology, weights: Vector) -> None:
    """Set the weights to which the user gave an initial value."""
    for spec in topology.projections:
        if spec.initial is None:
            continue
        given: Indices = np.flatnonzero(~np.isnan(spec.initial))
        places = np.arange(spec.offset, spec.offset + len(spec.initial)) if spec.index is None else spec.index
        weights[places[given]] = spec.initial[given]
