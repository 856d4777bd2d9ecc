"""The kernels that the compile gate looks at: for networks of the sizes that each family is for."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

import neuralframe as nf
from neuralframe.kernels.cuda import (
    compact,
    gemm_kernels,
    lanes,
    stationary_kernels,
    tile_kernels,
    tile_plan,
    vector_kernels,
)
from neuralframe.kernels.stack import Stack

STATIONARY = ((8, 16, 3), (32, 5, 1), (20, 32, 10))
TILES = ((64, 32, 10), (400, 25, 10), (128, 64, 64, 10), (784, 16, 10))
WIDE = (784, 256, 10)


@attrs.frozen(eq=False)
class Listed:
    """A kernel, the types of its arguments, and the threads of a block."""

    name: str
    kernel: Any
    signature: tuple[Any, ...]
    threads: int


def types(real):
    """Return the numba types of an array of real numbers, of float64 sums, of tickets, and of a count."""
    from numba import float32, float64, int32, int64

    return (float32 if real is np.float32 else float64)[::1], float64[::1], int32[::1], int64


def stack_of(sizes):
    return Stack.of(
        nf.MultilayerPerceptron(*sizes, output="softmax" if sizes[-1] > 1 else "linear", seed=0).topology
    )


def weight_stationary(sizes, real):
    numbers, sums, tickets, count = types(real)
    stack, threads = stack_of(sizes), stationary_kernels.N_THREADS
    plan = lanes.lane_plan(stack, np.dtype(real).itemsize, threads)
    if plan is None:
        return []
    signature = (*[numbers] * 4, count, count, sums, sums, tickets)
    parts = {"stack": stack, "plan": plan, "real": real}
    return [
        Listed("gradient", stationary_kernels.gradient_kernel(**parts, weighted=True), signature, threads),
        Listed("error", stationary_kernels.error_kernel(**parts, weighted=True), signature, threads),
        Listed(
            "outputs",
            stationary_kernels.output_kernel(**parts),
            (numbers, numbers, count, count, numbers),
            threads,
        ),
    ]


def tile(sizes, real):
    numbers, sums, tickets, count = types(real)
    stack, threads = stack_of(sizes), tile_plan.N_THREADS
    plan = tile_plan.tile_plan(stack, np.dtype(real).itemsize)
    if plan is None:
        return []
    signature = (*[numbers] * 4, count, count, sums, sums, sums, tickets)
    parts = {"stack": stack, "plan": plan, "real": real}
    return [
        Listed(
            "tile gradient", tile_kernels.tile_gradient_kernel(**parts, weighted=True), signature, threads
        ),
        Listed("tile error", tile_kernels.tile_error_kernel(**parts, weighted=True), signature, threads),
        Listed(
            "tile outputs",
            tile_kernels.tile_output_kernel(**parts),
            (numbers, numbers, count, count, numbers),
            threads,
        ),
    ]


def between_products(sizes, real):
    numbers, sums, tickets, count = types(real)
    stack, threads = stack_of(sizes), gemm_kernels.N_THREADS
    hidden, last = stack.layers
    one_way = (numbers, numbers, count, count, numbers, numbers)
    added_up = (sums, sums, tickets)
    made = gemm_kernels
    return [
        Listed("clearing", made.clearing_kernel(sizes[0], real), one_way[:5], threads),
        Listed("hidden outputs", made.output_kernel(hidden, real, weighted=True), one_way, threads),
        Listed("softmax outputs", made.output_kernel(last, real, weighted=True), one_way, threads),
        Listed(
            "errors",
            made.error_kernel(stack, real, weighted=True),
            (*[numbers] * 5, count, count, *added_up),
            threads,
        ),
        Listed(
            "slopes",
            made.slope_kernel(hidden, real, weighted=True, is_output=False),
            (*[numbers] * 4, count, count, count, *added_up),
            threads,
        ),
        Listed("adding", made.adding_kernel(), (numbers, sums, count, count, count), threads),
    ]


def vectors():
    _, sums, tickets, count = types(np.float64)
    scalar, threads = sums.dtype, vector_kernels.N_THREADS
    return [
        Listed("dot", vector_kernels.dot_kernel(), (sums, sums, count, count, sums, sums, tickets), threads),
        Listed("axpy", vector_kernels.axpy_kernel(), (scalar, sums, sums, count), threads),
        Listed(
            "sign step", vector_kernels.sign_step_kernel(1.2, 0.5, 1e-6, 50.0), (*[sums] * 4, count), threads
        ),
    ]


def expanding(real):
    from numba import uint8, uint16

    numbers, sums, _, count = types(real)
    threads = compact.N_THREADS
    rest = (sums, sums, count, count, numbers)
    return [
        Listed("bytes", compact.expanding_kernel(784, real, is_half=False), (uint8[::1], *rest), threads),
        Listed("halves", compact.expanding_kernel(784, real, is_half=True), (uint16[::1], *rest), threads),
    ]
