"""Wide stacks on a device: products by cuBLAS, and between them one kernel a layer each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.transfer_functions import Softmax
from neuralframe.kernels.cuda.family import Family
from neuralframe.kernels.cuda.gemm_kernels import (
    COLUMNS,
    N_THREADS,
    adding_kernel,
    clearing_kernel,
    error_kernel,
    output_kernel,
    slope_kernel,
)
from neuralframe.kernels.cuda.outputs import unserved
from neuralframe.kernels.cuda.products import Matrix, device_products, reason_against
from neuralframe.kernels.cuda.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.cuda.device import Device
    from neuralframe.kernels.cuda.products import Products
    from neuralframe.kernels.stack import Stack

WORK_BYTES = 1 << 30
"""Memory for the net inputs, outputs and slopes of the samples that are computed at once, about."""

MOST_ROWS = 1 << 14
"""Samples computed at once at most: in float32, longer sums of products lose digits."""

FEWEST_ROWS = 1 << 8
"""However wide a network is: fewer samples would leave most of a device idle."""

SLOPE_ROWS = 256
"""Samples that a block of threads adds up for the biases."""


@attrs.frozen(eq=False)
class _Rows:
    """Samples that are computed at once, `n` and at most `room`; and the arrays of their block."""

    first: int
    n: int
    room: int
    inputs: Any
    targets: Any
    scales: Any
    weighted: bool


class Gemm(Family):
    """Stacks of any width, for layers wide enough that products of matrices are most of the work.

    Weight vectors are computed one after the other.
    """

    def __init__(
        self, stack: Stack, dtype: np.dtype[Any], device: Device, products: Products | None = None
    ) -> None:
        super().__init__(stack, dtype, device)
        self._products = device_products(dtype) if products is None else products
        self._scratch = Scratch(device)
        self._real: Any = dtype.type
        bytes_each = dtype.itemsize * (stack.sizes[0] + 3 * stack.n_units)
        self._most = max(FEWEST_ROWS, min(MOST_ROWS, WORK_BYTES // bytes_each))

    @classmethod
    def reason_against(cls, stack: Stack, dtype: np.dtype[Any]) -> str:
        del dtype
        return unserved(stack) or reason_against()

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        outputs = np.empty((len(inputs), self.stack.sizes[-1]), self.dtype)
        for rows in self._cut(inputs, None, None):
            w = self._carried(weights)
            self._forward(w, rows)
            found = self.device.to_host(self._layer("outputs", len(self.stack.layers), rows))
            outputs[rows.first : rows.first + rows.n] = found.reshape(rows.n, -1)
        return outputs

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        return self._sums(weights, (inputs, targets, sample_weights), with_gradient=False)[:, 0]

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        sums = self._sums(weights, (inputs, targets, sample_weights), with_gradient=True)
        return sums[:, -1].copy(), np.ascontiguousarray(sums[:, :-1])

    def _sums(
        self, weights: Vector, block: tuple[Array, Array, Vector | None], *, with_gradient: bool
    ) -> Vector:
        """Return the gradients of a block, if they are asked for, and its errors: a row for each vector."""
        length = (self.stack.n_weights if with_gradient else 0) + 1
        sums = np.zeros((len(weights), length))
        if not len(block[0]):
            return sums
        totals = self._scratch.empty("totals", length, np.float64)
        for vector, row in zip(weights, sums, strict=True):
            w = self._carried(vector)
            for rows in self._cut(*block):
                self._forward(w, rows)
                self._error(rows, totals, length - 1)
                if with_gradient:
                    self._backward(w, rows, totals)
            row[:] = self.device.to_host(totals)
        return sums

    def _cut(self, inputs: Array, targets: Array | None, sample_weights: Vector | None) -> Iterator[_Rows]:
        if not len(inputs):
            return
        x = self.on_device(inputs)
        t = x if targets is None else self.device.resident(targets, self.dtype)
        v = x if sample_weights is None else self.device.resident(sample_weights, self.dtype)
        room = min(self._most, len(inputs))
        for first in range(0, len(inputs), room):
            n = min(room, len(inputs) - first)
            yield _Rows(first, n, room, x, t, v, weighted=sample_weights is not None)

    def _forward(self, w: Any, rows: _Rows) -> None:
        if rows.weighted:
            self._clear(rows)
        for number, layer in enumerate(self.stack.layers, start=1):
            below, nets = self._matrix("outputs", number - 1, rows), self._matrix("nets", number, rows)
            self._products.multiply(below, self._weights(w, number).T, nets)
            kernel = output_kernel(layer, self._real, weighted=rows.weighted)
            is_softmax = type(layer.transfer_function) is Softmax
            outputs = self._layer("outputs", number, rows)
            args = (w, rows.scales, rows.first, rows.n, nets.numbers, outputs)
            self._launch(kernel, rows.n if is_softmax else rows.n * layer.size, args)

    def _clear(self, rows: _Rows) -> None:
        """Copy the inputs of the samples that count, for a NaN times a slope of 0 is NaN."""
        width, n = self.stack.sizes[0], rows.n * self.stack.sizes[0]
        source = rows.inputs[rows.first * width : rows.first * width + n]
        args = (source, rows.scales, rows.first, rows.n, self._layer("outputs", 0, rows))
        self._launch(clearing_kernel(width, self._real), n, args)

    def _error(self, rows: _Rows, totals: Any, place: int) -> None:
        depth = len(self.stack.layers)
        kernel = error_kernel(self.stack, self._real, weighted=rows.weighted)
        nets, outputs, slopes = (self._layer(name, depth, rows) for name in ("nets", "outputs", "slopes"))
        n_blocks = -(-rows.n // N_THREADS)
        sums, buffers = self._row_sums("error", n_blocks, 1, 1)
        args = (nets, outputs, slopes, rows.targets, rows.scales, rows.first, rows.n, *buffers)
        self.device.launch(kernel, (n_blocks, 1), N_THREADS, args)
        self._add(sums, totals, place, 1, rows)

    def _backward(self, w: Any, rows: _Rows, totals: Any) -> None:
        for number in range(len(self.stack.layers), 0, -1):
            layer = self.stack.layers[number - 1]
            slopes = self._matrix("slopes", number, rows)
            bias_sums = self._slopes(number, rows)
            if layer.bias is not None:
                self._add(bias_sums, totals, layer.bias, layer.size, rows)
            size = layer.size * layer.n_inputs
            part = self._scratch.empty(f"gradient {number}", size, self.dtype)
            gradient = Matrix(part, layer.size, layer.n_inputs)
            self._products.multiply(slopes.T, self._matrix("outputs", number - 1, rows), gradient)
            self._add(part, totals, layer.weights, size, rows)
            if number > 1:
                below = self._matrix("slopes", number - 1, rows)
                self._products.multiply(slopes, self._weights(w, number), below)

    def _slopes(self, number: int, rows: _Rows) -> Any:
        """Make the slopes of a layer those of its net inputs, and return their sums over the samples."""
        layer, depth = self.stack.layers[number - 1], len(self.stack.layers)
        kernel = slope_kernel(layer, self._real, weighted=rows.weighted, is_output=number == depth)
        grid = -(-rows.n // SLOPE_ROWS), -(-layer.size // COLUMNS)
        sums, buffers = self._row_sums(f"biases {number}", *grid, COLUMNS)
        arrays = (self._layer(name, number, rows) for name in ("slopes", "nets", "outputs"))
        args = (*arrays, rows.scales, rows.first, rows.n, SLOPE_ROWS, *buffers)
        self.device.launch(kernel, grid, N_THREADS, args)
        return sums

    def _row_sums(self, name: str, n_rows: int, n_sums: int, length: int) -> tuple[Any, tuple[Any, Any, Any]]:
        """Return where a kernel's sums come to lie, and what it adds them up in: rows, sums, tickets."""
        rows = self._scratch.empty(f"{name} rows", n_rows * n_sums * length, np.float64)
        sums = self._scratch.empty(f"{name} sums", n_sums * length, np.float64)
        return sums, (rows, sums, self._scratch.zeros(f"{name} tickets", n_sums, np.int32))

    def _add(self, part: Any, totals: Any, start: int, n: int, rows: _Rows) -> None:
        self._launch(adding_kernel(), n, (part, totals, start, n, int(rows.first == 0)))

    def _launch(self, kernel: Any, n_threads: int, args: tuple[Any, ...]) -> None:
        self.device.launch(kernel, (-(-n_threads // N_THREADS), 1), N_THREADS, args)

    def _matrix(self, name: str, number: int, rows: _Rows) -> Matrix:
        return Matrix(self._layer(name, number, rows), rows.n, self.stack.sizes[number])

    def _layer(self, name: str, number: int, rows: _Rows) -> Any:
        """Return the net inputs, outputs or slopes of a layer for the samples at hand; layer 0 has inputs."""
        size = self.stack.sizes[number]
        if number == 0 and not rows.weighted:
            return rows.inputs[rows.first * size : (rows.first + rows.n) * size]
        return self._scratch.empty(f"{name} {number}", rows.room * size, self.dtype)[: rows.n * size]

    def _weights(self, w: Any, number: int) -> Matrix:
        layer = self.stack.layers[number - 1]
        numbers = w[layer.weights : layer.weights + layer.size * layer.n_inputs]
        return Matrix(numbers, layer.size, layer.n_inputs)

    def _carried(self, weights: Vector) -> Any:
        carried = self._scratch.empty("weights", weights.size, self.dtype)
        with np.errstate(over="ignore"):
            self.device.write(carried, weights.astype(self.dtype).reshape(-1))
        return carried
