"""Wiring: layers and connections on their way to becoming a topology and a weight vector.

A `Wiring` stands behind every network. While the network is being built it collects layers, projections and
single connections; `finish` gives every weight its place in the vector. The cost in time and memory is
linear in what was wired: a full projection is one entry, a connection made by hand is three list items.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.initializers import default_initializer
from neuralframe.core.parameters import Parameters
from neuralframe.core.projections import Sparse
from neuralframe.core.topology import LayerSpec, ProjectionSpec, Topology
from neuralframe.core.weight import Weight, require_weight
from neuralframe.exceptions import TopologyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuralframe.core.arrays import Vector
    from neuralframe.core.error_functions import ErrorFunction
    from neuralframe.core.projections import Projection

UNPLACED = -1
"""The position of a block that has not been given its place in the weight vector yet."""


@attrs.define(eq=False)
class HandWiring:
    """Connections made one by one between two layers; they end up in one sparse projection."""

    source: int
    target: int
    sources: list[int] = attrs.field(factory=list)
    targets: list[int] = attrs.field(factory=list)
    weights: list[Weight | float | None] = attrs.field(factory=list)

    def add(self, source: int, target: int, weight: Weight | float | None) -> int:
        """Add a connection and return its number."""
        self.sources.append(source)
        self.targets.append(target)
        self.weights.append(weight)
        return len(self.weights) - 1

    def initial(self) -> Vector:
        """Return the initial values that were given, NaN where the initializer draws."""
        return np.array([np.nan if weight is None else float(weight) for weight in self.weights])

    def weight(self, number: int) -> Weight:
        """Return the weight of a connection as an object, which `Wiring.finish` will adopt."""
        weight = self.weights[number]
        if not isinstance(weight, Weight):
            weight = self.weights[number] = Weight(weight)
        return weight


class Wiring:
    """Layers, projections and connections, before and after they became a network.

    Attributes
    ----------
    layers : list of LayerSpec
    projections : list of ProjectionSpec or HandWiring
    topology : Topology or None
        The finished description; None while the network is being built.
    parameters : Parameters or None
        The numbers; None while the network is being built.

    """

    def __init__(self) -> None:
        self.layers: list[LayerSpec] = []
        self.projections: list[ProjectionSpec | HandWiring] = []
        self.topology: Topology | None = None
        self.parameters: Parameters | None = None
        self._shares: dict[int, int] = {}
        self._frozen: set[int] = set()
        self._by_hand: dict[tuple[int, int], int] = {}

    @classmethod
    def of(cls, topology: Topology, parameters: Parameters) -> Wiring:
        """Return the wiring of a network that exists already, such as one read from a file."""
        wiring = cls()
        wiring.layers = list(topology.layers)
        wiring.projections = list(topology.projections)
        wiring.topology, wiring.parameters = topology, parameters
        return wiring

    @property
    def outputs(self) -> list[int]:
        """The layers that feed no other, as far as the wiring goes."""
        feeding = {projection.source for projection in self.projections}
        return [number for number in range(len(self.layers)) if number not in feeding]

    def require_open(self) -> None:
        """Raise `TopologyError` if the network is built already."""
        if self.topology is not None:
            raise TopologyError("the network is built; layers and connections are made inside build()")

    def require_built(self) -> tuple[Topology, Parameters]:
        """Return the topology and the parameters; `TopologyError` before the network is built."""
        if self.topology is None or self.parameters is None:
            raise TopologyError(
                "weights have no values before the network is built; look after build() returns"
            )
        return self.topology, self.parameters

    def add_layer(self, spec: LayerSpec) -> int:
        """Add a layer and return its number."""
        self.require_open()
        self.layers.append(spec)
        return len(self.layers) - 1

    def join(
        self, source: int, target: int, pattern: Projection, *, share: int | None = None, frozen: bool = False
    ) -> int:
        """Join two layers and return the projection's number; `share` names one whose weights are used."""
        self.require_open()
        pattern.check(self.layers[source].size, self.layers[target].size)
        number = len(self.projections)
        if share is not None:
            self._shares[number] = share
            self._check_shapes(share, source, target)
        if frozen:
            self._frozen.add(number)
        self.projections.append(ProjectionSpec(pattern, source, target, UNPLACED))
        return number

    def connect(
        self, source: tuple[int, int], target: tuple[int, int], weight: Weight | float | None
    ) -> tuple[int, int]:
        """Connect two neurons, each (layer, position); return the numbers of projection and connection."""
        self.require_open()
        if isinstance(weight, Weight):
            if weight.belongs_to_network:
                raise TopologyError(f"{weight!r} belongs to a network already; make a new nf.Weight")
        elif weight is not None:
            require_weight(weight)
        layers = source[0], target[0]
        number = self._by_hand.setdefault(layers, len(self.projections))
        if number == len(self.projections):
            self.projections.append(HandWiring(*layers))
        wiring = self.projections[number]
        assert isinstance(wiring, HandWiring)
        return number, wiring.add(source[1], target[1], weight)

    def hand_wiring(self, number: int) -> HandWiring | None:
        """Return a projection that is still being wired by hand."""
        wiring = self.projections[number]
        return wiring if isinstance(wiring, HandWiring) else None

    def finish(self, error_function: ErrorFunction) -> None:
        """Give every weight its place and check that the whole forms a network."""
        self.require_open()
        self._set_default_initializers()
        placement = Placement()
        for number, layer in enumerate(self.layers):
            for position, projection in enumerate(self.projections):
                if projection.target == number and position not in self._shares:
                    self.projections[position] = placement.place(projection, self.layers)
            if layer.bias is not None:
                self.layers[number] = attrs.evolve(layer, bias=placement.take(layer.size))
        for number, shared in self._shares.items():
            self._share(number, shared)
        self.topology = Topology(
            tuple(self.layers), tuple(self._specs()), n_weights=placement.size, error_function=error_function
        )
        self.parameters = Parameters(np.full(placement.size, np.nan))
        placement.adopt(self.parameters)
        for number in self._frozen:
            self.parameters.freeze(self.topology.block(self.topology.projections[number]))

    def _set_default_initializers(self) -> None:
        outputs = set(self.outputs)
        for number, layer in enumerate(self.layers):
            if layer.initializer is None and not layer.is_input:
                initializer = default_initializer(layer.transfer_functions[0], hidden=number not in outputs)
                self.layers[number] = attrs.evolve(layer, initializer=initializer)

    def _specs(self) -> Iterable[ProjectionSpec]:
        for spec in self.projections:
            assert isinstance(spec, ProjectionSpec)
            yield spec

    def _share(self, number: int, shared: int) -> None:
        spec, original = self.projections[number], self.projections[shared]
        assert isinstance(spec, ProjectionSpec)
        assert isinstance(original, ProjectionSpec)
        self.projections[number] = attrs.evolve(
            spec, offset=original.offset, index=original.index, initial=original.initial
        )

    def _check_shapes(self, share: int, source: int, target: int) -> None:
        shared = self.projections[share]
        theirs = self.layers[shared.source].size, self.layers[shared.target].size
        ours = self.layers[source].size, self.layers[target].size
        if theirs != ours:
            raise TopologyError(
                f"the shared projection joins layers of {theirs[0]} and {theirs[1]} neurons; "
                f"these have {ours[0]} and {ours[1]}"
            )


class Placement:
    """Hands out places in the weight vector, one block after the other."""

    def __init__(self) -> None:
        self.size = 0
        self._places: dict[int, int] = {}
        self._weights: list[Weight] = []

    def take(self, n_weights: int) -> int:
        """Return where the next `n_weights` places start."""
        start = self.size
        self.size += n_weights
        return start

    def place(self, projection: ProjectionSpec | HandWiring, layers: list[LayerSpec]) -> ProjectionSpec:
        """Return the projection with the place of its weights."""
        if isinstance(projection, ProjectionSpec):
            sizes = layers[projection.source].size, layers[projection.target].size
            return attrs.evolve(projection, offset=self.take(projection.pattern.n_weights(*sizes)))
        given = any(weight is not None for weight in projection.weights)
        return ProjectionSpec(
            Sparse(projection.sources, projection.targets),
            projection.source,
            projection.target,
            index=np.array([self._place_of(weight) for weight in projection.weights], dtype=np.int64),
            initial=projection.initial() if given else None,
        )

    def adopt(self, parameters: Parameters) -> None:
        """Turn every `Weight` that a user made into a view of the network's vector."""
        for weight in self._weights:
            value, frozen, place = weight.value, weight.frozen, self._places[id(weight)]
            parameters.weights[place] = value
            weight.become(parameters, place)
            if frozen:
                weight.frozen = True

    def _place_of(self, weight: Weight | float | None) -> int:
        if not isinstance(weight, Weight):
            return self.take(1)
        if id(weight) not in self._places:
            self._places[id(weight)] = self.take(1)
            self._weights.append(weight)
        return self._places[id(weight)]
