"""The compiled pass as Python calls it: arguments that do not change are made once."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.kernels.compiled.output_errors import CATEGORICAL
from neuralframe.kernels.compiled.stack_pass import sum_block
from neuralframe.kernels.compiled.stack_plan import StackPlan
from neuralframe.kernels.compiled.tiles import Tiles, aligned
from neuralframe.kernels.residency import Residency

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology

RESIDENT_BYTES = 1 << 28
"""Memory for blocks that are kept laid out, of all kernels together: 256 MiB."""

_residency = Residency(RESIDENT_BYTES)


class StackCall:
    """Calls the compiled pass of one network; threads may share it.

    Parameters
    ----------
    plan : StackPlan
        What the pass is told of the network.
    dtype : dtype
        What is computed in.

    """

    def __init__(self, plan: StackPlan, dtype: np.dtype[Any]) -> None:
        self._plan = plan
        self._dtype = dtype
        self._own = threading.local()

    @classmethod
    def of(cls, topology: Topology, dtype: np.dtype[Any]) -> StackCall | None:
        """Return the call for a network, or None where the numpy kernel serves it."""
        plan = StackPlan.of(topology, dtype)
        return None if plan is None else cls(plan, dtype)

    def errors(self, weights: Vector, block: Tiles, rows: Array | None) -> Vector:
        """Return the summed errors, shape (S,), over what `block` returned."""
        errors = np.empty(len(weights))
        self._sum(weights, block, rows, errors, np.empty((0, weights.shape[1])))
        return errors

    def errors_and_gradients(
        self, weights: Vector, block: Tiles, rows: Array | None
    ) -> tuple[Vector, Vector]:
        """Return the summed errors (S,) and gradients (S, n_weights), over what `block` returned."""
        errors, gradients = np.empty(len(weights)), np.zeros(weights.shape)
        self._sum(weights, block, rows, errors, gradients)
        return errors, gradients

    def block(
        self, inputs: Array, targets: Array, sample_weights: Vector | None
    ) -> tuple[Tiles, Array | None]:
        """Return a block as the pass takes it: in tiles, and its inputs row by row if they are wide."""
        tiles = self._recent(inputs, targets, sample_weights)
        if tiles is None:
            tiles = self._tiles(inputs, targets, sample_weights)
            self._own.recent = weakref.ref(inputs), weakref.ref(tiles)
        if not self._plan.by_rows:
            return tiles, None
        rows = np.asarray(inputs if tiles.rows is None else tiles.rows).view()
        rows.flags.writeable = False  # a data set's own are so, and numba compiles for one kind of arrays
        return tiles, rows

    def _recent(self, inputs: Array, targets: Array, sample_weights: Vector | None) -> Tiles | None:
        """Return what this thread computed with last, if it is the same block and still kept.

        With one small block, to ask the residency for it each time would be a fifth of an evaluation.
        """
        recent = getattr(self._own, "recent", None)
        tiles: Tiles | None = None if recent is None or recent[0]() is not inputs else recent[1]()
        return tiles if tiles is not None and tiles.is_of(inputs, targets, sample_weights) else None

    def _tiles(self, inputs: Array, targets: Array, sample_weights: Vector | None) -> Tiles:
        """Return a block laid out, from an earlier evaluation if its arrays cannot have changed."""
        with_sums, by_rows = self._plan.head == CATEGORICAL, self._plan.by_rows

        def lay_out(inputs: Array) -> Tiles:
            return Tiles.of(
                inputs, targets, sample_weights, self._dtype, with_sums=with_sums, by_rows=by_rows
            )

        others = (targets,) if sample_weights is None else (targets, sample_weights)
        if any(array.flags.writeable for array in others):
            return lay_out(inputs)
        layout = ("tiles", self._dtype.char, with_sums, by_rows, *map(id, others))
        return _residency.of(inputs, layout, lay_out, lambda tiles: tiles.n_bytes)

    def _sum(
        self, weights: Vector, block: Tiles, rows: Array | None, errors: Vector, gradients: Vector
    ) -> None:
        plan = self._plan
        try:
            scratch, part = self._own.scratch, self._own.part
        except AttributeError:  # the first call of this thread
            scratch = self._own.scratch = aligned(plan.n_scratch, self._dtype)
            part = self._own.part = np.zeros(plan.part_shape, self._dtype) if plan.by_rows else None
        # compiled for arrays by rows that may be written to: for any other kind it would be compiled anew
        weights = np.array(weights, np.float64, order="C")
        sum_block(
            weights,
            plan.layers,
            plan.parameters,
            plan.head,
            block.inputs,
            rows,
            block.targets,
            block.sample_weights,
            scratch,
            part,
            errors,
            gradients,
        )
