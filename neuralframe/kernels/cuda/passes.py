"""Forward and backward passes of one sample, as device functions: a lane's part of each.

All loops have constant ends and all arrays constant places, so that the compiler unrolls the loops and keeps
the arrays in registers.
"""

# ruff: noqa: ARG001, PLR0917 - steps take what all of them take, and kernels know no keywords

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from numpy import uint64

from neuralframe.core.transfer_functions import Softmax
from neuralframe.kernels.cuda.functions import device_functions
from neuralframe.kernels.cuda.outputs import softmax
from neuralframe.kernels.cuda.reduction import lane_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.lanes import LaneLayer, LanePlan
    from neuralframe.kernels.stack import Stack

    Step = Callable[..., None]

NOBODY = 1 << 30
"""Stands for the lane of a thread whose sample does not count: its outputs and its deltas are 0."""


def forward_pass(stack: Stack, plan: LanePlan, real: type) -> Step:
    """Return ``forward(w, z, a, lane)``: from inputs, first in `a`, to net inputs `z` and outputs in `a`."""
    steps = []
    for layer, lane_layer in zip(stack.layers, plan.layers, strict=True):
        steps.append(_nets(lane_layer, plan.n_lanes, real))
        if type(layer.transfer_function) is Softmax:
            steps.append(_softmax(lane_layer))
        else:
            value, _ = device_functions(layer.transfer_function, real)
            steps.append(_activations(lane_layer, plan.n_lanes, value, real))
    return reduce(_then_forward, steps)


def backward_pass(stack: Stack, plan: LanePlan, real: type) -> Step:
    """Return ``backward(w, g, z, a, d, lane)``: adds to the gradient `g`, from the deltas of the outputs."""
    steps = []
    for number in reversed(range(len(plan.layers))):
        steps.append(_weight_slopes(plan.layers[number]))
        if number:
            _, slope = device_functions(stack.layers[number - 1].transfer_function, real)
            steps.append(_deltas(plan.layers[number], plan.layers[number - 1], plan.n_lanes, slope, real))
    return reduce(_then_backward, steps)


def _then_forward(first: Step, second: Step) -> Step:
    def both(w: Any, z: Any, a: Any, lane: Any) -> None:
        first(w, z, a, lane)
        second(w, z, a, lane)

    return both


def _then_backward(first: Step, second: Step) -> Step:
    def both(w: Any, g: Any, z: Any, a: Any, d: Any, lane: Any) -> None:
        first(w, g, z, a, d, lane)
        second(w, g, z, a, d, lane)

    return both


def _nets(layer: LaneLayer, n_lanes: int, real: type) -> Step:
    n_inputs, n_units, sources, units = layer.n_inputs, layer.n_units, layer.sources, layer.units
    weights, has_bias, bias = layer.weights, layer.bias is not None, layer.bias or 0
    total = lane_sum(1, n_lanes) if layer.split == "inputs" else _unchanged
    zero = real(0)

    def nets(w: Any, z: Any, a: Any, lane: Any) -> None:
        for j in range(n_units):
            part = zero
            for i in range(n_inputs):
                part += w[weights + j * n_inputs + i] * a[sources + i]
            part = total(part)
            z[units + j] = part + w[bias + j] if has_bias else part

    return nets


def _activations(layer: LaneLayer, n_lanes: int, value: Callable[[Any], Any], real: type) -> Step:
    n_units, units, is_there, zero = layer.n_units, layer.units, _presence(layer, n_lanes), real(0)

    def activations(w: Any, z: Any, a: Any, lane: Any) -> None:
        for j in range(n_units):
            a[units + j] = value(z[units + j]) if is_there(j, lane) else zero

    return activations


def _softmax(layer: LaneLayer) -> Step:
    outputs_of = softmax(layer.size, layer.units)

    def activations(w: Any, z: Any, a: Any, lane: Any) -> None:
        outputs_of(z, a)

    return activations


def _weight_slopes(layer: LaneLayer) -> Step:
    n_inputs, n_units, sources, units = layer.n_inputs, layer.n_units, layer.sources, layer.units
    weights, has_bias, bias = layer.weights, layer.bias is not None, layer.bias or 0

    def weight_slopes(w: Any, g: Any, z: Any, a: Any, d: Any, lane: Any) -> None:
        for j in range(n_units):
            for i in range(n_inputs):
                g[weights + j * n_inputs + i] += d[units + j] * a[sources + i]
            if has_bias:
                g[bias + j] += d[units + j]

    return weight_slopes


def _deltas(
    layer: LaneLayer, below: LaneLayer, n_lanes: int, slope: Callable[[Any, Any], Any], real: type
) -> Step:
    """Return the step from a layer's deltas to those of the layer below."""
    n_inputs, n_units, sources, units = layer.n_inputs, layer.n_units, layer.sources, layer.units
    weights, is_there, zero = layer.weights, _presence(below, n_lanes), real(0)
    total = lane_sum(1, n_lanes) if layer.split == "units" else _unchanged

    def deltas(w: Any, g: Any, z: Any, a: Any, d: Any, lane: Any) -> None:
        for i in range(n_inputs):
            part = zero
            for j in range(n_units):
                part += w[weights + j * n_inputs + i] * d[units + j]
            part = total(part)
            at = sources + i
            d[at] = part * slope(z[at], a[at]) if is_there(i, lane) else zero

    return deltas


def _unchanged(part: Any) -> Any:
    return part


def _presence(layer: LaneLayer, n_lanes: int) -> Callable[[Any, Any], Any]:
    """Return whether a place has a unit of a sample that counts; what becomes of zeros could be infinite."""
    size, is_ragged = layer.size, layer.split == "units" and layer.size % n_lanes != 0

    def is_there(j: Any, lane: Any) -> Any:
        if is_ragged:
            return uint64(j) * uint64(n_lanes) + lane < uint64(size)
        return lane < uint64(n_lanes)

    return is_there
