"""The sums of a layer's gradient over tiles, as device functions: every thread has some, in registers."""

# ruff: noqa: ARG001 - steps take what all of them take

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.tile_plan import TileLayer, TilePlan

    Step = Callable[..., Any]


def sums_writer(plan: TilePlan) -> Step:
    """Return ``write(g, rows, row, is_first)``: adds the sums of each thread to its places in a row."""
    return reduce(_then, [_layer_sums_writer(layer) for layer in plan.layers])


def weight_slopes(layer: TileLayer, plan: TilePlan) -> Step:
    """Return the step that adds a tile's part to the sums of a layer's gradient."""
    share, stride, n_samples, sums = layer.share, plan.stride, plan.n_samples, layer.sums
    n_units, n_inputs, last_unit = share.n_units, share.n_inputs, layer.size - 1
    last_input = layer.n_inputs - (layer.bias is None)
    unit_threads, input_threads, nets, sources = (
        share.unit_threads,
        share.input_threads,
        layer.nets,
        layer.sources,
    )

    def add(w: Any, base: Any, g: Any, a: Any, scales: Any) -> None:
        thread = uint64(cuda.threadIdx.x)
        unit, column = thread // uint64(input_threads), thread % uint64(input_threads)
        for sample in range(uint64(n_samples)):
            for j in range(n_units):
                row = min(unit + uint64(j * unit_threads), uint64(last_unit))
                delta = a[(uint64(nets) + row) * uint64(stride) + sample]
                for i in range(n_inputs):
                    source = min(column + uint64(i * input_threads), uint64(last_input))
                    g[sums + j * n_inputs + i] += (
                        delta * a[(uint64(sources) + source) * uint64(stride) + sample]
                    )

    return add


def _layer_sums_writer(layer: TileLayer) -> Step:
    share, sums, size, width = layer.share, layer.sums, layer.size, layer.n_inputs
    n_units, n_inputs, unit_threads = share.n_units, share.n_inputs, share.unit_threads
    input_threads, weights = share.input_threads, layer.weights
    has_bias, bias = layer.bias is not None, layer.bias or 0
    n_columns = width + has_bias

    def write(g: Any, rows: Any, row: Any, is_first: Any) -> None:
        thread = uint64(cuda.threadIdx.x)
        for j in range(n_units):
            unit = thread // uint64(input_threads) + uint64(j * unit_threads)
            for i in range(n_inputs):
                column = thread % uint64(input_threads) + uint64(i * input_threads)
                at = row + uint64(weights) + unit * uint64(width) + column
                if has_bias and column == uint64(width):
                    at = row + uint64(bias) + unit
                if unit < uint64(size) and column < uint64(n_columns):
                    total = float64(g[sums + j * n_inputs + i])
                    rows[at] = total if is_first else rows[at] + total

    return write


def _then(first: Step, second: Step) -> Step:
    def both(g: Any, rows: Any, row: Any, is_first: Any) -> None:
        first(g, rows, row, is_first)
        second(g, rows, row, is_first)

    return both
