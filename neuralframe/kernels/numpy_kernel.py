"""The numpy kernel: the one that defines the numbers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.kernels.buffered_pass import BufferedPass, LayerPlan, fills_freshly
from neuralframe.kernels.chunks import Chunk, chunk_size, laid_out, quietly
from neuralframe.kernels.curvature import Curvature
from neuralframe.kernels.kernel import Kernel
from neuralframe.kernels.output_error import OutputError
from neuralframe.kernels.stage import Layers, Pass, present
from neuralframe.kernels.stages import make_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.noise_draw import Draw
    from neuralframe.core.topology import Topology


class NumpyKernel(Kernel):
    """Forward and backward passes in numpy, in chunks of samples that fit the cache.

    Everything else is measured against this kernel. It computes every network that can be built.
    """

    name: ClassVar[str] = "numpy"

    def __init__(self, topology: Topology, dtype: npt.DTypeLike = "float64") -> None:
        super().__init__(topology, dtype)
        self._stages = [make_stage(topology, number) for number in topology.order]
        self._plans = [LayerPlan.of(topology, stage) for stage in self._stages]
        self._chunk = chunk_size(sum(plan.values_per_sample for plan in self._plans), self.dtype.itemsize)
        values_per_sample = sum(stage.values_per_sample for stage in self._stages)
        self._stage_chunk = chunk_size(values_per_sample, self.dtype.itemsize)
        rows = topology.n_outputs * (values_per_sample + topology.n_weights)
        self._jacobian_chunk = chunk_size(rows, self.dtype.itemsize)
        self._error = OutputError(topology)
        self._curvature = Curvature(topology, self._stages, self._error)
        self._fills_freshly = fills_freshly(topology)
        self._threads = threading.local()
        self._draw: Draw | None = None

    def noisy(self, draw: Draw) -> NumpyKernel:
        twin = object.__new__(type(self))
        vars(twin).update(vars(self), _draw=draw)  # stages are shared: they hold nothing but the plan
        return twin

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
        error = self._plain_error if self._draw is None else self._disturbed_error
        with quietly():
            for chunk in self._cut(inputs, targets, sample_weights, self._size):
                columns = laid_out(chunk.inputs, self.dtype).T
                for s, vector in enumerate(cast):
                    errors[s] += error(vector, columns, chunk)
        return errors

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        errors = np.zeros(len(weights))
        fresh = self._fills_freshly and self._draw is None and len(inputs) > 0
        gradients = np.empty(weights.shape) if fresh else np.zeros(weights.shape)
        cast = laid_out(weights, self.dtype)
        add = self._add_plain if self._draw is None else self._add_disturbed
        with quietly():
            for chunk in self._cut(inputs, targets, sample_weights, self._size):
                columns = laid_out(chunk.inputs, self.dtype).T
                for s, vector in enumerate(cast):
                    errors[s] += add(vector, columns, chunk, gradients[s], fresh=fresh)
                fresh = False
        return errors, gradients

    def squared_jacobian(
        self,
        weights: Vector,
        inputs: Array,
        sample_weights: Vector | None = None,
        *,
        free: Indices | None = None,
    ) -> Vector:
        cast = laid_out(weights, self.dtype)
        n = len(weights) if free is None else len(free)
        square = np.zeros((n, n))
        nothing = np.empty((len(inputs), 0))  # no error is asked for
        for chunk in self._cut(inputs, nothing, sample_weights, self._jacobian_chunk):
            at = self._pass(cast, chunk)
            with quietly():
                jacobian = self._curvature.jacobian(at)
                if free is not None:
                    jacobian = jacobian[free]
                if chunk.sample_weights is not None:
                    roots = np.sqrt(chunk.sample_weights).astype(self.dtype)
                    jacobian *= np.tile(roots, self.topology.n_outputs)
                square += jacobian @ jacobian.T
        return square

    def gauss_newton_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        add = self._curvature.add_gauss_newton_product
        chunks = self._cut(inputs, targets, sample_weights, self._stage_size)
        return self._products(add, weights, directions, chunks)

    def hessian_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        add = self._curvature.add_hessian_product
        chunks = self._cut(inputs, targets, sample_weights, self._stage_size)
        return self._products(add, weights, directions, chunks)

    def _products(
        self,
        add: Callable[[Pass, Array, Chunk, Vector], None],
        weights: Vector,
        directions: Vector,
        chunks: Iterator[Chunk],
    ) -> Vector:
        """Return what `add` adds for each direction, (K, n_weights); one pass over the samples."""
        products = np.zeros(directions.shape)
        cast, along = laid_out(weights, self.dtype), laid_out(directions, self.dtype)
        for chunk in chunks:
            at = self._pass(cast, chunk)
            with quietly():
                for direction, product in zip(along, products, strict=True):
                    add(at, direction, chunk, product)
        return products

    def _pass(self, weights: Array, chunk: Chunk) -> Pass:
        columns = laid_out(chunk.inputs, self.dtype).T
        return Pass(weights, *self._forward(weights, columns, chunk.factors), chunk.factors)

    def _passes(self, weights: Vector, inputs: Array) -> Iterator[tuple[slice, Layers]]:
        """Yield the outputs of all layers for each chunk of samples, in memory that the next one takes."""
        cast = laid_out(weights, self.dtype)
        for rows in self._chunks(len(inputs), self._chunk):
            columns = laid_out(inputs[rows], self.dtype).T
            with quietly():
                found = self._buffers.outputs(cast, columns)
            yield rows, found

    @staticmethod
    def _chunks(n_samples: int, size: int) -> Iterator[slice]:
        for start in range(0, n_samples, size):
            yield slice(start, start + size)

    def _cut(
        self, inputs: Array, targets: Array, sample_weights: Vector | None, size: int
    ) -> Iterator[Chunk]:
        """Yield the samples in chunks; one of weight 0 is left out, as its error may be infinite."""
        for rows in self._chunks(len(inputs), size):
            if sample_weights is None:
                chunk = Chunk(inputs[rows], laid_out(targets[rows].T, self.dtype))
                yield self._disturbed(chunk, np.arange(rows.start, rows.start + len(chunk.inputs)))
                continue
            counting = np.flatnonzero(sample_weights[rows]) + rows.start
            target = laid_out(targets[counting].T, self.dtype)
            yield self._disturbed(Chunk(inputs[counting], target, sample_weights[counting]), counting)

    def _disturbed(self, chunk: Chunk, rows: Indices) -> Chunk:
        """Return a chunk with the noise of its samples, if there is any."""
        draw = self._draw
        if draw is None:
            return chunk
        factors: Layers = [None] * len(self.topology.layers)
        for number in self.topology.order:
            if number not in self.topology.outputs:
                found = draw.factors(self.topology, number, rows)
                factors[number] = None if found is None else found.astype(self.dtype)
        return attrs.evolve(chunk, inputs=draw.inputs(self.topology, chunk.inputs, rows), factors=factors)

    @property
    def chunk(self) -> int:
        """How many samples are computed at once, without noise."""
        return self._chunk

    @property
    def _size(self) -> int:
        return self._chunk if self._draw is None else self._stage_size

    @property
    def _stage_size(self) -> int:
        """How many samples the stages compute at once, which may need more memory for each."""
        return min(self._chunk, self._stage_chunk)

    @property
    def _buffers(self) -> BufferedPass:
        """The calling thread's buffers."""
        found: BufferedPass | None = getattr(self._threads, "buffers", None)
        if found is None:
            found = BufferedPass(self.topology, self._plans, self._error, self.dtype)
            self._threads.buffers = found
        return found

    def _plain_error(self, weights: Array, columns: Array, chunk: Chunk) -> float:
        return self._buffers.error(weights, columns, chunk)

    def _add_plain(
        self, weights: Array, columns: Array, chunk: Chunk, gradient: Vector, *, fresh: bool
    ) -> float:
        return self._buffers.error_and_gradient(weights, columns, chunk, gradient, fresh=fresh)

    def _disturbed_error(self, weights: Array, columns: Array, chunk: Chunk) -> float:
        nets, activations = self._forward(weights, columns, chunk.factors)
        return self._error.total(nets, activations, chunk.target, chunk.sample_weights)

    def _add_disturbed(
        self, weights: Array, columns: Array, chunk: Chunk, gradient: Vector, *, fresh: bool
    ) -> float:
        assert not fresh, "a stage adds to what stands there"
        nets, activations = self._forward(weights, columns, chunk.factors)
        self._backward(weights, nets, activations, chunk, gradient)
        return self._error.total(nets, activations, chunk.target, chunk.sample_weights)

    def _forward(
        self, weights: Array, columns: Array, factors: Layers | None = None
    ) -> tuple[Layers, Layers]:
        """Return the net inputs and the outputs of every layer, feature-major, from inputs that are so too.

        With `factors`, the outputs of hidden layers are multiplied by them.
        """
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
                output = stage.output(net)
                factor = None if factors is None else factors[stage.number]
                nets[stage.number] = net
                activations[stage.number] = output if factor is None else output * factor
        return nets, activations

    def _backward(
        self, weights: Array, nets: Layers, activations: Layers, chunk: Chunk, gradient: Vector
    ) -> None:
        """Carry the error back from layer to layer and add the chunk's gradient sum into `gradient`."""
        with quietly():
            deltas = self._error.deltas(nets, activations, chunk.target, chunk.scale(self.dtype))
            for stage in reversed(self._stages):
                delta = present(deltas[stage.number])
                if not (self._error.is_fused and stage.number in self.topology.outputs):
                    net, output = present(nets[stage.number]), present(activations[stage.number])
                    factor = None if chunk.factors is None else chunk.factors[stage.number]
                    if factor is not None:
                        # the slope is that of the output before the noise, which a factor of 0 has wiped out
                        output, delta = stage.output(net), delta * factor
                    delta = stage.net_delta(net, output, delta)
                stage.backward(weights, activations, delta, gradient, deltas)
