"""The confusion matrix, held against scikit-learn and counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralframe.evaluation.confusion_matrix import ConfusionMatrix, confusion_matrix, majority_share
from neuralframe.exceptions import DataError, LabelError, ParameterError, ShapeError

LABELS = ("a", "b", "c")
pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_counts_and_shares_are_those_of_scikit_learn(answers):
    """Rows are true classes, columns predicted ones; a share of nothing is NaN."""
    metrics = pytest.importorskip("sklearn.metrics")
    true, predicted = zip(*answers, strict=True)
    found = confusion_matrix(true, predicted, LABELS)
    scores = metrics.precision_recall_fscore_support(true, predicted, labels=LABELS, zero_division=np.nan)
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(true, predicted, labels=LABELS))
    np.testing.assert_allclose(found.precision, scores[0])
    np.testing.assert_allclose(found.recall, scores[1])
    assert found.accuracy == pytest.approx(metrics.accuracy_score(true, predicted))
    assert list(found.class_counts.values()) == scores[3].tolist()
    assert found.n_samples == len(answers)


@settings(deadline=None, max_examples=40)
@given(pairs)
def test_the_majority_share_is_the_accuracy_of_the_best_constant_answer(answers):
    """No constant answer does better, and one does as well."""
    true = [label for label, _ in answers]
    constant = [confusion_matrix(true, [label] * len(true), LABELS).accuracy for label in LABELS]
    assert confusion_matrix(true, true, LABELS).majority_share == pytest.approx(max(constant))


def test_a_matrix_by_hand():
    """Two a's, one of them taken for b; nothing was ever predicted to be c."""
    found = confusion_matrix(["a", "a", "c"], ["a", "b", "b"], LABELS)
    assert found.counts.tolist() == [[1, 1, 0], [0, 0, 0], [0, 1, 0]]
    assert found.recall[0] == 0.5
    assert np.isnan(found.recall[1])
    assert found.precision[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found.precision[2])


def test_the_table_is_aligned_and_complete():
    """All lines end in the same column or earlier, and long labels are not cut."""
    labels = ("x", "a very long label", "10")
    text = str(ConfusionMatrix(labels, np.array([[100000, 0, 1], [2, 3, 4], [0, 0, 0]])))
    title, header, *rows = text.splitlines()
    assert title == "rows: the true classes; columns: what was predicted"
    assert header.split() == ["x", "a", "very", "long", "label", "10", "samples", "recall", "precision"]
    assert {len(row) for row in rows} == {len(header)}
    assert rows[0].split() == ["x", "100000", "0", "1", "100001", "100.0%", "100.0%"]
    assert rows[2].split()[-2:] == ["-", "0.0%"]  # no sample, no recall


def test_the_table_of_ten_digits_fits_on_a_screen():
    """Eighty columns, with counts of three digits."""
    text = str(ConfusionMatrix(tuple("0123456789"), np.full((10, 10), 100)))
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("true", "predicted", "labels", "error", "says"),
    [
        (["a"], ["a", "b"], "ab", ShapeError, r"\(1,\) and \(2,\)"),
        ([["a"]], [["a"]], "ab", ShapeError, "lists"),
        ([], [], "ab", DataError, "no samples"),
        (["a", "d"], ["a", "b"], "ab", LabelError, "sample 1 has the label 'd'"),
        (["a"], ["b"], "a", LabelError, "sample 0 has the label 'b'"),
        (["a"], ["a"], "aa", DataError, "must differ"),
    ],
)
def test_what_cannot_be_counted_is_refused(true, predicted, labels, error, says):
    """The message names the sample, or both shapes."""
    with pytest.raises(error, match=says):
        confusion_matrix(true, predicted, list(labels))


def test_without_samples_there_is_no_majority():
    """It is no division by zero."""
    with pytest.raises(DataError):
        majority_share([0, 0])


@settings(deadline=None, max_examples=60)
@given(pairs, st.sampled_from([0.5, 1.0, 2.0]))
def test_summaries_are_those_of_scikit_learn(answers, beta):
    """Classes without samples, and classes that nobody predicted, are left out of means."""
    metrics = pytest.importorskip("sklearn.metrics")
    true, predicted = zip(*answers, strict=True)
    found = confusion_matrix(true, predicted, LABELS)
    rules = {"labels": LABELS, "zero_division": np.nan}
    np.testing.assert_allclose(
        found.f_score(beta), metrics.fbeta_score(true, predicted, beta=beta, average=None, **rules)
    )
    assert found.macro_f_score() == pytest.approx(
        metrics.f1_score(true, predicted, average="macro", **rules), nan_ok=True
    )
    assert found.macro_precision == pytest.approx(
        metrics.precision_score(true, predicted, average="macro", **rules)
    )
    assert found.balanced_accuracy == pytest.approx(
        metrics.recall_score(true, predicted, average="macro", **rules)
    )
    if len({*true, *predicted}) > 1:  # of one label scikit-learn warns
        assert found.mcc == pytest.approx(metrics.matthews_corrcoef(true, predicted), abs=1e-12)


def test_summaries_by_hand():
    """Ten N and two R, of which one is found, at the price of one false alarm."""
    found = ConfusionMatrix(("N", "R"), np.array([[9, 1], [1, 1]]))
    assert found.balanced_accuracy == pytest.approx((0.9 + 0.5) / 2)
    assert found.f_score()[1] == pytest.approx(0.5)
    assert found.f_score(2.0)[0] == pytest.approx(0.9)
    assert found.mcc == pytest.approx((9 * 1 - 1 * 1) / np.sqrt(10 * 2 * 10 * 2))


def test_a_constant_answer_tells_nothing():
    """However many classes there are, it hits one of them, and correlates with nothing."""
    found = confusion_matrix(["a", "b", "c"], ["a", "a", "a"], LABELS)
    assert found.balanced_accuracy == pytest.approx(1 / 3)
    assert found.mcc == 0.0


@pytest.mark.parametrize("beta", [-1.0, np.inf, np.nan])
def test_a_beta_that_means_nothing_is_refused(beta):
    """It weighs recall against precision."""
    with pytest.raises(ParameterError, match="beta"):
        confusion_matrix(["a"], ["a"], LABELS).f_score(beta)


def test_labels_may_be_numbers():
    assert confusion_matrix([0, 1, 1], [1, 1, 1], [0, 1]).counts.tolist() == [[0, 1], [0, 2]]
