"""Small stacks on a device: weights in registers, any number of weight vectors in one launch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.exceptions import DeviceError
from neuralframe.kernels.cuda.family import Family
from neuralframe.kernels.cuda.lanes import MAX_REGISTERS, lane_plan, packed, slot_sources, weight_columns
from neuralframe.kernels.cuda.outputs import unserved
from neuralframe.kernels.cuda.scratch import Scratch
from neuralframe.kernels.cuda.stationary_kernels import (
    N_THREADS,
    error_kernel,
    gradient_kernel,
    output_kernel,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.cuda.device import Device
    from neuralframe.kernels.stack import Stack

MOST_CHUNKS = 264
"""Chunks of a block of samples: twice the processors of an H200. A guess, not yet measured on one."""

FEWEST_STEPS = 4
"""Samples that each group has at least, where there are so many: what reading the weights is worth."""

ROW_BYTES = 1 << 26
"""Memory for the rows of sums of one launch, about; more weight vectors take several launches."""


class WeightStationary(Family):
    """Stacks up to about 1,000 weights; see `stationary_kernels`."""

    def __init__(self, stack: Stack, dtype: np.dtype[Any], device: Device) -> None:
        super().__init__(stack, dtype, device)
        plan = lane_plan(stack, dtype.itemsize, N_THREADS)
        if plan is None:
            raise DeviceError(self.reason_against(stack, dtype))
        self._plan = plan
        self._sources = slot_sources(stack, plan)
        self._columns = 1 + weight_columns(self._sources, stack.n_weights)
        self._scratch = Scratch(device)
        self._real: Any = dtype.type

    @classmethod
    def reason_against(cls, stack: Stack, dtype: np.dtype[Any]) -> str:
        if lane_plan(stack, dtype.itemsize, N_THREADS) is None:
            return f"weights and gradients of 32 lanes do not fit {MAX_REGISTERS} registers each"
        return unserved(stack)

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        n_samples, n_outputs = len(inputs), self._plan.n_outputs
        if not n_samples:
            return np.empty((0, n_outputs), self.dtype)
        kernel = output_kernel(self.stack, self._plan, self._real)
        outputs = self._scratch.empty("outputs", n_samples * n_outputs, self.dtype)
        n_chunks, chunk_rows = self._chunks(n_samples)
        resident = self.on_device(inputs)
        args = (self._packed(weights[np.newaxis]), resident, n_samples, chunk_rows, outputs)
        self.device.launch(kernel, (n_chunks, 1), N_THREADS, args)
        return self.device.to_host(outputs).reshape(n_samples, n_outputs)

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        kernel = error_kernel(self.stack, self._plan, self._real, weighted=sample_weights is not None)
        return self._sums(kernel, 1, weights, (inputs, targets, sample_weights))[:, 0]

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        kernel = gradient_kernel(self.stack, self._plan, self._real, weighted=sample_weights is not None)
        row_length = 1 + self._sources.size
        sums = self._sums(kernel, row_length, weights, (inputs, targets, sample_weights))
        return sums[:, 0].copy(), sums[:, self._columns]

    def _sums(
        self,
        kernel: Any,
        row_length: int,
        weights: Vector,
        block: tuple[Array, Array, Vector | None],
    ) -> Vector:
        """Return the sums that a kernel makes, a row for each weight vector: (S, row_length)."""
        inputs, targets, sample_weights = block
        sums = np.zeros((len(weights), row_length))
        if not len(inputs):
            return sums
        n_chunks, chunk_rows = self._chunks(len(inputs))
        x, t = self.on_device(inputs), self.device.resident(targets, self.dtype)
        v = x if sample_weights is None else self.device.resident(sample_weights, self.dtype)
        for part in _launches(len(weights), n_chunks * row_length * 8):
            n = part.stop - part.start
            rows = self._scratch.empty("rows", n * n_chunks * row_length, np.float64)
            found = self._scratch.empty("sums", n * row_length, np.float64)
            tickets = self._scratch.zeros("tickets", n, np.int32)
            args = (self._packed(weights[part]), x, t, v, len(inputs), chunk_rows, rows, found, tickets)
            self.device.launch(kernel, (n_chunks, n), N_THREADS, args)
            sums[part] = self.device.to_host(found).reshape(n, row_length)
        return sums

    def _packed(self, weights: Vector) -> Any:
        return self._scratch.holding("weights", packed(weights, self._sources, self.dtype).reshape(-1))

    def _chunks(self, n_samples: int) -> tuple[int, int]:
        """Return how many chunks there are, and their samples: the number of samples alone decides."""
        n_groups = N_THREADS // self._plan.n_lanes
        steps = max(FEWEST_STEPS, -(-n_samples // (MOST_CHUNKS * n_groups)))
        chunk_rows = steps * n_groups
        return -(-n_samples // chunk_rows), chunk_rows


def _launches(n_vectors: int, bytes_each: int) -> Iterator[slice]:
    """Yield the weight vectors of each launch."""
    most = max(1, min(ROW_BYTES // bytes_each, 1 << 15))
    for start in range(0, n_vectors, most):
        yield slice(start, min(start + most, n_vectors))
