"""What every network is made of: layers, connections and one vector of weights; it computes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Self

import attrs
import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.core.error_functions import CrossEntropy, ErrorFunction, SumOfSquares
from neuralframe.core.initialization import draw_weights
from neuralframe.core.initializers import Initializer
from neuralframe.core.input_functions import InputFunction
from neuralframe.core.objects import (
    Connection,
    JoinedProjection,
    Layer,
    Neuron,
    Views,
    assign,
    with_transfer_functions,
)
from neuralframe.core.projections import Projection
from neuralframe.core.topology import LayerSpec
from neuralframe.core.transfer_functions import Sigmoid, Softmax, TransferFunction
from neuralframe.core.validation import seed_sequence
from neuralframe.core.wiring import Wiring
from neuralframe.exceptions import ShapeError, TopologyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.parameters import Parameters
    from neuralframe.core.topology import Topology
    from neuralframe.core.weight import Weight


class HasInputRanges(Protocol):
    """A data set, as far as drawing weights is concerned."""

    @property
    def input_ranges(self) -> Array:
        """Lowest and highest value of each input, shape (n_inputs, 2)."""


class Architecture:
    """Builds a network and holds its parts: the base of `NeuralNetwork`, which computes and learns.

    Parameters
    ----------
    *arguments, **keywords
        Handed to `build`.
    error, seed, input_ranges
        As in `NeuralNetwork`.

    """

    def __init__(
        self,
        *arguments: Any,
        error: str | ErrorFunction | None = None,
        seed: int | np.random.Generator | None = None,
        input_ranges: npt.ArrayLike | None = None,
        **keywords: Any,
    ) -> None:
        self._wiring = Wiring()
        self.build(*arguments, **keywords)
        self._wiring.finish(self._fitting_error(error))
        self.initialize(seed=seed, input_ranges=input_ranges)

    @classmethod
    def of(cls, topology: Topology, parameters: Parameters) -> Self:
        """Return a network with the given description and numbers, without calling `build`."""
        network = cls.__new__(cls)
        vars(network)["_wiring"] = Wiring.of(topology, parameters)
        return network

    def build(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ARG002 - each architecture has its own
        """Make layers and join them; written by each architecture, called once by the constructor."""
        raise TopologyError(
            f"{type(self).__name__} has no build(); derive from NeuralNetwork and make its layers there, "
            "or use a ready architecture such as nf.MultilayerPerceptron"
        )

    def input_layer(self, size: int, *, name: str | None = None) -> Layer:
        """Add a layer that holds the next `size` columns of the inputs."""
        number = len(self._wiring.layers)
        spec = LayerSpec(name or ("input" if number == 0 else f"input {number + 1}"), size, is_input=True)
        return Layer(self._wiring, self._wiring.add_layer(spec))

    def layer(
        self,
        size: int,
        *,
        transfer_function: str | TransferFunction | Sequence[str | TransferFunction] = "linear",
        input_function: str | InputFunction = "weighted_sum",
        bias: bool | None = None,
        initializer: str | Initializer | None = None,
        name: str | None = None,
    ) -> Layer:
        """Add a layer of neurons. Layers that feed no other are the network's outputs.

        Parameters
        ----------
        size : int
            Number of neurons.
        transfer_function : str, TransferFunction, or a sequence with one for each neuron
            What turns the net input into the output.
        input_function : str or InputFunction
            How a neuron combines what it is fed.
        bias : bool, optional
            Whether each neuron adds a bias; by default where the input function is a weighted sum.
        initializer : str or Initializer, optional
            What draws the initial weights. By default Nguyen-Widrow for hidden layers of tanh and
            sigmoid, He for rectifiers, Glorot for all others.
        name : str, optional
            Unique in the network; by default ``"layer 2"`` and so on.

        """
        combine = InputFunction.of(input_function)
        spec = LayerSpec(
            name or f"layer {len(self._wiring.layers) + 1}",
            size,
            input_function=combine,
            bias=0 if (combine.has_bias if bias is None else bias) else None,
            initializer=None if initializer is None else Initializer.of(initializer),
        )
        if isinstance(transfer_function, str | TransferFunction | type):
            spec = attrs.evolve(spec, transfer_functions=(TransferFunction.of(transfer_function),))
        else:
            spec = with_transfer_functions(spec, [TransferFunction.of(given) for given in transfer_function])
        return Layer(self._wiring, self._wiring.add_layer(spec))

    def connect(
        self,
        source: Layer | Neuron,
        target: Layer | Neuron,
        projection: str | Projection | None = None,
        *,
        weight: float | Weight | None = None,
        share: JoinedProjection | None = None,
        frozen: bool = False,
    ) -> Any:
        """Connect layers or single neurons.

        Parameters
        ----------
        source, target : Layer or Neuron
            What feeds and what is fed. Two layers are joined by a projection; where one of them is a
            neuron, single connections are made.
        projection : str or Projection, optional
            Which neurons of two layers are connected: ``"full"`` (the default), ``"one_to_one"`` or
            ``nf.Sparse(...)``.
        weight : float or Weight, optional
            The weight of the connection: a number is its initial value, and a `Weight` that is passed
            more than once is shared. Only where a neuron is connected.
        share : JoinedProjection, optional
            Use the weights of this projection, which joins layers of the same sizes.
        frozen : bool
            Keep training from changing the weights, also where they are shared.

        Two layers may be joined more than once: the sums add up.

        Returns
        -------
        JoinedProjection for two layers, Connection for two neurons, otherwise a list of Connection.

        Raises
        ------
        TopologyError
            If an end belongs to another network, or the sizes do not fit.

        """
        for end in (source, target):
            self._check_ours(end)
        if isinstance(source, Layer) and isinstance(target, Layer):
            if weight is not None:
                raise TopologyError("weight= is for connections of neurons; a projection has many weights")
            pattern = (
                Projection.of(projection or "full") if share is None else self._shared(share, projection)
            )
            number = self._wiring.join(
                source.index,
                target.index,
                pattern,
                share=None if share is None else share.number,
                frozen=frozen,
            )
            return JoinedProjection(self._wiring, number)
        if projection is not None or share is not None:
            raise TopologyError("projection= and share= join layers; single neurons take weight=")
        made = [
            Connection(self._wiring, *self._wiring.connect(one.place, other.place, weight))
            for one in _neurons(source)
            for other in _neurons(target)
        ]
        if frozen:
            for connection in made:
                connection.weight.frozen = True
        return made[0] if isinstance(source, Neuron) and isinstance(target, Neuron) else made

    def _shared(self, share: JoinedProjection, projection: str | Projection | None) -> Projection:
        """Return the pattern of a projection whose weights are to be shared."""
        if share.wiring is not self._wiring:
            raise TopologyError(f"{share!r} belongs to another network; weights are shared within one")
        if projection is not None:
            raise TopologyError("give projection= or share=: a shared projection brings its own pattern")
        return share.pattern

    def _check_ours(self, end: Layer | Neuron) -> None:
        if not isinstance(end, Layer | Neuron):
            raise TopologyError(f"connect() takes layers and neurons; got {type(end).__name__}")
        if end.wiring is not self._wiring:
            raise TopologyError(f"{end!r} belongs to another network; connect only what this network made")

    def _fitting_error(self, given: str | ErrorFunction | None) -> ErrorFunction:
        """Return the error function in the form that suits the output layers."""
        outputs = (self._wiring.layers[number] for number in self._wiring.outputs)
        functions = [function for layer in outputs for function in layer.transfer_functions]
        only = functions[0] if functions and all(f == functions[0] for f in functions) else None
        if given is None:
            given = CrossEntropy() if isinstance(only, Softmax | Sigmoid) else SumOfSquares()
        return ErrorFunction.of(given).for_output(only)

    @property
    def topology(self) -> Topology:
        """The network's frozen description."""
        return self._wiring.require_built()[0]

    @property
    def parameters(self) -> Parameters:
        """The weight vector with its frozen positions."""
        return self._wiring.require_built()[1]

    @property
    def weights(self) -> Vector:
        """(n_weights,) float64: the vector of all weights and biases itself, writable in place."""
        return self.parameters.weights

    @weights.setter
    def weights(self, weights: npt.ArrayLike) -> None:
        assign(self.weights, weights, "weights")

    @property
    def layers(self) -> Views[Layer]:
        """The layers, in the order in which they were made."""
        return Views(len(self._wiring.layers), lambda index: Layer(self._wiring, index))

    @property
    def projections(self) -> Views[JoinedProjection]:
        """The projections, in the order in which they were joined."""
        return Views(len(self._wiring.projections), lambda i: JoinedProjection(self._wiring, i))

    @property
    def n_inputs(self) -> int:
        """Number of input columns."""
        return self.topology.n_inputs

    @property
    def n_outputs(self) -> int:
        """Number of output columns."""
        return self.topology.n_outputs

    @property
    def error_function(self) -> ErrorFunction:
        """What training minimises."""
        return self.topology.error_function

    def initialize(
        self,
        *,
        seed: int | np.random.Generator | None = None,
        input_ranges: npt.ArrayLike | None = None,
        data: HasInputRanges | None = None,
    ) -> Self:
        """Draw new initial weights in place (frozen ones stay) and return the network.

        Parameters
        ----------
        seed : int, numpy.random.Generator or None
            The same seed gives the same weights.
        input_ranges : (n_inputs, 2) array_like, optional
            Lowest and highest value of each input, for Nguyen-Widrow; [-1, 1] by default.
        data : DataSet, optional
            Where to take the input ranges from instead.

        """
        if data is not None:
            input_ranges = data.input_ranges
        if input_ranges is not None:
            input_ranges = self._checked_ranges(input_ranges)
        parameters = self.parameters
        parameters.weights[:] = draw_weights(
            self.topology,
            seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed_sequence(seed)),
            input_ranges=input_ranges,
            keep=parameters.weights,
            frozen=parameters.frozen,
        )
        return self

    def _checked_ranges(self, given: npt.ArrayLike) -> Vector:
        ranges = np.asarray(given, dtype=np.float64)
        if ranges.shape != (self.n_inputs, 2) or not (ranges[:, 0] <= ranges[:, 1]).all():
            raise ShapeError(
                f"input_ranges needs a lowest and a highest value, in this order, for each of "
                f"{self.n_inputs} inputs; got {given!r}"
            )
        require_finite(ranges, "input_ranges", advice="Give finite bounds")
        return ranges


def _neurons(end: Layer | Neuron) -> Sequence[Neuron]:
    return end.neurons if isinstance(end, Layer) else [end]
