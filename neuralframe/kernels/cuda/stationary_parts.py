"""What the weight-stationary kernels do before and after their loop, as device functions."""

# ruff: noqa: PLR0917 - device functions know no keywords

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy import float64, uint64

from neuralframe.kernels.cuda.reduction import WARP, lane_sum
from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.lanes import LanePlan
    from neuralframe.kernels.stack import Stack

    Step = Callable[..., None]


def weight_loader(plan: LanePlan) -> Step:
    """Return ``load(weights, w, lane)``: a lane's weights of the vector that the block computes."""
    n_slots, n_lanes = plan.n_slots, plan.n_lanes

    def load_weights(weights: Any, w: Any, lane: Any) -> None:
        start = uint64(cuda.blockIdx.y) * uint64(n_slots)
        for k in range(n_slots):
            w[k] = weights[(start + uint64(k)) * uint64(n_lanes) + lane]

    return load_weights


def input_loader(stack: Stack, plan: LanePlan, real: Any) -> Step:
    """Return ``load(inputs, sample, counts, lane, a)``: a lane's inputs, zeros where they do not count."""
    n_own, n_inputs, zero = plan.layers[0].n_inputs, stack.sizes[0], real(0)
    stride, by_lane = (plan.n_lanes, 1) if plan.layers[0].split == "inputs" else (1, 0)

    def load_inputs(inputs: Any, sample: Any, counts: Any, lane: Any, a: Any) -> None:
        for i in range(n_own):
            column = uint64(i) * uint64(stride) + lane * uint64(by_lane)
            there = counts and column < uint64(n_inputs)
            a[i] = inputs[sample * uint64(n_inputs) + column] if there else zero

    return load_inputs


def sample_loader(stack: Stack, plan: LanePlan, real: Any, *, weighted: bool) -> Callable[..., Any]:
    """Return what reads a sample, zeros where it does not count, and returns its weight."""
    n_outputs, zero, one, load_inputs = plan.n_outputs, real(0), real(1), input_loader(stack, plan, real)

    def load(
        inputs: Any, targets: Any, sample_weights: Any, sample: Any, end: Any, lane: Any, a: Any, t: Any
    ) -> Any:
        weight = zero
        if sample < end:
            weight = sample_weights[sample] if weighted else one
        counts = weight != zero
        load_inputs(inputs, sample, counts, lane, a)
        for j in range(n_outputs):
            t[j] = targets[sample * uint64(n_outputs) + uint64(j)] if counts else zero
        return weight

    return load


def slot_adder(plan: LanePlan, real: Any, n_threads: int) -> Step:
    """Return ``add(g, rows, start, is_first)``: adds the gradient sums of a block's threads to its row."""
    n_slots, n_lanes = plan.n_slots, plan.n_lanes
    n_warps = n_threads // WARP
    n_columns = n_slots * n_lanes
    size = n_warps * n_columns
    over_groups = lane_sum(n_lanes, WARP)

    def add(g: Any, rows: Any, start: Any, is_first: Any) -> None:
        parts = cuda.shared.array(size, real)
        thread = uint64(cuda.threadIdx.x)
        warp, in_warp = thread // uint64(WARP), thread % uint64(WARP)
        for k in range(n_slots):
            part = over_groups(g[k])
            if in_warp < uint64(n_lanes):
                parts[(warp * uint64(n_slots) + uint64(k)) * uint64(n_lanes) + in_warp] = part
        cuda.syncthreads()
        for column in range(thread, uint64(n_columns), uint64(n_threads)):
            total = float64(0)
            if not is_first:
                total = rows[start + column]
            for number in range(n_warps):
                total += float64(parts[uint64(number) * uint64(n_columns) + column])
            rows[start + column] = total
        cuda.syncthreads()  # before the next span writes to the same memory

    return add
