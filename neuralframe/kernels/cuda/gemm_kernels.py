"""What is done to a layer's numbers between products of matrices, element by element.

Arrays are flat, with a sample a row. `scales` has each sample's weight; one whose weight is 0 is zeros all
along, for what a kernel would make of it could be infinite. `first` is where a chunk starts in the block.
"""

# ruff: noqa: PLR0917 - kernels know no keywords

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.core.transfer_functions import Softmax
from neuralframe.kernels.cuda.block_sums import block_sum, column_sum
from neuralframe.kernels.cuda.functions import device_functions
from neuralframe.kernels.cuda.outputs import output_error, softmax
from neuralframe.kernels.cuda.reduction import row_sum
from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.stack import Stack, StackLayer

    Kernel = Callable[..., None]

N_THREADS = 256
"""Threads in a block."""

COLUMNS = 32
"""Columns that a block adds up, side by side: the threads of a warp read what lies together."""

_ROWS = N_THREADS // COLUMNS
_KERNELS_KEPT = 256


@lru_cache(_KERNELS_KEPT)
def clearing_kernel(n_columns: int, real: type) -> Kernel:
    """Return the kernel that copies samples, zeros for those of weight 0.

    ``kernel(source, scales, first, n_samples, result)``.
    """
    zero = real(0)

    def kernel(source: Any, scales: Any, first: Any, n_samples: Any, result: Any) -> None:
        at = uint64(cuda.grid(1))
        if at < uint64(n_samples) * uint64(n_columns):
            counts = scales[uint64(first) + at // uint64(n_columns)] != zero
            result[at] = source[at] if counts else zero

    return kernel


@lru_cache(_KERNELS_KEPT)
def output_kernel(layer: StackLayer, real: type, *, weighted: bool) -> Kernel:
    """Return the kernel that adds biases to the products, and makes the outputs of these net inputs.

    ``kernel(w, scales, first, n_samples, nets, outputs)``; a thread has an element, or a sample for softmax.
    """
    if type(layer.transfer_function) is Softmax:
        return _softmax_kernel(layer, real, weighted=weighted)
    value, zero, size = device_functions(layer.transfer_function, real)[0], real(0), layer.size
    has_bias, bias = layer.bias is not None, layer.bias or 0

    def kernel(w: Any, scales: Any, first: Any, n_samples: Any, nets: Any, outputs: Any) -> None:
        at = uint64(cuda.grid(1))
        if at < uint64(n_samples) * uint64(size):
            sample, unit, net = at // uint64(size), at % uint64(size), nets[at]
            if has_bias:
                net += w[uint64(bias) + unit]
            nets[at] = net
            counts = scales[uint64(first) + sample] != zero if weighted else True
            outputs[at] = value(net) if counts else zero

    return kernel


def _softmax_kernel(layer: StackLayer, real: type, *, weighted: bool) -> Kernel:
    size, outputs_of, zero = layer.size, softmax(layer.size, 0), real(0)
    has_bias, bias = layer.bias is not None, layer.bias or 0

    def kernel(w: Any, scales: Any, first: Any, n_samples: Any, nets: Any, outputs: Any) -> None:
        sample = uint64(cuda.grid(1))
        if sample < uint64(n_samples):
            counts = scales[uint64(first) + sample] != zero if weighted else True
            z = nets[sample * uint64(size) : (sample + uint64(1)) * uint64(size)]
            y = outputs[sample * uint64(size) : (sample + uint64(1)) * uint64(size)]
            for j in range(size):
                if has_bias:
                    z[j] += w[uint64(bias) + uint64(j)]
                y[j] = zero
            if counts:
                outputs_of(z, y)

    return kernel


@lru_cache(_KERNELS_KEPT)
def error_kernel(stack: Stack, real: type, *, weighted: bool) -> Kernel:
    """Return the kernel of the samples' errors and of their slopes in the last net inputs.

    ``kernel(nets, outputs, slopes, targets, scales, first, n_samples, rows, sums, tickets)``: a thread has a
    sample; then `reduction.row_sum` with rows of the error.
    """
    size, zero, one, error_of = stack.sizes[-1], real(0), real(1), output_error(stack, 0, real)
    add_errors, add_rows = block_sum(N_THREADS), row_sum(1, N_THREADS)

    def kernel(
        nets: Any, outputs: Any, slopes: Any, targets: Any, scales: Any, first: Any, n_samples: Any,
        rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        sample, total = uint64(cuda.grid(1)), float64(0)
        if sample < uint64(n_samples):
            scale = scales[uint64(first) + sample] if weighted else one
            begin, end = sample * uint64(size), (sample + uint64(1)) * uint64(size)
            d, goal = slopes[begin:end], (uint64(first) + sample) * uint64(size)
            if scale != zero:
                wanted = targets[goal : goal + uint64(size)]
                total = float64(error_of(nets[begin:end], outputs[begin:end], d, wanted)) * float64(scale)
            for j in range(size):
                d[j] = d[j] * scale if scale != zero else zero
        add_errors(total, rows, uint64(cuda.blockIdx.x))
        add_rows(rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def slope_kernel(layer: StackLayer, real: type, *, weighted: bool, is_output: bool) -> Kernel:
    """Return the kernel that takes slopes from outputs to net inputs, and adds them up for the biases.

    ``kernel(slopes, nets, outputs, scales, first, n_samples, chunk_rows, rows, sums, tickets)``, on a grid of
    chunks of samples and of stripes of 32 units; then `reduction.row_sum` with a row for each stripe. The
    slopes of the last layer are those of its net inputs already.
    """
    size, zero, one = layer.size, real(0), real(1)
    slope = _one(one) if is_output else device_functions(layer.transfer_function, real)[1]
    add_columns, add_rows = column_sum(N_THREADS, COLUMNS), row_sum(COLUMNS, N_THREADS)

    def kernel(
        slopes: Any, nets: Any, outputs: Any, scales: Any, first: Any, n_samples: Any, chunk_rows: Any,
        rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        thread, total = uint64(cuda.threadIdx.x), float64(0)
        unit = uint64(cuda.blockIdx.y) * uint64(COLUMNS) + thread % uint64(COLUMNS)
        begin = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(begin + uint64(chunk_rows), uint64(n_samples))
        if unit < uint64(size):
            for sample in range(begin + thread // uint64(COLUMNS), end, uint64(_ROWS)):
                at = sample * uint64(size) + unit
                counts = scales[uint64(first) + sample] != zero if weighted else True
                delta = slopes[at] * slope(nets[at], outputs[at]) if counts else zero
                slopes[at] = delta
                total += float64(delta)
        row = uint64(cuda.blockIdx.y) * uint64(cuda.gridDim.x) + uint64(cuda.blockIdx.x)
        add_columns(total, rows, row * uint64(COLUMNS))
        add_rows(rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def adding_kernel() -> Kernel:
    """Return ``kernel(part, totals, start, n, is_first)``: part, or with it, becomes float64 totals."""

    def kernel(part: Any, totals: Any, start: Any, n: Any, is_first: Any) -> None:
        at = uint64(cuda.grid(1))
        if at < uint64(n):
            value = float64(part[at])
            place = uint64(start) + at
            totals[place] = value if is_first else totals[place] + value

    return kernel


def _one(one: Any) -> Callable[[Any, Any], Any]:
    def slope(net: Any, output: Any) -> Any:  # noqa: ARG001 - a slope takes both
        return one

    return slope
