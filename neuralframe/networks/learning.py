"""Training a network: from options to sessions, and from the best session back to the network."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.core.initialization import draw_weights
from neuralframe.core.metrics import Metric
from neuralframe.core.penalty import Penalty
from neuralframe.core.validation import count, seed_sequence
from neuralframe.data.blocks import Blocks
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import DivergenceWarning, ParameterError
from neuralframe.learning.stop_conditions import MaxIterations, StopCondition
from neuralframe.networks.preparation import check_fit, make_evaluator, prepared_like, require_data_set
from neuralframe.networks.run_file import describe_run
from neuralframe.training.checkpoints import Checkpoints, CheckpointWriter
from neuralframe.training.control import TrainingControl
from neuralframe.training.driver import Driver
from neuralframe.training.progress import progress_listeners
from neuralframe.training.run_directory import RunDirectory
from neuralframe.training.session import Session, SessionObjective

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.mapreduce.evaluator import Evaluator
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.training.events import Listener
    from neuralframe.training.history import History

DEFAULT_ITERATIONS = 1000
"""How long training goes on when no stop condition is given."""


def _conditions(given: Any) -> tuple[StopCondition, ...]:
    if given is None:
        return (MaxIterations(DEFAULT_ITERATIONS),)
    conditions = tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)
    if not conditions or not all(isinstance(condition, StopCondition) for condition in conditions):
        raise ParameterError(
            f"stop takes one or more stop conditions such as nf.MaxIterations(200); got {given!r}"
        )
    return conditions


def _listeners(given: Any) -> tuple[Listener, ...]:
    listeners = tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(callable(listener) for listener in listeners):
        raise ParameterError(f"listeners takes functions of an event, such as [print]; got {given!r}")
    return listeners


def _validation(given: Any) -> float | DataSet | None:
    if given is None or isinstance(given, DataSet):
        return given
    if not isinstance(given, float) or not 0 < given < 1:
        raise ParameterError(
            f"validation takes a share of the samples, above 0 and below 1, or a DataSet; got {given!r}"
        )
    return given


def _metrics(given: Any) -> tuple[Metric, ...]:
    wanted = [given] if isinstance(given, str | Metric) else list(given)
    metrics = tuple(Metric.of(one) for one in wanted)
    if len({metric.name for metric in metrics}) < len(metrics):
        raise ParameterError(f"metrics: each may be given once; got {given!r}")
    return metrics


def _progress(given: Any) -> bool | None:
    if given is not None and not isinstance(given, bool):
        raise ParameterError(f"progress takes True, False or None; got {given!r}")
    return given


def _control(given: Any) -> TrainingControl:
    if given is not None and not isinstance(given, TrainingControl):
        raise ParameterError(f"control takes an nf.TrainingControl; got {given!r}")
    return given or TrainingControl()


def _penalty(given: Any) -> Penalty:
    try:
        return Penalty.given(given)
    except ParameterError as problem:
        raise ParameterError(f"decay takes a number, or an nf.Penalty: {problem}") from problem


def _checkpoint(given: Any) -> Checkpoints | None:
    return given if given is None or isinstance(given, Checkpoints) else Checkpoints(given)


@attrs.frozen(eq=False, kw_only=True)
class TrainingOptions:
    """What `NeuralNetwork.learn` was asked for, checked and looked up."""

    rule: LearningRule
    engine: str | Engine
    kernel: str
    dtype: np.dtype[Any] = attrs.field(converter=float_type)
    validation: float | DataSet | None = attrs.field(converter=_validation)
    stop: tuple[StopCondition, ...] = attrs.field(converter=_conditions)
    decay: Penalty = attrs.field(converter=_penalty)
    metrics: tuple[Metric, ...] = attrs.field(converter=_metrics)
    sessions: int = attrs.field(validator=count())
    listeners: tuple[Listener, ...] = attrs.field(converter=_listeners)
    progress: bool | None = attrs.field(converter=_progress)
    control: TrainingControl = attrs.field(converter=_control)
    checkpoint: Checkpoints | None = attrs.field(converter=_checkpoint)
    seeds: np.random.SeedSequence = attrs.field(converter=seed_sequence)


@attrs.frozen(eq=False, repr=False)
class TrainingRun:
    """What a training did.

    Attributes
    ----------
    network : NeuralNetwork
        The network that was trained, holding the best session's weights.
    sessions : tuple of Session
        Each session with its weights, history and reason to stop.
    best : Session
        The one whose weights the network holds.

    """

    network: NeuralNetwork
    sessions: tuple[Session, ...]
    best: Session

    @property
    def error(self) -> float:
        """What was minimised, as the best session left it."""
        return self.history[-1].error

    @property
    def validation_error(self) -> float | None:
        """Mean error of the validation part, as the best session left it."""
        return self.history[-1].validation_error

    @property
    def iterations(self) -> int:
        """Iterations of the best session."""
        return self.history[-1].iteration

    @property
    def stopped_by(self) -> str:
        """Why the best session ended."""
        assert self.best.stopped_by is not None
        return self.best.stopped_by

    @property
    def history(self) -> History:
        """The best session's records."""
        return self.best.history

    @property
    def seconds(self) -> float:
        """Time from the first to the last iteration of any session."""
        return max(session.history[-1].seconds for session in self.sessions if session.history)

    @property
    def jobs(self) -> int:
        """Jobs run, those of all sessions together."""
        return max(session.history[-1].jobs for session in self.sessions if session.history)

    def __repr__(self) -> str:
        return f"<TrainingRun: {self}>"

    def __str__(self) -> str:
        return (
            f"error {self.error:.6g} after {self.iterations} iterations, {self.jobs} jobs and "
            f"{self.seconds:.2f} s; {self.stopped_by}"
        )


@attrs.frozen(eq=False)
class Prepared:
    """What a training works on.

    Attributes
    ----------
    training : DataSet
        The samples that are learnt from.
    evaluator : Evaluator
        E over them, and over those that are only watched.

    """

    training: DataSet
    evaluator: Evaluator


def train(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> TrainingRun:
    """Train a network in place. If training is interrupted, the network keeps what was learned so far."""
    prepared = prepare(network, data, options)
    sessions = _sessions(network, prepared.training, options)
    with _run_directory(network, data, prepared.training, options, sessions) as writer:
        return go_on(network, prepared, options, sessions, writer)


def prepare(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> Prepared:
    """Return what a training works on, once it is certain that network and data fit."""
    require_data_set(data)
    training, validation = held_out(data, options)
    check_fit(network, training)
    if training.class_labels is not None:
        training.require_classes()
    blocks = training.blocks
    if validation is not None:
        check_fit(network, validation)
        blocks = Blocks.joined(training.blocks, validation.blocks)
    evaluator = make_evaluator(
        network,
        blocks,
        engine=options.engine,
        kernel=options.kernel,
        dtype=options.dtype,
        decay=options.decay,
        metrics=options.metrics,
    )
    return Prepared(training, evaluator)


def go_on(
    network: NeuralNetwork,
    prepared: Prepared,
    options: TrainingOptions,
    sessions: list[Session],
    writer: CheckpointWriter | None,
    *,
    seconds: float = 0.0,
) -> TrainingRun:
    """Train sessions from where they stand until they end, and give the network the best one's weights."""
    engine = prepared.evaluator.engine
    try:
        with progress_listeners(options.progress, options.stop) as bars, engine:
            Driver(
                rule=options.rule,
                evaluator=prepared.evaluator,
                stop=options.stop,
                listeners=(*options.listeners, *bars),
                control=options.control,
                checkpointer=writer,
                seconds=seconds,
            ).run(sessions)
    finally:
        best = best_of(sessions)
        if best.history:
            network.weights[:] = best.weights
            network.encoding = prepared.training.encoding or network.encoding
    return TrainingRun(network, tuple(sessions), best)


def best_of(sessions: Sequence[Session]) -> Session:
    """Return the session with the smallest validation error, or else error."""
    return min(sessions, key=_standing)


def warn_of_divergence(run: TrainingRun, *, stacklevel: int) -> None:
    """Warn of each session whose numbers were no longer finite."""
    for session in run.sessions:
        if session.diverged:
            message = f"training {session.stopped_by}; the weights before it are kept"
            warnings.warn(message, DivergenceWarning, stacklevel=stacklevel)


@contextmanager
def _run_directory(
    network: NeuralNetwork,
    data: DataSet,
    prepared: DataSet,
    options: TrainingOptions,
    sessions: Sequence[Session],
) -> Iterator[CheckpointWriter | None]:
    """Yield what writes checkpoints, if any are wanted; a training that never got to one leaves no run."""
    checkpoint = options.checkpoint
    if checkpoint is None:
        yield None
        return
    home = RunDirectory(checkpoint.directory)
    with home.made():
        header, arrays = describe_run(network, data, prepared, options, sessions)
        try:
            home.write_run(header, arrays)
            yield CheckpointWriter(home, checkpoint, header["run"], options.stop, home.history_log())
        except BaseException:
            if not home.checkpoints():
                home.clear()
            raise


def held_out(data: DataSet, options: TrainingOptions) -> tuple[DataSet, DataSet | None]:
    """Return the training set and the validation set, prepared alike."""
    if options.validation is None:
        return data, None
    if isinstance(options.validation, DataSet):
        return data, prepared_like(data.encoding, options.validation)
    return data.split(1 - options.validation, seed=np.random.default_rng(options.seeds))


def _sessions(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> list[Session]:
    parameters, free = network.parameters, network.parameters.free()
    sessions = []
    for session, seed in enumerate(options.seeds.spawn(options.sessions)):
        random = np.random.default_rng(seed)
        whole = parameters.weights.copy()
        if session > 0:
            whole = draw_weights(
                network.topology,
                random,
                input_ranges=data.input_ranges,
                keep=parameters.weights,
                frozen=parameters.frozen,
            )
        objective = SessionObjective(whole, free, random)
        sessions.append(Session(session, objective, whole if free is None else whole[free]))
    return sessions


def _standing(session: Session) -> tuple[bool, float]:
    """Order sessions by validation error or error; those without one, or with NaN, come last."""
    if not session.history:
        return True, math.inf
    last = session.history[-1]
    error = last.error if last.validation_error is None else last.validation_error
    return math.isnan(error), error
