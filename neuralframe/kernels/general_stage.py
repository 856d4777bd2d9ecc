"""The stage of any other input function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.fan_in import FanInGroup, fan_in_groups, source_layers
from neuralframe.core.projections import GroupedSum
from neuralframe.kernels.stage import Layers, Pass, Stage, add_delta, present

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology


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
        self._hand_on(delta, deltas)

    def combine_change(self, at: Pass, change: Pass) -> Array:
        sources, moved = self._laid_out(at.activations), self._laid_out(change.activations, at.activations)
        net_change = np.empty((self._layer.size, sources.shape[1]), sources.dtype)
        ones = np.ones_like(net_change)
        for planned in self._groups:
            group = planned.group
            by_weight, by_input = self._sample_slopes(planned, at.weights, sources, ones)
            by_weight *= change.weights[group.weights]
            by_input *= planned.gather(moved)
            net_change[group.neurons] = (by_weight + by_input).sum(axis=-1).T
        return net_change

    def carry_back_samples(self, at: Pass, net_delta: Array, slopes: Array, deltas: Layers) -> None:
        sources = self._laid_out(at.activations)
        delta = np.zeros_like(sources)
        for planned in self._groups:
            by_weight, by_input = self._sample_slopes(planned, at.weights, sources, net_delta)
            planned.add_sample_slopes(by_weight, slopes)
            planned.add_input_delta(
                by_input.sum(axis=1, keepdims=True) if planned.group.same_sources else by_input, delta
            )
        self._hand_on(delta, deltas)

    def carry_back_change(
        self, at: Pass, change: Pass, deltas: Layers, delta_changes: Layers, product: Vector
    ) -> None:
        sources, moved = self._laid_out(at.activations), self._laid_out(change.activations, at.activations)
        net_delta, net_delta_change = present(deltas[self.number]), present(delta_changes[self.number])
        delta, delta_change = np.zeros_like(sources), np.zeros_like(sources)
        combine = self._layer.input_function
        for planned in self._groups:
            group = planned.group
            weights, inputs = at.weights[group.weights], planned.gather(sources)
            here, here_change = net_delta[group.neurons].T, net_delta_change[group.neurons].T
            planned.add_input_delta(combine.backward(weights, inputs, here)[1], delta)
            planned.scatter(*combine.backward(weights, inputs, here_change), product, delta_change)
            direction = change.weights[group.weights], planned.gather(moved)
            bent = combine.backward_change(weights, inputs, here, *direction)
            planned.scatter(*bent, product, delta_change)
        self._hand_on(delta, deltas)
        self._hand_on(delta_change, delta_changes)

    def _sample_slopes(
        self, planned: PlannedGroup, weights: Array, sources: Array, net_delta: Array
    ) -> tuple[Array, Array]:
        """Return dE/d(weights) and dE/d(inputs) of each sample and neuron, (n_samples, n_neurons, fan_in).

        An input function sums over samples, but not over neurons: each sample's neuron passes for a neuron of
        its own, which has seen one sample.
        """
        own = weights[planned.group.weights]
        inputs = planned.gather(sources)
        shape = (len(inputs), *own.shape)
        by_weight, by_input = self._layer.input_function.backward(
            np.broadcast_to(own, shape).reshape(-1, shape[-1]),
            np.broadcast_to(inputs, shape).reshape(1, -1, shape[-1]),
            net_delta[planned.group.neurons].T.reshape(1, -1),
        )
        return by_weight.reshape(shape), by_input.reshape(shape)

    def _hand_on(self, delta: Array, deltas: Layers) -> None:
        for source, part in zip(self._sources, np.split(delta, self._cuts), strict=True):
            if self._carries_back[source]:
                add_delta(deltas, source, part)

    def _laid_out(self, layers: Layers, like: Layers | None = None) -> Array:
        """Return the feeding layers one below the other; zeros in the shape of `like` stand for None."""
        given = [(layers[source], source) for source in self._sources]
        parts = [
            np.zeros_like(present((like or layers)[source])) if array is None else array
            for array, source in given
        ]
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
        self.add_input_delta(input_delta, delta)

    def add_input_delta(self, input_delta: Array, delta: Array) -> None:
        """Add dE/d(inputs), shape (n_samples, n_neurons or 1, fan_in), to (n_sources, n_samples)."""
        rows = input_delta.transpose(1, 2, 0).reshape(self._sources.size, -1)
        self._source_sum.add_into(delta, rows)

    def add_sample_slopes(self, by_weight: Array, slopes: Array) -> None:
        """Add dE/d(weights) of each sample, (n_samples, n_neurons, fan_in), to (n_weights, n_samples)."""
        rows = by_weight.transpose(1, 2, 0).reshape(self.group.weights.size, -1)
        self._weight_sum.add_into(slopes, rows)
