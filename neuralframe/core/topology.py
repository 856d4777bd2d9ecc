"""The topology: a frozen description of a network, without weights.

Everything that computes (kernels, jobs on other machines, saved files) starts from a `Topology` and one
weight vector. The vector is laid out layer by layer: for each layer the blocks of its incoming projections
in the order in which they were joined, then its biases.
"""

from __future__ import annotations

import heapq
from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.error_functions import ErrorFunction, SumOfSquares
from neuralframe.core.input_functions import InputFunction, WeightedSum
from neuralframe.core.transfer_functions import Linear, TransferFunction
from neuralframe.exceptions import TopologyError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.initializers import Initializer
    from neuralframe.core.projections import Projection


def _whole_size(size: Any) -> int:
    if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
        raise TopologyError(f"a layer needs a whole number of neurons, at least one; got {size!r}")
    return int(size)


@attrs.frozen(eq=False)
class LayerSpec:
    """One layer.

    Attributes
    ----------
    name : str
        Unique in the network.
    size : int
        Number of neurons.
    is_input : bool
        Whether the layer holds the network's inputs; such a layer computes nothing.
    input_function : InputFunction
        How its neurons combine what they are fed.
    transfer_functions : tuple of TransferFunction
        The functions its neurons use.
    transfer_index : (size,) int or None
        Which of them each neuron uses; None where there is one for all.
    bias : int or None
        Where its `size` biases start in the weight vector.
    initializer : Initializer or None
        What draws its initial weights; None for an input layer.

    """

    name: str
    size: int = attrs.field(converter=_whole_size)
    is_input: bool = False
    input_function: InputFunction = attrs.field(factory=WeightedSum)
    transfer_functions: tuple[TransferFunction, ...] = (Linear(),)
    transfer_index: Indices | None = None
    bias: int | None = None
    initializer: Initializer | None = None

    def transfer_of(self, neuron: int) -> TransferFunction:
        """Return the transfer function of one neuron."""
        return self.transfer_functions[0 if self.transfer_index is None else self.transfer_index[neuron]]

    def transfer_groups(self) -> list[tuple[TransferFunction, Indices | None]]:
        """Return each transfer function with the neurons that use it; None means all of them."""
        if self.transfer_index is None:
            return [(self.transfer_functions[0], None)]
        return [
            (function, np.flatnonzero(self.transfer_index == i))
            for i, function in enumerate(self.transfer_functions)
        ]


@attrs.frozen(eq=False)
class ProjectionSpec:
    """One use of a projection.

    Attributes
    ----------
    pattern : Projection
        Which connections there are.
    source, target : int
        The layers joined.
    offset : int
        Where its block of weights starts in the weight vector, if `index` is None.
    index : (n_connections,) int or None
        Where each weight stands in the weight vector, for connections wired one by one.
    initial : (n_connections,) float64 or None
        Initial values given by the user; NaN where the initializer draws.
    delay : int
        Number of time steps between source and target. Only 0 can be computed so far.

    """

    pattern: Projection
    source: int
    target: int
    offset: int = 0
    index: Indices | None = None
    initial: Vector | None = None
    delay: int = 0


@attrs.frozen(eq=False)
class Topology:
    """A network without its weights; validated and picklable.

    Attributes
    ----------
    layers : tuple of LayerSpec
    projections : tuple of ProjectionSpec
    n_weights : int
        Length of the weight vector, biases included.
    error_function : ErrorFunction
        What training minimises, in the form that suits the output layer.

    Raises
    ------
    TopologyError
        For a cycle without a delay, a neuron without inputs, a layer that leads nowhere, and so on.

    """

    layers: tuple[LayerSpec, ...]
    projections: tuple[ProjectionSpec, ...]
    n_weights: int
    error_function: ErrorFunction = attrs.field(factory=SumOfSquares)
    order: tuple[int, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        _check_layers(self.layers, self.n_weights)
        for spec in self.projections:
            _check_projection(spec, self.layers, self.n_weights)
        object.__setattr__(self, "order", _evaluation_order(self.layers, self.projections))
        for number in self.order:
            self._check_fed(number)
        for number in self.outputs:
            if self.layers[number].is_input:
                raise TopologyError(f"the input layer {self.layers[number].name!r} feeds no other layer")

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The input layers, in the order in which their columns stand in the data."""
        return tuple(i for i, layer in enumerate(self.layers) if layer.is_input)

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """The layers that feed no other, in the order in which their columns stand in the outputs."""
        sources = {spec.source for spec in self.projections if spec.delay == 0}
        return tuple(i for i in range(len(self.layers)) if i not in sources)

    @cached_property
    def n_inputs(self) -> int:
        """Number of input columns."""
        return sum(self.layers[i].size for i in self.inputs)

    @cached_property
    def n_outputs(self) -> int:
        """Number of output columns."""
        return sum(self.layers[i].size for i in self.outputs)

    def incoming(self, layer: int) -> list[ProjectionSpec]:
        """Return the projections that feed a layer, in the order in which they were joined."""
        return self._incoming[layer]

    @cached_property
    def _incoming(self) -> list[list[ProjectionSpec]]:
        feeding: list[list[ProjectionSpec]] = [[] for _ in self.layers]
        for spec in self.projections:
            feeding[spec.target].append(spec)
        return feeding

    def block(self, spec: ProjectionSpec) -> slice | Indices:
        """Return what selects a projection's weights in the weight vector."""
        if spec.index is not None:
            return spec.index
        size = spec.pattern.n_weights(self.layers[spec.source].size, self.layers[spec.target].size)
        return slice(spec.offset, spec.offset + size)

    @cached_property
    def is_bias(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(n_weights,) bool: which weights are biases."""
        mask = np.zeros(self.n_weights, dtype=bool)
        for layer in self.layers:
            if layer.bias is not None:
                mask[layer.bias : layer.bias + layer.size] = True
        return mask

    def _check_fed(self, number: int) -> None:
        layer = self.layers[number]
        if not self.incoming(number):
            raise TopologyError(f"nothing feeds layer {layer.name!r}; connect it or leave it out")
        if layer.bias is not None and type(layer.input_function) is WeightedSum:
            return
        fed = np.zeros(layer.size, dtype=bool)
        for spec in self.incoming(number):
            fed |= spec.pattern.feeds(layer.size)
        if not fed.all():
            raise TopologyError(
                f"neuron {int(np.argmin(fed))} of layer {layer.name!r} has no input; "
                "connect it or leave it out"
            )


def _check_layers(layers: tuple[LayerSpec, ...], n_weights: int) -> None:
    if not any(layer.is_input for layer in layers):
        raise TopologyError("a network needs an input layer; make one with self.input_layer(size)")
    if all(layer.is_input for layer in layers):
        raise TopologyError("a network needs a layer after its inputs; make one with self.layer(size)")
    for name, times in Counter(layer.name for layer in layers).items():
        if times > 1:
            raise TopologyError(f"two layers are called {name!r}; give them different names")
    for layer in layers:
        if layer.bias is not None and not 0 <= layer.bias <= n_weights - layer.size:
            raise TopologyError(f"the biases of layer {layer.name!r} reach outside the {n_weights} weights")


def _check_projection(spec: ProjectionSpec, layers: tuple[LayerSpec, ...], n_weights: int) -> None:
    for number in (spec.source, spec.target):
        if not 0 <= number < len(layers):
            raise TopologyError(f"a projection names layer {number}; there are {len(layers)} layers")
    source, target = layers[spec.source], layers[spec.target]
    if target.is_input:
        raise TopologyError(f"{source.name!r} cannot feed the input layer {target.name!r}")
    if spec.delay != 0:
        raise TopologyError(
            f"the projection from {source.name!r} to {target.name!r} has delay {spec.delay}; "
            "recurrent networks cannot be trained yet, so every delay must be 0"
        )
    spec.pattern.check(source.size, target.size)
    size = spec.pattern.n_weights(source.size, target.size)
    places = np.array([spec.offset, spec.offset + size - 1]) if spec.index is None else spec.index
    fits = all(array is None or len(array) == size for array in (spec.index, spec.initial))
    if not fits or places.min() < 0 or places.max() >= n_weights:
        raise TopologyError(
            f"the projection from {source.name!r} to {target.name!r} reaches outside the {n_weights} weights"
        )


def _evaluation_order(
    layers: tuple[LayerSpec, ...], projections: tuple[ProjectionSpec, ...]
) -> tuple[int, ...]:
    """Order the computing layers so that each comes after those that feed it (Kahn, 1962)."""
    feeds: dict[int, set[int]] = {number: set() for number in range(len(layers))}
    waits_for: dict[int, set[int]] = {
        number: set() for number, layer in enumerate(layers) if not layer.is_input
    }
    for spec in projections:
        feeds[spec.source].add(spec.target)
        if spec.source in waits_for:
            waits_for[spec.target].add(spec.source)
    ready = [number for number, sources in waits_for.items() if not sources]
    order: list[int] = []
    # Of the layers that are ready the one made first comes first, so that the order is one and the same.
    heapq.heapify(ready)
    while ready:
        order.append(heapq.heappop(ready))
        del waits_for[order[-1]]
        for number in feeds[order[-1]]:
            waits_for[number].discard(order[-1])
            if not waits_for[number]:
                heapq.heappush(ready, number)
    if waits_for:
        raise TopologyError(
            f"a cycle without a delay: {_cycle(waits_for, layers)}. "
            "A layer cannot feed itself within one step"
        )
    return tuple(order)


def _cycle(waiting: dict[int, set[int]], layers: tuple[LayerSpec, ...]) -> str:
    """Name one cycle among the layers that could not be ordered."""
    path = [next(iter(waiting))]
    while path[-1] not in path[:-1]:
        path.append(min(waiting[path[-1]] & waiting.keys()))
    cycle = path[path.index(path[-1]) :][::-1]
    return " -> ".join(repr(layers[number].name) for number in cycle)
