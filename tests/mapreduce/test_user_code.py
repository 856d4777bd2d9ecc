"""Which modules are the user's own, and how they are sent along."""

from __future__ import annotations

import importlib
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.user_code import own_modules, write_package, write_user_code


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Give a package and a module of a user's, on the path."""
    (tmp_path / "bends" / "deep").mkdir(parents=True)
    (tmp_path / "bends" / "deep" / "__init__.py").write_text("")  # the outer one does without
    (tmp_path / "bends" / "deep" / "shapes.py").write_text(
        "import attrs\nimport neuralframe as nf\nimport bend_helpers\n\n\n"
        "@attrs.frozen\nclass Bend(nf.Tanh):\n    pass\n"
    )
    (tmp_path / "bend_helpers.py").write_text("FACTOR = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("bends.deep.shapes")
    for name in ("bends", "bends.deep", "bends.deep.shapes", "bend_helpers"):
        sys.modules.pop(name)


def gradient_job(hidden):
    network = nf.MultilayerPerceptron(2, 3, 1, hidden=hidden, seed=0)
    return ErrorJob(make_kernel("numpy", network.topology), network.weights[None], np.array([True]))


def test_a_job_of_neuralframes_own_classes_needs_no_modules():
    assert own_modules(gradient_job("tanh")) == set()


def test_the_module_of_a_transfer_function_within_the_network_is_found(mine):
    assert own_modules(gradient_job(mine.Bend())) == {"bends.deep.shapes"}


def test_the_archive_holds_what_was_imported_and_can_be_imported_from(mine, tmp_path):
    """With the modules that the module itself needs; and nothing that is installed."""
    archive = tmp_path / "code.zip"
    write_user_code(archive)
    names = zipfile.ZipFile(archive).namelist()
    assert {"bends/", "bends/deep/__init__.py", "bends/deep/shapes.py", "bend_helpers.py"} <= set(names)
    assert not any(name.startswith(("numpy/", "neuralframe/", "json/", "pytest")) for name in names)
    program = "import bends.deep.shapes as shapes; print(shapes.bend_helpers.FACTOR, shapes.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(archive)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path.parent,
    )
    assert done.stdout.startswith("2 ")
    assert "code.zip" in done.stdout


def test_neuralframe_itself_works_from_an_archive(tmp_path):
    """As on machines on which it is not installed: numba finds no place for its cache, and does without."""
    archive = tmp_path / "neuralframe_package.zip"
    write_package(archive)
    program = (
        f"import sys; sys.path.insert(0, {str(archive)!r})\n"
        "import numpy as np, neuralframe as nf\n"
        "assert 'neuralframe_package.zip' in nf.__file__\n"
        "print(nf.MultilayerPerceptron(2, 2, 1, seed=0).predict(np.ones((1, 2))).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 1)"
