"""Which weights belong together because they are one neuron's."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Self

import attrs
import numpy as np

from neuralframe.core.fan_in import fan_in_groups, source_layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices
    from neuralframe.core.topology import Topology


@attrs.frozen(eq=False)
class WeightGroups:
    """Weights by the neurons that they belong to.

    Attributes
    ----------
    neurons : (n_weights,) int64
        A number for each weight; equal numbers are one neuron. A hidden neuron owns the weights and the bias
        that feed it, and those by which it feeds an output neuron. An output neuron owns the rest. A weight
        that several connections share belongs to the last of them.
    in_first_half : (n_weights,) bool
        Whether a weight feeds a neuron of the first half of its layer: a row of the first half of the
        layer's weight matrix, if the rows are neurons.

    """

    neurons: Indices
    in_first_half: npt.NDArray[np.bool_]

    @property
    def n_weights(self) -> int:
        """How many weights there are."""
        return len(self.neurons)

    @classmethod
    def single(cls, n_weights: int) -> Self:
        """Return groups of one weight each."""
        return cls(np.arange(n_weights), np.arange(n_weights) < n_weights / 2)

    @classmethod
    def of(cls, topology: Topology) -> Self:
        """Return the groups of a network; costs memory in proportion to the number of connections.

        Examples
        --------
        Two inputs, two hidden neurons and an output, each with its bias at the end of its layer's weights:

        >>> import neuralframe as nf
        >>> WeightGroups.of(nf.MultilayerPerceptron(2, 2, 1).topology).neurons.tolist()
        [2, 2, 3, 3, 2, 3, 2, 3, 4]

        """
        groups = cls.single(topology.n_weights)
        for number in topology.order:
            for weights, owners, in_first_half in _owned(topology, number):
                groups.neurons[weights] = owners
                groups.in_first_half[weights] = in_first_half
        return groups

    def only(self, free: Indices | None) -> WeightGroups:
        """Return the groups of some of the weights."""
        return self if free is None else WeightGroups(self.neurons[free], self.in_first_half[free])


def _owned(topology: Topology, number: int) -> Iterator[tuple[Indices, Indices, npt.NDArray[np.bool_]]]:
    """Yield weights that feed a layer, the neurons that own them, and which feed the layer's first half."""
    layer, first = topology.layers[number], _first_neurons(topology)
    feeding = np.concatenate(
        [
            first[source] + np.arange(topology.layers[source].size)
            for source in source_layers(topology, number)
        ]
    )
    hidden = _is_hidden(topology)
    for group in fan_in_groups(topology, number):
        targets, sources = group.neurons[:, np.newaxis], feeding[group.sources]
        feeds_output = hidden[sources] & (number in topology.outputs)
        yield (
            group.weights,
            np.where(feeds_output, sources, first[number] + targets),
            targets < layer.size / 2,
        )
    if layer.bias is not None:
        targets = np.arange(layer.size)
        yield layer.bias + targets, first[number] + targets, targets < layer.size / 2


def _first_neurons(topology: Topology) -> list[int]:
    """Return the number of each layer's first neuron, counted over the network."""
    return list(accumulate((layer.size for layer in topology.layers), initial=0))


def _is_hidden(topology: Topology) -> npt.NDArray[np.bool_]:
    """Return which of all neurons are neither inputs nor outputs."""
    return np.concatenate(
        [
            np.full(layer.size, not layer.is_input and number not in topology.outputs)
            for number, layer in enumerate(topology.layers)
        ]
    )
