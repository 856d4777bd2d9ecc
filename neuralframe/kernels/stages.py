"""Stages: one computing layer, prepared for numpy.

A stage knows where the layer's weights stand and which layers feed it. Arrays are feature-major:
activations and deltas of a layer have shape ``(size, n_samples)``, so that products with narrow layers,
softmax and bias sums run along contiguous memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.fan_in import FanInGroup, fan_in_groups, source_layers
from neuralframe.core.input_functions import WeightedSum
from neuralframe.core.projections import GroupedSum
from neuralframe.exceptions import ShapeError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology

Layers = list["Array | None"]
"""One array for each layer of the network; None where there is none (yet)."""


class Stage(ABC):
    """The arithmetic of one layer.

    Parameters
    ----------
    topology : Topology
        The network.
    number : int
        The layer.

    """

    def __init__(self, topology: Topology, number: int) -> None:
        self.number = number
        self._layer = topology.layers[number]
        self._transfers = self._layer.transfer_groups()
        bias = self._layer.bias
        self._bias = None if bias is None else slice(bias, bias + self._layer.size)
        self._carries_back = {
            source: not topology.layers[source].is_input for source in source_layers(topology, number)
        }

    @property
    @abstractmethod
    def values_per_sample(self) -> int:
        """Numbers that a sample needs while the layer's net input is computed, about."""

    @abstractmethod
    def combine(self, weights: Array, activations: Layers) -> Array:
        """Return the net input without biases, newly made."""

    @abstractmethod
    def carry_back(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        """Add dE/d(weights) into `gradient`, and dE/d(outputs) of the feeding layers into `deltas`."""

    def net(self, weights: Array, activations: Layers) -> Array:
        """Return the net input, biases included."""
        net = self.combine(weights, activations)
        if self._bias is not None:
            net += weights[self._bias, np.newaxis]
        return net

    def output(self, net: Array) -> Array:
        """Return the outputs of the layer's transfer functions."""
        if len(self._transfers) == 1:
            function = self._transfers[0][0]
            output = function.value(net.T).T
            if output.shape != net.shape:
                raise ShapeError(
                    f"{type(function).__name__}.value must return an array of its argument's shape "
                    f"{net.T.shape}; it returned {output.T.shape}"
                )
            return output
        output = np.empty_like(net)
        for function, neurons in self._transfers:
            output[neurons] = function.value(net[neurons].T).T
        return output

    def net_delta(self, net: Array, output: Array, output_delta: Array) -> Array:
        """Return dE/d(net) from dE/d(output)."""
        if len(self._transfers) == 1:
            return self._transfers[0][0].backward(net.T, output.T, output_delta.T).T
        delta = np.empty_like(net)
        for function, neurons in self._transfers:
            parts = (array[neurons].T for array in (net, output, output_delta))
            delta[neurons] = function.backward(*parts).T
        return delta

    def backward(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        """Add this layer's share to the gradient and to the deltas of the layers that feed it."""
        if self._bias is not None:
            gradient[self._bias] += net_delta.sum(axis=1)
        self.carry_back(weights, activations, net_delta, gradient, deltas)


class SummingStage(Stage):
    """A layer of weighted sums: each projection brings its own products."""

    def __init__(self, topology: Topology, number: int) -> None:
        super().__init__(topology, number)
        self._sizes = [layer.size for layer in topology.layers]
        self._projections = [
            (spec.pattern, spec.source, topology.block(spec)) for spec in topology.incoming(number)
        ]
        # Weights used more than once by one projection need a sum; a plain += would keep only the last.
        self._sums = [
            GroupedSum(block) if not isinstance(block, slice) else None for _, _, block in self._projections
        ]

    @property
    def values_per_sample(self) -> int:
        parts = (
            pattern.values_per_sample(self._sizes[source], self._layer.size)
            for pattern, source, _ in self._projections
        )
        return self._layer.size + sum(parts)

    def combine(self, weights: Array, activations: Layers) -> Array:
        net: Array | None = None
        for pattern, source, block in self._projections:
            inputs = present(activations[source])
            part = pattern.weighted_sum(weights[block], inputs, self._layer.size)
            net = part if net is None else np.add(net, part, out=net)
        return present(net)

    def carry_back(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        for (pattern, source, block), sums in zip(self._projections, self._sums, strict=True):
            inputs = present(activations[source])
            part = pattern.weight_gradient(weights[block], inputs, net_delta)
            if sums is not None:
                sums.add_into(gradient, part)
            else:
                gradient[block] += part
            if self._carries_back[source]:
                add_delta(deltas, source, pattern.input_delta(weights[block], inputs, net_delta))


class GeneralStage(Stage):
    """A layer with any other input function: groups of neurons of one fan-in, connection by connection."""

    def __init__(self, topology: Topology, number: int) -> None:
        super().__init__(topology, number)
        self._sources = source_layers(topology, number)
        sizes = [topology.layers[source].size for source in self._sources]
        self._cuts = np.cumsum(sizes)[:-1]
        self._groups = [PlannedGroup(group) for group in fan_in_groups(topology, number)]

    @property
    def values_per_sample(self) -> int:
        return sum(planned.group.weights.size for planned in self._groups)

    def combine(self, weights: Array, activations: Layers) -> Array:
        sources = self._laid_out(activations)
        net = np.empty((self._layer.size, sources.shape[1]), sources.dtype)
        for planned in self._groups:
            group = planned.group
            net[group.neurons] = self._layer.input_function.net(
                weights[group.weights], planned.gather(sources)
            ).T
        return net

    def carry_back(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        sources = self._laid_out(activations)
        delta = np.zeros_like(sources)
        for planned in self._groups:
            group = planned.group
            weight_gradient, input_delta = self._layer.input_function.backward(
                weights[group.weights], planned.gather(sources), net_delta[group.neurons].T
            )
            planned.scatter(weight_gradient, input_delta, gradient, delta)
        for source, part in zip(self._sources, np.split(delta, self._cuts), strict=True):
            if self._carries_back[source]:
                add_delta(deltas, source, part)

    def _laid_out(self, activations: Layers) -> Array:
        parts = [present(activations[source]) for source in self._sources]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)


class PlannedGroup:
    """A fan-in group with the sums that carry its derivatives back."""

    def __init__(self, group: FanInGroup) -> None:
        self.group = group
        self._sources = group.sources[:1] if group.same_sources else group.sources
        self._source_sum = GroupedSum(self._sources.reshape(-1))
        self._weight_sum = GroupedSum(group.weights.reshape(-1))

    def gather(self, sources: Array) -> Array:
        """Return the inputs, shape (n_samples, n_neurons or 1, fan_in), from (n_sources, n_samples)."""
        return sources[self._sources].transpose(2, 0, 1)

    def scatter(self, weight_gradient: Array, input_delta: Array, gradient: Vector, delta: Array) -> None:
        """Add the derivatives of the group's connections where they belong."""
        self._weight_sum.add_into(gradient, weight_gradient.reshape(-1))
        rows = input_delta.transpose(1, 2, 0).reshape(self._sources.size, -1)
        self._source_sum.add_into(delta, rows)


def make_stage(topology: Topology, number: int) -> Stage:
    """Return the stage of a layer: the fast one wherever its neurons take weighted sums."""
    # A subclass of WeightedSum may combine otherwise.
    summing = type(topology.layers[number].input_function) is WeightedSum
    return SummingStage(topology, number) if summing else GeneralStage(topology, number)


def add_delta(deltas: Layers, layer: int, delta: Array) -> None:
    """Add to a layer's delta; the first one is taken as it is."""
    sum_so_far = deltas[layer]
    deltas[layer] = delta if sum_so_far is None else sum_so_far + delta


def present(array: Array | None) -> Array:
    """Return an array that must have been computed by now."""
    assert array is not None, "layers are computed in the topology's order"
    return array
