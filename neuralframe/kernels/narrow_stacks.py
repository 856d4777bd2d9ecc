"""Which networks compiled code gains on, told without importing the compiler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.core import transfer_functions
from neuralframe.core.error_functions import BinaryCrossEntropy, CategoricalCrossEntropy, SumOfSquares
from neuralframe.core.scalar_function import ScalarFunction
from neuralframe.kernels.stack import Stack

if TYPE_CHECKING:
    from neuralframe.core.topology import Topology
    from neuralframe.core.transfer_functions import TransferFunction

MAX_INPUTS, MAX_SIZE = 4096, 32
"""Beyond these widths matrix products are most of the work, and numpy's are as fast."""

MAX_TILED_INPUTS = 64
"""More inputs than these are read row by row, where they lie."""

MAX_FIRST_WEIGHTS = 20_000
"""Weights between inputs that are read row by row and the first layer, beyond which there is nothing to gain:
400-25 gains 10 to 30 %, 1000-32 nothing, and 4096-32 loses."""


def reason_against(topology: Topology) -> str:
    """Return why the numba kernel leaves a network to numpy, or an empty text.

    It knows what `neuralframe.kernels.compiled` has code for; a test compares the two.

    Examples
    --------
    >>> import neuralframe as nf
    >>> reason_against(nf.MultilayerPerceptron(8, 16, 3).topology)
    ''
    >>> reason_against(nf.MultilayerPerceptron(8, 40, 3).topology)
    'layers 8-40-3 are wider than 4096 inputs or 32 neurons'

    """
    stack = Stack.of(topology)
    if stack is None:
        return "its layers are not joined full to full, one after the other"
    if stack.sizes[0] > MAX_INPUTS or max(stack.sizes[1:]) > MAX_SIZE:
        sizes = "-".join(map(str, stack.sizes))
        return f"layers {sizes} are wider than {MAX_INPUTS} inputs or {MAX_SIZE} neurons"
    if not _knows_error(stack):
        return (
            f"there is no compiled code for the error function {stack.error_function.name!r} of these outputs"
        )
    unknown = [layer.transfer_function.name for layer in stack.layers if not _knows(layer.transfer_function)]
    return f"there is no compiled code for the transfer function {unknown[0]!r}" if unknown else ""


def reads_rows(topology: Topology) -> bool:
    """Return whether inputs are read row by row, so that there is no second copy of them."""
    return topology.n_inputs > MAX_TILED_INPUTS


def reason_without_gain(topology: Topology) -> str:
    """Return why compiled code, though there may be some, is no faster for a network, or an empty text."""
    stack = Stack.of(topology)
    if stack is None or not reads_rows(topology):
        return ""
    if stack.sizes[0] * stack.sizes[1] <= MAX_FIRST_WEIGHTS:
        return ""
    sizes = "-".join(map(str, stack.sizes))
    return f"layers {sizes} begin with more than {MAX_FIRST_WEIGHTS:,} weights, where numpy is as fast"


def _knows_error(stack: Stack) -> bool:
    known = (CategoricalCrossEntropy, BinaryCrossEntropy) if stack.is_fused else (SumOfSquares,)
    return type(stack.error_function) in known


def _knows(function: TransferFunction) -> bool:
    if isinstance(function, ScalarFunction):
        return function.is_scalar_only
    own = type(function).__module__ == transfer_functions.__name__
    return own and type(function) is not transfer_functions.Sin
