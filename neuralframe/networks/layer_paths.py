"""How each layer of a network is computed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.core.input_functions import WeightedSum
from neuralframe.kernels.products import (
    CompressedProduct,
    DenseProduct,
    FullProduct,
    PatternProduct,
    make_product,
)
from neuralframe.kernels.work import n_connections

if TYPE_CHECKING:
    from neuralframe.core.topology import ProjectionSpec, Topology
    from neuralframe.kernels.products import Product

WAYS: dict[type[Product], str] = {
    FullProduct: "matrix product",
    DenseProduct: "matrix product with zeros where nothing is joined",
    CompressedProduct: "compressed rows",
    PatternProduct: "the pattern's own arithmetic",
}


@attrs.frozen
class LayerPath:
    """How one layer is computed.

    Attributes
    ----------
    name : str
        The layer.
    size : int
        Number of its neurons.
    way : str
        By what.

    """

    name: str
    size: int
    way: str


def layer_paths(topology: Topology, together: str) -> tuple[LayerPath, ...]:
    """Return how the layers that compute do so, in order: all of them `together`, or else each in numpy."""
    layers = topology.layers
    return tuple(
        LayerPath(layers[number].name, layers[number].size, together or _in_numpy(topology, number))
        for number in topology.order
    )


def _in_numpy(topology: Topology, number: int) -> str:
    function = topology.layers[number].input_function
    if type(function) is not WeightedSum:
        return f"general input function ({function.name}), connection by connection"
    return "; ".join(_of_projection(topology, spec) for spec in topology.incoming(number))


def _of_projection(topology: Topology, spec: ProjectionSpec) -> str:
    source, target = topology.layers[spec.source], topology.layers[spec.target]
    shape = f"{target.size} x {source.size} from {source.name}"
    n, way = n_connections(topology, spec), WAYS[type(make_product(topology, spec))]
    joined = "" if n == target.size * source.size else f", {n:,} connections"
    return f"{way}, {shape}{joined}"
