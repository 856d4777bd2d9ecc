"""The steps of a tile as device functions: every thread of a block calls them, and does its part.

Samples that do not count, because their weight is 0 or there are no more, are zeros all along: what a kernel
would make of them could be infinite, and infinity times 0 is not 0. `scales` tells them: their scale is 0.
"""

# ruff: noqa: ARG001, PLR0917 - steps take what all of them take, and kernels know no keywords

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.core.transfer_functions import Softmax
from neuralframe.kernels.cuda.functions import device_functions
from neuralframe.kernels.cuda.outputs import output_error, softmax
from neuralframe.kernels.cuda.shim import cuda
from neuralframe.kernels.cuda.tile_plan import N_THREADS
from neuralframe.kernels.cuda.tile_products import tile_product
from neuralframe.kernels.cuda.tile_sums import weight_slopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.tile_plan import TileLayer, TilePlan
    from neuralframe.kernels.stack import Stack

    Step = Callable[..., Any]


def tile_loader(stack: Stack, plan: TilePlan, real: type, *, weighted: bool) -> Step:
    """Return ``load(inputs, sample_weights, first, end, a, scales)``: a tile's inputs and scales."""
    n_inputs, n_samples, stride = stack.sizes[0], plan.n_samples, plan.stride
    zero, one, size = real(0), real(1), plan.n_samples * stack.sizes[0]

    def load(inputs: Any, sample_weights: Any, first: Any, end: Any, a: Any, scales: Any) -> None:
        thread = uint64(cuda.threadIdx.x)
        if thread < uint64(n_samples):
            scale = zero
            if first + thread < end:
                scale = sample_weights[first + thread] if weighted else one
            scales[thread] = scale
        cuda.syncthreads()  # whoever still reads the last tile's activations does so before this
        for number in range(thread, uint64(size), uint64(N_THREADS)):
            sample, column = number // uint64(n_inputs), number % uint64(n_inputs)
            value = zero
            if scales[sample] != zero:
                value = inputs[first * uint64(n_inputs) + number]
            a[column * uint64(stride) + sample] = value
        cuda.syncthreads()

    return load


def ones_writer(plan: TilePlan, real: type) -> Step:
    """Return ``write(a)``: the rows of ones, which stay from tile to tile."""
    one, n_samples, stride = real(1), plan.n_samples, plan.stride

    def writer(row: int) -> Step:
        def write(a: Any) -> None:
            if uint64(cuda.threadIdx.x) < uint64(n_samples):
                a[uint64(row * stride) + uint64(cuda.threadIdx.x)] = one

        return write

    return reduce(_then_write, [writer(row) for row in plan.ones])


def forward_tile(stack: Stack, plan: TilePlan, real: type) -> Step:
    """Return ``forward(w, base, a, scales)``: net inputs and outputs of all layers."""
    return reduce(
        _then_forward, [_layer_forward(stack, plan, number, real) for number in range(len(plan.layers))]
    )


def backward_tile(stack: Stack, plan: TilePlan, real: type) -> Step:
    """Return ``backward(w, base, g, a, scales)``: adds to the sums `g`, from the slopes of the outputs."""
    steps = []
    for number in reversed(range(len(plan.layers))):
        steps.append(weight_slopes(plan.layers[number], plan))
        if number:
            steps.append(_deltas(stack, plan, number, real))
    return reduce(_then_backward, steps)


def error_tile(stack: Stack, plan: TilePlan, real: type) -> Step:
    """Return ``error(targets, first, a, scales)``: a thread's part of the tile's error, in float64.

    The slopes of the outputs take the place of their net inputs.
    """
    last, stride, n_samples, zero = plan.layers[-1], plan.stride, plan.n_samples, real(0)
    size, nets, outputs = last.size, last.nets * stride, last.outputs * stride
    nets_end, outputs_end = nets + size * stride, outputs + size * stride
    error_of = output_error(stack, 0, real)

    def error(targets: Any, first: Any, a: Any, scales: Any) -> Any:
        total, thread = float64(0), uint64(cuda.threadIdx.x)
        if thread < uint64(n_samples):
            scale = scales[thread]
            z = a[uint64(nets) + thread : uint64(nets_end) : uint64(stride)]
            y = a[uint64(outputs) + thread : uint64(outputs_end) : uint64(stride)]
            if scale != zero:
                start = (first + thread) * uint64(size)
                sample_error = error_of(z, y, z, targets[start : start + uint64(size)])
                total = float64(sample_error) * float64(scale)
            for j in range(size):
                z[j] = z[j] * scale if scale != zero else zero
        cuda.syncthreads()
        return total

    return error


def _then_write(first: Step, second: Step) -> Step:
    def both(a: Any) -> None:
        first(a)
        second(a)

    return both


def _then_forward(first: Step, second: Step) -> Step:
    def both(w: Any, base: Any, a: Any, scales: Any) -> None:
        first(w, base, a, scales)
        second(w, base, a, scales)

    return both


def _then_backward(first: Step, second: Step) -> Step:
    def both(w: Any, base: Any, g: Any, a: Any, scales: Any) -> None:
        first(w, base, g, a, scales)
        second(w, base, g, a, scales)

    return both


def _layer_forward(stack: Stack, plan: TilePlan, number: int, real: type) -> Step:
    layer, function = plan.layers[number], stack.layers[number].transfer_function
    has_bias, bias = layer.bias is not None, layer.bias or 0
    is_softmax = type(function) is Softmax
    value = _unchanged if is_softmax else device_functions(function, real)[0]
    nets, outputs, stride, zero = layer.nets, layer.outputs, plan.stride, real(0)

    def finish(w: Any, base: Any, a: Any, scales: Any, row: Any, sample: Any, total: Any) -> None:
        if has_bias:
            total += w[base + uint64(bias) + row]
        a[(uint64(nets) + row) * uint64(stride) + sample] = total
        output = value(total) if scales[sample] != zero else zero
        a[(uint64(outputs) + row) * uint64(stride) + sample] = output

    net = tile_product(layer.patch, plan, (layer.size, layer.n_inputs), finish, real)
    outputs_of = _softmax(layer, plan, real) if is_softmax else _nothing
    weights, n_inputs, sources = layer.weights, layer.n_inputs, layer.sources

    def forward(w: Any, base: Any, a: Any, scales: Any) -> None:
        net(w, base, a, scales, uint64(weights), uint64(n_inputs), uint64(1), uint64(sources))
        cuda.syncthreads()
        outputs_of(a, scales)

    return forward


def _softmax(layer: TileLayer, plan: TilePlan, real: type) -> Step:
    size, nets, outputs, stride = layer.size, layer.nets, layer.outputs, plan.stride
    nets_end, outputs_end, n_samples = nets + size, outputs + size, plan.n_samples
    outputs_of, zero = softmax(size, 0), real(0)

    def write(a: Any, scales: Any) -> None:
        thread = uint64(cuda.threadIdx.x)
        if thread < uint64(n_samples) and scales[thread] != zero:
            z = a[uint64(nets * stride) + thread : uint64(nets_end * stride) : uint64(stride)]
            y = a[uint64(outputs * stride) + thread : uint64(outputs_end * stride) : uint64(stride)]
            outputs_of(z, y)
        cuda.syncthreads()

    return write


def _deltas(stack: Stack, plan: TilePlan, number: int, real: type) -> Step:
    """Return the step from a layer's slopes to those of the layer below."""
    layer, below = plan.layers[number], plan.layers[number - 1]
    slope = device_functions(stack.layers[number - 1].transfer_function, real)[1]
    nets, outputs, stride, zero = below.nets, below.outputs, plan.stride, real(0)

    def finish(w: Any, base: Any, a: Any, scales: Any, row: Any, sample: Any, total: Any) -> None:
        at = (uint64(nets) + row) * uint64(stride) + sample
        output = a[(uint64(outputs) + row) * uint64(stride) + sample]
        a[at] = total * slope(a[at], output) if scales[sample] != zero else zero

    back = tile_product(layer.back_patch, plan, (layer.n_inputs, layer.size), finish, real)
    weights, n_inputs, sources = layer.weights, layer.n_inputs, layer.nets

    def backward(w: Any, base: Any, g: Any, a: Any, scales: Any) -> None:
        back(w, base, a, scales, uint64(weights), uint64(1), uint64(n_inputs), uint64(sources))
        cuda.syncthreads()

    return backward


def _unchanged(total: Any) -> Any:
    return total


def _nothing(a: Any, scales: Any) -> None:
    """Leave everything as it is: only softmax waits for the net inputs of a whole layer."""
