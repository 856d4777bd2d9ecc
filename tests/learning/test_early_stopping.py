"""Prechelt's criteria, by hand and against the formulas of his paper written down once more."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.components import from_json, to_json
from neuralframe.exceptions import DataError, ParameterError
from neuralframe.learning.early_stopping import EarlyStopping
from neuralframe.training.history import IterationRecord


@attrs.frozen
class Row:
    """A record of the driver's."""

    iteration: int
    error: float
    validation_error: float | None
    penalty: float = 0.0
    gradient_norm: float | None = None
    seconds: float = 0.0


def rows(validation, training=None, penalty=0.0):
    training = [1.0] * len(validation) if training is None else training
    pairs = zip(training, validation, strict=True)
    return [Row(i, t + penalty, v, penalty) for i, (t, v) in enumerate(pairs)]


def stops_at(condition, history):
    """Return the first iteration at which the condition stops, as the driver would ask it."""
    return next((i for i in range(len(history)) if condition.reason(history[: i + 1])), None)


def test_gl_stops_at_the_first_iteration_above_the_limit_whatever_strips_there_are():
    history = rows([1.0, 0.8, 0.83, 0.839, 0.841, 0.9])
    assert stops_at(EarlyStopping("GL", alpha=5), history) == 4
    assert stops_at(EarlyStopping("GL", alpha=3), history) == 2
    assert stops_at(EarlyStopping("GL", alpha=20), history) is None
    reason = EarlyStopping(alpha=5).reason(history[:5])
    assert reason == "the validation error is more than 5 % above its lowest value, 0.8"


def test_pq_weighs_the_loss_against_the_progress_of_the_strip():
    """By hand: GL = 10 and P = 1000 (1.1/1 - 1) = 100 at iteration 4, so that PQ = 0.1."""
    history = rows([2.0, 1.0, 1.0, 1.0, 1.1], training=[3.0, 1.2, 1.2, 1.0, 1.0])
    assert stops_at(EarlyStopping("PQ", alpha=0.099, strip=4), history) == 4
    assert stops_at(EarlyStopping("PQ", alpha=0.101, strip=4), history) is None


@pytest.mark.parametrize("criterion", ["GL", "PQ"])
def test_a_history_that_grows_is_not_read_again_from_its_beginning(criterion):
    """Otherwise the time of a long training grows with the square of its iterations."""

    class Counted(list):
        reads = 0

        def __getitem__(self, index):
            found = super().__getitem__(index)
            Counted.reads += len(found) if isinstance(index, slice) else 1
            return found

    random = np.random.default_rng(0)
    history, plain = nf.History(), []
    history._records = Counted()
    condition = EarlyStopping(criterion, alpha=1.0)
    for iteration, (error, validation) in enumerate(random.random((500, 2)) + 1):
        record = IterationRecord(0, iteration, error, 0.0, validation, None, iteration, 0.0)
        history.append(record)
        plain.append(record)
        assert condition.reason(history) == condition.reason(plain)
    assert Counted.reads < 10 * 500


def test_a_history_knows_its_lowest_validation_error():
    history = nf.History()
    assert history.lowest_validation_error is None
    for iteration, (validation, lowest) in enumerate([(None, None), (2.0, 2.0), (3.0, 2.0), (1.0, 1.0)]):
        history.append(IterationRecord(0, iteration, 1.0, 0.0, validation, None, 0, 0.0))
        assert history.lowest_validation_error == lowest
    assert history[:3].lowest_validation_error == 2.0
    assert nf.History(list(history)).lowest_validation_error == 1.0


def test_pq_counts_the_training_error_without_its_penalty():
    training = [3.0, 1.2, 1.2, 1.0, 1.0]
    history = rows([2.0, 1.0, 1.0, 1.0, 1.1], training, penalty=64.0)
    assert stops_at(EarlyStopping("PQ", alpha=0.099, strip=4), history) == 4
    assert stops_at(EarlyStopping("PQ", alpha=0.101, strip=4), history) is None


def test_pq_of_no_progress_at_all_stops_at_any_loss_and_at_no_other():
    assert stops_at(EarlyStopping("PQ", strip=2), rows([1.0, 1.0, 1.0, 1.0, 1.01])) == 4
    assert stops_at(EarlyStopping("PQ", strip=2), rows([1.0, 1.0, 1.0, 1.0, 1.0])) is None


def test_up_stops_at_the_end_of_the_last_of_some_rises_in_a_row():
    history = rows([5, 9, 4, 0, 4.5, 9, 4.4, 0, 4.6, 0, 4.7, 0, 4.8])
    assert stops_at(EarlyStopping("UP", strip=2, strips=1), history) == 4
    assert stops_at(EarlyStopping("UP", strip=2, strips=2), history) == 10
    assert stops_at(EarlyStopping("UP", strip=2, strips=3), history) == 12
    assert stops_at(EarlyStopping("UP", strip=2, strips=4), history) is None
    reason = EarlyStopping("UP", strip=2, strips=3).reason(history)
    assert reason == "the validation error rose 3 times in a row, looked at every 2 iterations"


def prechelt(condition, validation, training):
    """Return where the paper stops, from its equations: E_opt, GL, P_k, UP_s (sections 2.1 and 2.2)."""
    k, found = condition.strip, {"GL": [], "PQ": [], "UP": []}
    up = {0: set(range(len(validation)))}
    for s in range(1, condition.strips + 1):
        ends = range(k, len(validation), k)
        up[s] = {t for t in ends if t - k in up[s - 1] and validation[t] > validation[t - k]}
    found["UP"] = sorted(up[condition.strips])
    for t in range(len(validation)):
        loss = 100 * (validation[t] / np.min(validation[: t + 1]) - 1)
        if condition.alpha is not None and loss > condition.alpha:
            found["GL"].append(t)
        if condition.alpha is not None and t and t % k == 0:
            strip = np.array(training[t - k + 1 : t + 1])
            progress = 1000 * (strip.sum() / (k * strip.min()) - 1)
            if (math.inf if progress == 0 and loss > 0 else loss / max(progress, 1e-300)) > condition.alpha:
                found["PQ"].append(t)
    return next(iter(found[condition.criterion]), None)


# halves and quarters, so that nothing is rounded on either way to the limit
ERRORS = st.lists(st.tuples(*[st.integers(1, 40)] * 2), min_size=1, max_size=24)


@given(ERRORS, st.sampled_from(["GL", "PQ", "UP"]), st.integers(1, 4), st.integers(1, 3))
def test_agrees_with_the_paper_on_any_course(pairs, criterion, strip, strips):
    training, validation = ([pair[i] / 4 for pair in pairs] for i in (0, 1))
    alpha = {"GL": 7.3, "PQ": 0.123, "UP": None}[criterion]
    condition = EarlyStopping(criterion, alpha, strip=strip, strips=strips)
    assert stops_at(condition, rows(validation, training)) == prechelt(condition, validation, training)


@given(ERRORS, st.sampled_from(["GL", "PQ", "UP"]))
def test_a_penalty_and_the_scale_of_the_errors_change_nothing(pairs, criterion):
    training, validation = ([pair[i] / 4 for pair in pairs] for i in (0, 1))
    condition = EarlyStopping(criterion, strip=2, strips=2)
    scaled = rows([8 * v for v in validation], [8 * t for t in training], penalty=1024.0)
    assert stops_at(condition, scaled) == stops_at(condition, rows(validation, training))


@pytest.mark.parametrize("criterion", ["GL", "PQ", "UP"])
def test_an_iteration_without_a_validation_error_is_passed_over(criterion):
    condition = EarlyStopping(criterion, strip=1, strips=1)
    assert stops_at(condition, rows([None, None, None])) is None
    assert stops_at(condition, rows([1.0, None, 1.0, None, None])) is None
    assert stops_at(condition, rows([1.0, None, None, 9.0, 10.0])) == (4 if criterion == "UP" else 3)


def test_a_validation_error_of_0_is_left_at_the_first_rise():
    assert stops_at(EarlyStopping(), rows([1.0, 0.0, 0.0, 1e-9])) == 3


@pytest.mark.parametrize(
    "given_",
    [
        {"alpha": 0},
        {"alpha": -1.0},
        {"alpha": math.nan},
        {"criterion": "UP", "alpha": 3.0},
        {"strip": 0},
        {"strips": 1.5},
        {"restore": 1},
        {"criterion": "gl"},
    ],
)
def test_a_parameter_out_of_its_range_is_refused(given_):
    with pytest.raises(ParameterError, match="EarlyStopping: "):
        EarlyStopping(**given_)


@pytest.mark.parametrize(
    "condition", [EarlyStopping(), EarlyStopping("PQ", 1.5, strip=7), EarlyStopping("UP", restore=False)]
)
def test_survives_json(condition):
    assert from_json(to_json(condition)) == condition


def test_without_validation_data_training_does_not_begin():
    data = nf.DataSet([[0.0], [1.0]], [0.0, 1.0])
    net = nf.MultilayerPerceptron(1, 2, 1, seed=0)
    before = net.weights.copy()
    with pytest.raises(DataError, match=r"EarlyStopping watches the validation error.*validation=0\.2"):
        net.learn(data, stop=[nf.MaxIterations(3), nf.EarlyStopping(restore=False)])
    assert np.array_equal(net.weights, before)
