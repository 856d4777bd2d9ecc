"""The stack: a network whose layers are joined full to full, one after the other.

Most networks are stacks, and the kernels that are compiled for a shape are made for them.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs

from neuralframe.core.input_functions import WeightedSum
from neuralframe.core.projections import Full
from neuralframe.kernels.output_error import OutputError

if TYPE_CHECKING:
    from neuralframe.core.error_functions import ErrorFunction
    from neuralframe.core.topology import LayerSpec, ProjectionSpec, Topology
    from neuralframe.core.transfer_functions import TransferFunction


@attrs.frozen
class StackLayer:
    """One computing layer: ``output = f(W x + b)``.

    Attributes
    ----------
    n_inputs, size : int
        Shape of W: (size, n_inputs), row by row.
    weights : int
        Where W starts in the weight vector.
    bias : int or None
        Where b, (size,), starts; None where the layer has no biases.
    transfer_function : TransferFunction
        f, one for the whole layer.

    """

    n_inputs: int
    size: int
    weights: int
    bias: int | None
    transfer_function: TransferFunction


@attrs.frozen
class Stack:
    """Layers joined full to full, each fed by the one before; weights used once, one transfer function each.

    Attributes
    ----------
    layers : tuple of StackLayer
        Those that compute, in order.
    error_function : ErrorFunction
        What is summed over the samples.
    is_fused : bool
        Whether the error is taken from the last layer's net inputs (its derivative too, which then is
        ``delta = output - target`` for the cross-entropies of softmax and sigmoid).

    """

    layers: tuple[StackLayer, ...]
    error_function: ErrorFunction
    is_fused: bool

    @classmethod
    def of(cls, topology: Topology) -> Stack | None:
        """Return the stack that a network is, or None where it is something else."""
        numbers = (*topology.inputs, *topology.order)
        if len(topology.inputs) != 1 or len(topology.outputs) != 1:
            return None
        layers = []
        for source, number in pairwise(numbers):
            incoming = topology.incoming(number)
            if len(incoming) != 1 or incoming[0].source != source or not _is_plain(incoming[0]):
                return None
            if not _is_uniform(topology.layers[number]):
                return None
            layers.append(_layer(topology, incoming[0]))
        stack = cls(tuple(layers), topology.error_function, OutputError(topology).is_fused)
        return stack if stack.n_weights == topology.n_weights else None  # else layers share weights

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The widths of all layers, that of the inputs first."""
        return (self.layers[0].n_inputs, *(layer.size for layer in self.layers))

    @cached_property
    def n_weights(self) -> int:
        """Number of weights, biases included."""
        return sum(layer.size * (layer.n_inputs + (layer.bias is not None)) for layer in self.layers)

    @cached_property
    def n_units(self) -> int:
        """Number of neurons that compute."""
        return sum(self.sizes[1:])


def _is_plain(spec: ProjectionSpec) -> bool:
    return type(spec.pattern) is Full and spec.index is None and spec.delay == 0


def _is_uniform(layer: LayerSpec) -> bool:
    # A subclass of WeightedSum may combine otherwise.
    return type(layer.input_function) is WeightedSum and layer.transfer_index is None


def _layer(topology: Topology, spec: ProjectionSpec) -> StackLayer:
    target = topology.layers[spec.target]
    return StackLayer(
        n_inputs=topology.layers[spec.source].size,
        size=target.size,
        weights=spec.offset,
        bias=target.bias,
        transfer_function=target.transfer_functions[0],
    )
