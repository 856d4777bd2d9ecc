"""Folds: everybody is tested once, sizes and classes are level, and seeds repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralframe.evaluation.folds import k_folds, stratified_folds
from neuralframe.exceptions import DataError, ParameterError


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 60), st.integers(2, 12), st.integers(0, 5))
def test_every_sample_is_in_one_fold_and_sizes_differ_by_one_at_most(n_samples, folds, seed):
    """Ascending, so that samples stay in the order of the data."""
    if folds > n_samples:
        with pytest.raises(DataError, match="fewer folds"):
            k_folds(n_samples, folds, seed=seed)
        return
    parts = k_folds(n_samples, folds, seed=seed)
    assert sorted(np.concatenate(parts)) == list(range(n_samples))
    assert len(parts) == folds
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all((np.diff(part) > 0).all() for part in parts)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(5, 23), min_size=1, max_size=4), st.integers(2, 5), st.integers(0, 3))
def test_each_fold_has_its_share_of_each_class(sizes, folds, seed):
    """Give or take one, in each class and in all."""
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    parts = stratified_folds(classes, folds, seed=seed)
    counts = np.array([np.bincount(classes[part], minlength=len(sizes)) for part in parts])
    assert sorted(np.concatenate(parts)) == list(range(len(classes)))
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_the_same_seed_gives_the_same_folds():
    """Another gives others."""
    classes = np.repeat([0, 1], 20)
    for deal in (
        lambda seed: k_folds(40, 4, seed=seed),
        lambda seed: stratified_folds(classes, 4, seed=seed),
    ):
        first, again, other = deal(7), deal(7), deal(8)
        assert all(map(np.array_equal, first, again))
        assert not all(map(np.array_equal, first, other))


def test_as_many_folds_as_samples_leave_one_out():
    """Each fold is one sample."""
    assert sorted(int(part[0]) for part in k_folds(9, 9, seed=0)) == list(range(9))


def test_every_sample_is_as_likely_in_any_fold():
    """The first sample's fold is drawn."""
    where = [next(i for i, part in enumerate(k_folds(6, 3, seed=seed)) if 0 in part) for seed in range(600)]
    assert np.bincount(where).min() > 150


def test_a_class_that_is_too_rare_is_named():
    """And what to do about it."""
    with pytest.raises(DataError, match=r"class 'rare' has 3 sample.*take 3 folds, or do not stratify"):
        stratified_folds([0] * 20 + [1] * 3, 5, labels=("common", "rare"))
    with pytest.raises(DataError, match=r"class 1 has 1 sample.*leave it out"):
        stratified_folds(np.array([0, 0, 1]), 2)


@pytest.mark.parametrize("folds", [0, 1, -3, 2.5, True])
def test_fewer_than_two_folds_are_refused(folds):
    """There must be something to learn from and something to test."""
    with pytest.raises(ParameterError, match="folds"):
        k_folds(10, folds)
    with pytest.raises(ParameterError, match="folds"):
        stratified_folds([0] * 10, folds)


def test_a_rare_class_without_labels_is_named_too():
    with pytest.raises(DataError, match="'b'"):
        stratified_folds(["a", "b", "a"], 2)
