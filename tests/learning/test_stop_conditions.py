"""Stop conditions: pure functions of the history."""

from __future__ import annotations

import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.core.components import from_json, to_json
from neuralframe.exceptions import ParameterError
from neuralframe.learning.stop_conditions import (
    ErrorGoal,
    GradientNorm,
    MaxIterations,
    MaxSeconds,
    SmallChange,
    StopCondition,
)


@attrs.frozen
class Row:
    """A record of the driver's, with what these tests need by default."""

    iteration: int = 0
    error: float = 1.0
    penalty: float = 0.0
    validation_error: float | None = None
    gradient_norm: float | None = None
    seconds: float = 0.0


def _errors(*errors):
    return [Row(iteration=i, error=error) for i, error in enumerate(errors)]


def _stops_at(condition, history):
    """Return the first iteration at which the condition stops, as the driver would ask it."""
    return next((i for i in range(len(history)) if condition.reason(history[: i + 1])), None)


CONDITIONS = [MaxIterations(3), MaxSeconds(2.5), ErrorGoal(0.01), GradientNorm(1e-3), SmallChange(0.1, 2)]
LONG = [
    Row(iteration=i, error=2.0**-i, gradient_norm=10.0**-i, seconds=0.5 * i, validation_error=1.0)
    for i in range(12)
]


@pytest.mark.parametrize(
    ("condition", "iteration", "reason"),
    [
        (MaxIterations(3), 3, "reached 3 iterations"),
        (MaxIterations(1), 1, "reached 1 iteration"),
        (MaxIterations(0), 0, "reached 0 iterations"),
        (MaxSeconds(2.5), 5, "reached 2.5 seconds"),
        (ErrorGoal(0.01), 7, "reached the error goal of 0.01"),
        (ErrorGoal(0.125), 3, "reached the error goal of 0.125"),
        (GradientNorm(1e-3), 3, "the norm of the gradient fell to 0.001, the goal being 0.001"),
        (
            SmallChange(0.1, 2),
            5,
            "the error changed by less than 0.1 in each of the last 2 iterations",
        ),
        (
            SmallChange(0.6, 4, relative=True),
            4,
            "the error changed by less than 0.6 of itself in each of the last 4 iterations",
        ),
        (SmallChange(0.1, 1), 4, "the error changed by less than 0.1 in the last iteration"),
    ],
)
def test_stops_in_time_and_says_why(condition, iteration, reason):
    """Each condition stops at the first iteration that meets it, for a reason that can be read."""
    assert _stops_at(condition, LONG) == iteration
    assert condition.reason(LONG[: iteration + 1]) == reason


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_asking_changes_nothing(condition):
    """However often and in whatever order it is asked, the answer depends on the history alone."""
    answers = [condition.reason(LONG[: n + 1]) for n in range(len(LONG))]
    backwards = [condition.reason(LONG[: n + 1]) for n in reversed(range(len(LONG)))]
    assert answers == backwards[::-1] == [condition.reason(tuple(LONG[: n + 1])) for n in range(len(LONG))]


def test_no_condition_is_missing():
    """Every stop condition of this module is among those tested here."""
    ours = {c for c in StopCondition.members().values() if c.__module__ == StopCondition.__module__}
    assert ours == {type(condition) for condition in CONDITIONS}


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_json_round_trip(condition):
    """A condition is written as JSON and read back equal."""
    assert from_json(to_json(condition)) == condition


def test_rises_are_changes():
    """A rising error is no reason to stop, and one large change starts the count again."""
    assert _stops_at(SmallChange(0.5, 2), _errors(1.0, 2.0, 3.0, 4.0)) is None
    assert _stops_at(SmallChange(0.5, 2), _errors(1.0, 1.1, 2.0, 2.1, 2.0)) == 4


def test_change_just_at_the_limit_is_not_small():
    """The change must be less than the limit, not equal to it."""
    assert _stops_at(SmallChange(0.5, 1), _errors(2.0, 1.5, 1.0)) is None
    assert _stops_at(SmallChange(0.5, 1, relative=True), _errors(4.0, 2.0, 1.0)) is None


def test_error_of_zero():
    """An error that stays at 0 has stopped changing, also relative to itself."""
    assert _stops_at(SmallChange(relative=True, iterations=3), _errors(1.0, 0.0, 0.0, 0.0, 0.0)) == 4


def test_relative_change_of_a_negative_error():
    """A share is taken of the size of the error, whatever its sign."""
    assert _stops_at(SmallChange(0.1, 1, relative=True), _errors(-1.0, -2.0, -2.1)) == 2


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("condition", [ErrorGoal(1.0), SmallChange(1.0, 1), GradientNorm(1.0)], ids=str)
def test_divergence_is_no_success(condition, bad):
    """An infinite error or a NaN is neither a goal reached nor a small change."""
    history = [Row(iteration=i, error=bad, gradient_norm=bad) for i in range(4)]
    assert condition.reason(history) is None


def test_unknown_gradient():
    """A rule that knows no gradient is not stopped by its norm."""
    assert GradientNorm(1.0).reason([Row()]) is None


def test_the_penalty_is_part_of_the_error():
    """The goal is compared with what is minimised; the penalty is not taken off."""
    assert ErrorGoal(0.5).reason([Row(error=1.0, penalty=0.9)]) is None


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30), st.floats(1e-6, 5), st.integers(1, 6), st.booleans()
)
def test_small_change_follows_its_definition(errors, change, iterations, relative):
    """It stops where the definition, written out as a count of small changes in a row, says so."""
    in_a_row, expected = 0, None
    for i in range(1, len(errors)):
        size = abs(errors[i] - errors[i - 1])
        small = size == 0 or size < (change * errors[i - 1] if relative else change)
        in_a_row = in_a_row + 1 if small else 0
        if in_a_row == iterations:
            expected = i
            break
    assert _stops_at(SmallChange(change, iterations, relative=relative), _errors(*errors)) == expected


@pytest.mark.parametrize(
    "build",
    [
        lambda: MaxIterations(-1),
        lambda: MaxIterations(2.5),
        lambda: MaxSeconds(-1),
        lambda: ErrorGoal(math.nan),
        lambda: GradientNorm(-1e-3),
        lambda: SmallChange(0),
        lambda: SmallChange(iterations=0),
    ],
)
def test_parameters_out_of_range(build):
    """A condition that could never be meant is refused when it is made."""
    with pytest.raises(ParameterError):
        build()


def test_a_condition_of_ones_own():
    """A user's condition is a few lines and is found by name."""

    @attrs.frozen
    class Overfitting(StopCondition):
        def reason(self, history):
            return "validation" if history[-1].validation_error > history[-1].error else None

    assert StopCondition.of("overfitting").reason(LONG) == "validation"
