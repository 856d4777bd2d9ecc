"""Probabilities of several classes together, held against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from neuralframe.evaluation.bootstrap import bootstrap_interval
from neuralframe.evaluation.class_probabilities import ClassProbabilities
from neuralframe.evaluation.ranking import auc_standard_error, roc_auc
from neuralframe.exceptions import ChoiceError, ParameterError


@pytest.fixture
def answers():
    """Return 80 answers to three classes, better than guessing."""
    random = np.random.default_rng(0)
    classes = random.integers(0, 3, size=80)
    raw = np.exp(random.normal(size=(80, 3)) + np.eye(3)[classes])
    return ClassProbabilities("abc", classes, raw / raw.sum(axis=1, keepdims=True))


@pytest.fixture
def yes_or_no():
    """Return 120 answers to two classes."""
    random = np.random.default_rng(1)
    classes = (random.random(120) < 0.3).astype(np.int64)
    share = 1 / (1 + np.exp(-random.normal(size=120) - 2 * classes + 1))
    return ClassProbabilities(("no", "yes"), classes, np.stack([1 - share, share], axis=1))


def test_the_area_of_several_classes_is_that_of_each_against_the_rest(answers):
    """scikit-learn's one-vs-rest, without weights."""
    metrics = pytest.importorskip("sklearn.metrics")
    expected = metrics.roc_auc_score(answers.classes, answers.probabilities, multi_class="ovr")
    assert answers.auc == pytest.approx(expected)
    assert np.isnan(answers.auc_standard_error)
    assert answers.log_loss == pytest.approx(metrics.log_loss(answers.classes, answers.probabilities))


def test_the_area_of_two_classes_is_the_usual_one(yes_or_no):
    """The same, whichever of the two is looked for."""
    scores, positive = yes_or_no.probabilities[:, 1], yes_or_no.classes == 1
    assert yes_or_no.auc == pytest.approx(roc_auc(positive, scores))
    np.testing.assert_allclose(yes_or_no.auc_by_class, yes_or_no.auc)
    assert yes_or_no.auc_standard_error == pytest.approx(auc_standard_error(positive, scores))


def test_a_class_without_samples_has_no_area(answers):
    """The mean is that of the others."""
    some = answers.classes != 2
    without = ClassProbabilities("abc", answers.classes[some], answers.probabilities[some])
    assert np.isnan(without.auc_by_class[2])
    assert without.auc == pytest.approx(without.auc_by_class[:2].mean())
    alone = ClassProbabilities("abc", np.array([1]), np.array([[0.2, 0.5, 0.3]]))
    assert np.isnan(alone.auc)
    assert alone.brier == pytest.approx(0.04 + 0.25 + 0.09)


def test_calibration_is_of_a_class_or_of_the_answer(answers):
    """By default it asks how often the answer is right, and how sure it was."""
    right = answers.probabilities.argmax(axis=1) == answers.classes
    curve = answers.calibration(bins=5)
    assert curve.counts @ curve.observed == pytest.approx(right.sum())
    assert curve.counts @ curve.predicted == pytest.approx(answers.probabilities.max(axis=1).sum())
    curve = answers.calibration("b", by="count")
    assert curve.counts @ curve.observed == pytest.approx((answers.classes == 1).sum())
    assert answers.calibration_error == answers.calibration().error
    with pytest.raises(ChoiceError, match="a, b, c"):
        answers.calibration("d")
    with pytest.raises(ChoiceError):
        answers.roc("d")


def test_the_roc_curve_is_that_of_a_class(answers):
    """It ends at 1, 1 and encloses the class's area."""
    curve = answers.roc("c")
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(answers.auc_by_class[2])


def test_the_bootstrap_repeats_from_its_seed_and_agrees_with_delong(yes_or_no):
    """Two errors to either side, about, of which the area is in the middle."""
    low, high = yes_or_no.auc_interval(resamples=600)
    assert (low, high) == yes_or_no.auc_interval(resamples=600)
    assert (low, high) != yes_or_no.auc_interval(resamples=600, seed=1)
    assert low < yes_or_no.auc < high
    assert (high - low) / 2 == pytest.approx(1.96 * yes_or_no.auc_standard_error, rel=0.15)


def test_the_bootstrap_of_a_mean_is_the_textbook_s():
    """The standard error of a mean is s / sqrt(n); strata keep their sizes."""
    values = np.random.default_rng(0).normal(size=100)
    one = np.zeros(100, dtype=np.int64)
    low, high = bootstrap_interval(lambda rows: values[rows].mean(), one, resamples=2000)
    assert (high - low) / 2 == pytest.approx(1.96 * values.std() / 10, rel=0.1)
    two = np.repeat([0, 1], 50)
    counts = bootstrap_interval(lambda rows: float((rows < 50).sum()), two, resamples=20)
    assert counts == (50.0, 50.0)


@pytest.mark.parametrize("options", [{"level": 1.0}, {"level": 0.0}, {"resamples": 0}])
def test_an_interval_that_means_nothing_is_refused(yes_or_no, options):
    """Neither all nor none of the draws, and at least one."""
    with pytest.raises(ParameterError):
        yes_or_no.auc_interval(**options)
