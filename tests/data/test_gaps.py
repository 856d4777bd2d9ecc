"""What was filled in can be filled in anew by a part of the samples, as if nothing else had been read."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data.columns import NumberColumn
from neuralframe.data.gaps import fill_of

LINES = [
    "1,red,10,a", "2,,20,b", "?,blue,30,a", "4,blue,,b", "50,red,50,a", "6,red,60,b", "?,?,70,a",
    "8,blue,80,b", "9,blue,90,a", "9,blue,1,b",
]  # fmt: skip


def read(folder, lines, **options):
    path = folder / "some.csv"
    path.write_text("\n".join(["x,colour,y,kind", *lines]) + "\n", encoding="utf-8")
    return nf.DataSet.from_csv(path, "kind", **options)


@pytest.mark.parametrize("missing", ["mean", "median", "most_frequent"])
@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [2, 5, 6, 8, 9], list(range(10))])
def test_a_part_filled_in_anew_is_the_part_read_by_itself(tmp_path, missing, rows):
    """To the last bit, the fill-ins of the encoding included."""
    part = read(tmp_path, LINES, missing=missing).rows(rows).refilled()
    alone = read(tmp_path, [LINES[row] for row in rows], missing=missing)
    np.testing.assert_array_equal(part.inputs, alone.inputs)
    np.testing.assert_array_equal(part.gaps.filled, alone.gaps.filled)
    assert part.encoding == alone.encoding


def test_others_take_over_what_a_part_has_learnt(tmp_path):
    """As a file is read with the encoding of another."""
    data = read(tmp_path, LINES, missing="median")
    training, test = data.rows([0, 1, 3, 4, 5]).refilled(), data.rows([2, 6, 7])
    expected = read(tmp_path, [LINES[row] for row in (2, 6, 7)], encoding=training.encoding)
    filled = test.refilled(like=training)
    np.testing.assert_array_equal(filled.inputs, expected.inputs)
    assert filled.encoding == training.encoding
    assert not np.array_equal(filled.inputs, test.inputs)


def test_what_is_known_is_left_alone(tmp_path):
    """Only gaps are filled."""
    data = read(tmp_path, LINES, missing="mean")
    part = data.rows([0, 2, 4, 6])
    known = ~part.gaps.filled
    np.testing.assert_array_equal(part.refilled().inputs[known], part.inputs[known])
    assert (
        data.gaps.filled.sum() == 2 * 1 + 2 * 2 + 1
    )  # two numbers, two colours of two inputs each, a number


def test_gaps_are_kept_wherever_rows_are(tmp_path):
    """Splitting, shuffling, weighting, another block size, another type."""
    data = read(tmp_path, LINES, missing="mean")
    shuffled = data.shuffled(seed=0).with_block_size(4).with_sample_weights(np.ones(10)).astype("float32")
    assert shuffled.gaps.filled.sum() == data.gaps.filled.sum()
    first, second = data.split(first=4)
    np.testing.assert_array_equal(np.vstack([first.gaps.filled, second.gaps.filled]), data.gaps.filled)
    assert shuffled.refilled().dtype == np.float32


def test_nothing_missing_means_nothing_to_do(tmp_path):
    """Where there are no gaps, or they were dropped or filled by another's encoding."""
    whole = [line for line in LINES if "?" not in line and ",," not in line]
    for data in (
        nf.DataSet([[1.0]], [1.0]),
        read(tmp_path, whole),
        read(tmp_path, whole, missing="mean"),
        read(tmp_path, LINES, missing="drop"),
        read(tmp_path, LINES, encoding=read(tmp_path, LINES, missing="mean").encoding),
    ):
        assert data.gaps is None
        assert data.refilled() is data


def test_normalized_samples_cannot_be_filled_in_anew(tmp_path):
    """Their gaps would get numbers in other units."""
    with pytest.raises(nf.DataError, match="normalized already"):
        read(tmp_path, LINES, missing="mean").normalized("standardizer").refilled()


def test_a_column_without_values_is_named(tmp_path):
    """There is nothing to learn from."""
    with pytest.raises(nf.DataError, match="'x' has no values"):
        read(tmp_path, LINES, missing="mean").rows([2, 6]).refilled()


def test_other_columns_are_refused(tmp_path):
    """Their fill-ins mean something else."""
    data = read(tmp_path, LINES, missing="mean")
    other = nf.DataSet([[1.0]], [1.0], encoding=nf.Encoding([NumberColumn("z")]))
    for wrong in (other, nf.DataSet([[1.0]], [1.0])):
        with pytest.raises(nf.DataError, match="other columns"):
            data.refilled(like=wrong)


def test_fill_ins_by_hand():
    """The smallest of the most frequent wins."""
    numbers = np.array([4.0, 1.0, 4.0, 1.0, 10.0])
    assert fill_of(numbers, "mean") == 4.0
    assert fill_of(numbers, "median") == 4.0
    assert fill_of(numbers, "most_frequent") == 1.0
