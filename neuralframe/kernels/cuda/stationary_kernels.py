"""The weight-stationary kernels: weights and gradient sums stay in registers, samples stream by.

A grid has a column for each chunk of samples and a row for each weight vector. The lanes of a group share a
sample (`lanes`), the groups of a block share a chunk, and nothing but what a sample brings is read in the
loop. Threads past the end, and those whose sample has weight 0, compute zeros, so that warps stay together.
"""

# ruff: noqa: PLR0917 - kernels know no keywords

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.kernels.cuda.outputs import output_error
from neuralframe.kernels.cuda.passes import NOBODY, backward_pass, forward_pass
from neuralframe.kernels.cuda.reduction import error_adder, row_sum
from neuralframe.kernels.cuda.shim import cuda
from neuralframe.kernels.cuda.stationary_parts import input_loader, sample_loader, slot_adder, weight_loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.lanes import LanePlan
    from neuralframe.kernels.stack import Stack

    Kernel = Callable[..., None]

N_THREADS = 128
"""Threads in a block: each may have all the registers that there can be."""

SPAN = 64
"""Samples that a group adds up in the type it computes in, before the sums go on in float64."""

_KERNELS_KEPT = 256


@lru_cache(_KERNELS_KEPT)
def gradient_kernel(stack: Stack, plan: LanePlan, real: Any, *, weighted: bool) -> Kernel:
    """Return the kernel of errors and gradients.

    Parameters
    ----------
    stack, plan : Stack, LanePlan
    real : type
        ``numpy.float32`` or ``numpy.float64``.
    weighted : bool
        Whether samples have weights.

    Returns
    -------
    callable
        ``kernel(weights, inputs, targets, sample_weights, n_samples, chunk_rows, rows, sums, tickets)``:
        weights as `lanes.packed` lays them out, then `reduction.row_sum` with rows of the error and a sum
        for each slot of each lane.

    """
    n_slots, n_places, n_outputs, n_lanes = plan.n_slots, plan.n_places, plan.n_outputs, plan.n_lanes
    place, zero, n_groups = plan.layers[-1].units, real(0), N_THREADS // n_lanes
    span, row_length = SPAN * n_groups, 1 + n_slots * n_lanes
    load_weights, load = weight_loader(plan), sample_loader(stack, plan, real, weighted=weighted)
    forward, backward = forward_pass(stack, plan, real), backward_pass(stack, plan, real)
    error_of = output_error(stack, place, real)
    add_slots, add_error = slot_adder(plan, real, N_THREADS), error_adder(n_lanes, N_THREADS)
    add_rows = row_sum(row_length, N_THREADS)

    def kernel(
        weights: Any, inputs: Any, targets: Any, sample_weights: Any, n_samples: Any, chunk_rows: Any,
        rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        w, g = cuda.local.array(n_slots, real), cuda.local.array(n_slots, real)
        z, a = cuda.local.array(n_places, real), cuda.local.array(n_places, real)
        d, t = cuda.local.array(n_places, real), cuda.local.array(n_outputs, real)
        lane = uint64(cuda.threadIdx.x) % uint64(n_lanes)
        group = uint64(cuda.threadIdx.x) // uint64(n_lanes)
        number = uint64(cuda.blockIdx.y) * uint64(cuda.gridDim.x) + uint64(cuda.blockIdx.x)
        row = number * uint64(row_length)
        first = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(first + uint64(chunk_rows), uint64(n_samples))
        load_weights(weights, w, lane)
        error = float64(0)
        for begin in range(first, end, uint64(span)):
            for k in range(n_slots):
                g[k] = zero
            for start in range(begin, min(begin + uint64(span), end), uint64(n_groups)):
                weight = load(inputs, targets, sample_weights, start + group, end, lane, a, t)
                counting = lane if weight != zero else uint64(NOBODY)
                forward(w, z, a, counting)
                sample_error = error_of(z, a, d, t)
                if weight != zero:
                    error += float64(sample_error) * float64(weight)
                for j in range(n_outputs):
                    d[place + j] = d[place + j] * weight if weight != zero else zero
                backward(w, g, z, a, d, counting)
            add_slots(g, rows, row + uint64(1), begin == first)
        add_error(error, rows, row)
        add_rows(rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def error_kernel(stack: Stack, plan: LanePlan, real: Any, *, weighted: bool) -> Kernel:
    """Return the kernel of errors alone: its arguments are those of `gradient_kernel`, its rows the error."""
    n_slots, n_places, n_outputs, n_lanes = plan.n_slots, plan.n_places, plan.n_outputs, plan.n_lanes
    place, zero, n_groups = plan.layers[-1].units, real(0), N_THREADS // n_lanes
    load_weights, load = weight_loader(plan), sample_loader(stack, plan, real, weighted=weighted)
    forward, error_of = forward_pass(stack, plan, real), output_error(stack, place, real)
    add_error, add_rows = error_adder(n_lanes, N_THREADS), row_sum(1, N_THREADS)

    def kernel(
        weights: Any, inputs: Any, targets: Any, sample_weights: Any, n_samples: Any, chunk_rows: Any,
        rows: Any, sums: Any, tickets: Any,
    ) -> None:  # fmt: skip
        w, z = cuda.local.array(n_slots, real), cuda.local.array(n_places, real)
        a, d = cuda.local.array(n_places, real), cuda.local.array(n_places, real)
        t = cuda.local.array(n_outputs, real)
        lane = uint64(cuda.threadIdx.x) % uint64(n_lanes)
        group = uint64(cuda.threadIdx.x) // uint64(n_lanes)
        first = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(first + uint64(chunk_rows), uint64(n_samples))
        load_weights(weights, w, lane)
        error = float64(0)
        for start in range(first, end, uint64(n_groups)):
            weight = load(inputs, targets, sample_weights, start + group, end, lane, a, t)
            forward(w, z, a, lane)
            sample_error = error_of(z, a, d, t)
            if weight != zero:
                error += float64(sample_error) * float64(weight)
        add_error(error, rows, uint64(cuda.blockIdx.y) * uint64(cuda.gridDim.x) + uint64(cuda.blockIdx.x))
        add_rows(rows, sums, tickets)

    return kernel


@lru_cache(_KERNELS_KEPT)
def output_kernel(stack: Stack, plan: LanePlan, real: Any) -> Kernel:
    """Return the kernel of outputs: ``kernel(weights, inputs, n_samples, chunk_rows, outputs)``."""
    n_slots, n_places, n_outputs, n_lanes = plan.n_slots, plan.n_places, plan.n_outputs, plan.n_lanes
    place, n_groups = plan.layers[-1].units, N_THREADS // n_lanes
    load_weights, load = weight_loader(plan), input_loader(stack, plan, real)
    forward = forward_pass(stack, plan, real)

    def kernel(weights: Any, inputs: Any, n_samples: Any, chunk_rows: Any, outputs: Any) -> None:
        w, z = cuda.local.array(n_slots, real), cuda.local.array(n_places, real)
        a = cuda.local.array(n_places, real)
        lane = uint64(cuda.threadIdx.x) % uint64(n_lanes)
        group = uint64(cuda.threadIdx.x) // uint64(n_lanes)
        first = uint64(cuda.blockIdx.x) * uint64(chunk_rows)
        end = min(first + uint64(chunk_rows), uint64(n_samples))
        load_weights(weights, w, lane)
        for start in range(first, end, uint64(n_groups)):
            sample = start + group
            load(inputs, sample, sample < end, lane, a)
            forward(w, z, a, lane)
            if sample < end and lane == uint64(0):
                for j in range(n_outputs):
                    outputs[sample * uint64(n_outputs) + uint64(j)] = a[place + j]

    return kernel
