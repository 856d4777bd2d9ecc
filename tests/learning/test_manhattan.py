"""Manhattan training: the sign of the derivative, and nothing else of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.exceptions import ParameterError
from neuralframe.learning.manhattan import Manhattan
from neuralframe.learning.schedules import StepDecay
from tests.contracts.problems import Script, steps


def test_by_hand():
    """Rate 0.5, halved after two steps; a derivative of 0 moves nothing."""
    gradients = [[3.0, -1e-9, 0.0], [1e300, 2.0, 0.0], [-1.0, 2.0, 5.0], [0.0] * 3]
    taken = steps(Manhattan(0.5, schedule=StepDecay(2, 0.5)), Script([0.0] * 4, gradients), 3)
    assert [step.weights.tolist() for step in taken] == [
        [0.0, 0.0, 0.0],
        [-0.5, 0.5, 0.0],
        [-1.0, 0.0, 0.0],
        [-0.75, -0.25, -0.25],
    ]


@given(st.floats(1e-9, 1e9))
def test_sizes_do_not_matter(scale):
    """Gradients times a constant lead the same way, to the bit."""
    gradients = np.random.default_rng(0).standard_normal((6, 4))
    ends = [steps(Manhattan(), Script([0.0] * 6, by * gradients), 5)[-1] for by in (1.0, scale)]
    assert ends[0].weights.tobytes() == ends[1].weights.tobytes()


def test_costs_one_gradient_job_each():
    """And none to be told the error."""
    objective = Script([0.0] * 6)
    steps(Manhattan(), objective, 5)
    assert (objective.gradient_jobs, objective.value_jobs) == (6, 0)


def test_a_rate_out_of_range():
    """A length of 0 is refused."""
    with pytest.raises(ParameterError):
        Manhattan(0)
