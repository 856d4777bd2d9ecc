"""Training a network: from options to sessions, and from the best session back to the network."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.core.initialization import draw_weights
from neuralframe.core.validation import count, number, seed_sequence
from neuralframe.data.blocks import Blocks
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import ParameterError
from neuralframe.learning.stop_conditions import MaxIterations, StopCondition
from neuralframe.networks.preparation import check_fit, make_evaluator, prepared_like, require_data_set
from neuralframe.training.control import TrainingControl
from neuralframe.training.driver import Driver
from neuralframe.training.progress import progress_listeners
from neuralframe.training.session import Session, SessionObjective

if TYPE_CHECKING:
    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.mapreduce.engine import Engine
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


def _progress(given: Any) -> bool | None:
    if given is not None and not isinstance(given, bool):
        raise ParameterError(f"progress takes True, False or None; got {given!r}")
    return given


def _control(given: Any) -> TrainingControl:
    if given is not None and not isinstance(given, TrainingControl):
        raise ParameterError(f"control takes an nf.TrainingControl; got {given!r}")
    return given or TrainingControl()


@attrs.frozen(eq=False, kw_only=True)
class TrainingOptions:
    """What `NeuralNetwork.learn` was asked for, checked and looked up."""

    rule: LearningRule
    engine: str | Engine
    kernel: str
    dtype: np.dtype[Any] = attrs.field(converter=float_type)
    validation: float | DataSet | None = attrs.field(converter=_validation)
    stop: tuple[StopCondition, ...] = attrs.field(converter=_conditions)
    decay: float = attrs.field(validator=number(at_least=0))
    sessions: int = attrs.field(validator=count())
    listeners: tuple[Listener, ...] = attrs.field(converter=_listeners)
    progress: bool | None = attrs.field(converter=_progress)
    control: TrainingControl = attrs.field(converter=_control)
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


def train(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> TrainingRun:
    """Train a network in place. If training is interrupted, the network keeps what was learned so far."""
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
    )
    sessions = _sessions(network, training, options)
    try:
        with progress_listeners(options.progress, options.stop) as bars, evaluator.engine:
            listeners = (*options.listeners, *bars)
            Driver(options.rule, evaluator, options.stop, listeners, options.control).run(sessions)
    finally:
        best = min(sessions, key=_standing)
        if best.history:
            network.weights[:] = best.weights
            network.encoding = training.encoding or network.encoding
    return TrainingRun(network, tuple(sessions), best)


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
