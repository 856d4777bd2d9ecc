"""What the tests of the examples share: the data, and a way to run a script as its user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def public_data():
    """Skip where the UCI files or a package of the extra 'examples' are missing."""
    if not Path(os.environ.get("NEURALFRAME_DATA") or "nowhere", "wpbc.data").is_file():
        pytest.skip("NEURALFRAME_DATA names no folder with the UCI files")
    pytest.importorskip("rich", reason="rich is part of the extra 'examples'")
    pytest.importorskip("matplotlib", reason="matplotlib is part of the extra 'examples'")


@pytest.fixture
def run_example(public_data, tmp_path):
    """Return a function that runs a script with pictures going to a folder; it returns what was printed."""

    def run(name, *options):
        command = [sys.executable, EXAMPLES / name, *options, "--output", tmp_path / "pictures"]
        environment = os.environ | {"COLUMNS": "200"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def pictures(tmp_path):
    """Return a function that names the pictures a script wrote, once each is seen to be one."""

    def names():
        paths = sorted((tmp_path / "pictures").iterdir())
        for path in paths:
            assert path.read_bytes().startswith(b"\x89PNG"), path
            assert path.stat().st_size > 5_000, path
        return [path.stem for path in paths]

    return names


@pytest.fixture
def examples_on_path(monkeypatch):
    """Let a test import the modules that stand beside the scripts."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
