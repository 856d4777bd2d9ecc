"""Training a network: from options to sessions, and from the best session back to the network."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.initialization import draw_weights
from neuralframe.data.blocks import Blocks
from neuralframe.exceptions import DataError
from neuralframe.kernels.work import TRAINING_PASSES
from neuralframe.networks.preparation import check_fit, held_out, make_evaluator, require_data_set
from neuralframe.networks.run_file import describe_run
from neuralframe.networks.training_run import TrainingRun, best_of
from neuralframe.training.checkpoints import CheckpointWriter
from neuralframe.training.driver import Driver
from neuralframe.training.progress import progress_listeners
from neuralframe.training.run_directory import RunDirectory
from neuralframe.training.session import Session
from neuralframe.training.session_objective import SessionObjective, noise_stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from neuralframe.data.data_set import DataSet
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.mapreduce.evaluator import Evaluator
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.networks.training_options import TrainingOptions


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
    with _run_directory(network, data, prepared, options, sessions) as writer:
        return go_on(network, prepared, options, sessions, writer)


def prepare(network: NeuralNetwork, data: DataSet, options: TrainingOptions) -> Prepared:
    """Return what a training works on, once it is certain that network and data fit."""
    require_data_set(data)
    training, validation = held_out(data, options.validation, options.seeds)
    check_fit(network, training)
    if training.class_labels is not None:
        training.require_classes()
    blocks = training.blocks
    if validation is not None:
        check_fit(network, validation)
        blocks = Blocks.joined(training.blocks, validation.blocks)
    _require_validation(options.stop, blocks)
    options.rule.check(network.topology, options.noise)
    evaluator = make_evaluator(
        network,
        blocks,
        engine=options.engine,
        kernel=options.kernel,
        dtype=options.dtype,
        decay=options.decay,
        metrics=options.metrics,
        noise=options.noise,
        max_norm=options.max_norm,
        passes=TRAINING_PASSES,
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


def _require_validation(conditions: Sequence[StopCondition], blocks: Blocks) -> None:
    """Raise `DataError` if a condition watches what is not there."""
    if blocks.n_validation:
        return
    for condition in conditions:
        if condition.watches_validation or condition.restores_best:
            raise DataError(
                f"{type(condition).__name__} watches the validation error, and there are no validation data; "
                "hold some out with validation=0.2, or give a set of their own"
            )


@contextmanager
def _run_directory(
    network: NeuralNetwork,
    data: DataSet,
    prepared: Prepared,
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
        kernel = prepared.evaluator.kernel.name
        header, arrays = describe_run(network, data, prepared.training, options, sessions, kernel=kernel)
        try:
            home.write_run(header, arrays)
            yield CheckpointWriter(home, checkpoint, header["run"], options.stop, home.history_log())
        except BaseException:
            if not home.checkpoints():
                home.clear()
            raise


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
        objective = SessionObjective(whole, free, random, stream=noise_stream(options.seeds, session))
        sessions.append(Session(session, objective, whole if free is None else whole[free]))
    return sessions
