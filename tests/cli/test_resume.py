"""``neuralframe train --checkpoint`` and ``neuralframe resume``."""

from __future__ import annotations

import re
import signal
import sys
import time

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf
from neuralframe.cli.interrupts import REASON
from neuralframe.cli.plan import Plan

OPTIONS = ["--hidden", 4, "--sessions", 2, "--validation", 0.2, "--block-size", 16, "--quiet"]


def results(text):
    """Return what was printed, but for the seconds."""
    return re.sub(r"(seconds +)\S+", r"\1", text)


@pytest.fixture
def interrupting(monkeypatch):
    """Return a function that lets the next training be interrupted after an iteration, as by Ctrl-C."""

    def interrupt(iteration):
        train = Plan.train

        def interrupted(self, network, parts, *, control, listeners, **options):
            def stop(event):
                if isinstance(event, nf.IterationFinished) and event.record.iteration == iteration:
                    control.stop(REASON)

            monkeypatch.setattr(Plan, "train", train)
            return train(self, network, parts, control=control, listeners=[*listeners, stop], **options)

        monkeypatch.setattr(Plan, "train", interrupted)

    return interrupt


def test_checkpoints_do_not_change_what_is_learnt_or_shown(run, table, folder):
    plain = run("train", table, *OPTIONS, "--iterations", 9)
    weights = nf.load("colours.nf").weights
    kept = run("train", table, *OPTIONS, "--iterations", 9, "--checkpoint", "run-1")
    assert kept.exit_code == 0, kept.output
    assert results(kept.output) == results(plain.output)
    np.testing.assert_array_equal(nf.load("colours.nf").weights, weights)
    assert (folder / "run-1" / "checkpoint-00000009.nfc").exists()


def test_an_interrupted_training_goes_on_to_the_same_model_and_the_same_results(
    run, table, interrupting, folder
):
    """The table is no longer needed; the last line of what was interrupted is the command to give."""
    options = [*OPTIONS, "--iterations", 12, "--model", "mine.nf", "--history", "course.csv"]
    whole = run("train", table, *options)
    weights, course = nf.load("mine.nf").weights, (folder / "course.csv").read_text().splitlines()
    interrupting(5)
    cut = run("train", table, *options, "--checkpoint", "run 1")
    assert cut.exit_code == 130
    assert REASON in cut.stdout
    assert cut.stdout.splitlines()[-1] == "  neuralframe resume 'run 1'"
    (folder / "mine.nf").unlink()
    table.unlink()
    found = run("resume", "run 1", "--quiet")
    assert found.exit_code == 0, found.output
    assert results(found.output) == results(whole.output)
    model = nf.load("mine.nf")
    np.testing.assert_array_equal(model.weights, weights)
    assert model.encoding.class_labels == ("blue", "green", "red")
    assert isinstance(model, nf.MultilayerPerceptron)
    again = (folder / "course.csv").read_text().splitlines()
    assert [line.rpartition(",")[0] for line in again] == [line.rpartition(",")[0] for line in course]


def test_a_training_that_ended_shows_its_results_again_or_goes_on(run, table):
    first = run("train", table, *OPTIONS, "--iterations", 4, "--checkpoint", "run-1")
    assert results(run("resume", "run-1", "--quiet").output) == results(first.output)
    whole = run("train", table, *OPTIONS, "--iterations", 9)
    weights = nf.load("colours.nf").weights
    longer = run("resume", "run-1", "--iterations", 9, "--workers", 1, "--model", "longer.nf")
    assert longer.exit_code == 0
    assert "iteration 9  error" in longer.stderr
    assert results(longer.stdout).replace("longer.nf", "colours.nf") == results(whole.stdout)
    np.testing.assert_array_equal(nf.load("longer.nf").weights, weights)


def test_without_rows_held_out_there_is_nothing_to_test_on(run, table, interrupting):
    interrupting(1)
    run("train", table, "--test", 0, "--iterations", 3, "--checkpoint", "run-1")
    found = run("resume", "run-1")
    assert found.exit_code == 0
    assert "Held-out" not in found.stdout


def test_a_directory_with_a_training_is_refused_before_the_data_are_read(run, table):
    run("train", table, *OPTIONS, "--iterations", 2, "--checkpoint", "run-1")
    found = run("train", "nothing.csv", "--checkpoint", "run-1")
    assert found.exit_code == 1
    assert "run-1 holds a training already" in found.stderr


def test_a_training_that_could_not_begin_may_begin_again(run, table, monkeypatch):
    """The samples that were packed for it are in nobody's way."""

    def fail(*_, **__):
        raise nf.EngineError("the cluster is gone")

    with monkeypatch.context() as patch:
        patch.setattr(nf.InProcessEngine, "run", fail)
        found = run("train", table, *OPTIONS, "--checkpoint", "run-1")
        assert (found.exit_code, found.stderr) == (1, "error: the cluster is gone\n")
    assert run("train", table, *OPTIONS, "--iterations", 1, "--checkpoint", "run-1").exit_code == 0


def test_a_run_from_python_says_where_its_model_goes(run, folder):
    data = nf.DataSet(np.arange(12.0)[:, None] / 12, np.arange(12.0) / 5)
    data.pack("samples.nfd")
    net = nf.MultilayerPerceptron(1, 3, 1, seed=0)
    net.learn(nf.DataSet.open("samples.nfd"), stop=nf.MaxIterations(3), checkpoint="run-1")
    assert "--model" in run("resume", "run-1").stderr
    found = run("resume", "run-1", "--model", "net.nf", "--iterations", 5)
    assert found.exit_code == 0, found.output
    net.learn(data, stop=nf.MaxIterations(2))
    assert nf.load("net.nf").learning_rule == net.learning_rule


@pytest.mark.parametrize(
    ("directory", "says"), [("nothing", "nothing is no run directory"), (".", "no run.nfr")]
)
def test_what_is_no_run_is_an_error(run, directory, says):
    found = run("resume", directory)
    assert found.exit_code == 1
    assert says in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_aborted_training_says_how_it_goes_on(run, table, monkeypatch):
    """The second Ctrl-C saves no model, but the checkpoints are there."""
    train = Plan.train

    def abort(self, network, parts, *, listeners, **options):
        def raising(event):
            if event.record.iteration == 3:
                raise KeyboardInterrupt

        return train(self, network, parts, listeners=[raising], **options)

    monkeypatch.setattr(Plan, "train", abort)
    found = run("train", table, *OPTIONS, "--iterations", 5, "--checkpoint", "run-1")
    assert found.exit_code == 130
    assert found.stderr.splitlines()[-1] == "  neuralframe resume run-1"
    assert run("resume", "run-1").exit_code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_after_a_kill_the_training_goes_on_in_another_process(run, start, table, folder):
    whole = run("train", table, *OPTIONS, "--iterations", 400)
    weights = nf.load("colours.nf").weights
    process = start(
        "train", table, *OPTIONS, "--iterations", 400, "--checkpoint", "run-1", "--model", "killed.nf"
    )
    deadline = time.monotonic() + 60
    while not (folder / "run-1" / "checkpoint-00000010.nfc").exists() and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "killed.nf").exists()
    found = run("resume", "run-1", "--quiet")
    assert results(found.output).replace("killed.nf", "colours.nf") == results(whole.output)
    np.testing.assert_array_equal(nf.load("killed.nf").weights, weights)
