"""Which lane holds which weights, where several threads of a warp, its lanes, share a sample.

A layer is split by its units, by its inputs, or not at all. A layer split by units needs all of its inputs in
every lane, and leaves each lane some of the outputs, which the next layer, split by inputs, takes up; there
the lanes add their parts and all have every output again. So a pair of layers costs one exchange.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import pairwise, product
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.kernels.stack import Stack, StackLayer

Split = Literal["units", "inputs", "whole"]

_SPLITS: tuple[Split, ...] = ("units", "inputs", "whole")

LANES = (1, 2, 4, 8, 16, 32)

MAX_REGISTERS = 236
"""Registers that a thread may be expected to need; it can have 255, and the expectation is not exact."""

SHARED_BYTES = 48_000
"""Shared memory of a block: 48 KiB less what the last sums take."""

_OWN_REGISTERS = 30
"""Registers beside the arrays: addresses, counters, what is in flight. Read from compiled kernels."""

_EXCHANGE_COST, _UNIT_COST = 4, 12
"""Cost of a shuffle and an addition, and of a transfer function, in multiplications and additions."""

_LONGEST_SEARCH = 5
"""Layers up to which all ways to split them are looked at: 3 to the power of so many."""


@attrs.frozen
class LaneLayer:
    """What a lane has of a layer.

    Attributes
    ----------
    split : {"units", "inputs", "whole"}
    n_inputs, n_units : int
        How many of its inputs and units a lane has; the last lanes may have fewer, and zeros instead.
    size : int
        Units of the whole layer.
    weights : int
        The first of its weights' slots: those of a lane's units, one after the other.
    bias : int or None
        The first of its biases' slots.
    sources, units : int
        The first of its inputs' and its units' places among a lane's activations.

    """

    split: Split
    n_inputs: int
    n_units: int
    size: int
    weights: int
    bias: int | None
    sources: int
    units: int


@attrs.frozen
class LanePlan:
    """How the lanes of a group share a stack.

    A lane has *slots* for weights and their gradients and *places* for activations: the inputs first.

    Attributes
    ----------
    n_lanes : int
        Threads that share a sample: a power of two up to 32.
    layers : tuple of LaneLayer
    n_slots, n_places : int

    """

    n_lanes: int
    layers: tuple[LaneLayer, ...]
    n_slots: int
    n_places: int

    @property
    def n_outputs(self) -> int:
        """Outputs of the network; every lane has all of them."""
        return self.layers[-1].size

    def registers(self, itemsize: int) -> int:
        """Return how many registers a thread is expected to need for the gradient."""
        words = itemsize // 4
        arrays = 2 * self.n_slots + self.n_places + 3 * self.n_outputs
        return words * arrays + _OWN_REGISTERS + 10 * (words - 1)

    def fits(self, itemsize: int, n_threads: int) -> bool:
        """Return whether registers suffice, and shared memory for the gradient sums of a block's warps."""
        shared = n_threads // LANES[-1] * self.n_slots * self.n_lanes * itemsize
        return self.registers(itemsize) <= MAX_REGISTERS and shared <= SHARED_BYTES

    @cached_property
    def cost(self) -> int:
        """What a sample costs all lanes together, about, in multiplications and additions."""
        exchanged = sum(_exchanged(layer) for layer in self.layers)
        steps = self.n_lanes.bit_length() - 1
        n_units = sum(layer.n_units for layer in self.layers)
        lane = 3 * self.n_slots + self.n_places + _UNIT_COST * n_units + _EXCHANGE_COST * steps * exchanged
        return self.n_lanes * lane


@lru_cache(64)
def lane_plan(stack: Stack, itemsize: int, n_threads: int) -> LanePlan | None:
    """Return the cheapest plan that fits the registers and, in blocks of so many threads, shared memory."""
    if 2 * stack.n_weights > MAX_REGISTERS * LANES[-1]:
        return None
    fitting = (plan for plan in _plans(stack) if plan.fits(itemsize, n_threads))
    return min(fitting, key=lambda plan: (plan.cost, plan.n_lanes), default=None)


def slot_sources(stack: Stack, plan: LanePlan) -> Indices:
    """Return which weight each lane has in each slot, (n_slots, n_lanes); n_weights stands for none."""
    sources = np.full((plan.n_slots, plan.n_lanes), stack.n_weights, np.int64)
    for layer, lane_layer in zip(stack.layers, plan.layers, strict=True):
        _fill(sources, stack.n_weights, layer, lane_layer)
    return sources


def weight_columns(sources: Indices, n_weights: int) -> Indices:
    """Return where each weight is first found in a row of slots, lane after lane: (n_weights,)."""
    found, first = np.unique(sources, return_index=True)
    columns: Indices = first[found < n_weights]
    return columns


def packed(weights: Vector, sources: Indices, dtype: np.dtype[np.floating]) -> Vector:
    """Return weight vectors (S, n_weights) as the lanes have them, (S, n_slots, n_lanes)."""
    padded = np.concatenate([weights, np.zeros((len(weights), 1))], axis=1)
    with np.errstate(over="ignore"):
        return padded.astype(dtype)[:, sources]


def _shares(n: int, n_lanes: int, *, split: bool) -> Indices:
    """Return what each lane has of a layer's units or inputs, (n, n_lanes)."""
    if split:
        return np.arange(n * n_lanes).reshape(n, n_lanes)
    return np.repeat(np.arange(n)[:, np.newaxis], n_lanes, axis=1)


def _fill(sources: Indices, none: int, layer: StackLayer, lane_layer: LaneLayer) -> None:
    """Write a layer's weights into the slots of the lanes that have them."""
    n_lanes = sources.shape[1]
    units = _shares(lane_layer.n_units, n_lanes, split=lane_layer.split == "units")
    inputs = _shares(lane_layer.n_inputs, n_lanes, split=lane_layer.split == "inputs")
    there = (units < layer.size)[:, np.newaxis] & (inputs < layer.n_inputs)[np.newaxis]
    matrix = layer.weights + units[:, np.newaxis] * layer.n_inputs + inputs[np.newaxis]
    end = lane_layer.weights + lane_layer.n_units * lane_layer.n_inputs
    sources[lane_layer.weights : end] = np.where(there, matrix, none).reshape(-1, n_lanes)
    if layer.bias is not None and lane_layer.bias is not None:
        biases = np.where(units < layer.size, layer.bias + units, none)
        sources[lane_layer.bias : lane_layer.bias + lane_layer.n_units] = biases


def _plans(stack: Stack) -> Iterator[LanePlan]:
    if len(stack.layers) > _LONGEST_SEARCH:
        return
    for splits in product(_SPLITS, repeat=len(stack.layers)):
        if _fits_together(splits):
            for n_lanes in LANES:
                yield _plan(stack.layers, splits, n_lanes)


def _fits_together(splits: Sequence[str]) -> bool:
    """Whether each layer finds its inputs as it needs them, and every lane has the outputs at the end."""
    joints = all((before == "units") == (after == "inputs") for before, after in pairwise(splits))
    return joints and splits[-1] != "units"


def _plan(layers: Sequence[StackLayer], splits: Sequence[Split], n_lanes: int) -> LanePlan:
    made: list[LaneLayer] = []
    slot, place = 0, -(-layers[0].n_inputs // (n_lanes if splits[0] == "inputs" else 1))
    for layer, split in zip(layers, splits, strict=True):
        n_units = -(-layer.size // (n_lanes if split == "units" else 1))
        n_inputs = -(-layer.n_inputs // (n_lanes if split == "inputs" else 1))
        bias = None if layer.bias is None else slot + n_units * n_inputs
        made.append(
            LaneLayer(split, n_inputs, n_units, layer.size, slot, bias, sources=place - n_inputs, units=place)
        )
        slot += n_units * (n_inputs + (bias is not None))
        place += n_units
    return LanePlan(n_lanes, tuple(made), slot, place)


def _exchanged(layer: LaneLayer) -> int:
    """Return how many numbers the lanes add up: sums on the way forward, or deltas on the way back."""
    if layer.split == "inputs":
        return layer.n_units
    return layer.n_inputs if layer.split == "units" and layer.sources else 0  # inputs have no deltas
