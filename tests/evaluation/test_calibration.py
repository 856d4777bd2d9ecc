"""Log loss, Brier score and calibration, held against scikit-learn and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralframe.evaluation.calibration import SMALLEST, brier_score, calibration_curve, log_loss
from neuralframe.exceptions import ChoiceError, DataError, NonFiniteError, ParameterError, ShapeError

weights = arrays(np.float64, (12, 3), elements=st.floats(0.01, 1.0))
classes = arrays(np.int64, 12, elements=st.integers(0, 2))
# Of 24 samples no quantile of at most 12 bins falls on one, where rounding would decide.
shares = arrays(np.float64, 24, elements=st.floats(0.0, 1.0).map(lambda share: round(share, 2)))
flags = arrays(np.bool_, 24)


@settings(deadline=None, max_examples=50)
@given(classes, weights)
def test_log_loss_is_that_of_scikit_learn(true, drawn):
    """Classes that do not occur have columns all the same."""
    metrics = pytest.importorskip("sklearn.metrics")
    given_ = drawn / drawn.sum(axis=1, keepdims=True)
    assert log_loss(true, given_) == pytest.approx(metrics.log_loss(true, given_, labels=[0, 1, 2]))


@settings(deadline=None, max_examples=50)
@given(flags, shares)
def test_the_brier_score_of_two_classes_is_that_of_scikit_learn(happened, share):
    """The mean square of what was said minus what came."""
    metrics = pytest.importorskip("sklearn.metrics")
    found = brier_score(happened.astype(int), np.stack([1 - share, share], axis=1))
    assert found == pytest.approx(metrics.brier_score_loss(happened, share, pos_label=True))


def test_scores_by_hand():
    """Three classes: squares add up over all columns."""
    given_ = [[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]
    assert log_loss([0, 2], given_) == pytest.approx(np.log(2) / 2)
    assert brier_score([0, 2], given_) == pytest.approx((0.25 + 2 * 0.0625) / 2)
    assert brier_score([1, 1], given_) == pytest.approx((0.25 + 0.5625 + 0.0625 + 2) / 2)


def test_what_was_called_impossible_does_not_cost_infinitely_much():
    """One such sample among many must not hide the rest."""
    assert log_loss([1], [[1.0, 0.0]]) == pytest.approx(-np.log(SMALLEST))


@settings(deadline=None, max_examples=60)
@given(flags, shares, st.integers(1, 12), st.sampled_from(["width", "count"]))
def test_the_curve_is_that_of_scikit_learn(happened, share, bins, by):
    """Values on a border included; bins without samples are left out."""
    calibration = pytest.importorskip("sklearn.calibration")
    strategy = {"width": "uniform", "count": "quantile"}[by]
    observed, predicted = calibration.calibration_curve(
        happened, share, n_bins=bins, strategy=strategy, pos_label=True
    )
    found = calibration_curve(happened, share, bins=bins, by=by)
    np.testing.assert_allclose(found.observed, observed)
    np.testing.assert_allclose(found.predicted, predicted)
    assert found.counts.sum() == 24


def test_the_calibration_error_by_hand():
    """Three samples of 0.2, one of which came; one of 0.9 that came: (3 * |1/3 - 0.2| + 0.1) / 4."""
    found = calibration_curve([True, False, False, True], [0.2, 0.2, 0.2, 0.9])
    assert found.counts.tolist() == [3, 1]
    assert found.error == pytest.approx((3 * abs(1 / 3 - 0.2) + 0.1) / 4)


def test_frequencies_are_calibrated():
    """Whoever says 30 % is right if it happens three times in ten."""
    assert calibration_curve([True] * 3 + [False] * 7, [0.3] * 10).error == pytest.approx(0)


@pytest.mark.parametrize(
    ("true", "given_", "error", "says"),
    [
        ([0], [0.5, 0.5], ShapeError, "a row for each"),
        ([0, 1], [[0.5, 0.5]], ShapeError, "a row for each"),
        ([], np.ones((0, 2)), DataError, "at least one sample"),
        ([2], [[0.5, 0.5]], DataError, "class 2"),
        ([0], [[1.5, -0.5]], DataError, "-0.5 to 1.5"),
        ([0], [[np.nan, 0.5]], NonFiniteError, "probabilities"),
    ],
)
@pytest.mark.parametrize("score", [log_loss, brier_score])
def test_what_is_no_probability_is_refused(score, true, given_, error, says):
    """The message has what was found."""
    with pytest.raises(error, match=says):
        score(np.array(true, dtype=int), given_)


def test_bins_are_checked():
    """There is at least one, and two ways to make them."""
    with pytest.raises(ParameterError, match="bins"):
        calibration_curve([True], [0.5], bins=0)
    with pytest.raises(ChoiceError, match="width"):
        calibration_curve([True], [0.5], by="quantile")
