"""What the options of ``train`` ask for, looked up and checked before any data is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import typer

from neuralframe.cli.usage import usage
from neuralframe.core.arrays import FLOAT_TYPES
from neuralframe.core.learning_rule import LearningRule
from neuralframe.core.noise import Dropout, InputNoise, Noise
from neuralframe.core.penalty import ElasticNet, Penalty
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.data.normalizers import Normalizer
from neuralframe.exceptions import ChoiceError, ParameterError
from neuralframe.kernels import AUTO, KERNELS
from neuralframe.learning.early_stopping import EarlyStopping
from neuralframe.learning.stop_conditions import ErrorGoal, MaxIterations, MaxSeconds, StopCondition
from neuralframe.mapreduce import ENGINES, make_engine
from neuralframe.networks.multilayer_perceptron import MultilayerPerceptron

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.cli.splits import Parts
    from neuralframe.data.data_set import DataSet
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.training_run import TrainingRun
    from neuralframe.training.checkpoints import Checkpoints
    from neuralframe.training.control import TrainingControl
    from neuralframe.training.events import Listener

NO_NORMALIZER = "none"
USUAL_NORMALIZER = "standardizer"
USUAL_BLOCK_SIZE = 256
WORKERS = {"mrjob": "maps", "spark": "partitions"}
"""What engines call the number of their workers, where it is not ``workers``."""


@attrs.frozen(eq=False, kw_only=True)
class Plan:
    """How a network is made and trained."""

    hidden: tuple[int, ...]
    transfer: TransferFunction
    normalizer: Normalizer | None
    rule: LearningRule
    engine: Engine
    kernel: str
    dtype: str
    iterations: int
    seconds: float | None
    error_goal: float | None
    early_stopping: EarlyStopping | None
    penalty: Penalty
    noise: tuple[Noise, ...]
    max_norm: float | None
    sessions: int
    block_size: int | None
    seed: int

    def prepared(self, parts: Parts) -> Parts:
        """Return the samples to learn from, and those to watch, in blocks and normalized like the former.

        Targets that are numbers are normalized as the inputs are.

        Raises
        ------
        DataError
            If there is but one class to learn.

        """
        if parts.training.class_labels is not None:
            parts.training.require_classes()
        training, validation = (
            in_blocks(parts.training, self.block_size),
            parts.validation and in_blocks(parts.validation, self.block_size),
        )
        if self.normalizer is not None:
            targets = self.normalizer if training.class_labels is None else None
            training = training.normalized(self.normalizer, targets)
            validation = validation and validation.normalized(like=training)
        return attrs.evolve(parts, training=training, validation=validation)

    def network_for(self, data: DataSet) -> MultilayerPerceptron:
        """Return an untrained network that suits the prepared training set."""
        network = MultilayerPerceptron.for_data(data, *self.hidden, hidden=self.transfer, seed=self.seed)
        network.learning_rule = self.rule
        return network

    def train(
        self,
        network: MultilayerPerceptron,
        parts: Parts,
        *,
        control: TrainingControl,
        listeners: Sequence[Listener],
        progress: bool,
        checkpoint: Checkpoints | None = None,
    ) -> TrainingRun:
        """Train the network in place."""
        return network.learn(
            parts.training,
            engine=self.engine,
            kernel=self.kernel,
            dtype=self.dtype,
            validation=parts.validation,
            stop=stop_conditions(self.iterations, self.seconds, self.error_goal, self.early_stopping),
            decay=self.penalty,
            noise=self.noise,
            max_norm=self.max_norm,
            sessions=self.sessions,
            listeners=listeners,
            progress=progress,
            control=control,
            checkpoint=checkpoint,
            seed=self.seed,
        )


def in_blocks(data: DataSet, block_size: int | None) -> DataSet:
    """Return samples in blocks; those that are packed stay in their files unless a size is asked for."""
    if block_size is None and data.source is not None:
        return data
    return data.with_block_size(block_size or USUAL_BLOCK_SIZE)


def stop_conditions(
    iterations: int,
    seconds: float | None,
    error_goal: float | None,
    early_stopping: EarlyStopping | None,
) -> list[StopCondition]:
    """Return when training ends."""
    conditions: list[StopCondition] = [MaxIterations(iterations)]
    if seconds is not None:
        conditions.append(MaxSeconds(seconds))
    if error_goal is not None:
        conditions.append(ErrorGoal(error_goal))
    if early_stopping is not None:
        conditions.append(early_stopping)
    return conditions


def early_stopping_of(criterion: str | None) -> EarlyStopping | None:
    """Return early stopping by a criterion's name, in capitals or not."""
    if criterion is None:
        return None
    with usage("--early-stopping"):
        return EarlyStopping(criterion.upper())


def penalty_of(decay: float, l1: float) -> Penalty:
    """Return the penalty of the weights."""
    with usage("--decay, --l1"):
        return ElasticNet(decay, l1=l1)


def noise_of(dropout: float | None, deviation: float | None) -> tuple[Noise, ...]:
    """Return what disturbs the training."""
    kinds: list[Noise] = []
    if dropout is not None:
        with usage("--dropout"):
            kinds.append(Dropout(dropout))
    if deviation is not None:
        with usage("--input-noise"):
            kinds.append(InputNoise(deviation))
    return tuple(kinds)


def max_norm_of(limit: float | None) -> float | None:
    """Return the limit, once it is one."""
    if limit is not None and not 0 < limit < math.inf:
        raise typer.BadParameter(f"expected a number above 0; got {limit!r}", param_hint="--max-norm")
    return limit


def hidden_sizes(given: Sequence[str]) -> tuple[int, ...]:
    """Return the sizes of the hidden layers from ``["16", "8"]`` or ``["16,8"]``; ``["none"]`` is none.

    >>> hidden_sizes(["16,8", "4"])
    (16, 8, 4)
    """
    texts = [text.strip() for option in given for text in option.split(",")]
    if texts == ["none"]:
        return ()
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in texts):
        raise typer.BadParameter(
            f"expected numbers of neurons such as 16 or 16,8, or none; got {', '.join(given)!r}",
            param_hint="--hidden",
        )
    return tuple(map(int, texts))


def rule_of(name: str, **parameters: float | str | None) -> LearningRule:
    """Return a learning rule from its name and those of the parameters that are not None."""
    with usage("--rule"):
        rule = type(LearningRule.of(name))
    given = {key: value for key, value in parameters.items() if value is not None}
    takes = [key for key in parameters if key in attrs.fields_dict(rule)]  # type: ignore[arg-type]
    for key in given:
        with usage(f"--{key}"):
            if key not in takes:
                raise ParameterError(f"{name} has no {key}; here it takes {', '.join(takes) or 'nothing'}")
    with usage(", ".join(f"--{key}" for key in given)):
        return rule(**given)


def normalizer_of(name: str) -> Normalizer | None:
    """Return a normalizer from its name; ``"none"`` is None."""
    if name == NO_NORMALIZER:
        return None
    with usage("--normalize"):
        if name not in Normalizer.members():
            raise ChoiceError("normalizer", name, [NO_NORMALIZER, *Normalizer.members()])
        return Normalizer.of(name)


def transfer_function_of(name: str) -> TransferFunction:
    """Return a transfer function from its name."""
    with usage("--transfer"):
        return TransferFunction.of(name)


def engine_of(name: str, workers: int | None) -> Engine:
    """Return an engine from its name, with a number of workers, maps or partitions if one is given."""
    with usage("--engine"):
        if name not in ENGINES:
            raise ChoiceError("engine", name, ENGINES)
        if workers is None:
            return make_engine(name)
        return make_engine(name, **{WORKERS.get(name.partition(":")[0], "workers"): workers})


def kernel_of(name: str) -> str:
    """Return the name of a kernel, once there is one of that name."""
    with usage("--kernel"):
        if name not in (AUTO, *KERNELS):
            raise ChoiceError("kernel", name, [AUTO, *KERNELS])
    return name


def floating_point_type(name: str) -> str:
    """Return ``"float64"`` or ``"float32"``."""
    with usage("--dtype"):
        if name not in FLOAT_TYPES:
            raise ChoiceError("floating-point type", name, FLOAT_TYPES)
    return name
