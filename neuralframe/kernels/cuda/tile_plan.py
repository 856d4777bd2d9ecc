"""How the threads of a block share a tile: some samples, whose activations lie in shared memory.

A layer's activations are rows of shared memory, one a unit, with a sample in each column. Products over a
tile are cut into patches of units and samples, a patch a thread; a layer's weights are dealt out to the
threads of a block, which keep the gradient sums of theirs in registers from tile to tile.
"""

from __future__ import annotations

from itertools import accumulate, pairwise, product
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from neuralframe.kernels.stack import Stack, StackLayer

N_THREADS = 256
"""Threads in a block."""

TILES = (64, 32, 16, 8)
"""Samples that a tile may have; the first that fits is taken."""

SHARED_BYTES = 46 << 10
"""Shared memory for activations: a block may have 48 KiB unasked, and errors and scales lie there too."""

MAX_SUM_REGISTERS = 120
"""Registers for gradient sums; a thread of a block of this size has 255 at most, for everything."""

_PATCHES = tuple(product((1, 2, 4, 8), (1, 2, 4)))
_SHARED_ACCESS_COST = 4
"""What reading a number of shared memory costs, in multiplications and additions."""


@attrs.frozen
class Patch:
    """What a thread computes of a product at a time: some rows, for some samples.

    Attributes
    ----------
    n_rows, n_samples : int

    """

    n_rows: int
    n_samples: int


@attrs.frozen
class Share:
    """What each thread has of a layer's gradient: units and inputs, each so many threads apart.

    Attributes
    ----------
    unit_threads, input_threads : int
        Over how many threads units and inputs are dealt out; their product is that of a block.
    n_units, n_inputs : int
        How many a thread has, those included that are not there.

    """

    unit_threads: int
    input_threads: int
    n_units: int
    n_inputs: int


@attrs.frozen
class TileLayer:
    """A layer on the tile.

    Attributes
    ----------
    n_inputs, size : int
    weights : int
        Where its weights start in the weight vector.
    bias : int or None
        Where its biases start, if it has any.
    sources, outputs, nets : int
        The first rows of its inputs, its outputs, and its net inputs, which become their slopes. Below the
        inputs of a layer with biases lies a row of ones.
    patch, back_patch : Patch
        How its net inputs, and the slopes of its inputs, are cut.
    share : Share
    sums : int
        The first register of its gradient sums.

    """

    n_inputs: int
    size: int
    weights: int
    bias: int | None
    sources: int
    outputs: int
    nets: int
    patch: Patch
    back_patch: Patch
    share: Share
    sums: int


@attrs.frozen
class TilePlan:
    """How a stack is computed on tiles.

    Attributes
    ----------
    n_samples : int
        Samples of a tile.
    layers : tuple of TileLayer
    n_rows : int
        Rows of shared memory.
    n_sums : int
        Gradient sums of a thread.
    ones : tuple of int
        The rows of ones.

    """

    n_samples: int
    layers: tuple[TileLayer, ...]
    n_rows: int
    n_sums: int
    ones: tuple[int, ...]

    @property
    def stride(self) -> int:
        """From one row to the next. Being odd, it keeps a column's numbers in different banks."""
        return self.n_samples + 1


def tile_plan(stack: Stack, itemsize: int) -> TilePlan | None:
    """Return the plan with the most samples a tile whose activations and sums fit, or None."""
    for n_samples in TILES:
        plan = _plan(stack, n_samples)
        fits = plan.n_rows * plan.stride * itemsize <= SHARED_BYTES
        if fits and plan.n_sums * itemsize // 4 <= MAX_SUM_REGISTERS:
            return plan
    return None


def _plan(stack: Stack, n_samples: int) -> TilePlan:
    # Rows: each layer's inputs and their row of ones, the outputs of the last layer, all net inputs.
    heights = [layer.n_inputs + 1 for layer in stack.layers] + [stack.sizes[-1]] + list(stack.sizes[1:])
    *starts, n_rows = accumulate(heights, initial=0)
    shares = [_share(layer) for layer in stack.layers]
    *sums, n_sums = accumulate((share.n_units * share.n_inputs for share in shares), initial=0)
    depth = len(stack.layers)
    layers = tuple(
        TileLayer(
            n_inputs=layer.n_inputs,
            size=layer.size,
            weights=layer.weights,
            bias=layer.bias,
            sources=starts[number],
            outputs=starts[number + 1],
            nets=starts[depth + 1 + number],
            patch=_patch(layer.size, n_samples),
            back_patch=_patch(layer.n_inputs, n_samples),
            share=shares[number],
            sums=sums[number],
        )
        for number, layer in enumerate(stack.layers)
    )
    ones = tuple(end - 1 for _, end in pairwise(starts[: depth + 1]))
    return TilePlan(n_samples, layers, n_rows, n_sums, ones)


def _patch(n_rows: int, n_samples: int) -> Patch:
    """Return the patch with which the threads are done soonest."""

    def cost(size: tuple[int, int]) -> int:
        rows, samples = size
        rounds = -(-(-(-n_rows // rows) * (n_samples // samples)) // N_THREADS)
        return rounds * (rows * samples + _SHARED_ACCESS_COST * (rows + samples))

    return Patch(*min(_PATCHES, key=cost))


def _share(layer: StackLayer) -> Share:
    """Return the way to deal out a layer's gradient that leaves each thread the fewest sums."""
    n_inputs = layer.n_inputs + (layer.bias is not None)
    ways = []
    for unit_threads in (1 << k for k in range(N_THREADS.bit_length())):
        input_threads = N_THREADS // unit_threads
        shared = Share(
            unit_threads, input_threads, -(-layer.size // unit_threads), -(-n_inputs // input_threads)
        )
        ways.append(shared)
    return min(ways, key=lambda share: (share.n_units * share.n_inputs, share.n_units + share.n_inputs))
