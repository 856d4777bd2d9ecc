"""Products: how one projection computes in a kernel's buffers.

Arrays are feature-major, ``(n_neurons, n_samples)``. A product writes where its result is wanted, or adds to
what stands there, so that nothing large is made anew from chunk to chunk.
"""

# ruff: noqa: ARG002 - members keep the signatures of their family

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.projections import Full, GroupedSum, Sparse, row_products

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.topology import ProjectionSpec, Topology
    from neuralframe.kernels.workspace import Workspace

DENSE_SHARE = 1 / 32
"""Share of all possible connections from which on a sparse projection computes as a full matrix.

A multiplication in a matrix product costs a thirtieth of one by itself, gathered and scattered.
"""

NARROW, LEAST_INPUTS = 64, 64
"""In float32, BLAS multiplies up to so many neurons with at least so many inputs faster sample by sample.

The result is turned round afterwards; all in all that is 1.1 to 2.4 times as fast. In float64 it is slower.
"""

DENSE_LIMIT = 1 << 22
"""Places of such a matrix at most: 32 MiB in float64."""


class Product(ABC):
    """The weighted sums of one projection, and their derivatives.

    Parameters
    ----------
    topology : Topology
        The network.
    spec : ProjectionSpec
        One of its projections.

    """

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        self.source = spec.source
        self.carries_back = not topology.layers[spec.source].is_input
        self._n_sources = topology.layers[spec.source].size
        self._n_targets = topology.layers[spec.target].size
        self._block = topology.block(spec)
        # Weights used more than once by one projection need a sum; a plain += would keep only the last.
        self._sums = None if isinstance(self._block, slice) else GroupedSum(self._block)

    @property
    def values_per_sample(self) -> int:
        """How many numbers the arithmetic makes for a sample on its way to the sums; 0 for most."""
        return 0

    @abstractmethod
    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        """Write the weighted sums, (n_targets, n_samples), of inputs (n_sources, n_samples)."""

    @abstractmethod
    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        """Return dE/d(weights), (n_weights,), perhaps in the workspace."""

    @abstractmethod
    def input_delta(self, weights: Array, inputs: Array, delta: Array, out: Array, work: Workspace) -> None:
        """Write dE/d(inputs), (n_sources, n_samples); `net` was called before with the same weights."""

    def add_gradient(
        self, weights: Array, inputs: Array, delta: Array, gradient: Vector, work: Workspace, *, fresh: bool
    ) -> None:
        """Add dE/d(weights) to its place in the gradient; where that is `fresh` nothing stands there yet."""
        part = self.weight_gradient(weights, inputs, delta, work)
        if self._sums is not None:
            self._sums.add_into(gradient, part)
        elif fresh:
            gradient[self._block] = part
        else:
            gradient[self._block] += part


class PatternProduct(Product):
    """The projection's own arithmetic."""

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        super().__init__(topology, spec)
        self._pattern = spec.pattern

    @property
    def values_per_sample(self) -> int:
        return self._pattern.values_per_sample(self._n_sources, self._n_targets)

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        np.copyto(out, self._pattern.weighted_sum(weights[self._block], inputs, self._n_targets))

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        return self._pattern.weight_gradient(weights[self._block], inputs, delta)

    def input_delta(self, weights: Array, inputs: Array, delta: Array, out: Array, work: Workspace) -> None:
        np.copyto(out, self._pattern.input_delta(weights[self._block], inputs, delta))


class FullProduct(Product):
    """A matrix product, by BLAS."""

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        matrix = self._matrix(weights)
        if self._is_narrow and inputs.dtype == np.float32 and inputs.flags.f_contiguous:
            by_sample = work.take("by sample", out.shape[1], out.shape[0])
            np.matmul(inputs.T, matrix.T, out=by_sample)
            np.copyto(out, by_sample.T)
        else:
            np.matmul(matrix, inputs, out=out)

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        part = work.take("weight gradient", self._n_targets, self._n_sources)
        return np.matmul(delta, inputs.T, out=part).reshape(-1)

    def add_gradient(
        self, weights: Array, inputs: Array, delta: Array, gradient: Vector, work: Workspace, *, fresh: bool
    ) -> None:
        if fresh and gradient.dtype == delta.dtype and self._sums is None:
            np.matmul(delta, inputs.T, out=self._matrix(gradient))
        else:
            super().add_gradient(weights, inputs, delta, gradient, work, fresh=fresh)

    def input_delta(self, weights: Array, inputs: Array, delta: Array, out: Array, work: Workspace) -> None:
        np.matmul(self._matrix(weights).T, delta, out=out)

    @property
    def _is_narrow(self) -> bool:
        return self._n_targets <= NARROW and self._n_sources >= LEAST_INPUTS

    def _matrix(self, vector: Array) -> Array:
        return vector[self._block].reshape(self._n_targets, self._n_sources)


class DenseProduct(PatternProduct):
    """A sparse projection with many connections: a matrix product with zeros where there are none.

    Where the result is not finite the projection's own arithmetic takes over: an infinity times such a zero
    is no number, and would reach neurons that it is not connected to.
    """

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        super().__init__(topology, spec)
        table = spec.pattern.table(self._n_sources, self._n_targets)
        self._places = table.targets * self._n_sources + table.sources
        places = np.unique(self._places)
        self._parallel = None if len(places) == len(self._places) else GroupedSum(self._places)
        self._name = ("matrix", spec.source, spec.target, id(self))

    @property
    def values_per_sample(self) -> int:
        return 0

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        matrix = self._matrix(work)
        self._fill(matrix.reshape(-1), weights[self._block])
        np.matmul(matrix, inputs, out=out)
        if not np.isfinite(out.sum()):
            super().net(weights, inputs, out, work)

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        part = work.take("weight gradient", self._n_targets, self._n_sources)
        found: Array = np.matmul(delta, inputs.T, out=part).reshape(-1)[self._places]
        return found

    def input_delta(self, weights: Array, inputs: Array, delta: Array, out: Array, work: Workspace) -> None:
        np.matmul(self._matrix(work).T, delta, out=out)
        if not np.isfinite(out.sum()):
            super().input_delta(weights, inputs, delta, out, work)

    def _matrix(self, work: Workspace) -> Array:
        return work.zeros(self._name, self._n_targets, self._n_sources)

    def _fill(self, places: Array, weights: Array) -> None:
        if self._parallel is None:
            places[self._places] = weights
        else:
            places[self._places] = 0
            self._parallel.add_into(places, weights)


class CompressedProduct(Product):
    """A sparse projection with few connections: compressed rows, each with the connections of one neuron."""

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        super().__init__(topology, spec)
        table = spec.pattern.table(self._n_sources, self._n_targets)
        self._sources, self._targets = table.sources, table.targets
        self._by_target = _Rows(table.targets, table.sources, self._n_targets)
        self._by_source = _Rows(table.sources, table.targets, self._n_sources)

    @property
    def values_per_sample(self) -> int:
        return 2 * len(self._targets)

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        self._by_target.product(weights[self._block], inputs, out, work)

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        shape = len(self._targets), inputs.shape[1]
        left = _taken(delta, self._targets, work.take("connections", *shape))
        return row_products(left, _taken(inputs, self._sources, work.take("far ends", *shape)))

    def input_delta(self, weights: Array, inputs: Array, delta: Array, out: Array, work: Workspace) -> None:
        self._by_source.product(weights[self._block], delta, out, work)


class _Rows:
    """Connections sorted by the neurons at one end."""

    def __init__(self, near: Indices, far: Indices, size: int) -> None:
        self._order = np.argsort(near, kind="stable")
        self._far = far[self._order]
        self._present, self._starts = np.unique(near[self._order], return_index=True)
        self._is_complete = len(self._present) == size

    def product(self, weights: Array, far: Array, out: Array, work: Workspace) -> None:
        """Write, for each neuron at the near end, the sum of weight times what stands at the far ends."""
        values = _taken(far, self._far, work.take("connections", len(self._far), far.shape[1]))
        np.multiply(values, weights[self._order, np.newaxis], out=values)
        if self._is_complete:
            np.add.reduceat(values, self._starts, axis=0, out=out)
        else:
            out[...] = 0
            out[self._present] = np.add.reduceat(values, self._starts, axis=0)


def _taken(array: Array, rows: Indices, out: Array) -> Array:
    # "clip" takes rows straight into `out`; they were checked when the network was built
    return np.take(array, rows, axis=0, out=out, mode="clip")


def make_product(topology: Topology, spec: ProjectionSpec) -> Product:
    """Return the fastest way to compute a projection."""
    n_sources, n_targets = topology.layers[spec.source].size, topology.layers[spec.target].size
    if type(spec.pattern) is Full and spec.index is None:
        return FullProduct(topology, spec)
    if type(spec.pattern) is not Sparse:
        return PatternProduct(topology, spec)
    n_places = n_sources * n_targets
    dense = DENSE_SHARE * n_places <= len(spec.pattern.targets) and n_places <= DENSE_LIMIT
    return (DenseProduct if dense else CompressedProduct)(topology, spec)
