"""Where the program writes, and where it refuses to."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf
from neuralframe.cli import training
from neuralframe.cli.models import is_model
from neuralframe.cli.outputs import writing
from neuralframe.cli.plan import Plan
from neuralframe.exceptions import DataError

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@pytest.fixture
def untrained(monkeypatch):
    """Fail the test if anything is trained."""
    monkeypatch.setattr(Plan, "train", lambda *_, **__: pytest.fail("it trained"))


@needs_pipes
@pytest.mark.parametrize("option", ["--model", "--history"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_no_target_of_a_training(run, table, untrained, option, linked):
    """It would be replaced by a file; that is said before any work, and the pipe stays."""
    pipe = table.with_name("pipe")
    os.mkfifo(pipe)
    table.with_name("link").symlink_to(pipe)
    found = run("train", table, option, "link" if linked else "pipe")
    assert found.exit_code == 1
    assert found.stdout == ""
    assert "cannot be written: it is a device or a pipe" in found.stderr
    assert pipe.is_fifo()


@needs_pipes
def test_a_pipe_is_no_target_of_answers(run, table, folder, old_model):
    """The same for predict."""
    old_model(folder / "m.nf")
    os.mkfifo(folder / "pipe")
    found = run("predict", "m.nf", table, "--output", "pipe")
    assert (found.exit_code, found.stdout) == (1, "")
    assert "it is a device or a pipe" in found.stderr


@pytest.mark.parametrize("option", ["--model", "--history"])
def test_a_folder_is_no_target(run, table, folder, untrained, option):
    """Nor is a file in a folder that a link leads to and that is not there."""
    (folder / "there").mkdir()
    (folder / "link").symlink_to("nowhere/file")
    assert "there cannot be written: it is a folder" in run("train", table, option, "there").stderr
    assert "there is no folder" in run("train", table, option, "link").stderr


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"PK\x03\x04 damaged"])
def test_a_model_replaces_no_file_of_another_kind(run, table, folder, untrained, content):
    """A slip of the finger must not cost a table."""
    (folder / "notes.csv").write_bytes(content)
    found = run("train", table, "--model", "notes.csv")
    assert found.exit_code == 1
    assert "notes.csv would be overwritten, but it is no model file" in found.stderr
    assert (folder / "notes.csv").read_bytes() == content


def test_a_model_replaces_a_model_and_an_empty_file(run, table, folder, old_model):
    """Also through a link, which stays one; of an empty file there is nothing to lose."""
    before = old_model(folder / "real.nf")
    (folder / "link.nf").symlink_to("real.nf")
    (folder / "empty.nf").touch()
    for name in ("link.nf", "empty.nf"):
        assert run("train", table, "--model", name, "--iterations", 2).exit_code == 0
        assert nf.load(name).encoding is not None
    assert (folder / "link.nf").is_symlink()
    assert (folder / "real.nf").read_bytes() != before


def test_the_model_of_a_fallback_is_looked_at_too(run, offline, folder, untrained):
    """It is named after the data that were read in the end."""
    pytest.importorskip("sklearn")
    (folder / "digits.nf").write_text("my digits", encoding="utf-8")
    found = run("train", "abalone", "--fallback", "digits")
    assert found.exit_code == 1
    assert "digits.nf would be overwritten" in found.stderr


def test_a_model_of_a_later_version_is_a_model(folder, old_model):
    """And what has a header of its own is none."""
    import json
    import zipfile

    old_model(folder / "now.nf")
    assert is_model(folder / "now.nf")
    for header, expected in (
        ({"format": "neuralframe model", "version": 99}, True),
        ({"format": "other"}, False),
        ([1], False),
    ):
        with zipfile.ZipFile(folder / "x.nf", "w") as archive:
            archive.writestr("network.json", json.dumps(header))
        assert is_model(folder / "x.nf") is expected


def test_a_failure_to_write_names_the_file_that_was_asked_for(run, table, monkeypatch):
    """Not the one that would have replaced it."""

    def full(*_):
        raise OSError(28, "No space left on device", ".colours.nf.0123")

    monkeypatch.setattr(nf.NeuralNetwork, "save", full)
    found = run("train", table, "--iterations", 1)
    assert found.exit_code == 1
    assert found.stderr.endswith("error: colours.nf cannot be written: No space left on device\n")
    monkeypatch.undo()
    monkeypatch.chdir(table.parent)
    monkeypatch.setattr(training.History, "to_csv", full)
    found = run("train", table, "--iterations", 1, "--history", "h.csv")
    assert found.stderr.endswith("error: h.csv cannot be written: No space left on device\n")
    with pytest.raises(DataError, match="x cannot be written: odd"), writing("x"):
        raise OSError("odd")
