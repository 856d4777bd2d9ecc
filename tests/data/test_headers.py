"""Whether a first record is a header."""

from __future__ import annotations

from itertools import product

import pytest

from neuralframe.data.csv_reader import read_inputs
from neuralframe.data.data_set import DataSet
from neuralframe.data.headers import guess_header
from neuralframe.exceptions import RecordError


def table(text):
    """Return the records of a text, ``"a b / c d"``."""
    return [line.split() for line in text.split("/")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sex ill / M no / F no / M yes / F yes", True),
        ("name ill / ann no / bob no / carl yes / dora yes", False),
        ("sex ill / M no / F no / M yes / F ill", False),
        ("sex sex / M no / F no / M yes / F yes", False),
        ("sex 7 / M no / F no / M yes / F yes", False),
        ("sex ? / M no / F no / M yes / F yes", False),
        ("M yes / M no / F no / M no / F no", False),
        ("ann yes / bob no / carl no", False),
        ("sex ill", True),
        ("sex ill / M no / F no / M yes / F yes / M yes / F no / M no / F yes / F perhaps", True),
        ("M unknown / F 0.0 / M 0.1 / F 0.2 / M 0.3 / F 0.5", False),
        ("M 3", False),
        ("M M", False),
        ("M ?", False),
    ],
)
def test_a_first_record_of_texts_must_stand_apart(text, expected):
    """Different texts that nowhere come again, above columns that repeat theirs often enough."""
    assert guess_header(table(text)) is expected


@pytest.mark.parametrize(("n_records", "expected"), [(18, False), (19, True)])
def test_one_column_that_repeats_its_texts_needs_nineteen_records(n_records, expected):
    """So that chance would put a lonely record first in one file of twenty at most."""
    sample = [["name", "kind"], *([f"n{row}", "ab"[row % 2]] for row in range(n_records))]
    assert guess_header(sample) is expected


def test_a_record_that_came_before_is_never_eaten():
    """No table that starts with a record whose like comes again loses it, in whatever order."""
    for records in product([["M", "no"], ["F", "no"], ["M", "yes"], ["F", "yes"]], repeat=4):
        assert not guess_header([records[0], *records, *records])


def test_a_caller_who_knows_the_names_needs_no_guess_among_texts(tmp_path):
    """A file to predict may be one record of texts; a record is never lost to a guess."""
    train, new = tmp_path / "train.csv", tmp_path / "new.csv"
    train.write_text("sex,smoker,ill\n" + "M,yes,1\nF,no,0\nM,no,0\nF,yes,1\n")
    encoding = DataSet.from_csv(train, "ill").encoding
    new.write_text("M,no\n")
    assert len(read_inputs(new, encoding)[0]) == 1
    new.write_text("M,no\n" + "F,yes\n" * 30)
    assert len(read_inputs(new, encoding)[0]) == 31
    new.write_text("sex,smoker\nM,no\n")
    assert len(read_inputs(new, encoding)[0]) == 1


@pytest.mark.parametrize("text", ["length,mass,species\n", "length,mass,species", "species\n\n"])
@pytest.mark.parametrize("target", [-1, "species"])
def test_a_header_alone_is_no_record(tmp_path, text, target):
    """There is nothing to learn from, and the message says what to do if it is a record."""
    path = tmp_path / "data.csv"
    path.write_text(text)
    with pytest.raises(RecordError, match=r"no records after the header.*header=False \(--no-header\)"):
        DataSet.from_csv(path, target)
