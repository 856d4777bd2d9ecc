"""What stands between a network and a data set: do they fit, and how is E computed over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.core.components import to_json
from neuralframe.core.max_norm import MaxNorm
from neuralframe.core.transfer_functions import Sigmoid, Softmax
from neuralframe.data.data_set import DataSet
from neuralframe.data.records import Records
from neuralframe.exceptions import DataError, ShapeError, TopologyError
from neuralframe.kernels import AUTO, make_kernel
from neuralframe.kernels.choice import choose
from neuralframe.kernels.work import TRAINING_PASSES, Work
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.evaluator import Evaluator

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Array
    from neuralframe.core.metrics import Metric
    from neuralframe.core.noise import Noise
    from neuralframe.core.penalty import Penalty
    from neuralframe.data.blocks import Blocks
    from neuralframe.data.encoding import Encoding
    from neuralframe.data.normalizers import Normalizer
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork


def require_data_set(data: object) -> None:
    """Raise `DataError` for anything but a data set."""
    if not isinstance(data, DataSet):
        raise DataError(
            f"expected a data set, got {type(data).__name__}; make one with nf.DataSet(inputs, targets)"
        )


def check_fit(network: NeuralNetwork, data: DataSet) -> None:
    """Raise the error that fits if E of a network is not defined on a data set.

    Raises
    ------
    ShapeError
        If the numbers of inputs or targets are not the network's.
    DataError
        If a target means nothing to the error function.
    NonFiniteError
        If a weight is not finite.

    """
    require_data_set(data)
    _check_sizes(network.n_inputs, network.n_outputs, data)
    require_finite(network.weights, "weights", advice="Set them again, or draw new ones with initialize()")
    start = 0
    for size in (network.topology.layers[output].size for output in network.topology.outputs):
        network.error_function.check_targets(data.telling_targets[:, start : start + size])
        start += size


def _check_sizes(n_inputs: int, n_outputs: int, data: DataSet) -> None:
    for what, needed, given in (
        ("inputs", n_inputs, data.n_inputs),
        ("outputs", n_outputs, data.n_targets),
    ):
        if needed != given:
            raise ShapeError(
                f"the network has {needed} {what}; the data set has {given}. "
                "A file is read as the network needs it with encoding=network.encoding"
            )


def require_probabilities(network: NeuralNetwork) -> None:
    """Raise `TopologyError` unless the outputs are probabilities of classes."""
    functions = [
        function
        for number in network.topology.outputs
        for function in network.topology.layers[number].transfer_functions
    ]
    labels = None if network.encoding is None else network.encoding.class_labels
    if labels is None or not all(isinstance(function, Softmax | Sigmoid) for function in functions):
        names = ", ".join(sorted({function.name for function in functions}))
        raise TopologyError(f"the outputs of this network ({names}) are no probabilities of classes")


def make_evaluator(
    network: NeuralNetwork,
    blocks: Blocks,
    *,
    engine: str | Engine = "threads",
    kernel: str = "auto",
    dtype: npt.DTypeLike = "float64",
    decay: float | Penalty = 0.0,
    metrics: tuple[Metric, ...] = (),
    noise: tuple[Noise, ...] = (),
    max_norm: float | None = None,
    passes: int = 1,
) -> Evaluator:
    """Return what evaluates E of a network over some blocks.

    Parameters
    ----------
    network : NeuralNetwork
    blocks : Blocks
    engine, kernel, dtype, decay, metrics, noise, max_norm
        As in `NeuralNetwork.learn`.
    passes : int
        About how many passes over the blocks are to come: what ``kernel="auto"`` counts on.

    Raises
    ------
    TopologyError
        If the noise or a limit of the weights does not suit the network.

    """
    for kind in noise:
        kind.check(network.topology)
    place = make_engine(engine)
    if kernel == AUTO:
        elsewhere = not place.computes_here
        work = work_of(network, blocks, dtype=dtype, noise=noise, passes=passes, elsewhere=elsewhere)
        kernel = choose(work).name
    return Evaluator(
        place,
        make_kernel(kernel, network.topology, dtype),
        blocks,
        decay,
        metrics,
        noise,
        None if max_norm is None else MaxNorm(network.topology, max_norm),
    )


def work_of(
    network: NeuralNetwork,
    blocks: Blocks,
    *,
    dtype: npt.DTypeLike = "float64",
    noise: tuple[Noise, ...] = (),
    passes: int = TRAINING_PASSES,
    elsewhere: bool = False,
) -> Work:
    """Return how much work it is to learn some blocks; `elsewhere` if other processes do it."""
    return Work(
        topology=network.topology,
        dtype=dtype,
        n_samples=blocks.n_samples,
        passes=passes,
        with_noise=bool(noise),
        elsewhere=elsewhere,
    )


def held_out(
    data: DataSet, validation: float | DataSet | None, seeds: np.random.SeedSequence
) -> tuple[DataSet, DataSet | None]:
    """Return the training set and the validation set, prepared alike."""
    if validation is None:
        return data, None
    if isinstance(validation, DataSet):
        return data, prepared_like(data.encoding, validation)
    return data.split(1 - validation, seed=np.random.default_rng(seeds))


def prepared_like(encoding: Encoding | None, data: DataSet) -> DataSet:
    """Return a data set as a network with this encoding sees it: normalized with the encoding's normalizers.

    What is normalized so already is left alone.

    Raises
    ------
    DataError
        If the columns are others, or were normalized with other statistics.

    """
    require_data_set(data)
    if encoding is None:
        return data
    _check_sizes(encoding.n_inputs, encoding.n_targets or data.n_targets, data)
    theirs = data.encoding
    if theirs is None:
        inputs, targets = encoding.input_normalizer, encoding.target_normalizer
    else:
        _check_names(encoding, theirs)
        inputs = _missing("inputs", encoding.input_normalizer, theirs.input_normalizer)
        targets = _missing("targets", encoding.target_normalizer, theirs.target_normalizer)
    return data if inputs is None and targets is None else data.normalized(inputs, targets)


def encode_records(encoding: Encoding | None, records: Sequence[Any]) -> Array:
    """Return the inputs, normalized, of records given by column name.

    Raises
    ------
    DataError
        If the network has no encoding, or a record lacks a column.
    RecordError
        At a value that cannot be encoded; the line is the record's number, counted from 1.

    """
    if encoding is None:
        raise DataError("the network was trained on arrays and knows no columns; predict from an array")
    names = [column.name for column in encoding.columns]
    for number, record in enumerate(records, start=1):
        missing = [name for name in names if not isinstance(record, Mapping) or name not in record]
        if missing:
            raise DataError(f"record {number} lacks the column(s) {', '.join(missing)}; it is {record!r}")
    columns = {name: tuple(str(record[name]).strip() for record in records) for name in names}
    return encoding.encode_inputs(Records("records", tuple(range(1, len(records) + 1)), columns))


def _check_names(ours: Encoding, theirs: Encoding) -> None:
    for what, our, their in (
        ("inputs", ours.input_names, theirs.input_names),
        ("targets", ours.target_names, theirs.target_names),
    ):
        if our is not None and their is not None and our != their:
            raise DataError(
                f"the data set's {what} are {', '.join(their)}; the network was trained with "
                f"{', '.join(our)}. Read the file with encoding=network.encoding"
            )


def _missing(what: str, ours: Normalizer | None, theirs: Normalizer | None) -> Normalizer | None:
    """Return the normalizer that is still to be applied, if any."""
    if theirs is None:
        return ours
    if ours is None or to_json(ours) != to_json(theirs):
        raise DataError(
            f"the {what} were normalized with other statistics than the training set's; "
            "take the data as they were, or normalize them with normalized(like=training_set)"
        )
    return None
