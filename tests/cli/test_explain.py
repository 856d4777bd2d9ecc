"""``neuralframe explain``, and ``--kernel``."""

from __future__ import annotations

import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

from neuralframe.kernels import make_kernel
from neuralframe.networks import preparation


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


@pytest.mark.parametrize("kernel", ["numpy", "numba", "cuda"])
def test_a_kernel_reaches_the_training(run, table, monkeypatch, kernel):
    """The one that is named is made, and no other."""
    if kernel == "numba":
        pytest.importorskip("numba")
    made = []

    def noting(name, *arguments):
        made.append(name)
        return make_kernel("numpy", *arguments)

    monkeypatch.setattr(preparation, "make_kernel", noting)
    assert run("train", table, "--kernel", kernel, "--iterations", 2, "--test", 0).exit_code == 0
    assert set(made) == {kernel}


def test_what_the_choice_looks_at_can_be_given(run, table):
    """As for `train`: what is held out, and what disturbs."""
    found = run("explain", table, "--validation", 0.5, "--dropout", 0.2).stdout
    assert "200 passes over 30 samples" in found
    assert "noise is computed by numpy only" in found
    assert run("explain", table, "--validation", 1).exit_code == 2


@pytest.mark.parametrize("command", ["train", "explain"])
def test_a_kernel_that_there_is_none_of_is_a_wrong_command_line(run, table, command):
    """And the choices are named."""
    found = run(command, table, "--kernel", "fortran")
    assert found.exit_code == 2
    assert "numpy" in found.stderr
