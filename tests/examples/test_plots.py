"""examples/plots.py: what cannot be seen from the small runs of the scripts."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf

pytest.importorskip("matplotlib", reason="matplotlib is part of the extra 'examples'")


@pytest.mark.usefixtures("examples_on_path")
def test_a_training_that_ended_early_stands_where_it_ended(tmp_path):
    from plots import _bundle, _sheet, error_curves

    _, axes = _sheet("title", "x", "y")
    assert _bundle(axes, [np.array([4.0, 2.0]), np.array([4.0, 3.0, 1.0])], "both", "C0") == (1.0, 4.0)
    np.testing.assert_array_equal(axes.lines[-1].get_ydata(), [4.0, 2.5, 1.5])

    data = nf.DataSet([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
    runs = [
        nf.MultilayerPerceptron(1, 1, seed=0).learn(data, validation=data, stop=nf.MaxIterations(iterations))
        for iterations in (3, 30)
    ]
    error_curves(tmp_path / "curves.png", runs, title="three and thirty iterations")
    assert (tmp_path / "curves.png").stat().st_size > 5_000
