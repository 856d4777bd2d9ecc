"""``neuralframe train``."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf
from neuralframe.cli.plan import Plan

needs_data = pytest.mark.skipif(
    not os.environ.get("NEURALFRAME_DATA"),
    reason="NEURALFRAME_DATA names no folder with the public data sets",
)


def test_it_says_what_it_does_and_what_came_of_it(run, table):
    """Data, split, network, work, results, and the command that comes next."""
    found = run("train", table, "--hidden", 5, "--iterations", 40, "--block-size", 10, "--workers", 2)
    assert found.exit_code == 0
    for part in (
        "60 rows, 4 inputs, 3 classes: blue 20, green 20, red 20",
        "45 rows to train, 15 held out, drawn class by class with seed 0",
        "hidden  5",
        f"{'jobs':28}  41",
        "5 blocks of up to 10 samples; map, combine and reduce on 2 workers (engine threads)",
        "reached 40 iterations",
        "15: blue 5, green 5, red 5",
        "accuracy                  100.00%",
        "always the largest class  33.33%",
        "blue  green  red  samples  recall  precision",
        f"neuralframe predict colours.nf {table}",
    ):
        assert part in found.stdout, part
    assert "\x1b" not in found.output


def test_it_trains_as_the_library_does(run, table):
    """Same split, normalizer, weights, rule and decay: the same bits."""
    assert run("train", table, "--iterations", 30, "--hidden", "6,3", "--decay", 0.01).exit_code == 0
    training, _ = nf.DataSet.from_csv(table, "colour").split(0.75, seed=0)
    training = training.with_block_size(256).normalized("standardizer")
    network = nf.MultilayerPerceptron.for_data(training, 6, 3, seed=0)
    network.learn(training, stop=nf.MaxIterations(30), decay=0.01, seed=0)
    np.testing.assert_array_equal(nf.load("colours.nf").weights, network.weights)


def test_samples_to_watch_are_normalized_as_those_to_learn_from(run, table):
    """The errors are the library's for a set prepared by hand; only one holds the weight decay."""
    found = run("train", table, "--validation", 0.2, "--iterations", 9, "--hidden", 3)
    training, _ = nf.DataSet.from_csv(table, "colour").split(0.75, seed=0)
    training, watched = training.split(0.8, seed=0)
    training = training.normalized("standardizer")
    network = nf.MultilayerPerceptron.for_data(training, 3, seed=0)
    validation = watched.normalized(like=training)
    done = network.learn(training, stop=nf.MaxIterations(9), decay=1e-3, validation=validation)
    last = done.history[-1]
    assert last.penalty > 0
    assert f"{'training error':28}  {last.error - last.penalty:.6g}\n" in found.stdout
    assert f"{'minimised, with weight decay':28}  {last.error:.6g}\n" in found.stdout
    assert f"{'validation error':28}  {done.validation_error:.6g}\n" in found.stdout
    assert f"{len(watched)} of those to train are only watched" in found.stdout


def test_options_reach_the_network_and_its_rule(run, table):
    """They are saved with the model."""
    options = ["--rule", "gradient_descent", "--rate", 0.2, "--momentum", 0.5, "--transfer", "sin"]
    done = run("train", table, "--hidden", 3, "--hidden", 2, "--normalize", "min_max_scaler", *options)
    network = nf.load("colours.nf")
    assert done.exit_code == 0
    assert network.learning_rule == nf.GradientDescent(0.2, 0.5)
    assert [layer.size for layer in network.layers] == [4, 3, 2, 3]
    assert network.topology.layers[1].transfer_functions == (nf.Sin(),)
    assert isinstance(network.encoding.input_normalizer, nf.MinMaxScaler)


def test_a_network_may_have_no_hidden_layer(run, table):
    """``--hidden none``."""
    assert run("train", table, "--hidden", "none", "--normalize", "none").exit_code == 0
    network = nf.load("colours.nf")
    assert [layer.size for layer in network.layers] == [4, 3]
    assert network.encoding.input_normalizer is None


def test_numbers_are_learnt_and_reported_in_their_own_units(run, table):
    """Targets are normalized for the network, not for the user."""
    found = run("train", table, "--target", "x", "--target", "y", "--train-rows", 50, "--quiet")
    assert found.exit_code == 0
    assert "x        RMSE " in found.stdout
    assert "--rows 51-60" in found.stdout
    assert nf.load("colours.nf").encoding.target_normalizer is not None


def test_quiet_means_the_results_only(run, table):
    """And a progress line now and then otherwise, on standard error."""
    quiet = run("train", table, "--quiet", "--iterations", 20)
    assert quiet.stderr == ""
    assert quiet.stdout.startswith("Results")
    lines = run("train", table, "--iterations", 20).stderr.splitlines()
    assert len(lines) == 11
    assert "left" in lines[5]


def test_the_history_has_a_row_for_each_iteration_of_each_session(run, table):
    """With validation there is its error in it."""
    options = ["--sessions", 2, "--validation", 0.2, "--iterations", 7, "--history", "course.csv"]
    found = run("train", table, *options)
    rows = list(csv.DictReader(Path("course.csv").read_text(encoding="utf-8").splitlines()))
    assert found.exit_code == 0
    assert [(row["session"], row["iteration"]) for row in rows] == [
        (s, str(i)) for s in "01" for i in range(8)
    ]
    assert all(float(row["validation_error"]) > 0 for row in rows)
    assert "of 2" in found.stdout
    assert "validation error" in found.stdout


def test_all_rows_may_be_trained_on(run, table):
    """``--test 0`` holds nothing out, and there is nothing to report on."""
    found = run("train", table, "--test", 0)
    assert found.exit_code == 0
    assert "none held out" in found.stdout
    assert "Held-out" not in found.stdout


def test_goals_end_a_training_early(run, table):
    """An error goal and a time."""
    assert "error goal of 0.5" in run("train", table, "--error-goal", 0.5).stdout
    assert "reached 0 seconds" in run("train", table, "--seconds", 0).stdout


BAD = "x,y,colour\n1,2,red\n2,oops,blue\n" + "3,4,red\n4,5,blue\n" * 20


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (BAD, [], ["data.csv, line 3, column 'y', value 'oops'"]),
        (BAD.replace("oops", ""), [], ["data.csv, line 3, column 'y'"]),
        (BAD.replace("oops", "1,2"), [], ["data.csv, line 3", "4 fields; expected 3"]),
        (BAD.replace("oops", "1"), ["--target", "shade"], ["shade", "x, y"]),
        (BAD.replace("oops", "1").replace("blue", "red"), [], ["one class only"]),
        ("", [], ["data.csv, line 1", "empty"]),
        (None, [], ["data.csv", "No such file"]),
        (BAD.replace("oops", "1"), ["--history", "none/h.csv"], ["none/h.csv", "no folder 'none'"]),
        (BAD.replace("oops", "1"), ["--history", "data.csv"], ["data.csv would be overwritten"]),
        (
            BAD.replace("oops", "1"),
            ["--rule", "gradient_descent", "--rate", 1e300],
            ["diverged", "nothing was saved"],
        ),
    ],
)
def test_after_an_error_the_old_model_is_still_there(run, old_model, content, options, says):
    """Bad input ends with status 1 and one line that names it."""
    folder = Path.cwd()
    before = old_model(folder / "data.nf")
    if content is not None:
        (folder / "data.csv").write_text(content, encoding="utf-8")
    found = run("train", "data.csv", "--quiet", "--normalize", "none", *options)
    assert found.exit_code == 1
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert all(part in found.stderr for part in says), found.stderr
    assert found.stdout == ""
    assert (folder / "data.nf").read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv"] * (content is not None) + [
        "data.nf"
    ]


def test_an_output_folder_that_does_not_exist_is_refused_before_training(run, table, monkeypatch):
    """It would be a pity to train for hours first."""
    monkeypatch.setattr(Plan, "train", lambda *_, **__: pytest.fail("it trained"))
    found = run("train", table, "--model", "nowhere/colours.nf")
    assert found.exit_code == 1
    assert "no folder 'nowhere'" in found.stderr


def test_the_data_are_not_overwritten_by_the_model(run, table):
    """A table whose name ends in .nf would be."""
    misnamed = table.rename(table.with_suffix(".nf"))
    found = run("train", misnamed)
    assert found.exit_code == 1
    assert "would be overwritten" in found.stderr
    assert misnamed.read_text(encoding="utf-8").startswith("x,y")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--hidden", "x"], "--hidden"),
        (["--hidden", "0"], "--hidden"),
        (["--transfer", "tan"], "tanh"),
        (["--rule", "newton"], "resilient_propagation"),
        (["--rate", "0.1"], "resilient_propagation has no rate"),
        (["--variant", "rprop"], "irprop-"),
        (["--rule", "gradient_descent", "--momentum", "2"], "momentum"),
        (["--normalize", "twice"], "standardizer"),
        (["--engine", "steam"], "threads"),
        (["--dtype", "int"], "'int'. The choices are: float32, float64"),
        (["--missing", "foo"], "--missing: unknown treatment of missing values 'foo'. The choices are: drop"),
        (["--test", "0.2", "--train-rows", "9"], "not both"),
        (["--test", "1"], "--test: a share is at least 0 and below 1"),
        (["--test", "-0.1"], "--test: a share is at least 0 and below 1"),
        (["--validation", "1"], "--validation: a share is at least 0 and below 1"),
        (["--train-rows", "60"], "--train-rows: there must be rows left to hold out of 60 rows; got 60"),
        (["--iterations", "-1"], "--iterations"),
        (["--task", "dreaming"], "--task: unknown task 'dreaming'. The choices are: classification, reg"),
    ],
)
def test_what_cannot_be_asked_for_is_an_error_of_usage(run, table, options, says):
    """Status 2, and the message names the option or the choices."""
    found = run("train", table, *options)
    assert found.exit_code == 2
    assert says in " ".join(found.stderr.replace("│", " ").split())


def test_a_public_name_that_is_misspelt_is_recognised(run):
    """It is neither a file nor a data set, but close to one."""
    found = run("train", "abalon")
    assert found.exit_code == 1
    assert "Did you mean 'abalone'?" in found.stderr


def test_a_data_set_that_cannot_be_had_is_an_error(run, offline):
    """The line says where it was looked for."""
    found = run("train", "abalone")
    assert found.exit_code == 1
    assert "NEURALFRAME_DATA" in found.stderr
    assert found.stderr.count("\n") == 1


def test_a_fallback_takes_its_place(run, offline, folder):
    """It is trained on with its own target and split, and gives the model its name."""
    pytest.importorskip("sklearn")
    meant_for_abalone = ["--target", "rings", "--train-rows", 3133]
    found = run("train", "abalone", *meant_for_abalone, "--fallback", "digits", "--iterations", 3)
    assert found.exit_code == 0
    assert found.stderr.splitlines()[0].startswith("using digits instead of abalone: ")
    assert "digits: 1797 rows" in found.stdout
    assert (folder / "digits.nf").exists()


def test_the_fallback_predicts_and_is_evaluated_like_what_it_stands_for(run, offline):
    """The three commands take the same two names, so that one line works on and off the network."""
    pytest.importorskip("sklearn")
    names = ["abalone", "--fallback", "digits"]
    assert run("train", *names, "--iterations", 3, "--model", "model.nf").exit_code == 0
    found = run("predict", "model.nf", *names, "--rows", "1-5")
    assert [line.split(",")[0] for line in found.stdout.splitlines()] == ["row", "1", "2", "3", "4", "5"]
    assert "model.nf on digits" in run("evaluate", "model.nf", *names).stdout


def test_numbers_that_name_categories_are_declared(run, folder):
    """A code that is mostly numbers would be taken for a mistyped number."""
    lines = [f"{code},{code == '7b'}" for code in ["1", "2", "3", "4", "5", "6", "7b"] * 10]
    (folder / "codes.csv").write_text("code,seven\n" + "\n".join(lines), encoding="utf-8")
    refused = run("train", "codes.csv", "--iterations", 2)
    assert refused.exit_code == 1
    assert "line 8, column 'code', value '7b'" in refused.stderr
    accepted = run("train", "codes.csv", "--category", "code", "--iterations", 2)
    assert accepted.exit_code == 0
    assert "70 rows, 7 inputs" in accepted.stdout


@needs_data
def test_abalone_is_split_as_in_the_literature(run):
    """The first 3133 rows train, the last 1044 test; ten iterations are better than guessing."""
    found = run("train", "abalone", "--hidden", 8, "--iterations", 10)
    assert found.exit_code == 0
    assert "the first 3133 rows to train, the last 1044 held out" in found.stdout
    assert "1044: 1-8 331, 9-10 326, 11+ 387" in found.stdout
    assert "always the largest class  37.07%" in found.stdout
    assert "neuralframe predict abalone.nf abalone --rows 3134-4177" in found.stdout


@needs_data
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["abalone", "--target", "rings"], "numbers to predict: rings"),
        (["abalone", "--task", "regression"], "numbers to predict: rings"),
        (["wisconsin-prognostic", "--target", "24 months", "--missing", "drop"], "155 rows"),
        (["wisconsin-prognostic"], "198 rows"),
    ],
)
def test_public_data_sets_have_several_targets(run, options, says):
    """They are named as in the library."""
    found = run("train", *options, "--iterations", 1)
    assert found.exit_code == 0
    assert says in found.stdout


@needs_data
@pytest.mark.parametrize(
    "options",
    [
        ["iris", "--target", "length"],
        ["iris", "--task", "regression"],
        ["abalone", "--target", "age"],
        ["abalone", "--target", "rings", "--task", "classification"],
    ],
)
def test_public_data_sets_have_no_other_targets(run, options):
    """That is an error of usage."""
    assert run("train", *options).exit_code == 2
