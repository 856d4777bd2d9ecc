"""Schedules: by hand, at their ends, and as every component."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.components import from_json, to_json
from neuralframe.learning.schedules import Schedule
from tests.contracts.problems import Script, steps

SCHEDULES = [
    nf.ExponentialDecay(),
    nf.ExponentialDecay(0.5),
    nf.StepDecay(),
    nf.StepDecay(3, 0.5),
    nf.InverseTime(),
    nf.CosineAnnealing(),
    nf.CosineAnnealing(7, lowest=0.25),
    nf.WarmUp(),
    nf.WarmUp(3, then="inverse_time"),
    nf.WarmUp(2, then=nf.WarmUp(2)),
]
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=str)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        (nf.ExponentialDecay(0.5), [1, 0.5, 0.25, 0.125, 0.0625]),
        (nf.StepDecay(2, 0.1), [1, 1, 0.1, 0.1, 0.01]),
        (nf.InverseTime(2), [1, 2 / 3, 1 / 2, 2 / 5, 1 / 3]),
        (nf.CosineAnnealing(4), [1, (2 + 2**0.5) / 4, 0.5, (2 - 2**0.5) / 4, 0]),
        (nf.CosineAnnealing(2, lowest=0.2), [1, 0.6, 0.2, 0.2, 0.2]),
        (nf.WarmUp(3), [1 / 3, 2 / 3, 1, 1, 1]),
        (nf.WarmUp(2, then=nf.ExponentialDecay(0.5)), [0.5, 1, 1, 0.5, 0.25]),
    ],
    ids=str,
)
def test_by_hand(schedule, factors):
    """The first five iterations, worked out on paper."""
    np.testing.assert_allclose([schedule.factor(n) for n in range(5)], factors, rtol=1e-15, atol=1e-16)


@each_schedule
@given(st.integers(0, 10**9))
def test_a_factor_is_a_share(schedule, iteration):
    """However long the training, no schedule makes a rate negative, larger or infinite."""
    assert 0 <= schedule.factor(iteration) <= 1


@each_schedule
def test_survives_json_and_is_a_value(schedule):
    """What is read back equals what was written, and has the same hash."""
    again = from_json(json.loads(json.dumps(to_json(schedule))))
    assert again == schedule
    assert hash(again) == hash(schedule)


def test_none_is_missing():
    """Every schedule of the package is in the list above."""
    assert set(Schedule.members().values()) == {type(schedule) for schedule in SCHEDULES}


@pytest.mark.parametrize("given", ["step_decay", nf.StepDecay, nf.StepDecay()])
def test_by_name_class_or_object(given):
    """A schedule may be given as components are everywhere."""
    assert nf.Manhattan(schedule=given) == nf.Manhattan(schedule=nf.StepDecay())
    assert nf.Adam(schedule=given).schedule == nf.ScheduledRate(given).schedule == nf.StepDecay()


@pytest.mark.parametrize(
    "rule",
    [
        lambda schedule: nf.GradientDescent(2.0, adaptive=nf.ScheduledRate(schedule)),
        lambda schedule: nf.Manhattan(2.0, schedule=schedule),
        lambda schedule: nf.StochasticGradientDescent(2.0, schedule=schedule),
        lambda schedule: nf.StochasticGradientDescent(2.0, schedule=schedule, batch_blocks=None),
    ],
    ids=["gradient descent", "manhattan", "mini-batches", "whole"],
)
@each_schedule
def test_every_rule_that_takes_one_follows_it(rule, schedule):
    """With gradients of 1 each step is as long as the rate of its iteration."""
    taken = steps(rule(schedule), Script([0.0] * 13, [[1.0]] * 13), 12)
    lengths = -np.diff([float(step.weights[0]) for step in taken])
    np.testing.assert_allclose(lengths, [2 * schedule.factor(n) for n in range(12)], atol=1e-12)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nf.ExponentialDecay(0),
        lambda: nf.ExponentialDecay(1.1),
        lambda: nf.StepDecay(0),
        lambda: nf.StepDecay(decay=2.0),
        lambda: nf.InverseTime(0),
        lambda: nf.CosineAnnealing(0),
        lambda: nf.CosineAnnealing(lowest=1.5),
        lambda: nf.WarmUp(0),
    ],
)
def test_parameters_out_of_range(build):
    """A parameter with which the schedule means nothing is refused."""
    with pytest.raises(nf.ParameterError):
        build()


def test_an_unknown_schedule():
    """The message lists those that exist."""
    with pytest.raises(nf.ChoiceError, match="cosine_annealing"):
        nf.Adam(schedule="cosine")
