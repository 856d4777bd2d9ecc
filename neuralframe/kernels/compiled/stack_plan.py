"""The plan of a stack for the compiled pass: its layers and functions as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.error_functions import BinaryCrossEntropy, CategoricalCrossEntropy, SumOfSquares
from neuralframe.kernels.compiled.output_errors import BINARY, CATEGORICAL, SQUARES
from neuralframe.kernels.compiled.stack_pass import SPARE_ROWS
from neuralframe.kernels.compiled.transfer_codes import TransferCode, transfer_code
from neuralframe.kernels.compiled.views import TILE
from neuralframe.kernels.narrow_stacks import MAX_INPUTS, MAX_SIZE
from neuralframe.kernels.stack import Stack

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.topology import Topology

TILED_INPUTS = 64
"""Inputs up to which a block is laid out in tiles; more of them are read row by row, where they lie."""


@attrs.frozen(eq=False)
class StackPlan:
    """What the compiled pass is told of a network.

    Attributes
    ----------
    layers : (n_layers, 8) int64
        One layer a row; the columns are named in `stack_pass`.
    parameters : (n_layers, N_PARAMETERS) float64
        Those of the layers' transfer functions.
    head : int
        Which error there is.
    n_scratch : int
        How many numbers the pass needs room for.
    part_shape : (int, int)
        Shape of the first layer's matrix where inputs are read row by row, else (0, 0).

    """

    layers: Indices
    parameters: Vector
    head: int
    n_scratch: int
    part_shape: tuple[int, int]

    @property
    def by_rows(self) -> bool:
        """Whether inputs are read row by row."""
        return self.part_shape != (0, 0)

    @classmethod
    def of(cls, topology: Topology, dtype: np.dtype[np.floating]) -> StackPlan | None:
        """Return the plan of a network, or None where the compiled pass has no way, or no advantage."""
        stack = Stack.of(topology)
        if stack is None or stack.sizes[0] > MAX_INPUTS or max(stack.sizes[1:]) > MAX_SIZE:
            return None
        head = _head(stack)
        codes = [transfer_code(layer.transfer_function, dtype) for layer in stack.layers]
        known = [code for code in codes if code is not None]
        if head is None or len(known) < len(codes):
            return None
        n_rows = 3 * stack.n_units + SPARE_ROWS
        parameters = np.array([code.padded_parameters for code in known])
        part = (0, 0) if stack.sizes[0] <= TILED_INPUTS else (stack.sizes[1], stack.sizes[0])
        return cls(_table(stack, known), parameters, head, n_rows * TILE + stack.n_weights, part)


def _head(stack: Stack) -> int | None:
    if stack.is_fused:
        heads = {CategoricalCrossEntropy: CATEGORICAL, BinaryCrossEntropy: BINARY}
        return heads.get(type(stack.error_function))
    return SQUARES if type(stack.error_function) is SumOfSquares else None


def _table(stack: Stack, codes: list[TransferCode]) -> Indices:
    rows = np.cumsum([0, *stack.sizes[1:-1]])
    return np.array(
        [
            [
                layer.n_inputs,
                layer.size,
                layer.weights,
                -1 if layer.bias is None else layer.bias,
                row,
                code.number,
                code.value_address,
                code.slope_address,
            ]
            for layer, row, code in zip(stack.layers, rows, codes, strict=True)
        ],
        np.int64,
    )
