"""What a training is asked for, checked before anything is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.core.metrics import Metric
from neuralframe.core.noise import Noise
from neuralframe.core.penalty import Penalty
from neuralframe.core.validation import count, number, seed_sequence
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import ParameterError
from neuralframe.learning.stop_conditions import MaxIterations, StopCondition
from neuralframe.training.checkpoints import Checkpoints
from neuralframe.training.control import TrainingControl

if TYPE_CHECKING:
    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.training.events import Listener

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


def validation_of(given: Any) -> float | DataSet | None:
    """Return a share of the samples, or a data set, once it is one of them or None."""
    if given is None or isinstance(given, DataSet):
        return given
    if isinstance(given, np.floating):
        given = float(given)
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


def _noise(given: Any) -> tuple[Noise, ...]:
    return Noise.given(given)


def _checkpoint(given: Any) -> Checkpoints | None:
    return given if given is None or isinstance(given, Checkpoints) else Checkpoints(given)


@attrs.frozen(eq=False, kw_only=True)
class TrainingOptions:
    """What `NeuralNetwork.learn` was asked for, checked and looked up."""

    rule: LearningRule
    engine: str | Engine
    kernel: str
    dtype: np.dtype[Any] = attrs.field(converter=float_type)
    validation: float | DataSet | None = attrs.field(converter=validation_of)
    stop: tuple[StopCondition, ...] = attrs.field(converter=_conditions)
    decay: Penalty = attrs.field(converter=_penalty)
    noise: tuple[Noise, ...] = attrs.field(converter=_noise)
    max_norm: float | None = attrs.field(validator=number(above=0, optional=True))
    metrics: tuple[Metric, ...] = attrs.field(converter=_metrics)
    sessions: int = attrs.field(validator=count())
    listeners: tuple[Listener, ...] = attrs.field(converter=_listeners)
    progress: bool | None = attrs.field(converter=_progress)
    control: TrainingControl = attrs.field(converter=_control)
    checkpoint: Checkpoints | None = attrs.field(converter=_checkpoint)
    seeds: np.random.SeedSequence = attrs.field(converter=seed_sequence)
