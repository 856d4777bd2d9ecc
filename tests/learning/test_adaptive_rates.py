"""Adaptive rates for all weights together: Chan and Fallside's."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

import neuralframe as nf
from tests.contracts.problems import FunctionObjective, Quadratic, Script, steps


def path(rule, gradients):
    taken = steps(rule, Script([0.0] * len(gradients), gradients), len(gradients) - 1)
    return [step.state.rate for step in taken]


def test_chan_fallside_by_hand():
    """Straight on: half as much again; at a right angle: as it is; back: half."""
    gradients = [[1.0, 0.0], [2.0, 0.0], [0.0, 3.0], [0.0, -1.0], [-1.0, -1.0]]
    rates = path(nf.GradientDescent(1.0, adaptive="chan_fallside"), gradients)
    expected = [1.0, 1.5, 1.5, 0.75, 0.75 * (1 + math.cos(math.pi / 4) / 2)]
    np.testing.assert_allclose(rates, expected, rtol=1e-15)


def test_chan_fallside_on_a_parabola():
    """On one axis the cosine is 1 or -1: the rate grows till the minimum is overstepped, then shrinks."""
    objective = FunctionObjective(lambda w: 0.5 * w @ w, lambda w: w, [1.0])
    taken = steps(nf.GradientDescent(0.5, adaptive=nf.ChanFallside()), objective, 60)
    for here, there in pairwise(taken):
        turned = here.weights[0] * there.weights[0] < 0
        assert there.state.rate == here.state.rate * (0.5 if turned else 1.5)
    assert taken[-1].error < 1e-12


@pytest.mark.parametrize("gradients", [[[0.0], [0.0]], [[1.0], [0.0]], [[0.0], [1.0]], [[1e-200], [1e-200]]])
def test_where_there_is_no_angle_the_rate_stays(gradients):
    """No change, no gradient, or so little of both that their squares are 0."""
    assert path(nf.GradientDescent(0.5, adaptive="chan_fallside"), gradients) == [0.5, 0.5]


def test_a_wild_step_raises_no_warning():
    """The driver says what became of it; the rate stays finite."""
    taken = steps(nf.GradientDescent(1e300, adaptive="chan_fallside"), Quadratic(), 5)
    assert np.isfinite(taken[-1].state.rate)


def test_every_adaptive_rate_is_in_the_registry_of_rules():
    """What no contract is run over is not tested enough."""
    from tests.contracts.rule_registry import LEARNING_RULES

    used = {type(getattr(entry.rule, "adaptive", None)) for entry in LEARNING_RULES}
    ours = {rate for rate in nf.AdaptiveRate.members().values() if rate.__module__.startswith("neuralframe.")}
    assert ours <= used
