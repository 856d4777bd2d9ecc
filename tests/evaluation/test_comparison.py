"""Paired tests, held against scipy, the binomial formula, and Nadeau and Bengio's correction by hand."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from neuralframe.evaluation.comparison import compare, mcnemar, paired_t, wilcoxon
from neuralframe.evaluation.scores import Score, corrected_standard_error
from neuralframe.exceptions import ChoiceError, DataError, ShapeError

figures = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=20).filter(
    lambda pairs: np.ptp([a - b for a, b in pairs]) > 1e-3
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_mcnemar_is_the_exact_binomial_test(pairs):
    """Twice the tail at or below the smaller count, at most 1."""
    first, second = np.array(pairs).T
    only = (first & ~second).sum(), (second & ~first).sum()
    n = sum(only)
    tail = sum(math.comb(n, k) for k in range(min(only) + 1)) / 2**n
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == only
    assert found.p_value == pytest.approx(min(1.0, 2 * tail))
    assert mcnemar(second, first).p_value == pytest.approx(found.p_value)


@settings(deadline=None, max_examples=50)
@given(figures)
def test_without_correction_it_is_scipy_s_paired_t_test(pairs):
    """For independent pairs."""
    first, second = np.array(pairs).T
    expected = stats.ttest_rel(first, second)
    found = paired_t(first, second)
    assert found.difference == pytest.approx((first - second).mean())
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_the_correction_widens_the_error_by_the_share_that_is_tested():
    """Ten times ten folds: 1/100 + 1/9 instead of 1/100."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 100))
    plain, corrected = paired_t(first, second), paired_t(first, second, test_share=1 / 9)
    assert corrected.standard_error / plain.standard_error == pytest.approx(math.sqrt(1 + 100 / 9))
    variance = (first - second).var(ddof=1)
    assert corrected.statistic == pytest.approx(
        (first - second).mean() / math.sqrt((0.01 + 1 / 9) * variance)
    )
    assert corrected.p_value == pytest.approx(2 * stats.t.sf(abs(corrected.statistic), 99))


def test_many_repeats_do_not_make_folds_certain():
    """The corrected error goes to a limit, the plain one to 0."""
    values = np.tile([0.0, 1.0], 5000)
    assert corrected_standard_error(values, 1 / 9) == pytest.approx(0.5 / 3, rel=1e-3)
    assert corrected_standard_error(values, 0.0) == pytest.approx(0.005, rel=1e-3)
    assert np.isnan(corrected_standard_error(np.array([1.0, np.nan]), 0.1))


def test_wilcoxon_is_scipy_s():
    """On the differences, those that are 0 left out."""
    random = np.random.default_rng(1)
    first, second = random.normal(size=(2, 12))
    expected = stats.wilcoxon(first, second)
    found = wilcoxon(first, second)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_what_is_the_same_does_not_differ():
    """The p-value is 1, and nothing is divided by 0; a constant difference is certain."""
    same = [0.5, 0.6, 0.7]
    assert paired_t(same, same).p_value == 1.0
    assert wilcoxon(same, same).p_value == 1.0
    assert mcnemar([1, 0], [1, 0]).p_value == 1.0
    assert paired_t([1.0, 2.0], [0.0, 1.0]).p_value == 0.0


def test_pairs_without_a_figure_are_left_out():
    """The AUC of a fold of one class is NaN."""
    assert paired_t([1.0, np.nan, 3.0, 5.0], [0.5, 0.5, 1.0, 2.0]) == paired_t(
        [1.0, 3.0, 5.0], [0.5, 1.0, 2.0]
    )


@pytest.mark.parametrize("test", [paired_t, wilcoxon, mcnemar])
def test_unlike_lengths_are_refused(test):
    """They are not pairs."""
    with pytest.raises(ShapeError):
        test([1, 0], [1, 0, 1])


def test_one_pair_is_too_few():
    """It has no spread."""
    with pytest.raises(DataError, match="two or more"):
        paired_t([1.0], [2.0])


@attrs.frozen(eq=False)
class Folds:
    """Stands in for a cross-validation."""

    by_fold: np.ndarray
    right: np.ndarray | None
    test_rows: tuple
    default_metric: str = "accuracy"
    targets: np.ndarray = attrs.field(factory=lambda: np.zeros(10))

    def score(self, name):
        if name != "accuracy":
            raise ChoiceError("score", name, ["accuracy"])
        return Score(name, self.by_fold, self.by_fold[:1], 0.25)


def test_two_results_are_compared_fold_by_fold():
    """First minus second; the samples are those of the first repeat."""
    rows = tuple(np.arange(10).reshape(5, 2))
    random = np.random.default_rng(0)
    first = Folds(random.random(5), random.random((1, 10)) < 0.8, rows)
    second = Folds(random.random(5), random.random((1, 10)) < 0.5, rows)
    found = compare(first, second)
    assert found.corrected_t == paired_t(first.by_fold, second.by_fold, test_share=0.25)
    assert found.mcnemar == mcnemar(first.right[0], second.right[0])
    assert "McNemar" in str(found)
    numbers = compare(attrs.evolve(first, right=None), attrs.evolve(second, right=None))
    assert numbers.mcnemar is None
    assert "McNemar" not in str(numbers)
    with pytest.raises(ChoiceError):
        compare(first, second, "speed")


def test_results_of_other_folds_are_refused():
    """They would not be pairs."""
    rows = tuple(np.arange(10).reshape(5, 2))
    first = Folds(np.ones(5), None, rows)
    with pytest.raises(DataError, match="the same data, folds, repeats and seed"):
        compare(first, attrs.evolve(first, test_rows=rows[::-1]))
