"""The numpy kernel: the one that defines the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import numpy as np

from neuralframe.kernels.kernel import Kernel
from neuralframe.kernels.output_error import OutputError
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
        values_per_sample = sum(stage.values_per_sample for stage in self._stages)
        self._chunk = chunk_size(values_per_sample, self.dtype.itemsize)
        self._error = OutputError(topology)

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        outputs = np.empty((len(inputs), self.topology.n_outputs), self.dtype)
        for rows, activations in self._passes(weights, inputs):
            outputs[rows] = self._error.outputs(activations).T
        return outputs

    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        found = [np.empty((len(inputs), layer.size), self.dtype) for layer in self.topology.layers]
        for rows, activations in self._passes(weights, inputs):
            for array, part in zip(found, activations, strict=True):
                array[rows] = present(part).T
        return found

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        errors = np.zeros(len(weights))
        cast = laid_out(weights, self.dtype)
        for chunk in self._cut(inputs, targets, sample_weights):
            for s, vector in enumerate(cast):
                nets, activations = self._forward(vector, chunk.inputs)
                errors[s] += self._error_sum(nets, activations, chunk)
        return errors

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        errors = np.zeros(len(weights))
        gradients = np.zeros(weights.shape)
        cast = laid_out(weights, self.dtype)
        for chunk in self._cut(inputs, targets, sample_weights):
            for s, vector in enumerate(cast):
                nets, activations = self._forward(vector, chunk.inputs)
                errors[s] += self._error_sum(nets, activations, chunk)
                self._backward(vector, nets, activations, chunk, gradients[s])
        return errors, gradients

    def _passes(self, weights: Vector, inputs: Array) -> Iterator[tuple[slice, Layers]]:
        """Yield the outputs of all layers for each chunk of samples."""
        cast = laid_out(weights, self.dtype)
        for rows in self._chunks(len(inputs)):
            yield rows, self._forward(cast, inputs[rows])[1]

    def _chunks(self, n_samples: int) -> Iterator[slice]:
        for start in range(0, n_samples, self._chunk):
            yield slice(start, start + self._chunk)

    def _cut(self, inputs: Array, targets: Array, sample_weights: Vector | None) -> Iterator[Chunk]:
        """Yield the samples in chunks; one of weight 0 is left out, as its error may be infinite."""
        for rows in self._chunks(len(inputs)):
            if sample_weights is None:
                yield Chunk(inputs[rows], laid_out(targets[rows].T, self.dtype))
                continue
            counting = np.flatnonzero(sample_weights[rows]) + rows.start
            yield Chunk(inputs[counting], laid_out(targets[counting].T, self.dtype), sample_weights[counting])

    def _forward(self, weights: Array, inputs: Array) -> tuple[Layers, Layers]:
        """Return the net inputs and the outputs of every layer, feature-major."""
        columns = laid_out(inputs, self.dtype).T
        nets: Layers = [None] * len(self.topology.layers)
        activations: Layers = list(nets)
        start = 0
        for number in self.topology.inputs:
            size = self.topology.layers[number].size
            activations[number] = columns[start : start + size]
            start += size
        with quietly():
            for stage in self._stages:
                net = stage.net(weights, activations)
                nets[stage.number], activations[stage.number] = net, stage.output(net)
        return nets, activations

    def _error_sum(self, nets: Layers, activations: Layers, chunk: Chunk) -> float:
        with quietly():
            return self._error.total(nets, activations, chunk.target, chunk.sample_weights)

    def _backward(
        self, weights: Array, nets: Layers, activations: Layers, chunk: Chunk, gradient: Vector
    ) -> None:
        """Carry the error back from layer to layer and add the chunk's gradient sum into `gradient`."""
        with quietly():
            scale = None if chunk.sample_weights is None else chunk.sample_weights.astype(self.dtype)
            deltas = self._error.deltas(nets, activations, chunk.target, scale)
            for stage in reversed(self._stages):
                delta = present(deltas[stage.number])
                if not (self._error.is_fused and stage.number in self.topology.outputs):
                    net, output = present(nets[stage.number]), present(activations[stage.number])
                    delta = stage.net_delta(net, output, delta)
                stage.backward(weights, activations, delta, gradient, deltas)


@attrs.frozen(eq=False)
class Chunk:
    """Some samples of a block: inputs as they came, targets laid out as outputs are, sample weights."""

    inputs: Array
    target: Array
    sample_weights: Vector | None = None


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
