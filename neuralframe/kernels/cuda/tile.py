"""Stacks of medium size on a device: tiles of samples in shared memory, gradient sums in registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.exceptions import DeviceError
from neuralframe.kernels.cuda.family import Family
from neuralframe.kernels.cuda.grouped_reduction import n_groups
from neuralframe.kernels.cuda.outputs import unserved
from neuralframe.kernels.cuda.scratch import Scratch
from neuralframe.kernels.cuda.tile_kernels import (
    tile_error_kernel,
    tile_gradient_kernel,
    tile_output_kernel,
)
from neuralframe.kernels.cuda.tile_plan import N_THREADS, tile_plan

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.cuda.device import Device
    from neuralframe.kernels.stack import Stack

MOST_CHUNKS = 264
"""Chunks of a block of samples: twice the processors of an H200. A guess, not yet measured on one."""

ROW_BYTES = 1 << 28
"""Memory for the rows of sums of one launch, about; more weight vectors take several launches."""

MOST_VECTORS = 1 << 15
"""Weight vectors of one launch: a grid may not be higher than 65,535."""


class Tile(Family):
    """Stacks of about 1,000 to 15,000 weights in float32, and half as many in float64, of any depth."""

    def __init__(self, stack: Stack, dtype: np.dtype[Any], device: Device) -> None:
        super().__init__(stack, dtype, device)
        plan = tile_plan(stack, dtype.itemsize)
        if plan is None:
            raise DeviceError(self.reason_against(stack, dtype))
        self._plan = plan
        self._scratch = Scratch(device)
        self._real: Any = dtype.type

    @classmethod
    def reason_against(cls, stack: Stack, dtype: np.dtype[Any]) -> str:
        if tile_plan(stack, dtype.itemsize) is None:
            return "activations do not fit the shared memory, or gradients the registers, of a block"
        return unserved(stack)

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        n_samples, n_outputs = len(inputs), self.stack.sizes[-1]
        if not n_samples:
            return np.empty((0, n_outputs), self.dtype)
        kernel = tile_output_kernel(self.stack, self._plan, self._real)
        outputs = self._scratch.empty("outputs", n_samples * n_outputs, self.dtype)
        n_chunks, chunk_rows = self._chunks(n_samples)
        resident = self.on_device(inputs)
        args = (self._carried(weights), resident, n_samples, chunk_rows, outputs)
        self.device.launch(kernel, (n_chunks, 1), N_THREADS, args)
        return self.device.to_host(outputs).reshape(n_samples, n_outputs)

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        weighted = sample_weights is not None
        kernel = tile_error_kernel(self.stack, self._plan, self._real, weighted=weighted)
        return self._sums(kernel, 1, weights, (inputs, targets, sample_weights))[:, 0]

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        weighted, n_weights = sample_weights is not None, self.stack.n_weights
        kernel = tile_gradient_kernel(self.stack, self._plan, self._real, weighted=weighted)
        sums = self._sums(kernel, n_weights + 1, weights, (inputs, targets, sample_weights))
        return sums[:, n_weights].copy(), np.ascontiguousarray(sums[:, :n_weights])

    def _sums(
        self, kernel: Any, row_length: int, weights: Vector, block: tuple[Array, Array, Vector | None]
    ) -> Vector:
        """Return the sums that a kernel makes of a block, a row for each weight vector: (S, row_length)."""
        inputs, targets, sample_weights = block
        sums = np.zeros((len(weights), row_length))
        if not len(inputs):
            return sums
        n_chunks, chunk_rows = self._chunks(len(inputs))
        x, t = self.on_device(inputs), self.device.resident(targets, self.dtype)
        v = x if sample_weights is None else self.device.resident(sample_weights, self.dtype)
        most = max(1, min(ROW_BYTES // (8 * n_chunks * row_length), MOST_VECTORS))
        for start in range(0, len(weights), most):
            part = weights[start : start + most]
            buffers = self._buffers(len(part), n_chunks, row_length)
            args = (self._carried(part), x, t, v, len(inputs), chunk_rows, *buffers)
            self.device.launch(kernel, (n_chunks, len(part)), N_THREADS, args)
            sums[start : start + most] = self.device.to_host(buffers[2]).reshape(-1, row_length)
        return sums

    def _buffers(self, n_vectors: int, n_chunks: int, row_length: int) -> tuple[Any, Any, Any, Any]:
        """Return what a launch adds up in: rows of chunks, rows of groups, sums, tickets."""
        groups, length = n_groups(n_chunks), n_vectors * row_length
        return (
            self._scratch.empty("rows", length * n_chunks, np.float64),
            self._scratch.empty("group_rows", length * groups, np.float64),
            self._scratch.empty("sums", length, np.float64),
            self._scratch.zeros("tickets", n_vectors * (groups + 1), np.int32),
        )

    def _carried(self, weights: Vector) -> Any:
        carried = self._scratch.empty("weights", weights.size, self.dtype)
        with np.errstate(over="ignore"):
            self.device.write(carried, weights.astype(self.dtype).reshape(-1))
        return carried

    def _chunks(self, n_samples: int) -> tuple[int, int]:
        """Return how many chunks there are, and their samples: the number of samples alone decides."""
        n_tiles = -(-n_samples // self._plan.n_samples)
        chunk_rows = -(-n_tiles // MOST_CHUNKS) * self._plan.n_samples
        return -(-n_samples // chunk_rows), chunk_rows
