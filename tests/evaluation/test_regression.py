"""RMSE, MAE and R2, held against scikit-learn and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralframe.evaluation.regression import mae, median_absolute_error, r2, r2_in_words, rmse
from neuralframe.evaluation.reports import RegressionReport
from neuralframe.exceptions import DataError, NonFiniteError, ShapeError

numbers = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))
tables = arrays(np.float64, (2, 12, 2), elements=numbers, unique=True)


@settings(deadline=None, max_examples=50)
@given(tables)
def test_each_column_has_the_values_of_scikit_learn(table):
    """Column by column, not averaged."""
    metrics = pytest.importorskip("sklearn.metrics")
    true, predicted = table
    each = {"multioutput": "raw_values"}
    np.testing.assert_allclose(
        rmse(true, predicted), metrics.mean_squared_error(true, predicted, **each) ** 0.5
    )
    np.testing.assert_allclose(mae(true, predicted), metrics.mean_absolute_error(true, predicted, **each))
    np.testing.assert_allclose(
        median_absolute_error(true, predicted), metrics.median_absolute_error(true, predicted, **each)
    )
    np.testing.assert_allclose(r2(true, predicted), metrics.r2_score(true, predicted, **each), atol=1e-9)


def test_by_hand():
    """Differences 0, 0 and 3; the truth varies by 8 about its mean of 4."""
    true, predicted = [2, 4, 6], [2, 4, 9]
    assert rmse(true, predicted) == pytest.approx(np.sqrt(3))
    assert mae(true, predicted) == pytest.approx(1)
    assert median_absolute_error(true, predicted) == 0
    assert r2(true, predicted) == pytest.approx(1 - 9 / 8)


def test_predicting_the_mean_explains_nothing():
    """R2 is 0 for the mean and 1 for the truth."""
    true = np.array([1.0, 5.0, 9.0])
    assert r2(true, np.full(3, 5.0)) == pytest.approx(0)
    assert r2(true, true) == 1


@pytest.mark.parametrize("value", [0.1, 7.0])
def test_where_the_truth_does_not_vary_r2_means_nothing(value):
    """NaN and no warning, even where rounding makes the mean differ from all of its terms."""
    assert np.isnan(r2([value] * 3, [value, value, value + 1]))


@pytest.mark.parametrize("measure", [rmse, mae, median_absolute_error, r2])
@pytest.mark.parametrize(
    ("true", "predicted", "error"),
    [
        ([1.0], [1.0, 2.0], ShapeError),
        (np.ones((2, 1)), np.ones((2, 2)), ShapeError),
        (np.ones((0, 1)), np.ones((0, 1)), DataError),
        ([np.nan], [1.0], NonFiniteError),
        ([1.0], [np.inf], NonFiniteError),
    ],
)
def test_what_cannot_be_compared_is_refused(measure, true, predicted, error):
    """No broadcasting, no NaN from nowhere."""
    with pytest.raises(error):
        measure(true, predicted)


def test_a_share_that_means_nothing_is_a_dash():
    """One sample has no spread; no NaN is shown to people."""
    report = RegressionReport.of(0.5, [[1.0]], [[2.0]], ["mass"])
    assert str(report) == "1 sample, error 0.5\nmass: RMSE 1, MAE 1 (median 1), R2 -"
    assert r2_in_words(0.5) == "0.5000"
