"""The stage of weighted sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.projections import GroupedSum
from neuralframe.kernels.stage import Layers, Pass, Stage, add_delta, present

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.topology import Topology


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
            add_at(gradient, block, sums, part)
            if self._carries_back[source]:
                add_delta(deltas, source, pattern.input_delta(weights[block], inputs, net_delta))

    def combine_change(self, at: Pass, change: Pass) -> Array:
        net_change: Array | None = None
        for pattern, source, block in self._projections:
            parts = [
                pattern.weighted_sum(change.weights[block], present(at.activations[source]), self._layer.size)
            ]
            moved = change.activations[source]
            if moved is not None:
                parts.append(pattern.weighted_sum(at.weights[block], moved, self._layer.size))
            for part in parts:
                net_change = part if net_change is None else np.add(net_change, part, out=net_change)
        return present(net_change)

    def carry_back_samples(self, at: Pass, net_delta: Array, slopes: Array, deltas: Layers) -> None:
        for (pattern, source, block), sums in zip(self._projections, self._sums, strict=True):
            inputs = present(at.activations[source])
            add_at(slopes, block, sums, pattern.sample_gradients(inputs, net_delta))
            if self._carries_back[source]:
                add_delta(deltas, source, pattern.input_delta(at.weights[block], inputs, net_delta))

    def carry_back_change(
        self, at: Pass, change: Pass, deltas: Layers, delta_changes: Layers, product: Vector
    ) -> None:
        net_delta, net_delta_change = present(deltas[self.number]), present(delta_changes[self.number])
        for (pattern, source, block), sums in zip(self._projections, self._sums, strict=True):
            weights, inputs = at.weights[block], present(at.activations[source])
            add_at(product, block, sums, pattern.weight_gradient(weights, inputs, net_delta_change))
            moved = change.activations[source]
            if moved is not None:
                add_at(product, block, sums, pattern.weight_gradient(weights, moved, net_delta))
            if self._carries_back[source]:
                add_delta(deltas, source, pattern.input_delta(weights, inputs, net_delta))
                add_delta(delta_changes, source, pattern.input_delta(weights, inputs, net_delta_change))
                direction = change.weights[block]
                add_delta(delta_changes, source, pattern.input_delta(direction, inputs, net_delta))


def add_at(out: Array, block: slice | Indices, sums: GroupedSum | None, part: Array) -> None:
    """Add to the rows of a projection's weights, which an index may name more than once."""
    if sums is not None:
        sums.add_into(out, part)
    else:
        out[block] += part
