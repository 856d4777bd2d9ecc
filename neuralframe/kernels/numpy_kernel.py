"""The numpy kernel: the one that defines the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from neuralframe.kernels.kernel import Kernel
from neuralframe.kernels.stages import Layers, make_stage, present

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology

CHUNK_BYTES = 1 << 23
"""Working memory of one chunk, about: 8 MiB keeps the products of wide layers at full speed."""

MAX_CHUNK = 1024
"""Samples computed at once at most, in float64: the activations of narrow networks stay in cache."""


class NumpyKernel(Kernel):
    """Forward and backward passes in numpy, in chunks of samples that fit the cache.

    Everything else is measured against this kernel. It computes every network that can be built.
    """

    name: ClassVar[str] = "numpy"

    def __init__(self, topology: Topology, dtype: npt.DTypeLike = "float64") -> None:
        super().__init__(topology, dtype)
        self._stages = [make_stage(topology, number) for number in topology.order]
        self._chunk = chunk_size(sum(stage.n_connections for stage in self._stages), self.dtype.itemsize)
        self._error = topology.error_function
        output_layer = topology.layers[topology.outputs[0]]
        self._fused = (
            len(topology.outputs) == 1
            and output_layer.transfer_index is None
            and self._error.fuses(output_layer.transfer_functions[0])
        )

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        outputs = np.empty((len(inputs), self.topology.n_outputs), self.dtype)
        cast = laid_out(weights, self.dtype)
        for rows in self._chunks(len(inputs)):
            _, activations = self._forward(cast, inputs[rows])
            outputs[rows] = self._network_output(activations).T
        return outputs

    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        _, activations = self._forward(laid_out(weights, self.dtype), inputs)
        return [array.T for array in activations if array is not None]

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Array | None = None
    ) -> Vector:
        errors = np.zeros(len(weights))
        cast = laid_out(weights, self.dtype)
        for chunk in self._cut(inputs, targets, sample_weights):
            for s, vector in enumerate(cast):
                nets, activations = self._forward(vector, chunk.inputs)
                errors[s] += self._error_sum(nets, activations, chunk)
        return errors

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Array | None = None
    ) -> tuple[Vector, Vector]:
        errors = np.zeros(len(weights))
        gradients = np.zeros(weights.shape)
        cast = laid_out(weights, self.dtype)
        for chunk in self._cut(inputs, targets, sample_weights):
            for s, vector in enumerate(cast):
                nets, activations = self._forward(vector, chunk.inputs)
                errors[s] += self._error_sum(nets, activations, chunk)
                deltas = self._output_deltas(nets, activations, chunk)
                self._backward(vector, nets, activations, deltas, gradients[s])
        return errors, gradients

    def _chunks(self, n_samples: int) -> Iterator[slice]:
        for start in range(0, n_samples, self._chunk):
            yield slice(start, start + self._chunk)

    def _cut(self, inputs: Array, targets: Array, sample_weights: Array | None) -> Iterator[Chunk]:
        for rows in self._chunks(len(inputs)):
            target = laid_out(targets[rows].T, self.dtype)
            scale = None if sample_weights is None else sample_weights[rows].astype(self.dtype, copy=False)
            yield Chunk(inputs[rows], target, scale)

    def _forward(self, weights: Array, inputs: Array) -> tuple[Layers, Layers]:
        """Return the net inputs and the outputs of every layer, feature-major."""
        columns = laid_out(inputs, self.dtype).T
        nets: Layers = [None] * len(self.topology.layers)
        activations: Layers = list(nets)
        for number, part in zip(
            self.topology.inputs, self._split(columns, self.topology.inputs), strict=True
        ):
            activations[number] = part
        with quietly():
            for stage in self._stages:
                net = stage.net(weights, activations)
                nets[stage.number], activations[stage.number] = net, stage.output(net)
        return nets, activations

    def _error_sum(self, nets: Layers, activations: Layers, chunk: Chunk) -> float:
        output = self._network_output(activations).T
        with quietly():
            if self._fused:
                values = self._error.net_values(self._network_output(nets).T, output, chunk.target.T)
            else:
                values = self._error.values(output, chunk.target.T)
            if chunk.scale is not None:
                values = values * chunk.scale
            return float(np.sum(values, dtype=np.float64))

    def _output_deltas(self, nets: Layers, activations: Layers, chunk: Chunk) -> Layers:
        """Return dE/d(output) of the output layers, or dE/d(net) where the error is fused with its layer."""
        output = self._network_output(activations).T
        with quietly():
            if self._fused:
                delta = self._error.net_derivative(self._network_output(nets).T, output, chunk.target.T).T
            else:
                delta = self._error.derivative(output, chunk.target.T).T
            if chunk.scale is not None:
                delta = delta * chunk.scale
        deltas: Layers = [None] * len(self.topology.layers)
        for number, part in zip(
            self.topology.outputs, self._split(delta, self.topology.outputs), strict=True
        ):
            deltas[number] = part
        return deltas

    def _backward(
        self, weights: Array, nets: Layers, activations: Layers, deltas: Layers, gradient: Vector
    ) -> None:
        """Carry the deltas back from layer to layer and add the chunk's gradient sum into `gradient`."""
        with quietly():
            for stage in reversed(self._stages):
                delta = present(deltas[stage.number])
                if not self._fused or stage.number != self.topology.outputs[0]:
                    net, output = present(nets[stage.number]), present(activations[stage.number])
                    delta = stage.net_delta(net, output, delta)
                stage.backward(weights, activations, delta, gradient, deltas)

    def _network_output(self, layers: Layers) -> Array:
        """Return the output layers one below the other, shape (n_outputs, n_samples)."""
        parts = [present(layers[number]) for number in self.topology.outputs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _split(self, rows: Array, layers: tuple[int, ...]) -> list[Array]:
        """Cut rows that stand for several layers into those of each."""
        sizes = [self.topology.layers[number].size for number in layers]
        return np.split(rows, np.cumsum(sizes)[:-1]) if len(sizes) > 1 else [rows]


@attrs.frozen(eq=False)
class Chunk:
    """Some samples of a block: inputs as they came, targets laid out as outputs are, sample weights."""

    inputs: Array
    target: Array
    scale: Array | None


def quietly() -> np.errstate:
    """Let infinities and NaN pass: at a wild trial step they are an answer, which the rule judges."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


@np.errstate(over="ignore")  # a number beyond float32 becomes infinite, like any other overflow
def laid_out(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return an array row by row and aligned: a matrix product's last bits depend on how its factors lie."""
    return np.require(array, dtype, ("C_CONTIGUOUS", "ALIGNED"))


def chunk_size(values_per_sample: int, itemsize: int) -> int:
    """Return how many samples are computed at once: a function of the network alone, so that bits repeat."""
    fitting = max(1, CHUNK_BYTES // max(1, values_per_sample * itemsize))
    return int(min(MAX_CHUNK * (8 // itemsize), 1 << (fitting.bit_length() - 1)))
