"""The neural network: what users build, ask, train, save and subclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from neuralframe.core.architecture import Architecture
from neuralframe.core.arrays import as_samples, require_finite
from neuralframe.core.components import qualified_name
from neuralframe.core.learning_rule import LearningRule
from neuralframe.data.data_set import DataSet
from neuralframe.kernels import make_kernel
from neuralframe.networks.learning import train
from neuralframe.networks.preparation import encode_records, prepared_like, require_probabilities
from neuralframe.networks.reports import evaluate
from neuralframe.networks.summary import summarize
from neuralframe.networks.training_options import TrainingOptions
from neuralframe.networks.training_run import warn_of_divergence

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.arrays import Array
    from neuralframe.core.metrics import Metric
    from neuralframe.core.noise import Noise
    from neuralframe.core.penalty import Penalty
    from neuralframe.data.encoding import Encoding
    from neuralframe.evaluation.reports import Report
    from neuralframe.kernels.kernel import Kernel
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.training_run import TrainingRun
    from neuralframe.training.checkpoints import Checkpoints
    from neuralframe.training.control import TrainingControl
    from neuralframe.training.events import Listener


NEW_WEIGHTS = "Set them again, or draw new ones with initialize()"


class NeuralNetwork(Architecture):
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

    @classmethod
    def known_class(cls, qualified: str) -> type[NeuralNetwork]:
        """Return the imported architecture of that name, or `NeuralNetwork` itself."""
        return cls._known.get(qualified, NeuralNetwork)

    def summary(self) -> str:
        """Return a table of layers, functions and weights."""
        return summarize(self)

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
        return self._kernel(samples.dtype).outputs(self.weights, samples)

    def activations(self, inputs: npt.ArrayLike) -> dict[str, Array]:
        """Return the outputs of every layer by the layer's name, each of shape (n_samples, size)."""
        samples = as_samples(inputs, self.n_inputs, "inputs")
        require_finite(samples, "inputs")
        found = self._kernel(samples.dtype).activations(self.weights, samples)
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

    def probabilities(self, inputs: npt.ArrayLike | DataSet | Sequence[Mapping[str, object]]) -> Array:
        """Return the probability of each class, shape (n_samples, n_classes).

        The columns stand in the order of ``network.encoding.class_labels``. `inputs` is what `predict`
        takes.

        Raises
        ------
        TopologyError
            If the outputs are neither softmax nor sigmoid, or the network learned no classes.

        """
        require_probabilities(self)
        return self(self.normalized(inputs))

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

    def learn(
        self,
        data: DataSet,
        *,
        rule: str | LearningRule | None = None,
        engine: str | Engine = "threads",
        kernel: str = "auto",
        dtype: npt.DTypeLike = "float64",
        validation: float | DataSet | None = None,
        metrics: str | Metric | Iterable[str | Metric] = (),
        stop: StopCondition | Iterable[StopCondition] | None = None,
        decay: float | Penalty = 0.0,
        noise: Noise | Iterable[Noise] | None = None,
        max_norm: float | None = None,
        sessions: int = 1,
        listeners: Listener | Iterable[Listener] = (),
        progress: bool | None = None,
        control: TrainingControl | None = None,
        checkpoint: str | PathLike[str] | Checkpoints | None = None,
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
        engine : str, Engine or SparkSession
            Where jobs run: ``"threads"``, ``"mrjob:local"``, ``"mrjob:hadoop"``, ``"spark"``, ...; see
            docs/engines.md. An engine that its owner has opened stays open.
        kernel : str
            How blocks are computed: ``"numpy"``, ``"numba"``, ``"cuda"`` (with rounded inputs also
            ``"cuda_uint8"``, ``"cuda_float16"``), or ``"auto"``, which picks by the size of the work and by
            what is installed, and numpy where other processes compute; see docs/kernels.md and `nf.explain`.
            For one kernel the bits are the same on every engine.
        dtype : {"float64", "float32"}
            What blocks are computed in; sums across blocks are always float64.
        validation : float or DataSet, optional
            A share of the data to hold out, or a set of its own; its error comes with every gradient.
        metrics : str or Metric, or sequence of them
            Further figures of the validation part, from the same pass over the data, for the history:
            ``"accuracy"``, ``"root_mean_squared_error"``, ``"mean_absolute_error"``.
        stop : StopCondition or sequence of them, optional
            When to end; by default after 1000 iterations. With ``nf.EarlyStopping()`` among them the network
            ends with the weights of the lowest validation error.
        decay : float or Penalty
            Weight decay, or another penalty: ``nf.ElasticNet(0.01, l1=0.001)``.
        noise : Noise or sequence of them, optional
            What disturbs the training part, anew in each iteration: ``nf.Dropout(0.5)``,
            ``nf.InputNoise(0.1)``. It repeats from `seed` on any engine. All that a rule asks for in an
            iteration meets the same noise; a rule that compares errors has the last one evaluated anew first,
            which costs it one more job. Errors and gradients are then those under noise, validation errors
            and predictions are not.
        max_norm : float, optional
            The greatest Euclidean length of the weights that feed a neuron (its bias aside). After each
            iteration longer ones are shortened to it, and E is evaluated there: one more job. Frozen weights
            are neither changed nor counted.
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
        checkpoint : str, path or Checkpoints, optional
            A directory in which the standing is kept after each iteration, so that `nf.resume` goes on
            with the same bits after the process has died.
        seed : int, numpy.random.Generator or None
            Seeds the held-out share, further sessions and whatever the rule draws.

        Returns
        -------
        TrainingRun

        Raises
        ------
        ShapeError, DataError, NonFiniteError
            If the data do not fit the network or its error function, or lack the validation part that a
            stop condition watches.
        TopologyError
            If `noise` or `max_norm` does not suit the network.
        CheckpointError
            If a checkpoint cannot be written, or its directory holds a training already. The network keeps
            what was learnt.

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
            metrics=metrics,
            stop=stop,
            decay=decay,
            noise=noise,
            max_norm=max_norm,
            sessions=sessions,
            listeners=listeners,
            progress=progress,
            control=control,
            checkpoint=checkpoint,
            seeds=seed,
        )
        run = train(self, data, options)
        warn_of_divergence(run, stacklevel=3)
        return run

    def save(self, path: str | Path) -> None:
        """Write the network, its encoding and its learning rule to one file, atomically."""
        from neuralframe.networks.model_file import save  # noqa: PLC0415 - the file module makes networks

        save(self, path)

    def _kernel(self, dtype: np.dtype[Any]) -> Kernel:
        """Return what computes in a type; planned once, since the topology never changes."""
        kernels: dict[np.dtype[Any], Kernel] = vars(self).setdefault("_kernels", {})
        if dtype not in kernels:
            kernels[dtype] = make_kernel("auto", self.topology, dtype)
        return kernels[dtype]

    def __repr__(self) -> str:
        sizes = "-".join(str(layer.size) for layer in self.topology.layers)
        return f"<{type(self).__name__} {sizes}, {len(self.weights)} weights>"
