"""ROC curves and the areas under them, held against scikit-learn, pairs counted one by one, and a paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralframe.evaluation.ranking import auc_standard_error, roc_auc, roc_curve
from neuralframe.exceptions import NonFiniteError, ShapeError

# few different scores, so that there are ties
samples = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)
both_kinds = samples.filter(lambda pairs: {flag for flag, _ in pairs} == {False, True})


def columns(pairs):
    flags, scores = zip(*pairs, strict=True)
    return np.array(flags), np.array(scores, dtype=float)


@settings(deadline=None, max_examples=80)
@given(both_kinds)
def test_the_area_is_that_of_scikit_learn_and_of_all_pairs(pairs):
    """A tie counts half."""
    metrics = pytest.importorskip("sklearn.metrics")
    flags, scores = columns(pairs)
    above = scores[flags][:, np.newaxis] - scores[~flags]
    assert roc_auc(flags, scores) == pytest.approx(((above > 0) + (above == 0) / 2).mean())
    assert roc_auc(flags, scores) == pytest.approx(metrics.roc_auc_score(flags, scores))


@settings(deadline=None, max_examples=60)
@given(both_kinds)
def test_the_curve_is_that_of_scikit_learn(pairs):
    """With every threshold kept; the trapezoids below it add up to the area."""
    metrics = pytest.importorskip("sklearn.metrics")
    flags, scores = columns(pairs)
    found = roc_curve(flags, scores)
    false, true, thresholds = metrics.roc_curve(flags, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive_rate, false)
    np.testing.assert_allclose(found.true_positive_rate, true)
    np.testing.assert_array_equal(found.thresholds, thresholds)
    area = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
    assert area == pytest.approx(roc_auc(flags, scores))


@settings(deadline=None, max_examples=40)
@given(both_kinds)
def test_only_the_order_of_scores_counts(pairs):
    """Any rising function of them has the same area; turned round, it is the rest to 1."""
    flags, scores = columns(pairs)
    assert roc_auc(flags, np.exp(scores)) == roc_auc(flags, scores)
    assert roc_auc(flags, -scores) == pytest.approx(1 - roc_auc(flags, scores))
    assert roc_auc(~flags, -scores) == pytest.approx(roc_auc(flags, scores))


@pytest.mark.parametrize("flags", [[True, True], [False, False]])
def test_without_both_kinds_there_is_no_area(flags):
    """NaN, and no warning."""
    assert np.isnan(roc_auc(flags, [0.0, 1.0]))
    assert np.isnan(auc_standard_error(flags, [0.0, 1.0]))
    assert np.isnan(roc_curve(flags, [0.0, 1.0]).false_positive_rate).any() or not all(flags)


def test_the_standard_error_is_delong_s():
    """The two sample variances of DeLong's placements, worked out pair by pair."""
    random = np.random.default_rng(1)
    flags = random.random(60) < 0.4
    scores = np.round(random.normal(size=60) + flags, 1)
    wins = np.heaviside(scores[flags][:, np.newaxis] - scores[~flags], 0.5)
    by_positive, by_negative = wins.mean(axis=1), wins.mean(axis=0)
    variance = by_positive.var(ddof=1) / flags.sum() + by_negative.var(ddof=1) / (~flags).sum()
    assert auc_standard_error(flags, scores) == pytest.approx(np.sqrt(variance))


def test_the_standard_error_is_the_spread_of_areas_over_many_draws():
    """Of 400 samples of 200, drawn from two normal distributions."""
    random = np.random.default_rng(2)
    flags = np.arange(200) < 60
    draws = [random.normal(size=200) + flags for _ in range(400)]
    spread = np.std([roc_auc(flags, scores) for scores in draws])
    errors = [auc_standard_error(flags, scores) for scores in draws[:50]]
    assert np.mean(errors) == pytest.approx(spread, rel=0.12)


@pytest.mark.parametrize(
    ("flags", "scores", "error"),
    [
        ([True], [0.1, 0.2], ShapeError),
        ([[True]], [[0.1]], ShapeError),
        ([True, False], [0.1, np.nan], NonFiniteError),
    ],
)
def test_what_cannot_be_ranked_is_refused(flags, scores, error):
    """A NaN has no place in an order."""
    with pytest.raises(error):
        roc_auc(flags, scores)
