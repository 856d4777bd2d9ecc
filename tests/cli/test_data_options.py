"""What ``train`` is told about its data, and what it says of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf

ROWS = [f"id{n},{n % 5},{n % 3 + 1},{'ab'[n % 2]}" for n in range(60)]


@pytest.fixture
def people(folder):
    """Return a file with identifiers and weights."""
    path = folder / "people.csv"
    path.write_text("id,x,w,kind\n" + "\n".join(ROWS) + "\n", encoding="utf-8")
    return path


def told(found):
    """Return what a failure wrote, on one line and without a frame."""
    return " ".join(found.stderr.replace("│", " ").split())


def test_columns_are_left_out_and_weigh_the_rows(run, people):
    """As in the library: the same bits."""
    found = run("train", people, "--ignore", "id", "--weights", "w", "--test", 0, "--iterations", 5)
    assert found.exit_code == 0, found.output
    data = nf.DataSet.from_csv(people, "kind", ignore=["id"], weights="w", block_size=256)
    data = data.normalized("standardizer")
    network = nf.MultilayerPerceptron.for_data(data, 16, seed=0)
    network.learn(data, stop=nf.MaxIterations(5), decay=1e-3, seed=0)
    np.testing.assert_array_equal(nf.load("people.nf").weights, network.weights)


def test_several_columns_are_left_out(run, people):
    """The option is repeated."""
    assert run("train", people, "--ignore", "id", "--ignore", "w", "--iterations", 2).exit_code == 0
    assert nf.load("people.nf").encoding.input_names == ("x",)


def test_identifiers_are_refused_with_the_option_that_helps(run, people):
    """File, column, an example, and what to do."""
    found = run("train", people)
    assert found.exit_code == 1
    for part in ("people.csv, line 2, column 'id', value 'id0'", "60 different texts", "--ignore id"):
        assert part in found.stderr


def test_a_negative_weight_is_pointed_at(run, people):
    """File, line, column and value."""
    people.write_text(people.read_text(encoding="utf-8") + "id60,1,-2,a\n", encoding="utf-8")
    found = run("train", people, "--ignore", "id", "--weights", "w")
    assert found.exit_code == 1
    assert "people.csv, line 62, column 'w', value '-2': a sample weight must not be negative" in found.stderr


@pytest.mark.parametrize("target", ["2", "x", "column 2"])
def test_a_column_is_meant_by_its_name_or_else_by_its_number(run, folder, target):
    """Counted from 1, with a header and without."""
    name = "column 2" if target == "column 2" else "x"
    rows = "".join(f"{n % 4},{n},{n * n}\n" for n in range(30))
    (folder / "t.csv").write_text(rows if target == "column 2" else f"k,x,y\n{rows}", encoding="utf-8")
    found = run("train", "t.csv", "--target", target, "--category", "1", "--ignore", "3", "--iterations", 2)
    assert found.exit_code == 0, found.output
    encoding = nf.load("t.nf").encoding
    assert encoding.target_names == (name,)
    assert [column.kind for column in encoding.columns] == ["category"]


def test_a_number_that_is_a_name_is_the_name(run, folder):
    """Numbers that are neither are told the choices."""
    (folder / "t.csv").write_text("2,1\n" + "1,5\n2,7\n" * 20, encoding="utf-8")
    assert run("train", "t.csv", "--header", "--target", "2", "--iterations", 2).exit_code == 0
    assert nf.load("t.nf").encoding.target_names == ("2",)
    found = run("train", "t.csv", "--header", "--target", "3")
    assert found.exit_code == 1
    assert "unknown column '3'. The choices are: 1, 2" in found.stderr
    assert run("train", "t.csv", "--header", "--target", "0").exit_code == 1


@pytest.mark.parametrize(
    "options", [["--ignore", "x"], ["--weights", "x"], ["--header"], ["--no-header"], ["--category", "x"]]
)
def test_the_columns_of_public_data_sets_are_known(run, options):
    """To speak of them is an error of usage."""
    found = run("train", "digits", *options)
    assert found.exit_code == 2
    assert "the columns of digits are known" in told(found)


def test_a_single_class_is_refused_before_anything_is_announced(run, folder):
    """Also where the only rows of the other class are held out."""
    (folder / "one.csv").write_text("x,kind\n" + "1,a\n2,a\n" * 10 + "3,b\n" * 5, encoding="utf-8")
    found = run("train", "one.csv", "--train-rows", 20)
    assert (found.exit_code, found.stdout) == (1, "")
    assert "one class only: 20 samples with 'a'" in found.stderr


@pytest.mark.parametrize(
    ("rows", "options", "says"),
    [
        (1, [], "--test 0.25 cannot be met with 1 row"),
        (2, ["--test", 0.1], "--test 0.1 cannot be met with 2 rows"),
        (4, ["--validation", 0.1], "--validation 0.1 cannot be met with 3 rows"),
    ],
)
def test_a_share_that_cannot_be_met_is_named_as_it_was_given(run, folder, rows, options, says):
    """With the option, and what to do."""
    (folder / "few.csv").write_text(
        "x,y\n" + "".join(f"{n},{n * n}\n" for n in range(rows)), encoding="utf-8"
    )
    found = run("train", "few.csv", *options)
    assert found.exit_code == 1
    assert says in found.stderr
    assert f"or none: --{says.split()[0][2:]} 0" in found.stderr


def test_one_of_a_thing_is_one(run, folder):
    """Not 1 rows or 1 inputs."""
    (folder / "one.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    found = run("train", "one.csv", "--test", 0, "--block-size", 1, "--workers", 1, "--iterations", 1)
    assert "one.csv: 1 row, 1 input, numbers" in found.stdout
    assert "all 1 row to train" in found.stdout
    assert "1 block of up to 1 sample; map, combine and reduce on 1 worker" in found.stdout


def test_values_too_large_are_told_as_that(run, folder):
    """With the column's name, and nothing about gaps."""
    (folder / "huge.csv").write_text("x,y\n" + "1.7e308,1\n-1.7e308,2\n" * 10, encoding="utf-8")
    found = run("train", "huge.csv")
    assert found.exit_code == 1
    assert "the values of column 'x' are too large" in found.stderr
    assert "missing" not in found.stderr


def test_a_file_that_is_not_parted_is_told_what_was_tried(run, folder):
    """Spaces are no delimiter unless one says so."""
    (folder / "spaces.csv").write_text("x y\n1 2\n3 4\n", encoding="utf-8")
    found = run("train", "spaces.csv")
    assert found.exit_code == 1
    assert "spaces.csv has one column" in found.stderr
    assert "comma; semicolon, tab, bar" in found.stderr


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("x,y\n1,2\n3,oops\n" + "1,2\n" * 9, []),
        ("x,y\n1,2\n3,?\n", []),
        ("x,y\n1,2\n?,3\n", []),
        ("x,y\n", []),
        ("x,x\n1,2\n", []),
        ("x;y\n1,5;1\n2,5;2\n", []),
        ("x,y\n?,1\n?,2\n", ["--missing", "drop"]),
        ("x,y\n?,1\n?,2\n", ["--missing", "median"]),
    ],
)
def test_advice_is_given_in_the_words_of_the_command_line(run, folder, text, options):
    """Where there is a keyword of Python, there is the option beside it."""
    (folder / "bad.csv").write_text(text, encoding="utf-8")
    found = run("train", "bad.csv", *options)
    assert found.exit_code == 1
    assert "(--" in found.stderr
    assert found.stderr.count("=") <= found.stderr.count("(--")


def test_help_says_what_belongs_to_the_data(run):
    """Block sizes, bounds of shares, how columns are counted, and what info tells."""
    text = told_help(run("train", "--help"))
    for part in ("another size may change the last bits", "below 1", "counted from 1", "--no-header"):
        assert part in text
    assert "its learning rule" in told_help(run("info", "--help"))


def told_help(found):
    """Return a help text on one line and without frames."""
    return " ".join(found.stdout.replace("│", " ").split())


def test_a_column_number_that_is_a_value_of_the_first_record_makes_no_header(run, folder):
    """Neither is the first record eaten, nor the column of that name learnt."""
    rows = ["5,3.5,1.4,0.2,1", *(f"{4.5 + i / 10},3.{i},1.5,0.3,{i % 3}" for i in range(11))]
    (folder / "flowers.csv").write_text("\n".join(rows), encoding="utf-8")
    options = ["--target", 5, "--task", "classification", "--test", 0, "--iterations", 2]
    found = run("train", "flowers.csv", *options)
    assert found.exit_code == 0
    assert "flowers.csv: 12 rows, 4 inputs, 3 classes: 0 4, 1 5, 2 3" in found.stdout
