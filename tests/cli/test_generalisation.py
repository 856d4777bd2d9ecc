"""``neuralframe train``: early stopping, penalties, noise and max-norm."""

from __future__ import annotations

import re

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf

OPTIONS = ["--hidden", 4, "--block-size", 16, "--seed", 0]
STOPPING = ["--validation", 0.3, "--early-stopping", "gl"]


def trained(table, **options):
    """Return the weights that the library comes to with the program's split and network."""
    training, _ = nf.DataSet.from_csv(table, "colour").split(0.75, seed=0)
    training = training.with_block_size(16).normalized("standardizer")
    network = nf.MultilayerPerceptron.for_data(training, 4, seed=0)
    network.learn(training, seed=0, **options)
    return network.weights


def shown(text, name):
    """Return the number that is printed beside a name."""
    return float(re.search(rf"{name} +(\S+)", text)[1])


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (["--decay", 0.01, "--l1", 0.02], {"decay": nf.ElasticNet(0.01, l1=0.02)}),
        (["--decay", 0, "--dropout", 0.5], {"noise": nf.Dropout(0.5)}),
        (["--decay", 0, "--input-noise", 0.2], {"noise": nf.InputNoise(0.2)}),
        (["--decay", 0, "--max-norm", 0.7], {"max_norm": 0.7}),
    ],
    ids=lambda value: str(value) if isinstance(value, list) else "",
)
def test_it_trains_as_the_library_does(run, table, given, options):
    found = run("train", table, *OPTIONS, "--iterations", 12, *given)
    assert found.exit_code == 0, found.output
    expected = trained(table, stop=nf.MaxIterations(12), **options)
    np.testing.assert_array_equal(nf.load("colours.nf").weights, expected)


def test_it_says_how_it_generalises(run, table):
    given = ["--l1", 0.02, "--dropout", 0.5, "--input-noise", 0.2, "--max-norm", 3]
    found = run("train", table, *OPTIONS, "--iterations", 2, *given)
    for part in (
        "ElasticNet(l2=0.001, l1=0.02, biases=False)",
        "Dropout(share=0.5)",
        "InputNoise(deviation=0.2)",
    ):
        assert part in found.stdout, part
    assert shown(found.stdout, "max-norm") == 3


def test_early_stopping_keeps_the_best_weights_and_says_which(run, table):
    """The errors shown are those of the weights kept, which the history has too."""
    found = run("train", table, *OPTIONS, *STOPPING, "--iterations", 400, "--history", "h.csv", "--decay", 0)
    assert found.exit_code == 0, found.output
    assert "the validation error is more than 5 % above its lowest value" in found.stdout
    rows = np.genfromtxt("h.csv", delimiter=",", names=True)
    best = int(np.argmin(rows["validation_error"]))
    assert best < shown(found.stdout, "iterations") == len(rows) - 1 < 400
    assert f"those after iteration {best}" in found.stdout
    assert shown(found.stdout, "validation error") == pytest.approx(rows["validation_error"][best], rel=1e-5)
    assert shown(found.stdout, "training error") == pytest.approx(rows["error"][best], rel=1e-5)


def test_a_resumed_training_still_stops_early(run, table):
    whole = run("train", table, *OPTIONS, *STOPPING, "--iterations", 400, "--decay", 0)
    weights = nf.load("colours.nf").weights
    run("train", table, *OPTIONS, *STOPPING, "--iterations", 5, "--decay", 0, "--checkpoint", "run-1")
    again = run("resume", "run-1", "--iterations", 400)
    assert again.exit_code == 0, again.output
    assert shown(again.stdout, "iterations") == shown(whole.stdout, "iterations")
    np.testing.assert_array_equal(nf.load("colours.nf").weights, weights)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (["--early-stopping", "GL"], "needs --validation or --validation-data"),
        ([*STOPPING[:2], "--early-stopping", "XY"], "criterion must be one of GL, PQ, UP; got 'XY'"),
        (["--dropout", 1], "share must be a finite number and >= 0 and < 1; got 1.0"),
        (["--input-noise", -1], "deviation must be a finite number and >= 0; got -1.0"),
        (["--max-norm", 0], "expected a number above 0; got 0.0"),
        (["--l1", -1], "greater than or equal to 0"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(run, given, complaint):
    found = run("train", "nowhere.csv", *given)
    assert found.exit_code == 2
    assert complaint in re.sub(r"[\s│]+", " ", found.output)


def test_what_the_rule_has_to_tell_is_shown(run, table, monkeypatch):
    monkeypatch.setattr(nf.TrainingRun, "notes", ("line search: Brent",))
    assert re.search(r"note +line search: Brent", run("train", table, *OPTIONS, "--iterations", 1).stdout)
