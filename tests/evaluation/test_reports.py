"""Evaluating a network on a data set."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data.targets import ClassTarget
from neuralframe.evaluation.reports import ClassificationReport, RegressionReport
from neuralframe.networks.reports import evaluate


@pytest.fixture
def numbers():
    """Return samples with two targets far from 0, in very different units."""
    random = np.random.default_rng(3)
    inputs = random.normal(50.0, 10.0, size=(40, 3))
    targets = np.stack([inputs[:, 0] * 100 + 1e4, np.sin(inputs[:, 1]) / 100], axis=1)
    return nf.DataSet(inputs, targets)


@pytest.fixture
def classes():
    """Return samples of three classes of different sizes."""
    random = np.random.default_rng(4)
    which = np.repeat([0, 1, 2], [20, 12, 8])
    return nf.DataSet(random.normal(5.0, 2.0, size=(40, 2)) + which[:, np.newaxis], np.eye(3)[which])


def trained(data, *, targets=None, iterations=15):
    """Return a network trained on the data, normalized, and the normalized data."""
    normalized = data.normalized("standardizer", targets)
    network = nf.MultilayerPerceptron.for_data(normalized, 4, seed=0)
    network.learn(normalized, stop=nf.MaxIterations(iterations), progress=False)
    return network, normalized


def test_classes_are_counted_as_predict_answers(classes):
    """Accuracy and error agree with what predict and a cross-entropy by hand say."""
    network, normalized = trained(classes)
    report = evaluate(network, classes)
    labels = np.array(classes.class_labels)[classes.classes]
    likelihoods = network(normalized.inputs)[np.arange(40), classes.classes]
    assert isinstance(report, ClassificationReport)
    assert report.accuracy == np.mean(network.predict(classes) == labels)
    assert report.error == pytest.approx(-np.mean(np.log(likelihoods)))
    assert report.confusion.class_counts == classes.class_counts
    assert report.majority_share == 0.5
    assert report.n_samples == 40
    assert "always the largest class: 50.00%" in str(report)


def test_numbers_are_measured_in_their_own_units(numbers):
    """RMSE, MAE and R2 are scikit-learn's for what predict answers; the error is what training minimised."""
    metrics = pytest.importorskip("sklearn.metrics")
    network, normalized = trained(numbers, targets="standardizer")
    report = evaluate(network, numbers)
    answers, each = network.predict(numbers), {"multioutput": "raw_values"}
    squares = metrics.mean_squared_error(numbers.targets, answers, **each)
    assert isinstance(report, RegressionReport)
    np.testing.assert_allclose(report.rmse, squares**0.5)
    np.testing.assert_allclose(report.mae, metrics.mean_absolute_error(numbers.targets, answers, **each))
    np.testing.assert_allclose(report.r2, metrics.r2_score(numbers.targets, answers, **each))
    assert report.error == pytest.approx(nf.error_and_gradient(network, normalized)[0])
    assert report.names == ("target 1", "target 2")
    assert str(report).count("RMSE") == 2


def test_normalized_data_gives_the_same_report_as_raw_data(numbers, classes):
    """Whoever normalized it, the network or the caller."""
    network, normalized = trained(numbers, targets="standardizer")
    np.testing.assert_allclose(evaluate(network, normalized).rmse, evaluate(network, numbers).rmse)
    network, normalized = trained(classes)
    assert evaluate(network, normalized).error == pytest.approx(evaluate(network, classes).error)


def test_only_what_is_not_normalized_yet_is_normalized(numbers):
    """A data set may have its inputs normalized and its targets not."""
    network, normalized = trained(numbers, targets="standardizer")
    half = numbers.normalized(normalized.encoding.input_normalizer)
    np.testing.assert_allclose(evaluate(network, half).rmse, evaluate(network, numbers).rmse)


def test_a_network_without_encoding_takes_data_as_they_are(numbers):
    """Before any training there is nothing to normalize by."""
    network = nf.MultilayerPerceptron(3, 2, seed=0)
    report = evaluate(network, numbers)
    difference = network(numbers.inputs) - numbers.targets
    np.testing.assert_allclose(report.rmse, np.sqrt(np.mean(difference**2, axis=0)))


def test_samples_of_one_class_can_be_evaluated(classes):
    """Nobody can train on them, but a test may consist of them, even of one sample."""
    network, _ = trained(classes)
    for some in (classes.rows(np.arange(20)), classes.rows([0])):
        report = evaluate(network, some)
        assert report.majority_share == 1.0
        assert report.confusion.labels == ("0", "1", "2")


def test_the_error_counts_sample_weights(classes):
    """A weight of 2 is the sample twice."""
    network, _ = trained(classes)
    twice = classes.rows([0, 0, 30])
    weighted = classes.rows([0, 30]).with_sample_weights([2.0, 1.0])
    assert evaluate(network, weighted).error == pytest.approx(evaluate(network, twice).error)


def test_other_classes_are_refused(classes):
    """Labels in another order would count every answer wrong."""
    network, _ = trained(classes)
    encoding = attrs.evolve(network.encoding, input_normalizer=None, target=ClassTarget("class", "210"))
    other = nf.DataSet(classes.inputs, classes.targets, encoding=encoding)
    with pytest.raises(nf.DataError, match=r"encoding=network\.encoding"):
        evaluate(network, other)


def test_sizes_that_do_not_fit_are_refused(numbers, classes):
    """The message has both sizes."""
    network, _ = trained(classes)
    with pytest.raises(nf.ShapeError, match="the network has 2 inputs; the data set has 3"):
        evaluate(network, numbers)
