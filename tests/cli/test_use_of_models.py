"""``neuralframe evaluate``, ``predict`` and ``info``."""

from __future__ import annotations

import csv
import io
import os

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf
from neuralframe.networks.reports import evaluate

needs_data = pytest.mark.skipif(
    not os.environ.get("NEURALFRAME_DATA"),
    reason="NEURALFRAME_DATA names no folder with the public data sets",
)


@pytest.fixture
def model(run, table):
    """Return the path of a model trained on all colours."""
    assert run("train", table, "--test", 0, "--iterations", 25, "--hidden", 4, "--quiet").exit_code == 0
    return table.with_suffix(".nf")


def without_target(table):
    """Write the table without its last column and return the new path."""
    path = table.with_name("unknown.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rpartition(",")[0] for line in lines), encoding="utf-8")
    return path


def rows_of(text):
    """Return the rows of a CSV text, the header apart."""
    header, *rows = csv.reader(io.StringIO(text))
    return header, rows


def test_a_file_without_the_target_gets_the_labels_that_the_library_gives(run, table, model):
    """One answer a row, counted from 1."""
    found = run("predict", model, without_target(table))
    header, rows = rows_of(found.stdout)
    expected = nf.load(model).predict(nf.DataSet.from_csv(table, "colour"))
    assert found.exit_code == 0
    assert header == ["row", "prediction"]
    assert [row for row, _ in rows] == [str(number) for number in range(1, 61)]
    assert [label for _, label in rows] == expected.tolist()


def test_probabilities_are_the_outputs(run, table, model):
    """With every digit, in the order of the labels."""
    header, rows = rows_of(run("predict", model, table, "--probabilities", "--rows", "5-6").stdout)
    network = nf.load(model)
    samples = nf.DataSet.from_csv(table, encoding=network.encoding)
    assert header == ["row", "prediction", "colour=blue", "colour=green", "colour=red"]
    assert [row[0] for row in rows] == ["5", "6"]
    np.testing.assert_array_equal(
        np.array([row[2:] for row in rows], dtype=float), network(samples.inputs)[4:6]
    )


def test_numbers_come_in_their_own_units(run, table):
    """A column for each of several targets."""
    run("train", table, "--target", "x", "--target", "y", "--quiet")
    header, rows = rows_of(run("predict", "colours.nf", table, "--rows", "1-3").stdout)
    expected = nf.load("colours.nf").predict(nf.DataSet.from_csv(table, ["x", "y"]))[:3]
    assert header == ["row", "prediction of x", "prediction of y"]
    np.testing.assert_allclose(np.array([row[1:] for row in rows], dtype=float), expected)
    assert run("predict", "colours.nf", table, "--probabilities").exit_code == 2


def test_answers_go_to_a_file_in_one_go(run, table, model, folder):
    """The file holds what would have been printed, and nothing else is left behind."""
    printed = run("predict", model, table).stdout
    found = run("predict", model, table, "--output", "answers.csv")
    assert (found.exit_code, found.stdout) == (0, "")
    assert (folder / "answers.csv").read_text(encoding="utf-8") == printed
    assert {path.name for path in folder.iterdir()} == {"answers.csv", "colours.csv", "colours.nf"}


def test_an_error_leaves_the_old_answers(run, table, model, folder):
    """A label or a category that nobody taught the network is named with its line."""
    (folder / "answers.csv").write_text("old", encoding="utf-8")
    bad = folder / "bad.csv"
    bad.write_text("x,y,side\n1,2,left\n1,2,middle\n", encoding="utf-8")
    found = run("predict", model, bad, "--output", "answers.csv")
    assert found.exit_code == 1
    assert "bad.csv, line 3, column 'side', value 'middle'" in found.stderr
    assert (folder / "answers.csv").read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("output", ["colours.nf", "colours.csv"])
def test_answers_do_not_replace_the_model_or_the_data(run, table, model, output):
    """Both are still needed."""
    before = table.with_name(output).read_bytes()
    found = run("predict", model, table, "--output", output)
    assert found.exit_code == 1
    assert "would be overwritten" in found.stderr
    assert table.with_name(output).read_bytes() == before


@pytest.mark.parametrize(
    ("rows", "numbers"), [("7", [7]), ("59-", [59, 60]), ("1-2", [1, 2]), ("60-60", [60])]
)
def test_rows_are_counted_from_one_and_include_both_ends(run, table, model, rows, numbers):
    """As people count."""
    _, found = rows_of(run("predict", model, table, "--rows", rows).stdout)
    assert [int(row) for row, _ in found] == numbers


@pytest.mark.parametrize(("rows", "status"), [("61", 1), ("60-61", 1), ("0", 2), ("3-2", 2), ("some", 2)])
def test_rows_that_do_not_exist_are_refused(run, table, model, rows, status):
    """Too many rows are an error of the data, nonsense is one of usage."""
    found = run("predict", model, table, "--rows", rows)
    assert (found.exit_code, found.stdout) == (status, "")


def test_an_evaluation_is_the_library_s(run, table, model):
    """The same numbers, with the confusion matrix as the library prints it."""
    network = nf.load(model)
    samples = nf.DataSet.from_csv(table, encoding=network.encoding).rows(np.arange(9, 30))
    report = evaluate(network, samples)
    found = run("evaluate", model, table, "--rows", "10-30")
    assert found.exit_code == 0
    assert f"accuracy                  {report.accuracy:.2%}" in found.stdout
    assert f"error                     {report.error:.6g}" in found.stdout
    assert str(report.confusion) in found.stdout
    assert "rows 10-30" in found.stdout


def test_what_means_nothing_is_a_dash(run, table):
    """One row has no spread that could be explained."""
    assert run("train", table, "--target", "x", "--iterations", 2, "--quiet").exit_code == 0
    found = run("evaluate", "colours.nf", table, "--rows", "7")
    assert found.stdout.rstrip().endswith("R2 -")
    assert "nan" not in found.stdout


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_header_of_other_names_is_declared(run, folder, command):
    """Where years are names of columns, the first row cannot be told from a record."""
    rows = "".join(f"{n},{n % 7},{'ab'[n % 2]}\n" for n in range(20))
    (folder / "years.csv").write_text(f"2019,2020,kind\n{rows}", encoding="utf-8")
    assert run("train", "years.csv", "--header", "--model", "m.nf", "--iterations", 2).exit_code == 0
    assert nf.load("m.nf").encoding.layout == ("2019", "2020", "kind")
    (folder / "bare.csv").write_text(rows, encoding="utf-8")
    told = run(command, "m.nf", "bare.csv", "--no-header")
    assert (told.exit_code, told.stdout.replace("bare", "years")) == (
        0,
        run(command, "m.nf", "years.csv", "--header").stdout,
    )
    assert run(command, "m.nf", "bare.csv", "--header").exit_code == 1
    assert run(command, "m.nf", "iris", "--header").exit_code == 2


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_gap_gets_true_advice_after_a_training_that_dropped_them(run, folder, command):
    """Nothing is dropped when a network answers."""
    rows = "".join(f"{n},{'ab'[n % 2]}\n" for n in range(20))
    (folder / "gaps.csv").write_text(f"x,kind\n{rows}?,a\n", encoding="utf-8")
    assert run("train", "gaps.csv", "--missing", "drop", "--iterations", 2).exit_code == 0
    found = run(command, "gaps.nf", "gaps.csv")
    assert found.exit_code == 1
    assert "gaps.csv, line 22, column 'x', value '?'" in found.stderr
    assert "Fill it in; or train with" in found.stderr
    assert "drop" not in found.stderr


def test_an_unknown_label_cannot_be_evaluated(run, table, model):
    """File, line, column and value are in the message."""
    table.write_text(table.read_text(encoding="utf-8") + "1,1,left,mauve\n", encoding="utf-8")
    found = run("evaluate", model, table)
    assert found.exit_code == 1
    assert "colours.csv, line 62, column 'colour', value 'mauve'" in found.stderr


def test_info_tells_what_is_in_the_file(run, model):
    """Class, layers, columns, labels, normalizers, rule, error function, size and version."""
    found = run("info", model)
    assert found.exit_code == 0
    for part in (
        "MultilayerPerceptron",
        f"{model.stat().st_size:,} bytes",
        "format version         1",
        "x, y, side (left | right)",
        "blue, green, red",
        "Standardizer",
        "ResilientPropagation(variant='irprop-'",
        "CategoricalCrossEntropy",
        nf.load(model).summary(),
    ):
        assert part in found.stdout, part


@pytest.mark.parametrize("command", [["info"], ["predict", "colours.csv"], ["evaluate", "colours.csv"]])
@pytest.mark.parametrize("content", [None, b"no model"])
def test_a_file_that_is_no_model_is_refused(run, table, folder, command, content):
    """The line names it."""
    if content is not None:
        (folder / "broken.nf").write_bytes(content)
    name, *others = command
    found = run(name, "broken.nf", *others)
    assert found.exit_code == 1
    assert "broken.nf" in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_model_of_arrays_can_be_looked_at_but_not_read_for(run, table, folder):
    """Nobody knows which columns its inputs were."""
    nf.MultilayerPerceptron(2, 1, seed=0).save(folder / "plain.nf")
    assert "encoding        none" in run("info", "plain.nf").stdout
    found = run("predict", "plain.nf", table)
    assert found.exit_code == 1
    assert "trained on arrays" in found.stderr


def test_a_model_with_any_rule_opens_in_a_process_of_its_own(run, start, table):
    """Rules and classes are found although nothing imported them before."""
    options = ["--rule", "gradient_descent", "--iterations", 2, "--quiet"]
    assert run("train", table, *options).exit_code == 0
    process = start("info", "colours.nf")
    output, complaints = process.communicate(timeout=60)
    assert process.returncode == 0, complaints
    assert "GradientDescent(rate=0.1" in output


@needs_data
def test_public_data_sets_are_read_as_the_model_was_trained(run):
    """The target and the treatment of gaps are those of the model."""
    train = ["train", "wisconsin-prognostic", "--target", "24 months", "--missing", "mean", "--test", 0]
    assert run(*train, "--iterations", 2, "--quiet").exit_code == 0
    found = run("evaluate", "wisconsin-prognostic.nf", "wisconsin-prognostic")
    assert "158: N 129, R 29" in found.stdout
    _, rows = rows_of(run("predict", "wisconsin-prognostic.nf", "wisconsin-prognostic").stdout)
    data = nf.datasets.wisconsin_prognostic("24 months", missing="mean")
    assert [label for _, label in rows] == nf.load("wisconsin-prognostic.nf").predict(data).tolist()


@needs_data
def test_a_public_data_set_that_the_model_does_not_know_is_refused(run, table, model):
    """It is neither evaluated nor answered."""
    for command in ("evaluate", "predict"):
        found = run(command, model, "iris")
        assert found.exit_code == 1
        assert "not trained on 'iris'" in found.stderr
