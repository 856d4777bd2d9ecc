"""The data set."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data.columns import CategoryColumn, NumberColumn
from neuralframe.data.data_set import DataSet
from neuralframe.data.encoding import Encoding
from neuralframe.data.normalizers import MinMaxScaler, Standardizer
from neuralframe.data.targets import ClassTarget, NumberTarget
from neuralframe.exceptions import (
    ChoiceError,
    DataError,
    LabelError,
    NonFiniteError,
    ParameterError,
    ShapeError,
)

ENCODING = Encoding(
    [CategoryColumn("sex", ["F", "M"]), NumberColumn("age")], ClassTarget("ill", ["no", "yes"])
)


def classified(counts, seed=0):
    """Return a data set with so many samples of each class, in random order."""
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return DataSet(np.arange(len(labels))[:, None], np.eye(len(counts))[labels])


def test_arrays_pass_through_without_a_copy():
    """float64 and float32 are views of the caller's arrays; they cannot be written to."""
    for dtype in (np.float64, np.float32):
        x, y = np.ones((3, 2), dtype), np.ones((3, 1), dtype)
        data = DataSet(x, y)
        assert np.shares_memory(data.inputs, x)
        assert np.shares_memory(data.targets, y)
        assert data.inputs.dtype == data.targets.dtype == dtype
        assert x.flags.writeable
        assert not data.inputs.flags.writeable


def test_other_types_become_float64_and_targets_follow_inputs():
    """Whole numbers are converted; a vector of targets is one column."""
    data = DataSet([[1, 2], [3, 4]], [True, False])
    assert data.inputs.dtype == data.targets.dtype == np.float64
    assert data.targets.shape == (2, 1)
    assert DataSet(np.ones((2, 1), np.float32), np.ones(2)).targets.dtype == np.float32
    assert DataSet(np.asfortranarray(np.ones((3, 2))), np.ones(3)).inputs.flags.c_contiguous


@pytest.mark.parametrize(
    ("inputs", "targets", "error", "message"),
    [
        ([[1.0]], [1.0, 2.0], ShapeError, "inputs has 1 rows and targets 2"),
        ([1.0, 2.0], [1.0, 2.0], ShapeError, r"shape \(2,\)"),
        ([[1.0], [2.0, 3.0]], [1.0, 2.0], ShapeError, "rectangular"),
        ([["a"]], [1.0], ShapeError, "must be numbers"),
        (np.empty((0, 2)), np.empty(0), DataError, "at least one sample"),
        (np.empty((2, 0)), np.empty(2), DataError, "one input"),
        ([[1.0], [np.inf]], [1.0, 2.0], NonFiniteError, "inputs: inf at row 1, column 0"),
        ([[1.0], [2.0]], [1.0, np.nan], NonFiniteError, "targets: nan at row 1, column 0"),
    ],
)
def test_unusable_arrays_are_refused(inputs, targets, error, message):
    """The message says what is wrong and where."""
    with pytest.raises(error, match=message):
        DataSet(inputs, targets)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0], ShapeError, r"expected \(2,\)"),
        ([1.0, -1.0], DataError, "-1.0 at row 1"),
        ([0.0, 0.0], DataError, "all are 0"),
        ([1.0, np.nan], NonFiniteError, "position 1"),
        ([1e308, 1e308], NonFiniteError, "overflows"),
    ],
)
def test_unusable_sample_weights_are_refused(weights, error, message):
    """They must fit, be finite and not negative, and add up to something."""
    with pytest.raises(error, match=message):
        DataSet([[1.0], [2.0]], [1.0, 2.0], weights)


def test_the_encoding_names_the_columns():
    """A bad value is reported under the column's name, and the widths must fit."""
    with pytest.raises(NonFiniteError, match="row 0, column 'age'"):
        DataSet([[1, 0, np.nan]], [[1, 0]], encoding=ENCODING)
    with pytest.raises(ShapeError, match=r"3 input\(s\) and 2 target\(s\)"):
        DataSet([[1, 0]], [[1, 0]], encoding=ENCODING)
    data = DataSet([[1, 0, 30], [0, 1, 40]], [[1, 0], [0, 1]], encoding=ENCODING)
    assert data.input_names == ("sex=F", "sex=M", "age")
    assert data.class_labels == ("no", "yes")
    assert data.input_ranges.tolist() == [[0, 1], [0, 1], [30, 40]]


def test_classes_of_plain_arrays_are_recognised():
    """One 1 a row in two or more columns means classes; anything else does not."""
    data = DataSet(np.zeros((3, 1)), [[0, 1], [1, 0], [0, 1]])
    assert data.classes.tolist() == [1, 0, 1]
    assert data.class_counts == {"0": 1, "1": 2}
    for targets in ([0, 1, 1], [[0, 1], [1, 1], [0, 1]], [[0.5, 0.5]] * 3):
        plain = DataSet(np.zeros((3, 1)), targets)
        assert plain.class_labels is None
        with pytest.raises(DataError, match="numbers, not classes"):
            _ = plain.classes


def test_labels_become_classes_and_come_back():
    """Lists, arrays of texts and of objects; in the order that files have too: numbers as numbers."""
    labels = ["no", "10", "yes", "9", "no"]
    for targets in (labels, tuple(labels), np.array(labels), np.array(labels, dtype=object)):
        data = DataSet(np.zeros((5, 2), np.float32), targets)
        assert data.class_labels == ("9", "10", "no", "yes")
        assert data.classes.tolist() == [2, 1, 3, 0, 2]
        assert data.targets.tolist() == np.eye(4)[[2, 1, 3, 0, 2]].tolist()
        assert data.targets.dtype == np.float32
        assert data.encoding.decode(data.targets).tolist() == labels
        assert data.split(first=2)[1].class_labels == data.class_labels
        assert data.normalized("standardizer").encoding.class_labels == data.class_labels


def test_labels_are_encoded_as_an_encoding_says():
    """Its classes keep their places, and no other label is one of them."""
    inputs = [[1, 0, 30], [0, 1, 40]]
    data = DataSet(inputs, ["yes", "yes"], encoding=ENCODING)
    assert data.targets.tolist() == [[0, 1], [0, 1]]
    assert data.encoding is ENCODING
    with pytest.raises(LabelError, match=r"label 'maybe' at row 1, which .* It knew 'no', 'yes'"):
        DataSet(inputs, ["yes", "maybe"], encoding=ENCODING)
    numbers = Encoding(ENCODING.columns, NumberTarget(["dose"]))
    with pytest.raises(DataError, match="texts such as 'yes'; in this encoding they are numbers"):
        DataSet(inputs, ["yes", "no"], encoding=numbers)
    assert DataSet(inputs, ["b", "a"], encoding=Encoding(ENCODING.columns)).input_names[2] == "age"


def test_labels_that_are_no_labels_are_refused():
    """Gaps, tables of texts, and texts among numbers."""
    with pytest.raises(DataError, match=r"label '[?]' at row 1, which stands for a missing value"):
        DataSet(np.zeros((2, 1)), ["a", "?"])
    with pytest.raises(ShapeError, match=r"shape \(2, 2\); labels of classes are a vector"):
        DataSet(np.zeros((2, 1)), [["a", "b"], ["a", "b"]])
    with pytest.raises(ShapeError, match="rows and targets 1"):
        DataSet(np.zeros((2, 1)), ["a"])
    with pytest.raises(ShapeError, match="must be numbers"):
        DataSet(np.zeros((2, 1)), np.array(["a", 1.0], dtype=object))


def test_a_network_learns_labels_and_answers_with_them():
    """From arrays as from a file."""
    data = DataSet([[0.0], [1.0], [10.0], [11.0]], ["low", "low", "high", "high"]).normalized("standardizer")
    network = nf.MultilayerPerceptron.for_data(data, seed=0)
    network.learn(data, stop=nf.MaxIterations(30))
    assert network.predict([[0.5], [10.5]]).tolist() == ["low", "high"]


def test_one_class_only_is_an_error_for_a_classifier():
    """Whether the class is one-hot or a single output."""
    with pytest.raises(DataError, match="one class only: 2 samples with '1'"):
        DataSet([[1.0], [2.0]], [[0, 1], [0, 1]]).require_classes()
    with pytest.raises(DataError, match="one class only"):
        DataSet([[1.0], [2.0]], [1, 1]).require_classes()
    DataSet([[1.0], [2.0]], [0, 1]).require_classes()


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 100),
)
def test_a_stratified_split_keeps_every_class_share(counts, share, seed):
    """Within one sample, each sample in one part, single samples in the first, sizes right."""
    data = classified(counts)
    try:
        first, second = data.split(share, seed=seed)
    except DataError:
        assert round(share * data.n_samples) in (0, data.n_samples) or max(counts) <= 2
        return
    ids = np.concatenate([first.inputs, second.inputs])[:, 0]
    assert sorted(ids) == list(range(data.n_samples))
    in_first = np.bincount(first.targets.argmax(axis=1), minlength=len(counts))
    for count, kept in zip(counts, in_first, strict=True):
        assert kept == 1 if count == 1 else abs(kept - share * count) < 1
    if 1 not in counts:
        assert first.n_samples == round(share * data.n_samples)


def test_a_split_is_repeatable_and_keeps_the_order():
    """The same seed gives the same parts; samples stay in the order of the file."""
    data = DataSet(np.arange(100)[:, None], np.arange(100.0), np.arange(1, 101))
    first, second = data.split(0.75, seed=3)
    again, _ = data.split(0.75, seed=3)
    other, _ = data.split(0.75, seed=4)
    assert (first.n_samples, second.n_samples) == (75, 25)
    assert np.array_equal(first.inputs, again.inputs)
    assert not np.array_equal(first.inputs, other.inputs)
    assert (np.diff(first.inputs[:, 0]) > 0).all()
    assert np.array_equal(first.sample_weights, first.inputs[:, 0] + 1)


def test_a_split_by_position_takes_the_first_rows():
    """As the literature's split of Abalone does."""
    first, second = DataSet(np.arange(5)[:, None], np.arange(5)).split(first=3)
    assert first.inputs[:, 0].tolist() == [0, 1, 2]
    assert second.inputs[:, 0].tolist() == [3, 4]


@pytest.mark.parametrize(
    "arguments", [{}, {"share": 0.5, "first": 2}, {"share": 0}, {"share": 1}, {"first": 0}, {"first": 4}]
)
def test_impossible_splits_are_refused(arguments):
    """Both parts need samples, and one rule must say which."""
    with pytest.raises(ParameterError, match="split"):
        DataSet(np.zeros((4, 1)), np.zeros(4)).split(**arguments)


def test_a_split_that_empties_a_part_is_refused():
    """A tenth of four samples is none; both shares are named, for either may be what was asked for."""
    with pytest.raises(DataError, match=r"4 samples in shares of 0.1 and 0.9 leaves a part empty"):
        DataSet(np.zeros((4, 1)), np.zeros(4)).split(0.1, seed=0)
    with pytest.raises(DataError, match="not classes"):
        DataSet(np.zeros((4, 1)), np.arange(4)).split(0.5, stratify=True)


def test_rows_by_position_and_by_mask():
    """Out of range or empty choices are errors of ours."""
    data = DataSet([[0.0], [1.0], [2.0]], [0, 1, 2], [1, 2, 3], block_size=2)
    chosen = data.rows([2, 0])
    assert (chosen.inputs[:, 0].tolist(), chosen.sample_weights.tolist()) == ([2, 0], [3, 1])
    assert chosen.block_size == 2
    assert data.rows([False, True, False]).targets.tolist() == [[1]]
    for bad in ([], [3], [0.5], [True], [[0]]):
        with pytest.raises(DataError):
            data.rows(bad)


def test_changed_copies():
    """shuffled, with_block_size, with_sample_weights and astype leave the original alone."""
    data = DataSet(np.arange(50)[:, None], np.arange(50))
    shuffled = data.shuffled(seed=1)
    assert np.array_equal(shuffled.inputs, data.shuffled(seed=1).inputs)
    assert np.array_equal(shuffled.inputs, shuffled.targets)
    assert not np.array_equal(shuffled.inputs, data.inputs)
    assert len(data.with_block_size(8).blocks) == 7
    assert data.with_block_size(8).with_block_size(None).block_size == 4096
    assert data.with_sample_weights(np.ones(50)).sample_weights.sum() == 50
    narrow = data.astype("float32")
    assert narrow.inputs.dtype == narrow.targets.dtype == np.float32
    with pytest.raises(ChoiceError):
        data.astype("int32")


def test_what_float32_cannot_hold_is_refused():
    """Not turned into infinity."""
    with pytest.raises(NonFiniteError, match="inputs: inf at row 0"):
        DataSet([[1e300]], [1.0]).astype("float32")
    with pytest.raises(NonFiniteError, match="targets: -inf at row 0"):
        DataSet([[1.0]], [-1e300]).astype("float32")


def test_repr_and_length():
    """One short line."""
    data = DataSet(np.zeros((2, 1)), [[1, 0], [0, 1]], [1, 2])
    assert repr(data) == "DataSet(2 samples, 1 input, 2 classes, float64, 1 block, weighted)"
    assert len(data) == 2
    assert np.array_equal(pickle.loads(pickle.dumps(data)).targets, data.targets)


def test_normalizers_are_learnt_from_the_training_data_only():
    """The test data is normalized like the training data; the encoding keeps the normalizers."""
    x = np.random.default_rng(0).normal(3, 2, (20, 2))
    train, test = DataSet(x, x[:, 0] * 10 + 5).split(first=15)
    normalized = train.normalized(Standardizer(), "min_max_scaler")
    np.testing.assert_allclose(normalized.inputs, (x[:15] - x[:15].mean(0)) / x[:15].std(0))
    assert normalized.targets.min() == pytest.approx(-1)
    same = test.normalized(like=normalized)
    np.testing.assert_allclose(same.inputs, (x[15:] - x[:15].mean(0)) / x[:15].std(0))
    np.testing.assert_allclose(same.encoding.decode(same.targets), test.targets)
    fitted = normalized.encoding.input_normalizer
    assert np.array_equal(test.normalized(fitted).inputs, same.inputs)
    assert train.encoding is None


def test_impossible_normalizations_are_refused():
    """Twice, classes, nothing at all, or like something that is not normalized."""
    huge = Encoding([NumberColumn("mass"), NumberColumn("price")], NumberTarget(["rate"]))
    with pytest.raises(NonFiniteError, match=r"column 'price' are too large, up to 1.7e\+308"):
        DataSet([[1, 1.7e308], [2, -1.7e308]], [1, 2], encoding=huge).normalized("standardizer")
    with pytest.raises(NonFiniteError, match="column 'rate' are too large"):
        DataSet([[1, 1], [2, 2]], [1.7e308, -1.7e308], encoding=huge).normalized(targets="min_max_scaler")
    data = DataSet([[0.0], [1.0]], [[1, 0], [0, 1]])
    once = data.normalized(MinMaxScaler)
    assert once.class_labels == ("0", "1")
    with pytest.raises(DataError, match="normalized already, by MinMaxScaler"):
        once.normalized("standardizer")
    with pytest.raises(DataError, match="targets are classes"):
        data.normalized(targets="standardizer")
    with pytest.raises(DataError, match="not normalized itself"):
        data.normalized(like=data)
    with pytest.raises(ParameterError):
        data.normalized()
    with pytest.raises(ParameterError):
        data.normalized("standardizer", like=once)


def test_targets_can_be_normalized_after_the_inputs():
    """Each side once."""
    data = DataSet([[0.0], [2.0]], [[1.0, 5.0], [3.0, 9.0]])
    both = data.normalized("standardizer").normalized(targets="standardizer")
    assert both.inputs[:, 0].tolist() == [-1, 1]
    assert both.targets.tolist() == [[-1, -1], [1, 1]]
    assert both.encoding.target == NumberTarget(["target 1", "target 2"])
