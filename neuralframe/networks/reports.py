"""Evaluating a network: what its answers to samples of which the truth is known are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.architecture import Architecture
from neuralframe.core.transfer_functions import Sigmoid, Softmax
from neuralframe.evaluation.reports import ClassificationReport, RegressionReport
from neuralframe.exceptions import ParameterError
from neuralframe.networks.preparation import check_fit, make_evaluator, prepared_like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Array
    from neuralframe.data.data_set import DataSet
    from neuralframe.data.encoding import Encoding
    from neuralframe.evaluation.reports import Report
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork


def evaluate(
    network: NeuralNetwork | Sequence[NeuralNetwork], data: DataSet, *, engine: str | Engine = "threads"
) -> Report:
    """Report what the answers of a network, or of several together, to a data set are worth.

    Parameters
    ----------
    network : NeuralNetwork, or a sequence of them
        A network of any architecture, trained or not. Of several the outputs are averaged: probabilities
        of classes, or numbers in their own units.
    data : DataSet
        Samples with targets, in original units or normalized as the training set was.
    engine : str or Engine
        Where the jobs that compute the error run.

    Returns
    -------
    ClassificationReport
        If the targets are classes; with AUC, log loss and calibration if the outputs are probabilities.
    RegressionReport
        If they are numbers; RMSE, MAE and R2 are in the targets' original units.

    Raises
    ------
    ShapeError
        If the numbers of inputs or targets are not the network's.
    DataError
        If the data set's classes are not the network's, or the error function means nothing for a target.
    NonFiniteError
        If an output is not finite.
    ParameterError
        If the sequence is empty.

    Notes
    -----
    The error of several networks is the mean of theirs. That of their averaged outputs is no larger, where
    the error function is convex in the outputs.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.MultilayerPerceptron(2, 1, seed=0)
    >>> net.weights[:] = 1.0
    >>> print(evaluate(net, nf.DataSet([[0, 0], [1, 0], [1, 1]], [1, 2, 4])))
    3 samples, error 0.166667
    target 1: RMSE 0.57735, MAE 0.333333 (median 0), R2 0.7857

    """
    networks = tuple(network) if isinstance(network, list | tuple) else (network,)
    answered = answers_of(networks, data, engine=engine)
    true = in_own_units(data, data.targets)
    return report_on(networks[0], data, answered.error, true, answered.outputs)


@attrs.frozen(eq=False)
class Answers:
    """What networks answered to a data set.

    Attributes
    ----------
    error : float
        The mean of the networks' errors.
    outputs : (n, n_outputs) float
        The mean of their outputs, in the targets' own units.

    """

    error: float
    outputs: Array


def answers_of(
    networks: Sequence[NeuralNetwork], data: DataSet, *, engine: str | Engine = "threads"
) -> Answers:
    """Return the averaged answers of networks; parameters and errors as for `evaluate`."""
    if not networks:
        raise ParameterError("evaluate: there is no network; give at least one")
    for network in networks:
        if not isinstance(network, Architecture):
            raise ParameterError(
                f"evaluate takes a network, or several, and a data set; got {type(network).__name__}"
            )
    answers = [_answers(network, data, engine) for network in networks]
    return Answers(
        float(np.mean([answer.error for answer in answers])),
        np.mean([answer.outputs for answer in answers], axis=0),
    )


def report_on(network: NeuralNetwork, data: DataSet, error: float, true: Array, outputs: Array) -> Report:
    """Return the report on outputs in their own units.

    Parameters
    ----------
    network : NeuralNetwork
        One of those that answered.
    data : DataSet
        What they answered to.
    error : float
    true, outputs : (n, n_outputs) float
        The targets, and what was answered.

    """
    labels = _labels(network, data)
    if labels is None:
        return RegressionReport.of(error, true, outputs, _target_names(network, data))
    names = np.array(labels)
    right, predicted = names[true.argmax(axis=1)], names[outputs.argmax(axis=1)]
    given = outputs if _are_probabilities(network, labels) else None
    return ClassificationReport.of(error, right, predicted, labels, given)


def in_own_units(data: DataSet, values: Array) -> Array:
    """Return targets, or outputs for them, as they were before the data set was normalized."""
    normalizer = None if data.encoding is None else data.encoding.target_normalizer
    return values if normalizer is None else normalizer.inverse(values)


def _answers(network: NeuralNetwork, data: DataSet, engine: str | Engine) -> Answers:
    seen = prepared_like(network.encoding, data)
    check_fit(network, seen)
    evaluator = make_evaluator(network, seen.blocks, engine=engine)
    (found,) = evaluator.evaluate(network.weights[np.newaxis], np.array([False]))
    return Answers(found.error, in_own_units(seen, network(seen.inputs)))


def _are_probabilities(network: NeuralNetwork, labels: tuple[str, ...]) -> bool:
    functions = [
        function
        for number in network.topology.outputs
        for function in network.topology.layers[number].transfer_functions
    ]
    return len(labels) == network.n_outputs and all(isinstance(one, Softmax | Sigmoid) for one in functions)


def _of_encoding(encoding: Encoding | None, what: str) -> tuple[str, ...] | None:
    return None if encoding is None else getattr(encoding, what)


def _labels(network: NeuralNetwork, data: DataSet) -> tuple[str, ...] | None:
    return data.class_labels if network.encoding is None else network.encoding.class_labels


def _target_names(network: NeuralNetwork, data: DataSet) -> tuple[str, ...]:
    names = _of_encoding(network.encoding, "target_names") or _of_encoding(data.encoding, "target_names")
    return names or tuple(f"target {number}" for number in range(1, network.n_outputs + 1))
