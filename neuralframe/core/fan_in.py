"""The connections of a layer seen from its neurons, in groups that one array can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.projections import ConnectionTable, Full

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices
    from neuralframe.core.topology import ProjectionSpec, Topology


@attrs.frozen(eq=False)
class FanInGroup:
    """Neurons of one layer with equally many connections (and of one kind, if kinds were asked for).

    Attributes
    ----------
    neurons : (n,) int64
        Positions in the layer.
    sources : (n, fan_in) int64
        What feeds them: positions in the source layers laid end to end, as `source_layers` orders them.
    weights : (n, fan_in) int64
        The weights used, as positions in the weight vector.

    """

    neurons: Indices
    sources: Indices
    weights: Indices

    @property
    def fan_in(self) -> int:
        """Number of connections of each neuron."""
        return int(self.sources.shape[1])

    @property
    def same_sources(self) -> bool:
        """Whether all neurons of the group are fed by the same sources in the same order."""
        return bool((self.sources == self.sources[0]).all())


def source_layers(topology: Topology, layer: int) -> tuple[int, ...]:
    """Return the layers that feed `layer`, each once, in the order in which they were joined."""
    return tuple(dict.fromkeys(spec.source for spec in topology.incoming(layer)))


def all_full(topology: Topology, layer: int) -> bool:
    """Return whether a layer is fed by full projections only, whose weights need no index."""
    return all(isinstance(spec.pattern, Full) for spec in topology.incoming(layer))


def fan_in_groups(topology: Topology, layer: int, kinds: Indices | None = None) -> list[FanInGroup]:
    """Return the fed neurons of a layer in groups of one fan-in and, if given, of one kind.

    Costs memory in proportion to the number of connections.

    Parameters
    ----------
    topology : Topology
        The network.
    layer : int
        A layer that is no input layer.
    kinds : (size,) int, optional
        Neurons of different kinds are kept apart.

    """
    table = _connections(topology, layer)
    order = np.argsort(table.targets, kind="stable")
    sources, weights = table.sources[order], table.weights[order]
    size = topology.layers[layer].size
    fan_ins = np.bincount(table.targets, minlength=size)
    starts = np.cumsum(fan_ins) - fan_ins
    keys = np.stack([np.zeros_like(fan_ins) if kinds is None else kinds, fan_ins], axis=1)
    groups = []
    for key in np.unique(keys[fan_ins > 0], axis=0):
        neurons = np.flatnonzero((keys == key).all(axis=1))
        positions = starts[neurons][:, np.newaxis] + np.arange(key[1])
        groups.append(FanInGroup(neurons, sources[positions], weights[positions]))
    return groups


def _connections(topology: Topology, layer: int) -> ConnectionTable:
    """Return every connection of a layer, with sources and weights as `FanInGroup` counts them."""
    starts = {}
    total = 0
    for source in source_layers(topology, layer):
        starts[source] = total
        total += topology.layers[source].size
    tables = [_placed(topology, spec, starts[spec.source]) for spec in topology.incoming(layer)]
    return ConnectionTable(
        *(
            np.concatenate([getattr(table, field) for table in tables])
            for field in ("targets", "sources", "weights")
        )
    )


def _placed(topology: Topology, spec: ProjectionSpec, start: int) -> ConnectionTable:
    layers = topology.layers
    table = spec.pattern.table(layers[spec.source].size, layers[spec.target].size)
    weights = table.weights + spec.offset if spec.index is None else spec.index[table.weights]
    return ConnectionTable(table.targets, table.sources + start, weights)
