"""The error at the output layers, fused with their transfer functions where that is more exact."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.kernels.stage import present

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.stage import Layers, Pass


class OutputError:
    """An error function, applied to the output layers of a network.

    Cross-entropy over softmax or sigmoid outputs is computed from the net input: a saturated wrong answer
    keeps its error and its gradient. It is fused if every output layer allows it, each with its own part of
    the targets; otherwise the error function sees all outputs side by side.

    Attributes
    ----------
    is_fused : bool
        Whether derivatives are those with respect to the net input.

    """

    def __init__(self, topology: Topology) -> None:
        self._function = topology.error_function
        self._layers = topology.outputs
        ends = [0, *accumulate(topology.layers[number].size for number in self._layers)]
        self._rows = [slice(first, last) for first, last in pairwise(ends)]
        specs = [topology.layers[number] for number in self._layers]
        self.is_fused = all(
            spec.transfer_index is None and self._function.fuses(spec.transfer_functions[0]) for spec in specs
        )

    def outputs(self, layers: Layers) -> Array:
        """Return the output layers one below the other, shape (n_outputs, n_samples)."""
        parts = [present(layers[number]) for number in self._layers]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def total(self, nets: Layers, activations: Layers, target: Array, sample_weights: Vector | None) -> float:
        """Return the error summed over samples, in float64; `target` has shape (n_outputs, n_samples)."""
        if not self.is_fused:
            return self._function.total(self.outputs(activations).T, target.T, sample_weights)
        total = 0.0
        for number, wanted in self.parts(target):
            net, output = present(nets[number]), present(activations[number])
            values = self._function.net_values(net.T, output.T, wanted.T)
            if sample_weights is not None:
                values = values * sample_weights
            total += float(np.sum(values, dtype=np.float64))
        return total

    def deltas(self, nets: Layers, activations: Layers, target: Array, scale: Array | None) -> Layers:
        """Return dE/d(net) of the output layers if fused, else dE/d(output); None for other layers."""
        deltas: Layers = [None] * len(activations)
        if self.is_fused:
            for number, wanted in self.parts(target):
                net, output = present(nets[number]), present(activations[number])
                deltas[number] = self._function.net_derivative(net.T, output.T, wanted.T).T
        else:
            derivative = self._function.derivative(self.outputs(activations).T, target.T).T
            for number, part in self.parts(derivative):
                deltas[number] = part
        if scale is not None:
            for number in self._layers:
                deltas[number] = present(deltas[number]) * scale
        return deltas

    def delta_changes(self, at: Pass, change: Pass, target: Array, scale: Array | None) -> Layers:
        """Return how fast what `deltas` returns changes, by layer."""
        changes: Layers = [None] * len(at.nets)
        for number, part in self._delta_changes(at, change, target):
            changes[number] = part if scale is None else part * scale
        return changes

    def _delta_changes(self, at: Pass, change: Pass, target: Array) -> list[tuple[int, Array]]:
        if self.is_fused:
            return [
                (number, self._net_delta_change(at, change, number, wanted))
                for number, wanted in self.parts(target)
            ]
        outputs, moved = self.outputs(at.activations), self.outputs(change.activations)
        return self.parts(self._function.derivative_change(outputs.T, target.T, moved.T).T)

    def _net_delta_change(self, at: Pass, change: Pass, number: int, wanted: Array) -> Array:
        net, output = present(at.nets[number]), present(at.activations[number])
        moved = present(change.nets[number]), present(change.activations[number])
        return self._function.net_derivative_change(net.T, output.T, wanted.T, moved[0].T, moved[1].T).T

    def parts(self, rows: Array) -> list[tuple[int, Array]]:
        """Return each output layer with its own rows of an array (n_outputs, n)."""
        return [(number, rows[part]) for number, part in zip(self._layers, self._rows, strict=True)]
