"""The public face: every name is there, and nothing heavy is imported for the asking."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import neuralframe as nf


def test_every_public_name_can_be_had():
    for name in nf.__all__:
        assert getattr(nf, name) is not None


def test_names_for_type_checkers_are_those_at_run_time():
    source = ast.parse(Path(nf.__file__).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    typed = {
        (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    homes = {(f"neuralframe.{home}", name) for name, home in nf._HOME_OF.items()}
    assert typed == homes | {("neuralframe.data", "datasets")}


def test_the_names_in_the_docstrings_of_api_are_there():
    for name in (
        "MultilayerPerceptron",
        "load",
        "error_and_gradient",
        "errors",
        "check_gradient",
        "datasets",
    ):
        assert name in nf.__all__
    assert callable(nf.errors)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="MultiLayerPerceptron"):
        nf.MultiLayerPerceptron  # noqa: B018


def loaded_by(statement):
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_task_that_maps_blocks_imports_numpy_and_attrs_only():
    """What a mapper imports it pays for in each task: numba and scipy cost more than the gradient."""
    statement = (
        "import neuralframe.mapreduce.error_job, neuralframe.mapreduce.partial_sum, "
        "neuralframe.kernels.numpy_kernel, neuralframe.core.topology_json"
    )
    heavy = {"numba", "scipy", "mrjob", "rich", "typer", "sklearn", "threadpoolctl", "pooch"}
    assert not heavy & loaded_by(statement)


def test_building_and_training_need_no_optional_package():
    statement = "import neuralframe as nf; nf.MultilayerPerceptron(2, 1).learn; nf.datasets"
    assert not {"rich", "typer", "sklearn", "pooch", "numba", "scipy"} & loaded_by(statement)
