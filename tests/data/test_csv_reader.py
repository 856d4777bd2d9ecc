"""Text files."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neuralframe.data.csv_reader import read_inputs
from neuralframe.data.data_set import DataSet
from neuralframe.data.encoding import Encoding
from neuralframe.exceptions import ChoiceError, DataError, LabelError, ParameterError, RecordError

PLAIN = "sex,age,ill\nM,30,no\nF,40,yes\nM,50,no\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes text or bytes to a file and returns its path."""

    def to_file(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def test_reads_numbers_categories_and_classes(write):
    """Kinds are found out; the header names the columns."""
    data = DataSet.from_csv(write(PLAIN), "ill")
    assert data.input_names == ("sex=F", "sex=M", "age")
    assert data.inputs.tolist() == [[0, 1, 30], [1, 0, 40], [0, 1, 50]]
    assert data.class_labels == ("no", "yes")
    assert data.classes.tolist() == [0, 1, 0]
    assert data.encoding.layout == ("sex", "age", "ill")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace("\n", "\r\n"),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("no", '"no"').replace("30", '"30"'),
        PLAIN.replace("\n", "\n\n"),
        PLAIN.rstrip("\n"),
    ],
    ids=["CRLF", "BOM", "semicolons", "tabs", "spaces", "quotes", "empty lines", "no last line end"],
)
def test_the_same_table_in_other_clothes(write, content):
    """Line ends, marks, delimiters, quotes and spaces make no difference."""
    expected = DataSet.from_csv(write(PLAIN, "plain.csv"), "ill")
    data = DataSet.from_csv(write(content), "ill")
    assert np.array_equal(data.inputs, expected.inputs)
    assert data.encoding == expected.encoding


def test_quoted_fields_hold_delimiters_quotes_and_line_ends(write):
    """And the lines of the records after them are still counted right."""
    text = 'name,x,y\n"a,b",1,1\n"say ""c""\nd",2,2\ne,3,3\ne,4,oops\n'
    with pytest.raises(RecordError) as caught:
        DataSet.from_csv(write(text), "y", task="regression")
    assert (caught.value.line, caught.value.column, caught.value.value) == (6, "y", "oops")
    data = DataSet.from_csv(write(text.replace("oops", "4")), "y")
    assert data.input_names[:3] == ("name=a,b", "name=e", 'name=say "c"\nd')


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("a,b\n1,2\n3\n", (3, None, None), "1 field; expected 2"),
        ("a,b\n1,2\n3,4,5\n", (3, None, None), "3 fields; expected 2"),
        ("", (1, None, None), "empty"),
        ("\n\n", (1, None, None), "empty"),
        ("a,b\n1,2\n1,inf\n1,3\n1,3\n1,3\n", (3, "b", "inf"), "not a finite number"),
        ("a,b\n1,2\n,3\n", (3, "a", ""), "missing value"),
        ("a,b\n1,2\n3,?\n", (3, "b", "?"), "missing value"),
        ("a,b\n1,2\n3,nan\n", (3, "b", "nan"), "missing value"),
        ("a,a,b\n1,2,3\n", (1, None, "a"), "two columns"),
        ('a,b\n1,"2\n3,4\n', (2, None, None), "quote left open"),
        (b"a,b\n1,2\n1,\xff\n", (3, None, None), "not UTF-8"),
    ],
)
def test_a_bad_record_is_pointed_at(write, text, place, problem):
    """File, line, column and value."""
    path = write(text)
    with pytest.raises(RecordError, match=problem) as caught:
        DataSet.from_csv(path, "b")
    error = caught.value
    assert (error.file, error.line, error.column, error.value) == (str(path), *place)


def test_a_text_among_numbers_is_a_typing_error(write):
    """One O for a 0 must not turn a column of numbers into categories, unless its owner says so."""
    rows = "".join(f"{number},{number}\n" for number in range(10))
    path = write("a,b\n" + rows + "1O,3\n")
    with pytest.raises(RecordError, match=r"line 12, column 'a', value '1O'.*kinds=\{'a': 'category'\}"):
        DataSet.from_csv(path, "b")
    assert DataSet.from_csv(path, "b", kinds={"a": "category"}).n_inputs == 11


def test_a_column_of_names_is_refused(write):
    """Where nearly every record has a text of its own, or there are more than a thousand."""
    for n, n_different, how_many in (
        (51, 51, "51"),
        (1001, 1001, "more than 1000"),
        (2500, 1001, "more than"),
    ):
        path = write("Name,x,y\n" + "".join(f"n{row % n_different},1,2\n" for row in range(n)))
        with pytest.raises(RecordError, match=f"{how_many} .*different texts in {n} records") as caught:
            DataSet.from_csv(path, "y")
        assert (caught.value.line, caught.value.column, caught.value.value) == (2, "Name", "n0")
        assert "ignore=['Name'] (--ignore Name)" in str(caught.value)
        assert "kinds={'Name': 'category'} (--category Name)" in str(caught.value)
        assert DataSet.from_csv(path, "y", ignore=["Name"]).n_inputs == 1
        assert DataSet.from_csv(path, "y", kinds={"Name": "category"}).n_inputs == n_different + 1


@pytest.mark.parametrize(("n_records", "n_different"), [(50, 50), (60, 54), (200, 51)])
def test_many_categories_are_still_categories(write, n_records, n_different):
    """Up to fifty, or where at least a tenth of the records share theirs."""
    path = write("town,y\n" + "".join(f"t{row % n_different},{row}\n" for row in range(n_records)))
    assert DataSet.from_csv(path, "y").n_inputs == n_different


@pytest.mark.parametrize("target", ["y", "x"])
@pytest.mark.parametrize("kinds", [{}, {"x": "number"}])
def test_decimal_commas_are_no_categories(write, target, kinds):
    """A column of them, also among whole numbers and gaps, is pointed at."""
    path = write("x;y\n1;1\n1,5;2\n?;3\n-2,25;4\n,5;5\n")
    with pytest.raises(RecordError, match=r"1.5 for 1,5, or declare it a category: .*--category x") as caught:
        DataSet.from_csv(path, target, missing="drop", kinds=kinds)
    assert (caught.value.line, caught.value.column, caught.value.value) == (3, "x", "1,5")
    assert DataSet.from_csv(path, "y", missing="drop", kinds={"x": "category"}).n_inputs == 4


def test_a_text_with_a_comma_is_no_decimal_comma(write):
    """One such text makes the column one of categories."""
    data = DataSet.from_csv(write("x;y\n1,5;1\n1,5 to 2;2\n"), "y")
    assert data.input_names == ("x=1,5", "x=1,5 to 2")


def test_columns_are_counted_where_there_is_no_header(write):
    """From 1 in their names, from 0 or from the end as an index."""
    path = write("M,30,no\nF,40,yes\n")
    data = DataSet.from_csv(path, "column 3")
    assert data.input_names == ("column 1=F", "column 1=M", "column 2")
    assert data.encoding == DataSet.from_csv(path, -1).encoding == DataSet.from_csv(path, 2).encoding
    assert DataSet.from_csv(path, "ill", names=["sex", "age", "ill"]).input_names[2] == "age"


@pytest.mark.parametrize(
    ("text", "arguments", "n_samples"),
    [
        ("a,b\n1,2\n", {"target": "b"}, 1),
        ("1,2\n3,4\n", {"target": 1}, 2),
        ("x,y\nu,v\nw,z\n", {"target": "y"}, 2),
        ("x,y\nu,v\nw,z\n", {"target": 1}, 3),
        ("1999,2000\n1,2\n3,4\n", {"target": 1, "header": True}, 2),
        ("x,1\nu,2\nx,3\nu,4\nu,5\n", {"target": 1, "header": False}, 5),
        ("2019,2020,kind\n1,2,a\n3,4,b\n", {"target": -1, "header": True}, 2),
        ("?,1\n2,2\n3,3\n", {"target": 1, "missing": "drop"}, 2),
    ],
    ids=[
        "text over numbers",
        "numbers",
        "named target",
        "texts only",
        "years",
        "told",
        "and a kind",
        "missing first",
    ],
)
def test_headers(write, text, arguments, n_samples):
    """A header is guessed by the documented rule, and the caller can overrule it."""
    assert DataSet.from_csv(write(text), **arguments).n_samples == n_samples


def test_several_targets_make_a_regression(write):
    """One output a column; a text among them is an error."""
    data = DataSet.from_csv(write("a,b,c\n1,2,3\n4,5,6\n"), ["b", "c"])
    assert data.targets.tolist() == [[2, 3], [5, 6]]
    with pytest.raises(RecordError, match="'c', value 'x'"):
        DataSet.from_csv(write("a,b,c\n1,2,x\n4,5,6\n"), ["b", "c"])
    with pytest.raises(ParameterError, match="one target"):
        DataSet.from_csv(write("a,b,c\n1,2,3\n"), ["b", "c"], task="classification")


def test_numbers_can_be_names_of_classes(write):
    """Where the task says so; they are ordered as numbers."""
    path = write("a,b\n1,2\n4,10\n5,2\n")
    assert DataSet.from_csv(path, "b").class_labels is None
    assert DataSet.from_csv(path, "b", task="classification").class_labels == ("2", "10")
    assert DataSet.from_csv(path, "b", kinds={"b": "category"}).class_labels == ("2", "10")


def test_sample_weights_come_from_a_column(write):
    """Which is then no input."""
    data = DataSet.from_csv(write("a,w,b\n1,2,3\n4,0.5,6\n"), "b", weights="w")
    assert data.sample_weights.tolist() == [2, 0.5]
    assert data.input_names == ("a",)
    with pytest.raises(RecordError, match=r"line 3, column 'w', value '-0.5': .*must not be negative"):
        DataSet.from_csv(write("a,w,b\n1,2,3\n4,-0.5,6\n"), "b", weights="w")


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("mean", [[0, 1, 1], [0, 1, 2], [1, 0, 5.5], [0, 1, 1], [0, 1, 18], [1, 0, 5.5]]),
        ("median", [[0, 1, 1], [0, 1, 2], [1, 0, 1.5], [0, 1, 1], [0, 1, 18], [1, 0, 1.5]]),
        ("most_frequent", [[0, 1, 1], [0, 1, 2], [1, 0, 1], [0, 1, 1], [0, 1, 18], [1, 0, 1]]),
        ("drop", [[0, 1, 1], [0, 1, 2], [0, 1, 18]]),
    ],
)
def test_missing_values(write, missing, expected):
    """The fill-ins are learnt from the file and go with the encoding."""
    path = write("sex,x,y\nM,1,1\nM,2,2\nF,?,3\n?,1,4\nM,18,5\nF,NA,6\n")
    if missing == "drop":
        expected = [[1, 1], [1, 2], [1, 18]]
    data = DataSet.from_csv(path, "y", missing=missing)
    assert data.inputs.tolist() == expected
    if missing != "drop":
        inputs, _ = read_inputs(write("sex,x\n,\n", "new.csv"), data.encoding)
        assert inputs.tolist() == [[0, 1, expected[2][2]]]


def test_a_missing_target_is_never_made_up(write):
    """It can only be refused or dropped."""
    path = write("x,y\n1,1\n2,?\n3,3\n")
    with pytest.raises(RecordError, match="line 3, column 'y'"):
        DataSet.from_csv(path, "y", missing="mean")
    assert DataSet.from_csv(path, "y", missing="drop").n_samples == 2
    with pytest.raises(DataError, match="no record is left"):
        DataSet.from_csv(write("x,y\n1,?\n2,?\n"), "y", missing="drop")


def test_the_advice_about_a_gap_is_true_where_it_is_given(write):
    """Inputs can be filled in, targets and weights cannot; nothing is dropped when a network answers."""
    train = DataSet.from_csv(
        write("x,sex,w,y\n1,M,1,a\n2,F,1,b\n?,F,1,b\n"), "y", weights="w", missing="drop"
    )
    for record, column in (("?,M,1,a", "x"), ("1,?,1,a", "sex")):
        with pytest.raises(RecordError, match=f"column '{column}'.*train with missing='median'") as caught:
            DataSet.from_csv(write(f"x,sex,w,y\n{record}\n"), encoding=train.encoding)
        assert "drop" not in str(caught.value)
    for record, column in (("1,M,?,a", "w"), ("1,M,1,?", "y")):
        with pytest.raises(
            RecordError, match=f"column '{column}'.*Fill it in or remove the record"
        ) as caught:
            DataSet.from_csv(write(f"x,sex,w,y\n{record}\n"), encoding=train.encoding, weights="w")
        assert "median" not in str(caught.value)


def test_a_single_column_raises_the_question_of_the_delimiter(write):
    """What was taken for it, and what else was tried."""
    with pytest.raises(DataError, match=r"one column.*at a comma; semicolon, tab, bar part no more"):
        DataSet.from_csv(write("x y\n1 2\n3 4\n"), -1)
    with pytest.raises(DataError, match="at a ':'; comma, semicolon, tab, bar"):
        DataSet.from_csv(write("x y\n1 2\n3 4\n"), -1, delimiter=":")
    assert DataSet.from_csv(write("x y\n1 2\n3 4\n"), -1, delimiter=" ").n_samples == 2


def test_a_new_file_is_read_as_training_was(write):
    """By name with a header, in any order and with more columns; by position without."""
    train = DataSet.from_csv(write("id,sex,age,ill\n1,M,30,no\n2,F,40,yes\n"), "ill", ignore=["id"])
    encoding = train.normalized("standardizer").encoding
    expected = [[-1, 1, 3]]
    for text in (
        "ill,more,age,sex\nno,9,50,M\n",
        "age,sex\n50,M\n",
        "7,M,50,no\n",
        "7,M,50\n",
        "M,50\n",
    ):
        inputs, records = read_inputs(write(text), encoding)
        assert inputs.tolist() == expected
        assert records.columns["age"] == ("50",)
        assert len(records.rows) == 1
    data = DataSet.from_csv(write("7,M,50,yes\n"), encoding=encoding)
    assert (data.inputs.tolist(), data.targets.tolist()) == (expected, [[0, 1]])


def test_a_new_file_that_does_not_fit_is_refused(write):
    """Unseen labels and categories, missing columns, too few fields."""
    encoding = DataSet.from_csv(write(PLAIN), "ill").encoding
    with pytest.raises(LabelError, match=r"line 2, column 'ill', value 'maybe'.*'no', 'yes'"):
        DataSet.from_csv(write("sex,age,ill\nM,30,maybe\n"), encoding=encoding)
    with pytest.raises(RecordError, match=r"line 2, column 'sex', value 'X'.*'F', 'M'"):
        read_inputs(write("sex,age\nX,30\n"), encoding)
    with pytest.raises(DataError, match="lacks the column 'age'; it has 'sex', 'size'"):
        read_inputs(write("sex,size\nM,30\n"), encoding)
    with pytest.raises(DataError, match="1 column and no header; expected 2 or 3, or a header"):
        read_inputs(write("30\n"), encoding)
    with pytest.raises(DataError, match=r"lacks .*'ill'"):
        DataSet.from_csv(write("sex,age\nM,30\n"), encoding=encoding)


def test_wrong_arguments_are_refused(write):
    """With the choices."""
    path = write(PLAIN)
    with pytest.raises(ChoiceError, match=r"unknown column 'sick'.*age, ill, sex"):
        DataSet.from_csv(path, "sick")
    for arguments in ({"ignore": [7]}, {"weights": "w"}, {"kinds": {"z": "number"}}):
        with pytest.raises(ChoiceError, match="unknown column"):
            DataSet.from_csv(path, "ill", **arguments)
    for arguments in ({"kinds": {"age": "date"}}, {"missing": "zero"}, {"task": "ranking"}):
        with pytest.raises(ChoiceError):
            DataSet.from_csv(path, "ill", **arguments)
    with pytest.raises(ParameterError, match="which column is the target"):
        DataSet.from_csv(path)
    with pytest.raises(DataError, match="no column is left"):
        DataSet.from_csv(path, "ill", ignore=["sex", "age"])
    with pytest.raises(DataError, match="2 names were given for 3 columns"):
        DataSet.from_csv(path, "ill", names=["a", "ill"])
    with pytest.raises(ParameterError, match="one character"):
        DataSet.from_csv(path, "ill", delimiter=", ")
    with pytest.raises(DataError, match="cannot be read"):
        DataSet.from_csv("nowhere.csv", "ill")


def test_a_file_longer_than_a_portion_is_read_whole(write):
    """And a bad record far down has its line."""
    rows = [f"{number},{number % 3}\n" for number in range(2000)]
    data = DataSet.from_csv(write("a,b\n" + "".join(rows)), "b", task="classification")
    assert data.inputs[:, 0].tolist() == list(range(2000))
    rows[1500] = "bad,0\n"
    with pytest.raises(RecordError, match="line 1502, column 'a', value 'bad'"):
        DataSet.from_csv(write("a,b\n" + "".join(rows)), "b")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6).map(
    lambda text: "t" + text.strip() + "t"
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False), CELLS, st.integers(-(10**9), 10**9)),
        min_size=1,
        max_size=8,
    ),
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(tmp_path, table, delimiter, line_end):
    """Any table comes back from a file bit for bit, whatever its texts contain."""
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
        writer.writerow(["number", "text", "goal"])
        writer.writerows((repr(number), text, goal) for number, text, goal in table)
    data = DataSet.from_csv(path, "goal", delimiter=delimiter, header=True, task="regression")
    assert data.inputs[:, 0].tolist() == [row[0] for row in table]
    assert data.targets[:, 0].tolist() == [row[2] for row in table]
    categories = data.encoding.columns[1].categories
    assert [categories[i] for i in data.inputs[:, 1:].argmax(axis=1)] == [row[1] for row in table]
    assert Encoding.from_json(json.loads(json.dumps(data.encoding.to_json()))) == data.encoding
