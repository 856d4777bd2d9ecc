"""Layers, neurons and connections: the objects of a network, all of them live views.

A view holds the wiring and a position, nothing else: it is made when it is asked for, costs the same however
large the network, and reads and writes the network's weight vector directly. Nothing that computes uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, overload

import attrs
import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.core.projections import Full
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.core.weight import Weight
from neuralframe.core.wiring import HandWiring
from neuralframe.exceptions import ShapeError, TopologyError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.initializers import Initializer
    from neuralframe.core.input_functions import InputFunction
    from neuralframe.core.projections import Projection
    from neuralframe.core.topology import LayerSpec, ProjectionSpec
    from neuralframe.core.wiring import Wiring

V = TypeVar("V")

SHOWN = 4
"""Items that a sequence of views shows of itself."""


class Views(Sequence[V], Generic[V]):
    """A sequence whose items are made when they are asked for."""

    def __init__(self, length: int, make: Callable[[int], V]) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> V: ...
    @overload
    def __getitem__(self, index: slice) -> list[V]: ...
    def __getitem__(self, index: int | slice) -> V | list[V]:
        """Return one item, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self._make(i) for i in range(*index.indices(self._length))]
        if not -self._length <= index < self._length:
            raise IndexError(f"{index} is not among the {self._length} items, counted from 0")
        return self._make(index % self._length)

    def __repr__(self) -> str:
        """Return the first few items."""
        shown = [repr(item) for item in self[:SHOWN]]
        more = [f"... {self._length - SHOWN} more"] if self._length > SHOWN else []
        return f"[{', '.join([*shown, *more])}]"


@attrs.define(repr=False, unsafe_hash=True, on_setattr=attrs.setters.frozen)
class Layer:
    """A layer of a network.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    >>> net.layers[1].weights.shape
    (3, 2)

    """

    wiring: Wiring = attrs.field(repr=False)
    index: int

    @property
    def _spec(self) -> LayerSpec:
        return self.wiring.layers[self.index]

    @property
    def name(self) -> str:
        """The layer's name, unique in the network."""
        return self._spec.name

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self._spec.size

    @property
    def is_input(self) -> bool:
        """Whether the layer holds the network's inputs."""
        return self._spec.is_input

    @property
    def neurons(self) -> Views[Neuron]:
        """The neurons, as views."""
        return Views(self.size, lambda position: Neuron(self.wiring, self.index, position))

    @property
    def input_function(self) -> InputFunction:
        """How the neurons combine what they are fed."""
        return self._spec.input_function

    @property
    def transfer_function(self) -> TransferFunction | tuple[TransferFunction, ...]:
        """The transfer function; a tuple of one for each neuron where they differ."""
        spec = self._spec
        if spec.transfer_index is None:
            return spec.transfer_functions[0]
        return tuple(spec.transfer_of(position) for position in range(spec.size))

    @property
    def initializer(self) -> Initializer | None:
        """What draws the initial weights; None for an input layer."""
        return self._spec.initializer

    @property
    def projections(self) -> list[JoinedProjection]:
        """The projections that feed this layer, in the order in which they were joined."""
        return [
            JoinedProjection(self.wiring, number)
            for number, spec in enumerate(self.wiring.projections)
            if spec.target == self.index
        ]

    @property
    def weights(self) -> Vector:
        """(n_out, n_in) live view of the weights of a layer that one full projection feeds."""
        projections = self.projections
        if len(projections) != 1 or not isinstance(projections[0].pattern, Full):
            raise ShapeError(
                f"layer {self.name!r} is fed by {len(projections)} projection(s), not by one full one; "
                "read layer.projections[i].weights"
            )
        return projections[0].weights

    @weights.setter
    def weights(self, weights: npt.ArrayLike) -> None:
        assign(self.weights, weights, "weights")

    @property
    def biases(self) -> Vector:
        """(n_out,) live view of the biases; of length 0 where the layer has none."""
        _, parameters = self.wiring.require_built()
        bias = self._spec.bias
        return parameters.weights[0:0] if bias is None else parameters.weights[bias : bias + self.size]

    @biases.setter
    def biases(self, biases: npt.ArrayLike) -> None:
        assign(self.biases, biases, "biases")

    def freeze(self, frozen: bool = True) -> None:  # noqa: FBT001, FBT002
        """Keep training from changing what feeds this layer: projections and biases (or release it)."""
        _, parameters = self.wiring.require_built()
        for projection in self.projections:
            projection.freeze(frozen)
        if self._spec.bias is not None:
            parameters.freeze(slice(self._spec.bias, self._spec.bias + self.size), frozen)

    def __repr__(self) -> str:
        return f"Layer({self.name!r}, {self.size})"


@attrs.define(repr=False, unsafe_hash=True, on_setattr=attrs.setters.frozen)
class Neuron:
    """A neuron: its layer, its position there, what feeds it and what it feeds."""

    wiring: Wiring = attrs.field(repr=False)
    _layer: int
    position: int

    @property
    def place(self) -> tuple[int, int]:
        """The number of the layer and the position in it."""
        return self._layer, self.position

    @property
    def layer(self) -> Layer:
        """The layer that the neuron belongs to."""
        return Layer(self.wiring, self._layer)

    @property
    def transfer_function(self) -> TransferFunction:
        """The neuron's transfer function; inside ``build`` it can be assigned, as a name or an object."""
        return self.wiring.layers[self._layer].transfer_of(self.position)

    @transfer_function.setter
    def transfer_function(self, function: str | TransferFunction) -> None:
        self.wiring.require_open()
        self.wiring.layers[self._layer] = with_transfer_function(
            self.wiring.layers[self._layer], self.position, TransferFunction.of(function)
        )

    @property
    def bias(self) -> Weight | None:
        """The neuron's bias, or None."""
        _, parameters = self.wiring.require_built()
        start = self.wiring.layers[self._layer].bias
        return None if start is None else Weight.at(parameters, start + self.position)

    @property
    def inputs(self) -> Views[Connection]:
        """The connections that feed this neuron, in the order in which they were made."""
        topology, _ = self.wiring.require_built()
        projections: list[int] = []
        connections: list[Indices] = []
        for number, spec in enumerate(topology.projections):
            if spec.target == self._layer:
                found = spec.pattern.incoming(self.position, topology.layers[spec.source].size)
                projections += [number] * len(found)
                connections.append(found)
        numbers = np.concatenate(connections) if connections else np.zeros(0, np.int64)
        return Views(len(projections), lambda i: Connection(self.wiring, projections[i], int(numbers[i])))

    @property
    def outputs(self) -> list[Connection]:
        """The connections that this neuron feeds. Costs a look at every connection of its layer."""
        topology, _ = self.wiring.require_built()
        return [
            Connection(self.wiring, number, int(connection))
            for number, spec in enumerate(topology.projections)
            if spec.source == self._layer
            for connection in np.flatnonzero(
                spec.pattern.table(
                    topology.layers[spec.source].size, topology.layers[spec.target].size
                ).sources
                == self.position
            )
        ]

    def __repr__(self) -> str:
        return f"Neuron({self.layer.name!r}, {self.position})"


@attrs.frozen(repr=False)
class Connection:
    """A connection from one neuron to another, with its weight."""

    wiring: Wiring = attrs.field(repr=False)
    _projection: int
    _number: int

    @property
    def source(self) -> Neuron:
        """The neuron that feeds."""
        return self._end("sources")

    @property
    def target(self) -> Neuron:
        """The neuron that is fed."""
        return self._end("targets")

    @property
    def weight(self) -> Weight:
        """The weight, as a live view."""
        by_hand = self.wiring.hand_wiring(self._projection)
        if by_hand is not None:
            return by_hand.weight(self._number)
        topology, parameters = self.wiring.require_built()
        spec = topology.projections[self._projection]
        position = spec.pattern.weight_of(self._number)
        place = spec.offset + position if spec.index is None else spec.index[position]
        return Weight.at(parameters, int(place))

    def _end(self, which: str) -> Neuron:
        wiring = self.wiring
        projection = wiring.projections[self._projection]
        layer = projection.source if which == "sources" else projection.target
        by_hand = wiring.hand_wiring(self._projection)
        if by_hand is not None:
            return Neuron(wiring, layer, getattr(by_hand, which)[self._number])
        topology, _ = wiring.require_built()
        spec = topology.projections[self._projection]
        source, target = spec.pattern.ends(self._number, topology.layers[spec.source].size)
        return Neuron(wiring, layer, source if which == "sources" else target)

    def __repr__(self) -> str:
        return f"Connection({self.source!r} -> {self.target!r}, {self.weight!r})"


@attrs.frozen(repr=False)
class JoinedProjection:
    """A projection between two layers of a network, with its weights."""

    wiring: Wiring = attrs.field(repr=False)
    number: int

    @property
    def _spec(self) -> ProjectionSpec:
        topology, _ = self.wiring.require_built()
        return topology.projections[self.number]

    @property
    def pattern(self) -> Projection:
        """Which connections there are."""
        projection = self.wiring.projections[self.number]
        if isinstance(projection, HandWiring):
            raise TopologyError(
                f"{self!r} is still being wired by hand; to share weights, "
                "pass one Weight to several connections"
            )
        return projection.pattern

    @property
    def source(self) -> Layer:
        """The layer that feeds."""
        return Layer(self.wiring, self.wiring.projections[self.number].source)

    @property
    def target(self) -> Layer:
        """The layer that is fed."""
        return Layer(self.wiring, self.wiring.projections[self.number].target)

    @property
    def weights(self) -> Vector:
        """The weights: a live (n_out, n_in) view if full, a live vector if they stand in one block.

        Connections wired one by one may share weights or stand apart; theirs come as a read-only copy.
        """
        topology, parameters = self.wiring.require_built()
        spec = self._spec
        block = parameters.weights[topology.block(spec)]
        if spec.index is not None:
            block.flags.writeable = False
        if isinstance(spec.pattern, Full):
            return block.reshape(self.target.size, self.source.size)
        return block

    def freeze(self, frozen: bool = True) -> None:  # noqa: FBT001, FBT002
        """Keep training from changing the projection's weights (or let it)."""
        topology, parameters = self.wiring.require_built()
        parameters.freeze(topology.block(self._spec), frozen)

    def __repr__(self) -> str:
        return f"JoinedProjection({self.source!r} -> {self.target!r})"


def assign(view: Vector, values: npt.ArrayLike, what: str) -> None:
    """Write values through a view, whole and finite."""
    given = np.asarray(values, dtype=np.float64)
    if given.shape != view.shape:
        raise ShapeError(f"these {what} have shape {view.shape}; got {given.shape}")
    require_finite(given, what, advice="Give finite numbers")
    view[...] = given


def with_transfer_function(spec: LayerSpec, neuron: int, function: TransferFunction) -> LayerSpec:
    """Return a layer in which one neuron uses another transfer function."""
    functions = [*spec.transfer_functions, function]
    index = np.zeros(spec.size, dtype=np.int64) if spec.transfer_index is None else spec.transfer_index.copy()
    index[neuron] = functions.index(function)
    return _with_distinct(spec, functions, index)


def with_transfer_functions(spec: LayerSpec, functions: Sequence[TransferFunction]) -> LayerSpec:
    """Return a layer whose neurons use the given transfer functions, one each."""
    if len(functions) != spec.size:
        raise TopologyError(
            f"layer {spec.name!r} has {spec.size} neurons but was given {len(functions)} transfer functions"
        )
    distinct: list[TransferFunction] = []
    index = np.empty(spec.size, dtype=np.int64)
    for position, function in enumerate(functions):
        if function not in distinct:
            distinct.append(function)
        index[position] = distinct.index(function)
    return _with_distinct(spec, distinct, index)


def _with_distinct(spec: LayerSpec, functions: Sequence[TransferFunction], index: Indices) -> LayerSpec:
    """Return a layer with the functions that are used, and with no index where there is only one."""
    used, index = np.unique(index, return_inverse=True)
    return attrs.evolve(
        spec,
        transfer_functions=tuple(functions[i] for i in used),
        transfer_index=None if len(used) == 1 else index,
    )
