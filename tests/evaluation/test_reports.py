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


def test_probabilities_are_judged_where_there_are_some(classes):
    """Of softmax and sigmoid outputs; linear ones have none, and no figures that need them."""
    metrics = pytest.importorskip("sklearn.metrics")
    network, normalized = trained(classes)
    report, given = evaluate(network, classes), network.probabilities(classes)
    assert report.auc == pytest.approx(metrics.roc_auc_score(classes.classes, given, multi_class="ovr"))
    assert report.scores["log loss"] == pytest.approx(report.error)
    assert "log loss" in str(report)
    linear = nf.MultilayerPerceptron.for_data(normalized, output="linear", seed=0)
    linear.learn(normalized, stop=nf.MaxIterations(5), progress=False)
    report = evaluate(linear, classes)
    assert report.probabilities is None
    assert np.isnan(report.auc)
    assert set(report.scores) == {"accuracy", "balanced accuracy", "macro F1", "MCC", "error"}
    assert "AUC" not in str(report)


def test_figures_that_mean_nothing_are_dashes(classes):
    """Of samples of one class there is no AUC."""
    network, _ = trained(classes)
    report = evaluate(network, classes.rows([0, 1]))
    assert np.isnan(report.auc)
    assert "nan" not in str(report)
    assert "AUC -" in str(report)


def test_an_accuracy_has_its_binomial_standard_error():
    """30 of 40 right: the root of 0.75 * 0.25 / 40."""
    report = ClassificationReport.of(0.1, ["a"] * 40, ["a"] * 30 + ["b"] * 10, ["a", "b"])
    assert report.accuracy_standard_error == pytest.approx(np.sqrt(0.75 * 0.25 / 40))
    assert "accuracy 75.00% ± 6.85%" in str(report)


def test_two_classes_have_the_error_of_their_area():
    """It stands beside it, after DeLong."""
    random = np.random.default_rng(0)
    labels = np.where(random.random(50) < 0.4, "yes", "no")
    share = np.clip(random.normal(0.5, 0.2, 50) + 0.2 * (labels == "yes"), 0, 1)
    answers = np.stack([1 - share, share], axis=1)
    predicted = np.where(share > 0.5, "yes", "no")
    report = ClassificationReport.of(0.1, labels, predicted, ["no", "yes"], answers)
    spread = report.probabilities.auc_standard_error
    assert report.figures["AUC"] == f"{report.auc:.4f} ± {spread:.4f}"


def test_several_networks_answer_with_the_mean_of_their_outputs(classes, numbers):
    """However each was normalized."""
    networks = [trained(part)[0] for part in classes.split(0.5, seed=0)]
    report = evaluate(networks, classes)
    expected = np.mean([network.probabilities(classes) for network in networks], axis=0)
    np.testing.assert_allclose(report.probabilities.probabilities, expected)
    assert report.error == pytest.approx(np.mean([evaluate(one, classes).error for one in networks]))
    networks = [trained(part, targets="standardizer")[0] for part in numbers.split(0.5, seed=0)]
    differences = np.mean([network.predict(numbers) for network in networks], axis=0) - numbers.targets
    np.testing.assert_allclose(evaluate(networks, numbers).rmse, np.sqrt(np.mean(differences**2, axis=0)))


def test_no_network_is_too_few(classes):
    """There is nobody to answer."""
    with pytest.raises(nf.ParameterError, match="at least one"):
        evaluate([], classes)
