"""Encodings: the way of records into numbers and back."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

from neuralframe.data.columns import CategoryColumn, Column, NumberColumn, in_order, parse_numbers
from neuralframe.data.encoding import Encoding
from neuralframe.data.normalizers import MinMaxScaler, Standardizer
from neuralframe.data.records import Records
from neuralframe.data.targets import ClassTarget, NumberTarget
from neuralframe.exceptions import DataError, LabelError, ModelFileError, ParameterError, RecordError

RECORDS = Records(
    "patients.csv",
    (2, 3, 5),
    {"sex": ("M", "F", "M"), "age": ("30", "?", "50"), "ill": ("no", "yes", "no"), "dose": ("1", "2", "4")},
)
COLUMNS = [CategoryColumn("sex", ["F", "M"]), NumberColumn("age", fill=40.0)]


def test_encodes_and_decodes():
    """Categories one-hot, missing numbers filled, labels one-hot and back."""
    encoding = Encoding(COLUMNS, ClassTarget("ill", ["no", "yes"]))
    assert encoding.encode_inputs(RECORDS).tolist() == [[0, 1, 30], [1, 0, 40], [0, 1, 50]]
    assert encoding.encode_targets(RECORDS).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert encoding.decode([[0.4, 0.6], [0.9, 0.1]]).tolist() == ["yes", "no"]
    assert encoding.input_names == ("sex=F", "sex=M", "age")
    assert encoding.target_names == ("ill=no", "ill=yes")


def test_normalizers_are_part_of_the_way():
    """Inputs are normalized after encoding, outputs brought back before decoding."""
    scaler = MinMaxScaler(0.0, 1.0).fit([[0, 0, 0], [1, 1, 100]])
    encoding = Encoding(COLUMNS, NumberTarget(["dose"]), scaler, Standardizer().fit([[1.0], [3.0]]))
    assert encoding.encode_inputs(RECORDS)[:, 2].tolist() == [0.3, 0.4, 0.5]
    assert encoding.encode_targets(RECORDS)[:, 0].tolist() == [-1, 0, 2]
    assert encoding.decode([[-1.0], [2.0]]).tolist() == [[1], [4]]


def test_a_missing_category_takes_the_fill():
    """The most frequent one, learnt from the training file."""
    records = Records("f", (1, 2), {"sex": ("", "F")})
    column = CategoryColumn("sex", ["F", "M"], fill="M")
    assert column.encode(records, frozenset([""])).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (CategoryColumn("sex", ["F"]), "line 2, column 'sex', value 'M': a category .* It knew 'F'"),
        (NumberColumn("age"), "line 3, column 'age', value '[?]': a missing value"),
        (NumberColumn("ill"), "line 2, column 'ill', value 'no': not a finite number"),
        (CategoryColumn("age", ["30", "50"]), "line 3, column 'age', value '[?]': a missing value"),
    ],
)
def test_what_cannot_be_encoded_is_pointed_at(column, message):
    """File, line, column and value."""
    with pytest.raises(RecordError, match=f"patients.csv, {message}"):
        Encoding([column]).encode_inputs(RECORDS)


def test_an_unseen_label_is_pointed_at():
    """With file, line, column, value, and the labels that were known."""
    encoding = Encoding(COLUMNS, ClassTarget("ill", ["no", "maybe"]))
    with pytest.raises(
        LabelError, match=r"patients.csv, line 3, column 'ill', value 'yes': .* 'no', 'maybe'"
    ):
        encoding.encode_targets(RECORDS)
    with pytest.raises(RecordError, match="the class is missing"):
        Encoding(COLUMNS, ClassTarget("age", ["30"])).encode_targets(RECORDS.chosen([1]))
    with pytest.raises(DataError, match="no target"):
        Encoding(COLUMNS).encode_targets(RECORDS)


def full_encoding():
    """Return an encoding that uses everything, with numbers that have no short decimals."""
    third = 1 / 3
    return Encoding(
        [CategoryColumn("sex", ["F", "M"], "F"), NumberColumn("age", fill=third)],
        NumberTarget(["dose", "days"]),
        Standardizer().fit([[0, 0, third], [1, 1, 7.1]]),
        MinMaxScaler(0.1, 0.7).fit([[third, 0.2], [8, 9]]),
        missing_values=["", "-999"],
        layout=["id", "sex", "age", "dose", "days"],
    )


def test_survives_json_bit_for_bit():
    """What is read back is equal and encodes to the same bits."""
    encoding = full_encoding()
    again = Encoding.from_json(json.loads(json.dumps(encoding.to_json())))
    assert again == encoding
    assert (
        again.encode_inputs(RECORDS.chosen([0])).tobytes()
        == encoding.encode_inputs(RECORDS.chosen([0])).tobytes()
    )
    assert again != Encoding(COLUMNS)
    assert pickle.loads(pickle.dumps(encoding)) == copy.deepcopy(encoding) == encoding
    plain = Encoding(COLUMNS, ClassTarget("ill", ["no", "yes"]))
    assert Encoding.from_json(json.loads(json.dumps(plain.to_json()))) == plain


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("columns", None),
        ("columns", []),
        ("columns", [{"kind": "number"}]),
        ("columns", [{"kind": "os.system", "name": "a"}]),
        ("columns", [{"kind": "number", "name": 3}]),
        ("columns", [{"kind": "number", "name": "a", "fill": "b"}]),
        ("columns", [{"kind": "category", "name": "a", "categories": [1, 2]}]),
        ("columns", [{"kind": "category", "name": "a", "categories": ["b"], "fill": "c"}]),
        ("columns", ["number"]),
        ("target", {"kind": "class", "name": "a", "labels": []}),
        ("target", {"kind": "class", "name": "a", "labels": ["b", "b"]}),
        ("target", 7),
        ("input_normalizer", {"family": "normalizer", "type": "standardizer", "parameters": {}}),
        ("input_normalizer", {"family": "normalizer", "type": "eval", "parameters": {}}),
        ("missing_values", 1),
        ("layout", [1]),
    ],
)
def test_a_damaged_description_is_a_model_file_error(key, value):
    """Whatever is wrong with it; no other error comes out of a bad file."""
    description = full_encoding().to_json() | {key: value}
    with pytest.raises(ModelFileError):
        Encoding.from_json(description)
    del description[key]
    with pytest.raises(ModelFileError):
        Encoding.from_json(description)


@pytest.mark.parametrize("description", [None, [], "x", {}])
def test_something_else_is_a_model_file_error(description):
    """A description is a dictionary with all its parts."""
    with pytest.raises(ModelFileError):
        Encoding.from_json(description)


def test_impossible_encodings_are_refused():
    """Names must differ and normalizers must fit."""
    with pytest.raises(ParameterError, match="different names"):
        Encoding([NumberColumn("a"), NumberColumn("a")])
    with pytest.raises(ParameterError, match="fitted to 3"):
        Encoding(COLUMNS, input_normalizer=Standardizer().fit([[1.0], [2.0]]))
    with pytest.raises(ParameterError, match="fitted to 3"):
        Encoding(COLUMNS, input_normalizer=Standardizer())


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("-2.50", -2.5), ("+.5", 0.5), ("1.", 1), ("1e-3", 0.001), ("2E+2", 200), ("1e-999", 0)],
)
def test_numbers(text, number):
    """What counts as a number, alone and beside something else."""
    assert parse_numbers([text], frozenset())[0].tolist() == [number]
    numbers, others = parse_numbers([text, "x"], frozenset())
    assert (numbers[0], others) == (number, [1])


@pytest.mark.parametrize(
    "text",
    ["", "x", "1_000", "0x10", "inf", "-Infinity", "nan", "1e999", "1,5", "1 2", "\u0661", "--1", "e5", "."],
)
def test_not_numbers(text):
    """Python's float() is more generous than a data file should be."""
    numbers, others = parse_numbers(["1", text], frozenset())
    assert others == [1]
    assert np.isnan(numbers[1])


def test_a_missing_value_may_look_like_a_number():
    """-999 is missing where the caller says so."""
    numbers, others = parse_numbers(["1", "-999"], frozenset(["-999"]))
    assert np.isnan(numbers).tolist() == [False, True]
    assert others == []


def test_labels_are_ordered_by_their_numbers():
    """Not as text, where 11 comes before 9."""
    assert in_order(["11+", "9-10", "1-8"]) == ("1-8", "9-10", "11+")
    assert in_order(["b", "10", "9", "a", "-1"]) == ("-1", "9", "10", "a", "b")


def test_columns_are_abstract():
    """A column without a way to encode cannot be made."""
    with pytest.raises(TypeError):
        Column()
