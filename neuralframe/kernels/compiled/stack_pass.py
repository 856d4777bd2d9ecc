"""The compiled pass: errors and gradients of a stack over a block, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuralframe.kernels.compiled.compiling import compiled, compiled_entry, inlined
from neuralframe.kernels.compiled.output_errors import (
    BINARY,
    CATEGORICAL,
    SQUARES,
    binary,
    categorical,
    squares,
    weigh,
    weighted_sum,
)
from neuralframe.kernels.compiled.products import add_outer_products, add_products, row_sum
from neuralframe.kernels.compiled.row_products import add_row_gradient, add_row_products, move_gradient
from neuralframe.kernels.compiled.transfers import apply_transfer, multiply_by_slope
from neuralframe.kernels.compiled.views import TILE, rows_from, starting_at

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Indices, Vector

N_INPUTS, SIZE, WEIGHTS, BIAS, ROWS, CODE, VALUE, SLOPE = range(8)
"""Columns of the table of layers; ROWS is where a layer's rows begin among those of all layers."""

SPARE_ROWS = 3

PART_TILES = 4
"""Tiles after which what a wide first layer has summed is added up in float64."""


@compiled_entry
def sum_block(
    weights: Vector,
    layers: Indices,
    parameters: Vector,
    head: int,
    inputs: Array,
    rows: Array | None,
    targets: Array,
    sample_weights: Vector,
    scratch: Array,
    part: Any,
    errors: Vector,
    gradients: Vector,
) -> None:
    """Set the summed errors (S,) and add to the gradients (S, n_weights); none where that is of length 0.

    The inputs come in tiles; or as `rows`, one sample a row, and then the tiles are of length 0 and `part`
    holds zeros in the shape of the first layer's matrix, and does so again in the end. Without rows both are
    None, for which other code is compiled.
    """
    n_units = layers[-1, ROWS] + layers[-1, SIZE]
    n_inputs = layers[0, N_INPUTS]
    n_targets = layers[-1, SIZE] + (1 if head == CATEGORICAL else 0)
    n_weights = weights.shape[1]
    nets, outputs, deltas = scratch, rows_from(scratch, n_units), rows_from(scratch, 2 * n_units)
    spare, cast = rows_from(scratch, 3 * n_units), rows_from(scratch, 3 * n_units + SPARE_ROWS)
    for s in range(weights.shape[0]):
        for number in range(n_weights):
            cast[number] = weights[s, number]
        total = 0.0
        for start in range(0, sample_weights.size, TILE):
            m = min(TILE, sample_weights.size - start)
            x = starting_at(inputs, start * n_inputs)
            t = starting_at(targets, start * n_targets)
            w = starting_at(sample_weights, start)
            _forward(cast, layers, parameters, head, x, rows, start, nets, outputs, spare, m)
            total += _error(layers, head, t, w, outputs, deltas, spare, m)
            if gradients.shape[0]:
                _backward(
                    cast,
                    layers,
                    parameters,
                    head,
                    x,
                    rows,
                    start,
                    w,
                    nets,
                    outputs,
                    deltas,
                    spare,
                    m,
                    part,
                    gradients[s],
                )
                if rows is not None and (start + TILE) % (PART_TILES * TILE) == 0:
                    move_gradient(part, gradients[s], layers[0, WEIGHTS])
        if rows is not None and gradients.shape[0]:
            move_gradient(part, gradients[s], layers[0, WEIGHTS])
        errors[s] = total


@inlined
def _forward(
    weights: Array,
    layers: Indices,
    parameters: Vector,
    head: int,
    inputs: Array,
    rows: Array | None,
    start: int,
    nets: Array,
    outputs: Array,
    spare: Array,
    m: int,
) -> None:
    """Compute the layers of a tile; the net inputs of the last are left to an error that is fused with it."""
    source = inputs
    for number in range(layers.shape[0]):
        layer = layers[number]
        n_inputs, size = layer[N_INPUTS], layer[SIZE]
        output = rows_from(outputs, layer[ROWS])
        _fill(weights, layer[BIAS], output, size, m)
        if rows is not None and number == 0:
            add_row_products(weights, layer[WEIGHTS], rows[start : start + TILE], output, size)
        else:
            add_products(weights, layer[WEIGHTS], 1, n_inputs, source, n_inputs, output, size, m)
        if number < layers.shape[0] - 1 or head == SQUARES:
            apply_transfer(
                layer[CODE],
                layer[VALUE],
                parameters[number],
                rows_from(nets, layer[ROWS]),
                output,
                spare,
                size,
                m,
            )
        source = output


@compiled
def _fill(weights: Array, bias: int, net: Array, n_rows: int, m: int) -> None:
    """Begin the net inputs with the biases, or with 0."""
    for row in range(n_rows):
        z = rows_from(net, row)
        start = weights[bias + row] if bias >= 0 else weights.dtype.type(0)
        for j in range(m):
            z[j] = start


@inlined
def _error(
    layers: Indices,
    head: int,
    targets: Array,
    sample_weights: Vector,
    outputs: Array,
    deltas: Array,
    spare: Array,
    m: int,
) -> float:
    """Return the summed error of a tile, and leave its derivatives in the rows of the last layer."""
    size = layers[-1, SIZE]
    output, delta = rows_from(outputs, layers[-1, ROWS]), rows_from(deltas, layers[-1, ROWS])
    error = rows_from(spare, 2)
    for j in range(m):
        error[j] = error.dtype.type(0)
    if head == CATEGORICAL:
        categorical(output, targets, delta, error, spare, size, m)
    elif head == BINARY:
        binary(output, targets, delta, error, size, m)
    else:
        squares(output, targets, delta, error, size, m)
    return weighted_sum(error, sample_weights, m)


@inlined
def _backward(
    weights: Array,
    layers: Indices,
    parameters: Vector,
    head: int,
    inputs: Array,
    rows: Array | None,
    start: int,
    sample_weights: Vector,
    nets: Array,
    outputs: Array,
    deltas: Array,
    spare: Array,
    m: int,
    part: Any,
    gradient: Vector,
) -> None:
    last = layers.shape[0] - 1
    weigh(rows_from(deltas, layers[last, ROWS]), sample_weights, layers[last, SIZE], m)
    for number in range(last, -1, -1):
        layer = layers[number]
        n_inputs, size, first = layer[N_INPUTS], layer[SIZE], layer[WEIGHTS]
        net, output, delta = (
            rows_from(nets, layer[ROWS]),
            rows_from(outputs, layer[ROWS]),
            rows_from(deltas, layer[ROWS]),
        )
        if number < last or head == SQUARES:
            multiply_by_slope(
                layer[CODE], layer[SLOPE], parameters[number], net, output, delta, spare, size, m
            )
        below = layer[ROWS] - n_inputs
        source = inputs if number == 0 else rows_from(outputs, below)
        if rows is not None and number == 0:
            add_row_gradient(delta, rows[start : start + TILE], part)
        else:
            add_outer_products(delta, size, source, n_inputs, m, gradient, first)
        if layer[BIAS] >= 0:
            for row in range(size):
                gradient[layer[BIAS] + row] += row_sum(rows_from(delta, row), m)
        if number > 0:
            feeding = rows_from(deltas, below)
            _fill(weights, -1, feeding, n_inputs, m)
            add_products(weights, first, n_inputs, 1, delta, size, feeding, n_inputs, m)
