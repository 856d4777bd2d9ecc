"""The tile kernels: 256 threads compute a tile of samples after another, all layers in shared memory.

A grid has a column for each chunk of samples and a row for each weight vector. A chunk's tiles are read once,
for the forward pass and for the gradient, whose sums stay in registers; every so many tiles they go on in
float64.
"""

# ruff: noqa: PLR0917 - kernels know no keywords

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.kernels.cuda.block_sums import block_sum
from neuralframe.kernels.cuda.grouped_reduction import grouped_row_sum
from neuralframe.kernels.cuda.shim import cuda
from neuralframe.kernels.cuda.tile_plan import N_THREADS
from neuralframe.kernels.cuda.tile_steps import (
    backward_tile,
    error_tile,
    forward_tile,
    ones_writer,
    tile_loader,
)
from neuralframe.kernels.cuda.tile_sums import sums_writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.tile_plan import TilePlan
    from neuralframe.kernels.stack import Stack

    Kernel = Callable[..., None]

SPAN = 1024
"""Samples whose gradients are added up in the type that is computed in, before float64 takes over."""

_KERNELS_KEPT = 256


@lru_cache(_KERNELS_KEPT)
def tile_gradient_kernel(stack: Stack, plan: TilePlan, real: type, *, weighted: bool) -> Kernel:
    """Return the kernel of errors and gradients.

    Parameters
    ----------
    stack, plan : Stack, TilePlan
    real : type
        ``numpy.float32`` or ``numpy.float64``.
    weighted : bool
        Whether samples have weights.

    Returns
    -------
    callable
        ``kernel(w, inputs, targets, sample_weights, n_samples, chunk_rows, rows, group_rows, sums,
        tickets)``: weight vectors one after the other, then `grouped_reduction.grouped_row_sum` with rows of
        the gradient and, last, the error.

    """
    n_samples, n_sums, n_weights, size = (
        plan.n_samples,
        plan.n_sums,
        stack.n_weights,
        plan.n_rows * plan.stride,
    )
    zero = real(0)
    load, write_ones = tile_loader(stack, plan, real, weighted=weighted), ones_writer(plan, real)
    forward, backward = forward_tile(stack, plan, real), backward_tile(stack, plan, real)
    error_of, write_sums, add_errors = (
        error_tile(stack, plan, real),
        sums_writer(plan),
        block_sum(plan.n_samples),
    )
    add_rows = grouped_row_sum(n_weights + 1, N_THREADS)

    def kernel(
        w: Any, inputs: Any, targets: Any, sample_weights: Any, n_samples_in_all: Any, chunk_rows: Any,
        rows: Any, group_rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        a = cuda.shared.array(size, real)
        scales = cuda.shared.array(n_samples, real)
        g = cuda.local.array(n_sums, real)
        base = uint64(cuda.blockIdx.y) * uint64(n_weights)
        chunk = uint64(cuda.blockIdx.y) * uint64(cuda.gridDim.x) + uint64(cuda.blockIdx.x)
        row = chunk * uint64(n_weights + 1)
        begin = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(begin + uint64(chunk_rows), uint64(n_samples_in_all))
        error = float64(0)
        write_ones(a)
        for start in range(begin, end, uint64(SPAN)):
            for k in range(n_sums):
                g[k] = zero
            for first in range(start, min(start + uint64(SPAN), end), uint64(n_samples)):
                load(inputs, sample_weights, first, end, a, scales)
                forward(w, base, a, scales)
                error += error_of(targets, first, a, scales)
                backward(w, base, g, a, scales)
            write_sums(g, rows, row, start == begin)
        add_errors(error, rows, row + uint64(n_weights))
        add_rows(rows, group_rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def tile_error_kernel(stack: Stack, plan: TilePlan, real: type, *, weighted: bool) -> Kernel:
    """Return the kernel of errors alone: its arguments are those of `tile_gradient_kernel`."""
    n_samples, n_weights, size = plan.n_samples, stack.n_weights, plan.n_rows * plan.stride
    load, forward = tile_loader(stack, plan, real, weighted=weighted), forward_tile(stack, plan, real)
    error_of, add_errors, add_rows = (
        error_tile(stack, plan, real),
        block_sum(plan.n_samples),
        grouped_row_sum(1, N_THREADS),
    )

    def kernel(
        w: Any, inputs: Any, targets: Any, sample_weights: Any, n_samples_in_all: Any, chunk_rows: Any,
        rows: Any, group_rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        a = cuda.shared.array(size, real)
        scales = cuda.shared.array(n_samples, real)
        base = uint64(cuda.blockIdx.y) * uint64(n_weights)
        begin = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(begin + uint64(chunk_rows), uint64(n_samples_in_all))
        error = float64(0)
        for first in range(begin, end, uint64(n_samples)):
            load(inputs, sample_weights, first, end, a, scales)
            forward(w, base, a, scales)
            error += error_of(targets, first, a, scales)
        add_errors(error, rows, uint64(cuda.blockIdx.y) * uint64(cuda.gridDim.x) + uint64(cuda.blockIdx.x))
        add_rows(rows, group_rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def tile_output_kernel(stack: Stack, plan: TilePlan, real: type) -> Kernel:
    """Return the kernel of outputs: ``kernel(w, inputs, n_samples, chunk_rows, outputs)``."""
    n_samples, n_outputs, size, stride = (
        plan.n_samples,
        stack.sizes[-1],
        plan.n_rows * plan.stride,
        plan.stride,
    )
    load, forward = tile_loader(stack, plan, real, weighted=False), forward_tile(stack, plan, real)
    place, tile_size = plan.layers[-1].outputs, n_samples * n_outputs

    def kernel(w: Any, inputs: Any, n_samples_in_all: Any, chunk_rows: Any, outputs: Any) -> None:
        a = cuda.shared.array(size, real)
        scales = cuda.shared.array(n_samples, real)
        begin = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(begin + uint64(chunk_rows), uint64(n_samples_in_all))
        for first in range(begin, end, uint64(n_samples)):
            load(inputs, inputs, first, end, a, scales)
            forward(w, uint64(0), a, scales)
            for number in range(uint64(cuda.threadIdx.x), uint64(tile_size), uint64(N_THREADS)):
                sample, unit = number // uint64(n_outputs), number % uint64(n_outputs)
                if first + sample < end:
                    value = a[(uint64(place) + unit) * uint64(stride) + sample]
                    outputs[first * uint64(n_outputs) + number] = value

    return kernel
