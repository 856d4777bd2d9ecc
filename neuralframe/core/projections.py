"""Projections: how one layer feeds another.

A projection is a pattern of connections without weights. The topology gives each use of a projection its
place in the weight vector; the arithmetic here reads that place as a flat block.

Arrays are feature-major inside kernels: a layer's activations have shape ``(n_neurons, n_samples)``.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.exceptions import TopologyError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices


@attrs.frozen(eq=False)
class ConnectionTable:
    """Every connection of a projection, one entry each.

    Attributes
    ----------
    targets, sources : (n_connections,) int64
        The neuron fed and the neuron feeding, as positions in their layers.
    weights : (n_connections,) int64
        The weight used, as a position in the projection's own block.

    """

    targets: Indices
    sources: Indices
    weights: Indices


class Projection(Component):
    """A pattern of connections between a layer of `n_sources` and a layer of `n_targets` neurons.

    A new pattern says which connections exist (`table`, `incoming`) and brings its own arithmetic for
    the weighted sum and its two derivatives, which may be as fast as the pattern allows.
    """

    def check(self, n_sources: int, n_targets: int) -> None:
        """Raise `TopologyError` if the pattern does not fit layers of these sizes."""

    @abstractmethod
    def n_weights(self, n_sources: int, n_targets: int) -> int:
        """Return the length of the projection's block of weights."""

    def values_per_sample(self, n_sources: int, n_targets: int) -> int:  # noqa: ARG002
        """Return how many numbers the arithmetic makes for a sample on its way to the sums; 0 for most."""
        return 0

    @abstractmethod
    def table(self, n_sources: int, n_targets: int) -> ConnectionTable:
        """Return all connections, ordered by target where the pattern has an order of its own."""

    def feeds(self, n_targets: int) -> npt.NDArray[np.bool_]:
        """Return which targets have a connection, shape (n_targets,); all of them for most patterns."""
        return np.ones(n_targets, dtype=bool)

    @abstractmethod
    def incoming(self, target: int, n_sources: int) -> Indices:
        """Return the numbers of one target neuron's connections, as `table` counts them."""

    @abstractmethod
    def ends(self, connection: int, n_sources: int) -> tuple[int, int]:
        """Return the source and the target neuron of one connection."""

    def weight_of(self, connection: int) -> int:
        """Return the weight that a connection uses, as a position in the block; its own, for most."""
        return connection

    @abstractmethod
    def weighted_sum(self, weights: Array, inputs: Array, n_targets: int) -> Array:
        """Return the sum of weight times input for each target.

        Parameters
        ----------
        weights : (n_weights,)
            The block.
        inputs : (n_sources, n_samples)
            The source layer's activations.
        n_targets : int
            Size of the target layer.

        Returns
        -------
        (n_targets, n_samples) array, newly made.

        """

    @abstractmethod
    def weight_gradient(self, weights: Array, inputs: Array, net_delta: Array) -> Array:
        """Return dE/d(weights), shape (n_weights,), from dE/d(net) of shape (n_targets, n_samples)."""

    def sample_gradients(self, inputs: Array, net_delta: Array) -> Array:
        """Return dE/d(weights) of each sample by itself, shape (n_weights, n_samples).

        The default goes from connection to connection, as `table` lists them.
        """
        n_sources, n_targets = len(inputs), len(net_delta)
        table = self.table(n_sources, n_targets)
        products = net_delta[table.targets] * inputs[table.sources]
        return GroupedSum(table.weights)(products, self.n_weights(n_sources, n_targets))

    @abstractmethod
    def input_delta(self, weights: Array, inputs: Array, net_delta: Array) -> Array:
        """Return dE/d(inputs), shape (n_sources, n_samples)."""


@attrs.frozen
class Full(Projection):
    """Every neuron feeds every neuron: a matrix of shape (n_targets, n_sources), row by row."""

    def n_weights(self, n_sources: int, n_targets: int) -> int:
        """Return n_sources * n_targets."""
        return n_sources * n_targets

    def table(self, n_sources: int, n_targets: int) -> ConnectionTable:
        """Return the connections row by row."""
        return ConnectionTable(
            targets=np.repeat(np.arange(n_targets), n_sources),
            sources=np.tile(np.arange(n_sources), n_targets),
            weights=np.arange(n_sources * n_targets),
        )

    def incoming(self, target: int, n_sources: int) -> Indices:
        """Return one row of the matrix."""
        return np.arange(target * n_sources, (target + 1) * n_sources)

    def ends(self, connection: int, n_sources: int) -> tuple[int, int]:
        """Return the column and the row."""
        target, source = divmod(connection, n_sources)
        return source, target

    def weighted_sum(self, weights: Array, inputs: Array, n_targets: int) -> Array:
        """Return the matrix product; O(n_targets * n_sources * n_samples)."""
        net: Array = weights.reshape(n_targets, -1) @ inputs
        return net

    def weight_gradient(self, weights: Array, inputs: Array, net_delta: Array) -> Array:  # noqa: ARG002
        """Return the product of the deltas and the inputs, summed over samples."""
        return (net_delta @ inputs.T).reshape(-1)

    def sample_gradients(self, inputs: Array, net_delta: Array) -> Array:
        """Return the outer product of deltas and inputs for each sample."""
        products: Array = net_delta[:, np.newaxis] * inputs
        return products.reshape(-1, inputs.shape[1])

    def input_delta(self, weights: Array, inputs: Array, net_delta: Array) -> Array:  # noqa: ARG002
        """Return the product with the transposed matrix."""
        return weights.reshape(len(net_delta), -1).T @ net_delta


@attrs.frozen
class OneToOne(Projection):
    """Neuron i feeds neuron i, with a weight of its own; both layers have the same size."""

    def check(self, n_sources: int, n_targets: int) -> None:
        """Raise `TopologyError` unless the sizes agree."""
        if n_sources != n_targets:
            raise TopologyError(
                f"a one-to-one projection joins layers of one size; these have {n_sources} and {n_targets}"
            )

    def n_weights(self, n_sources: int, n_targets: int) -> int:  # noqa: ARG002
        """Return the common size."""
        return n_targets

    def table(self, n_sources: int, n_targets: int) -> ConnectionTable:  # noqa: ARG002
        """Return the diagonal."""
        diagonal = np.arange(n_targets)
        return ConnectionTable(diagonal, diagonal, diagonal)

    def incoming(self, target: int, n_sources: int) -> Indices:  # noqa: ARG002
        """Return the one connection."""
        return np.array([target])

    def ends(self, connection: int, n_sources: int) -> tuple[int, int]:  # noqa: ARG002
        """Return the same position twice."""
        return connection, connection

    def weighted_sum(self, weights: Array, inputs: Array, n_targets: int) -> Array:  # noqa: ARG002
        """Return the inputs scaled neuron by neuron."""
        return weights[:, np.newaxis] * inputs

    def weight_gradient(self, weights: Array, inputs: Array, net_delta: Array) -> Array:  # noqa: ARG002
        """Return the sum over samples of delta times input."""
        return row_products(net_delta, inputs)

    def sample_gradients(self, inputs: Array, net_delta: Array) -> Array:
        """Return delta times input."""
        return net_delta * inputs

    def input_delta(self, weights: Array, inputs: Array, net_delta: Array) -> Array:  # noqa: ARG002
        """Return the deltas scaled neuron by neuron."""
        return weights[:, np.newaxis] * net_delta


def row_products(left: Array, right: Array) -> Array:
    """Return the inner product of each row of one matrix with the same row of another."""
    products: Array = np.einsum("ij,ij->i", left, right)
    return products


class GroupedSum:
    """Adds rows that share an index: ``out[i] = sum of rows[k] over all k with index[k] == i``.

    The same rows give the same bits on every run.

    Parameters
    ----------
    index : (n_rows,) int
        Where each row goes; not empty.

    """

    def __init__(self, index: Indices) -> None:
        self._order = np.argsort(index, kind="stable")
        self._present, self._starts = np.unique(index[self._order], return_index=True)

    def __call__(self, rows: Array, size: int) -> Array:
        """Return the sums, shape (size, ...); rows that nothing goes to are zero."""
        out = np.zeros((size, *rows.shape[1:]), rows.dtype)
        self.add_into(out, rows)
        return out

    def add_into(self, out: Array, rows: Array) -> None:
        """Add the sums to what `out`, shape (size, ...), holds already."""
        out[self._present] += np.add.reduceat(rows[self._order], self._starts, axis=0)


def _as_indices(values: npt.ArrayLike) -> Indices:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu":
        raise TopologyError(f"a sparse projection takes whole numbers, those of neurons; got {values!r}")
    indices = given.astype(np.int64).reshape(-1)
    indices.flags.writeable = False
    return indices


@attrs.frozen(eq=False)
class Sparse(Projection):
    """The connections that are listed and no others, each with a weight of its own.

    Parameters
    ----------
    sources, targets : (n_connections,) int
        Connection k runs from neuron ``sources[k]`` to neuron ``targets[k]``.

    """

    sources: Indices = attrs.field(converter=_as_indices)
    targets: Indices = attrs.field(converter=_as_indices)

    def check(self, n_sources: int, n_targets: int) -> None:
        """Raise `TopologyError` if a connection starts or ends outside the layers."""
        if len(self.sources) != len(self.targets) or not len(self.sources):
            raise TopologyError(
                f"a sparse projection needs as many sources as targets and at least one; "
                f"got {len(self.sources)} and {len(self.targets)}"
            )
        for what, indices, size in (("source", self.sources, n_sources), ("target", self.targets, n_targets)):
            if indices.min() < 0 or indices.max() >= size:
                raise TopologyError(
                    f"a sparse projection names {what} neurons {indices.min()} to {indices.max()}, "
                    f"but the {what} layer has neurons 0 to {size - 1}"
                )

    def n_weights(self, n_sources: int, n_targets: int) -> int:  # noqa: ARG002
        """Return the number of connections."""
        return len(self.targets)

    def values_per_sample(self, n_sources: int, n_targets: int) -> int:  # noqa: ARG002
        """Return the number of connections: each brings a product."""
        return len(self.targets)

    def table(self, n_sources: int, n_targets: int) -> ConnectionTable:  # noqa: ARG002
        """Return the connections in the order in which they were listed."""
        return ConnectionTable(self.targets, self.sources, np.arange(len(self.targets)))

    def feeds(self, n_targets: int) -> npt.NDArray[np.bool_]:
        """Return which targets are listed."""
        return np.bincount(self.targets, minlength=n_targets) > 0

    def incoming(self, target: int, n_sources: int) -> Indices:  # noqa: ARG002
        """Return the target's connections in the order in which they were listed; O(log n)."""
        order, sorted_targets = self._by_target
        first, last = np.searchsorted(sorted_targets, [target, target + 1])
        numbers: Indices = order[first:last]
        return numbers

    def ends(self, connection: int, n_sources: int) -> tuple[int, int]:  # noqa: ARG002
        """Return the ends as they were listed."""
        return int(self.sources[connection]), int(self.targets[connection])

    def weighted_sum(self, weights: Array, inputs: Array, n_targets: int) -> Array:
        """Return the sums, connection by connection; O(n_connections * n_samples)."""
        return self._sum_at_targets(weights[:, np.newaxis] * inputs[self.sources], n_targets)

    def weight_gradient(self, weights: Array, inputs: Array, net_delta: Array) -> Array:  # noqa: ARG002
        """Return delta times input, summed over samples."""
        return row_products(net_delta[self.targets], inputs[self.sources])

    def sample_gradients(self, inputs: Array, net_delta: Array) -> Array:
        """Return delta times input, connection by connection."""
        products: Array = net_delta[self.targets] * inputs[self.sources]
        return products

    def input_delta(self, weights: Array, inputs: Array, net_delta: Array) -> Array:
        """Return the deltas carried back along each connection."""
        return self._sum_at_sources(weights[:, np.newaxis] * net_delta[self.targets], len(inputs))

    @cached_property
    def _by_target(self) -> tuple[Indices, Indices]:
        order = np.argsort(self.targets, kind="stable")
        return order, self.targets[order]

    @cached_property
    def _sum_at_targets(self) -> GroupedSum:
        return GroupedSum(self.targets)

    @cached_property
    def _sum_at_sources(self) -> GroupedSum:
        return GroupedSum(self.sources)
