"""Training a network: from options to sessions, and from the best session back to the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type, require_finite
from neuralframe.core.initialization import draw_weights
from neuralframe.core.validation import count, number
from neuralframe.data.blocks import Blocks
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import ParameterError, ShapeError
from neuralframe.kernels import make_kernel
from neuralframe.learning.stop_conditions import MaxIterations, StopCondition
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.evaluator import Evaluator
from neuralframe.training.driver import Driver
from neuralframe.training.progress import progress_listeners
from neuralframe.training.session import Session, SessionObjective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.training.control import TrainingControl
    from neuralframe.training.events import Listener
    from neuralframe.training.history import History

DEFAULT_ITERATIONS = 1000
"""How long training goes on when no stop condition is given."""


def _conditions(given: StopCondition | Sequence[StopCondition] | None) -> tuple[StopCondition, ...]:
    if given is None:
        return (MaxIterations(DEFAULT_ITERATIONS),)
    conditions = (given,) if isinstance(given, StopCondition) else tuple(given)
    for condition in conditions:
        if not isinstance(condition, StopCondition):
            raise ParameterError(
                f"stop takes stop conditions such as nf.MaxIterations(200); got {condition!r}"
            )
    return conditions


@attrs.frozen(eq=False, kw_only=True)
class TrainingOptions:
    """What `NeuralNetwork.learn` was asked for, checked and looked up."""

    rule: LearningRule
    engine: str | Engine
    kernel: str
    dtype: np.dtype[Any] = attrs.field(converter=float_type)
    validation: float | DataSet | None
    stop: tuple[StopCondition, ...] = attrs.field(converter=_conditions)
    decay: float = attrs.field(validator=number(at_least=0))
    sessions: int = attrs.field(validator=count())
    listeners: Sequence[Listener]
    progress: bool | None
    control: TrainingControl
    seed: int | None


@attrs.frozen(eq=False)
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
        return self.best.stopped_by or "interrupted"

    @property
    def history(self) -> History:
        """The best session's records."""
        return self.best.history

    @property
    def seconds(self) -> float:
        """Time from the first to the last iteration of any session."""
        return max(session.history[-1].seconds for session in self.sessions)

    @property
    def jobs(self) -> int:
        """Jobs run, those of all sessions together."""
        return max(session.history[-1].jobs for session in self.sessions)

    def __str__(self) -> str:
        return (
            f"error {self.error:.6g} after {self.iterations} iterations, {self.jobs} jobs and "
            f"{self.seconds:.2f} s; {self.stopped_by}"
        )


def train(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> TrainingRun:
    """Train a network in place. If training is interrupted, the network keeps what was learned so far."""
    training, validation = held_out(data, options.validation, options.seed)
    check_data(network, training)
    if training.class_labels is not None:
        training.require_classes()
    blocks = training.blocks
    if validation is not None:
        check_data(network, validation)
        blocks = Blocks.joined(training.blocks, validation.blocks)
    kernel = make_kernel(options.kernel, network.topology, options.dtype)
    evaluator = Evaluator(make_engine(options.engine), kernel, blocks, options.decay)
    sessions = _sessions(network, training, options)
    try:
        with progress_listeners(options.progress, options.stop) as bars, evaluator.engine:
            listeners = (*options.listeners, *bars)
            Driver(options.rule, evaluator, options.stop, listeners, options.control).run(sessions)
    finally:
        best = min(sessions, key=_standing)
        network.weights[:] = best.weights
        network.encoding = training.encoding or network.encoding
    return TrainingRun(network, tuple(sessions), best)


def held_out(
    data: DataSet, validation: float | DataSet | None, seed: int | None
) -> tuple[DataSet, DataSet | None]:
    """Return the training set and the validation set."""
    if validation is None or isinstance(validation, DataSet):
        return data, validation
    if not 0 < validation < 1:
        raise ParameterError(f"validation must be a share between 0 and 1, or a DataSet; got {validation!r}")
    return data.split(1 - validation, seed=seed)


def check_data(network: NeuralNetwork, data: DataSet) -> None:
    """Raise the error that fits if a network cannot be trained on a data set."""
    for what, needed, given in (
        ("inputs", network.n_inputs, data.n_inputs),
        ("outputs", network.n_outputs, data.n_targets),
    ):
        if needed != given:
            raise ShapeError(f"the network has {needed} {what}; the data set has {given}")
    require_finite(network.weights, "weights")
    start = 0
    for size in (network.topology.layers[output].size for output in network.topology.outputs):
        network.error_function.check_targets(data.targets[:, start : start + size])
        start += size


def _sessions(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> list[Session]:
    parameters, free = network.parameters, network.parameters.free()
    sessions = []
    for session, seed in enumerate(np.random.SeedSequence(options.seed).spawn(options.sessions)):
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
    """Order sessions: those that were evaluated first, then by validation error or error."""
    if not session.history:
        return True, 0.0
    last = session.history[-1]
    return False, last.error if last.validation_error is None else last.validation_error
