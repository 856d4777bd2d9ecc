"""``neuralframe explain``, and ``--kernel``."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf


def test_it_says_how_train_would_compute(run, table):
    """Network, kernel with the reasons, layers, blocks and engine."""
    found = run("explain", table, "--hidden", 5, "--block-size", 16, "--workers", 2)
    assert found.exit_code == 0
    for part in (
        "4-5-3, 43 weights",
        "numpy, float64",
        "not cuda",
        "not numba",
        "matrix product, 5 x 4 from input",
        "4 of up to 16 samples, 60 in all",
        "threads, up to 2 threads",
    ):
        assert part in found.stdout, part


def test_it_trains_nothing(run, table, folder):
    """No model is written."""
    run("explain", table)
    assert [path.name for path in folder.iterdir()] == [table.name]


def test_a_kernel_reaches_the_training(run, table):
    """The one that is named learns what the library learns with it."""
    assert run("train", table, "--kernel", "numpy", "--iterations", 5).exit_code == 0
    named = nf.load("colours.nf").weights
    assert run("train", table, "--iterations", 5).exit_code == 0
    np.testing.assert_array_equal(nf.load("colours.nf").weights, named)


@pytest.mark.parametrize("command", ["train", "explain"])
def test_a_kernel_that_there_is_none_of_is_a_wrong_command_line(run, table, command):
    """And the choices are named."""
    found = run(command, table, "--kernel", "fortran")
    assert found.exit_code == 2
    assert "numpy" in found.stderr
