"""A folder to work in, a table to learn, and a way to run the program."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import neuralframe as nf

CENTRES = {"red": (0.0, 0.0), "green": (3.0, 0.0), "blue": (0.0, 3.0)}


def make_table(n_each=20):
    """Return a CSV text of three well separated colours; a third column is a category."""
    random = np.random.default_rng(7)
    lines = ["x,y,side,colour"]
    for row in range(3 * n_each):
        colour = list(CENTRES)[row % 3]
        x, y = random.normal(CENTRES[colour], 0.3)
        lines.append(f"{x:.4f},{y:.4f},{'left' if row % 2 else 'right'},{colour}")
    return "\n".join(lines) + "\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, with no setting of the user's that changes what is printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NEURALFRAME_DEBUG", raising=False)
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "GITHUB_ACTIONS", "PY_COLORS"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def table(folder):
    """Return the path of a table of colours."""
    path = folder / "colours.csv"
    path.write_text(make_table(), encoding="utf-8")
    return path


@pytest.fixture
def old_model():
    """Return a function that saves some model and returns the bytes of its file."""

    def save(path):
        nf.MultilayerPerceptron(2, 1, seed=0).save(path)
        return path.read_bytes()

    return save


@pytest.fixture
def run():
    """Return a function that runs the program in this process."""
    testing = pytest.importorskip("typer.testing")
    from neuralframe.cli.application import application

    def program(*arguments):
        return testing.CliRunner().invoke(application, [str(argument) for argument in arguments])

    return program


@pytest.fixture
def start(folder):
    """Return a function that starts the program in a process of its own; none outlives the test."""
    started = []

    def program(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "neuralframe", *map(str, arguments)],
            cwd=folder,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield program
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def offline(folder, monkeypatch):
    """Leave no public file within reach: no folder, an empty cache, no network."""
    from neuralframe.data import archive

    def fetch(address, destination):
        raise OSError("no network in this test")

    monkeypatch.delenv("NEURALFRAME_DATA", raising=False)
    monkeypatch.setattr(archive, "cache_folder", lambda: folder / "cache")
    monkeypatch.setattr(archive, "fetch", fetch)
