"""Evaluating a network: what its answers to samples of which the truth is known are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.evaluation.reports import ClassificationReport, RegressionReport
from neuralframe.networks.preparation import check_fit, make_evaluator, prepared_like

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array
    from neuralframe.data.data_set import DataSet
    from neuralframe.data.encoding import Encoding
    from neuralframe.evaluation.reports import Report
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork


def evaluate(network: NeuralNetwork, data: DataSet, *, engine: str | Engine = "threads") -> Report:
    """Report what a network's answers to a data set are worth.

    Parameters
    ----------
    network : NeuralNetwork
        A network of any architecture, trained or not.
    data : DataSet
        Samples with targets, in original units or normalized as the training set was.
    engine : str or Engine
        Where the job that computes the error runs.

    Returns
    -------
    ClassificationReport
        If the targets are classes.
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

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.MultilayerPerceptron(2, 1, seed=0)
    >>> net.weights[:] = 1.0
    >>> print(evaluate(net, nf.DataSet([[0, 0], [1, 0], [1, 1]], [1, 2, 4])))
    3 samples, error 0.166667
    target 1: RMSE 0.57735, MAE 0.333333, R2 0.7857

    """
    seen = prepared_like(network.encoding, data)
    check_fit(network, seen)
    evaluator = make_evaluator(network, seen.blocks, engine=engine)
    (found,) = evaluator.evaluate(network.weights[np.newaxis], np.array([False]))
    error, outputs = found.error, network(seen.inputs)
    labels = _labels(network, data)
    if labels is not None:
        names = np.array(labels)
        true, predicted = names[seen.targets.argmax(axis=1)], names[outputs.argmax(axis=1)]
        return ClassificationReport.of(error, true, predicted, labels)
    true, predicted = _in_own_units(seen, seen.targets), _in_own_units(seen, outputs)
    return RegressionReport.of(error, true, predicted, _target_names(network, data))


def _of_encoding(encoding: Encoding | None, what: str) -> tuple[str, ...] | None:
    return None if encoding is None else getattr(encoding, what)


def _labels(network: NeuralNetwork, data: DataSet) -> tuple[str, ...] | None:
    return data.class_labels if network.encoding is None else network.encoding.class_labels


def _target_names(network: NeuralNetwork, data: DataSet) -> tuple[str, ...]:
    names = _of_encoding(network.encoding, "target_names") or _of_encoding(data.encoding, "target_names")
    return names or tuple(f"target {number}" for number in range(1, network.n_outputs + 1))


def _in_own_units(data: DataSet, values: Array) -> Array:
    normalizer = None if data.encoding is None else data.encoding.target_normalizer
    return values if normalizer is None else normalizer.inverse(values)
