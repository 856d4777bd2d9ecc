"""Quickprop against Fahlman's cases, one weight at a time, and on parabolas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.exceptions import ParameterError
from neuralframe.learning.quickprop import Quickprop
from tests.contracts.problems import FunctionObjective, Rosenbrock, Script, steps


def fahlman(rate, growth, gradients):
    """Return how one weight moves, with the branches of Fahlman's published program."""
    shrink = growth / (1 + growth)
    weight, change, before, path = 0.0, 0.0, 0.0, [0.0]
    for slope in gradients:
        step = 0.0
        if change < 0:
            if slope > 0:
                step -= rate * slope
            step += growth * change if slope >= shrink * before else change * slope / (before - slope)
        elif change > 0:
            if slope < 0:
                step -= rate * slope
            step += growth * change if slope <= shrink * before else change * slope / (before - slope)
        else:
            step -= rate * slope
        weight, change, before = weight + step, step, slope
        path.append(weight)
    return path


def scripted(gradients, rate=0.5, growth=1.75):
    objective = Script([0.0] * (len(gradients) + 1), [[g] for g in [*gradients, 0.0]])
    taken = steps(Quickprop(rate, growth), objective, len(gradients))
    return [float(step.weights[0]) for step in taken]


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1)])
@given(
    sizes=st.lists(st.floats(1e-9, 10) | st.sampled_from([0.0, 1.0, 1e-12, 1e6]), min_size=1, max_size=12),
    growth=st.floats(0.5, 4),
)
def test_follows_fahlmans_cases(signs, sizes, growth):
    """Whatever the slopes are: growing, shrinking, turning, standing still, zero."""
    gradients = [signs[i % 2] * size for i, size in enumerate(sizes)]
    found, expected = scripted(gradients, 0.1, growth), fahlman(0.1, growth, gradients)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * max(1.0, *map(abs, expected)))


def test_every_case_by_hand():
    """Rate 0.5, growth 2: the first step, a jump, a cap, a turn, standing still and starting again."""
    gradients = [4.0, 1.0, 0.9, -0.9, 0.0, 2.0]
    # -0.5*4 | -2*1/3 - 0.5 | capped: 2*change - 0.45 | turned: change*-0.5 | zero slope | afresh
    changes = [-2.0, -2 / 3 - 0.5, 2 * (-2 / 3 - 0.5) - 0.45]
    changes += [-0.5 * changes[-1], 0.0, -1.0]
    np.testing.assert_allclose(np.diff(scripted(gradients, growth=2.0)), changes, rtol=1e-14, atol=1e-15)


def test_a_jump_after_a_turn_lands_in_the_minimum():
    """On a parabola that was overstepped, the second step is the last."""
    for curvature in (0.3, 1.0, 7.0):
        objective = FunctionObjective(
            lambda w, c=curvature: 0.5 * c * w @ w, lambda w, c=curvature: c * w, [3.0]
        )
        last = steps(Quickprop(1.5 / curvature), objective, 2)[-1]
        assert abs(last.weights[0]) < 1e-14


def test_no_step_goes_uphill():
    """Each weight moves against its derivative, also where the weights depend on each other."""
    taken = steps(Quickprop(0.001), Rosenbrock(), 500)
    for here, there in pairwise(taken):
        assert ((there.weights - here.weights) * here.gradient <= 0).all()


@pytest.mark.parametrize(
    "slopes", [[5e-324, -1e300], [1e300, 5e-324], [1e-320, 1e300, -1e300], [1.0, 1.0, 1.0]]
)
def test_quotients_at_the_end_of_the_numbers(slopes):
    """Slopes from the smallest to the largest number make no NaN and no warning."""
    assert np.isfinite(scripted(slopes, rate=1e-5)).all()


@pytest.mark.parametrize("build", [lambda: Quickprop(0), lambda: Quickprop(growth=0)])
def test_parameters_out_of_range(build):
    """A hyper-parameter with which the rule means nothing is refused."""
    with pytest.raises(ParameterError):
        build()
