"""Products: how one projection computes in a kernel's buffers.

Arrays are feature-major, ``(n_neurons, n_samples)``. A product writes where its result is wanted, or adds to
what stands there, so that nothing large is made anew from chunk to chunk.
"""

# ruff: noqa: ARG002 - members keep the signatures of their family

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

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

    @abstractmethod
    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        """Write the weighted sums, (n_targets, n_samples), of inputs (n_sources, n_samples)."""

    @abstractmethod
    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        """Return dE/d(weights), (n_weights,), perhaps in the workspace."""

    @abstractmethod
    def input_delta(self, weights: Array, delta: Array, inputs: Array, out: Array) -> None:
        """Write dE/d(inputs), (n_sources, n_samples)."""

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

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        np.copyto(out, self._pattern.weighted_sum(weights[self._block], inputs, self._n_targets))

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        return self._pattern.weight_gradient(weights[self._block], inputs, delta)

    def input_delta(self, weights: Array, delta: Array, inputs: Array, out: Array) -> None:
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

    def input_delta(self, weights: Array, delta: Array, inputs: Array, out: Array) -> None:
        np.matmul(self._matrix(weights).T, delta, out=out)

    @property
    def _is_narrow(self) -> bool:
        return self._n_targets <= NARROW and self._n_sources >= LEAST_INPUTS

    def _matrix(self, vector: Array) -> Array:
        return vector[self._block].reshape(self._n_targets, self._n_sources)


class DenseProduct(Product):
    """A sparse projection with many connections: a matrix product with zeros where there are none."""

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        super().__init__(topology, spec)
        table = spec.pattern.table(self._n_sources, self._n_targets)
        self._places = table.targets * self._n_sources + table.sources
        places, connections = np.unique(self._places, return_inverse=True)
        self._parallel = None if len(places) == len(connections) else GroupedSum(self._places)

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        np.matmul(self._matrix(weights), inputs, out=out)

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        part = work.take("weight gradient", self._n_targets, self._n_sources)
        found: Array = np.matmul(delta, inputs.T, out=part).reshape(-1)[self._places]
        return found

    def input_delta(self, weights: Array, delta: Array, inputs: Array, out: Array) -> None:
        np.matmul(self._matrix(weights).T, delta, out=out)

    def _matrix(self, weights: Array) -> Array:
        matrix = np.zeros(self._n_targets * self._n_sources, weights.dtype)
        if self._parallel is None:
            matrix[self._places] = weights[self._block]
        else:
            self._parallel.add_into(matrix, weights[self._block])
        return matrix.reshape(self._n_targets, self._n_sources)


class CompressedProduct(Product):
    """A sparse projection with few connections: compressed rows (scipy.sparse)."""

    def __init__(self, topology: Topology, spec: ProjectionSpec) -> None:
        super().__init__(topology, spec)
        from scipy.sparse import csr_array  # noqa: PLC0415 - only networks with such a projection pay for it

        table = spec.pattern.table(self._n_sources, self._n_targets)
        self._order = np.argsort(table.targets, kind="stable")
        self._sources: Indices = table.sources[self._order]
        self._targets: Indices = table.targets[self._order]
        self._starts = np.searchsorted(self._targets, np.arange(self._n_targets + 1))
        self._rows = csr_array

    def net(self, weights: Array, inputs: Array, out: Array, work: Workspace) -> None:
        np.copyto(out, self._matrix(weights) @ inputs)

    def weight_gradient(self, weights: Array, inputs: Array, delta: Array, work: Workspace) -> Array:
        part = np.empty(len(self._order), delta.dtype)
        part[self._order] = row_products(delta[self._targets], inputs[self._sources])
        return part

    def input_delta(self, weights: Array, delta: Array, inputs: Array, out: Array) -> None:
        np.copyto(out, self._matrix(weights).T @ delta)

    def _matrix(self, weights: Array) -> Any:
        values = weights[self._block][self._order]
        shape = self._n_targets, self._n_sources
        return self._rows((values, self._sources, self._starts), shape=shape)


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
