"""The neural network: what users build, ask, train, save and subclass."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs
import numpy as np

from neuralframe.core.arrays import as_samples, require_finite
from neuralframe.core.components import qualified_name
from neuralframe.core.error_functions import CrossEntropy, ErrorFunction, SumOfSquares
from neuralframe.core.initialization import draw_weights
from neuralframe.core.initializers import Initializer
from neuralframe.core.input_functions import InputFunction
from neuralframe.core.learning_rule import LearningRule
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
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import DivergenceWarning, ShapeError, TopologyError
from neuralframe.kernels import make_kernel
from neuralframe.networks.learning import TrainingOptions, train
from neuralframe.networks.preparation import encode_records, prepared_like
from neuralframe.networks.reports import evaluate
from neuralframe.networks.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.parameters import Parameters
    from neuralframe.core.topology import Topology
    from neuralframe.core.weight import Weight
    from neuralframe.data.encoding import Encoding
    from neuralframe.evaluation.reports import Report
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.learning import TrainingRun
    from neuralframe.training.control import TrainingControl
    from neuralframe.training.events import Listener


NEW_WEIGHTS = "Set them again, or draw new ones with initialize()"


class NeuralNetwork:
    """A network of layers, neurons and connections over one flat vector of weights.

    Derive an architecture by writing `build`, which makes layers, joins them and may set a default
    learning rule. Layers are found again by their names or numbers; an attribute that `build` sets on the
    network is not saved with it::

        class TwoTower(nf.NeuralNetwork):
            def build(self, n_hidden=8):
                left, right = self.input_layer(4), self.input_layer(3)
                hidden = self.layer(n_hidden, transfer_function="tanh")
                out = self.layer(1, transfer_function="sigmoid")
                self.connect(left, hidden)
                self.connect(right, hidden)
                self.connect(hidden, out)
                self.connect(left, out)                                      # a skip connection
                self.connect(left.neurons[0], out.neurons[0], weight=0.1)    # one connection by hand
                self.learning_rule = nf.ResilientPropagation()

        net = TwoTower(n_hidden=16, seed=0)

    Parameters
    ----------
    *arguments, **keywords
        Handed to `build`.
    error : str or ErrorFunction, optional
        What training minimises. By default the one that fits the outputs: cross-entropy for softmax
        and sigmoid outputs, half the sum of squares for all others.
    seed : int, numpy.random.Generator or None
        Where the initial weights come from; the same seed gives the same weights.
    input_ranges : (n_inputs, 2) array_like, optional
        Lowest and highest value of each input, for initializers that need them; [-1, 1] by default.

    Attributes
    ----------
    learning_rule : LearningRule or None
        What `learn` uses unless told otherwise.
    encoding : Encoding or None
        How records become inputs and outputs become answers: normalizers, categories, class labels.
        Set by `learn` from its data set, and saved with the network.

    Raises
    ------
    TopologyError
        If what `build` made is not a network that can be computed.

    """

    learning_rule: LearningRule | None = None
    encoding: Encoding | None = None
    _known: ClassVar[dict[str, type[NeuralNetwork]]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        NeuralNetwork._known[qualified_name(cls)] = cls

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

    @classmethod
    def known_class(cls, qualified: str) -> type[NeuralNetwork]:
        """Return the imported architecture of that name, or `NeuralNetwork` itself."""
        return cls._known.get(qualified, NeuralNetwork)

    # --- building ------------------------------------------------------------------------------------

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
        feeding = {projection.source for projection in self._wiring.projections}
        outputs = [layer for i, layer in enumerate(self._wiring.layers) if i not in feeding]
        kinds = {function for layer in outputs for function in layer.transfer_functions}
        only = kinds.pop() if len(kinds) == 1 else None
        if given is None:
            given = CrossEntropy() if isinstance(only, Softmax | Sigmoid) else SumOfSquares()
        return ErrorFunction.of(given).for_output(only)

    # --- looking -------------------------------------------------------------------------------------

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

    def summary(self) -> str:
        """Return a table of layers, functions and weights."""
        return summarize(self)

    # --- computing -----------------------------------------------------------------------------------

    def __call__(self, inputs: npt.ArrayLike) -> Array:
        """Return the outputs.

        Parameters
        ----------
        inputs : (n_samples, n_inputs) or (n_inputs,) array_like
            Samples as the network sees them: encoded and normalized. `predict` takes raw ones.

        Returns
        -------
        (n_samples, n_outputs) array, float32 for float32 inputs, otherwise float64

        Raises
        ------
        ShapeError, NonFiniteError
            If the inputs have the wrong number of columns, or are not finite.

        """
        samples = as_samples(inputs, self.n_inputs, "inputs")
        require_finite(samples, "inputs")
        require_finite(self.weights, "weights", advice=NEW_WEIGHTS)
        return make_kernel("auto", self.topology, samples.dtype).outputs(self.weights, samples)

    def activations(self, inputs: npt.ArrayLike) -> dict[str, Array]:
        """Return the outputs of every layer by the layer's name, each of shape (n_samples, size)."""
        samples = as_samples(inputs, self.n_inputs, "inputs")
        require_finite(samples, "inputs")
        found = make_kernel("auto", self.topology, samples.dtype).activations(self.weights, samples)
        return dict(zip((layer.name for layer in self.topology.layers), found, strict=True))

    def predict(
        self, inputs: npt.ArrayLike | DataSet | Sequence[Mapping[str, object]]
    ) -> np.ndarray[Any, Any]:
        """Return answers in the user's terms: class labels, or numbers in their own units.

        Parameters
        ----------
        inputs : array_like of shape (n_samples, n_inputs), DataSet, or sequence of mappings
            Samples in their original units; the network's normalizer is applied to them. A data set that
            was normalized like the training set is taken as it is. Mappings are records by column name,
            such as ``[{"sex": "M", "length": 0.455, ...}]``, encoded as the training file was.

        Returns
        -------
        (n_samples,) array of labels, or (n_samples, n_outputs) float64

        Raises
        ------
        ShapeError, DataError
            If the samples do not fit the network, or were normalized with other statistics.

        """
        outputs = self(self.normalized(inputs))
        return outputs if self.encoding is None else self.encoding.decode(outputs)

    def normalized(self, inputs: Any) -> Array:
        """Return inputs as the network sees them, from samples in original units; see `predict`."""
        if isinstance(inputs, DataSet):
            return prepared_like(self.encoding, inputs).inputs
        if isinstance(inputs, Sequence) and len(inputs) and isinstance(inputs[0], Mapping):
            return encode_records(self.encoding, inputs)
        samples = as_samples(inputs, self.n_inputs, "inputs")
        normalizer = None if self.encoding is None else self.encoding.input_normalizer
        return samples if normalizer is None else normalizer.transform(samples)

    def evaluate(self, data: DataSet) -> Report:
        """Return what the network's answers to samples with known targets are worth.

        See `neuralframe.networks.reports.evaluate`.
        """
        return evaluate(self, data)

    # --- weights -------------------------------------------------------------------------------------

    def initialize(
        self,
        *,
        seed: int | np.random.Generator | None = None,
        input_ranges: npt.ArrayLike | None = None,
        data: DataSet | None = None,
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

    # --- training and keeping ------------------------------------------------------------------------

    def learn(
        self,
        data: DataSet,
        *,
        rule: str | LearningRule | None = None,
        engine: str | Engine = "threads",
        kernel: str = "auto",
        dtype: npt.DTypeLike = "float64",
        validation: float | DataSet | None = None,
        stop: StopCondition | Iterable[StopCondition] | None = None,
        decay: float = 0.0,
        sessions: int = 1,
        listeners: Listener | Iterable[Listener] = (),
        progress: bool | None = None,
        control: TrainingControl | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> TrainingRun:
        """Train the network in place and return what happened.

        E(w) = (1/n) * sum of the samples' errors + (decay/2) * sum of squared weights (not biases) is
        brought down by the rule; each time the rule needs E or its gradient, one job computes it.

        Parameters
        ----------
        data : DataSet
            The training set. Its encoding (normalizers, class labels) becomes the network's.
        rule : str or LearningRule, optional
            The training method; by default the network's own `learning_rule`, else iRprop-.
        engine : str or Engine
            Where jobs run: ``"threads"``. An engine that its owner has opened stays open.
        kernel : str
            How blocks are computed: ``"auto"``, ``"numpy"``.
        dtype : {"float64", "float32"}
            What blocks are computed in; sums across blocks are always float64.
        validation : float or DataSet, optional
            A share of the data to hold out, or a set of its own; its error comes with every gradient.
        stop : StopCondition or sequence of them, optional
            When to end; by default after 1000 iterations.
        decay : float
            Weight decay.
        sessions : int
            Training sessions from different initial weights, evaluated in the same jobs. The first
            starts from the present weights, the others from newly drawn ones. The best is kept: by
            validation error where there is one, else by the error.
        listeners : callable or sequence of callables
            Each is called with every event: `IterationFinished`, `LearningStopped`.
        progress : bool, optional
            Show a progress bar on standard error; by default if that is a terminal.
        control : TrainingControl, optional
            Pauses or stops the training from another thread.
        seed : int, numpy.random.Generator or None
            Seeds the held-out share, further sessions and whatever the rule draws.

        Returns
        -------
        TrainingRun

        Raises
        ------
        ShapeError, DataError, NonFiniteError
            If the data do not fit the network or its error function.

        Warns
        -----
        DivergenceWarning
            If the error is no longer finite; the last finite weights are kept.

        """
        options = TrainingOptions(
            rule=LearningRule.of(rule or self.learning_rule or "resilient_propagation"),
            engine=engine,
            kernel=kernel,
            dtype=dtype,
            validation=validation,
            stop=stop,
            decay=decay,
            sessions=sessions,
            listeners=listeners,
            progress=progress,
            control=control,
            seeds=seed,
        )
        run = train(self, data, options)
        for session in run.sessions:
            if session.diverged:
                message = f"training {session.stopped_by}; the weights before it are kept"
                warnings.warn(message, DivergenceWarning, stacklevel=2)
        return run

    def save(self, path: str | Path) -> None:
        """Write the network, its encoding and its learning rule to one file, atomically."""
        from neuralframe.networks.model_file import save  # noqa: PLC0415 - the file module makes networks

        save(self, path)

    def __repr__(self) -> str:
        sizes = "-".join(str(layer.size) for layer in self.topology.layers)
        return f"<{type(self).__name__} {sizes}, {len(self.weights)} weights>"


def _neurons(end: Layer | Neuron) -> Sequence[Neuron]:
    return end.neurons if isinstance(end, Layer) else [end]
