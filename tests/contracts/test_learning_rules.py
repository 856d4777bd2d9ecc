"""What every learning rule keeps to, run over all of them."""

from __future__ import annotations

import copy
import importlib
import pkgutil

import attrs
import numpy as np
import pytest

import neuralframe.learning
from neuralframe.core.components import from_json, to_json
from neuralframe.core.learning_rule import LearningRule
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps
from tests.contracts.rule_registry import LEARNING_RULES

GOAL = 1e-6


def _name(entry):
    return str(entry.rule)


def _case(entry, problem):
    if problem is Quadratic:
        return entry.rule, entry.quadratic
    return entry.on_rosenbrock or entry.rule, entry.rosenbrock


def _bits(step):
    """Return the standing as bytes, whatever the state is made of."""
    return b"".join(array.tobytes() for array in _arrays(step))


def _arrays(value):
    if attrs.has(type(value)):
        value = [getattr(value, field.name) for field in attrs.fields(type(value))]
    if isinstance(value, list | tuple):
        return [array for item in value for array in _arrays(item)]
    assert value is None or isinstance(value, str | int | float | np.ndarray), "a state that cannot be saved"
    return [np.array(repr(value)) if value is None or isinstance(value, str) else np.asarray(value)]


each_rule = pytest.mark.parametrize("entry", LEARNING_RULES, ids=_name)
each_problem = pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])


def test_no_learning_rule_is_missing():
    """Every concrete rule of neuralframe.learning is in the registry."""
    for module in pkgutil.walk_packages(neuralframe.learning.__path__, "neuralframe.learning."):
        importlib.import_module(module.name)
    home = "neuralframe.learning."
    ours = {rule for rule in LearningRule.members().values() if rule.__module__.startswith(home)}
    assert ours == {type(entry.rule) for entry in LEARNING_RULES}


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_problem_gradients_are_slopes(problem):
    """The problems themselves are right: their gradients agree with central differences."""
    objective = problem()
    _, gradient = objective.value_and_gradient(objective.start)
    shifts = 1e-6 * np.eye(objective.n_weights)
    slopes = (objective.values(objective.start + shifts) - objective.values(objective.start - shifts)) / 2e-6
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-5)


@each_rule
@each_problem
def test_solves(entry, problem):
    """The rule brings the error under 1e-6 within the iterations of its entry."""
    rule, n = _case(entry, problem)
    objective = problem()
    last = rule.start(objective, objective.start)
    for _ in range(n):
        if last.error < GOAL:
            break
        last = rule.step(objective, last)
    assert last.error < GOAL


@each_rule
@each_problem
def test_reports_what_it_returns(entry, problem):
    """Error and gradient of every step belong to its weights, also where a step was discarded."""
    rule, _ = _case(entry, problem)
    for step in steps(rule, problem(), 60):
        fresh = problem()
        error, gradient = fresh.value_and_gradient(step.weights)
        assert step.error == error == fresh.value(step.weights)
        assert step.gradient is None or np.array_equal(step.gradient, gradient)


@each_rule
@each_problem
def test_same_bits_twice(entry, problem):
    """Two runs give the same bits, state included, and one does not disturb the other."""
    rule, _ = _case(entry, problem)
    one, other = problem(), problem()
    last_one, last_other = rule.start(one, one.start), rule.start(other, other.start)
    for _ in range(60):
        last_one, last_other = rule.step(one, last_one), rule.step(other, last_other)
        assert _bits(last_one) == _bits(last_other)


@each_rule
@each_problem
def test_resumes_exactly(entry, problem):
    """From a copy taken midway, with a rule read from JSON, training goes on with the same bits."""
    rule, _ = _case(entry, problem)
    whole = steps(rule, problem(), 60)
    again, objective = from_json(to_json(rule)), problem()
    middle = min(23, len(whole) // 2)  # a rule may have nothing left to do long before the 60th step
    last = copy.deepcopy(whole[middle])
    for expected in whole[middle + 1 :]:
        last = again.step(objective, last)
        assert _bits(last) == _bits(expected)


@each_rule
def test_nothing_is_changed_in_place(entry):
    """No step alters the standing that it starts from, nor the initial weights."""
    objective = Rosenbrock()
    start = objective.start.copy()
    rule, _ = _case(entry, Rosenbrock)
    last = rule.start(objective, start)
    for _ in range(60):
        before = _bits(last)
        following = rule.step(objective, last)
        assert _bits(last) == before
        last = following
    assert np.array_equal(start, objective.start)


@each_rule
def test_the_rule_stays_the_same(entry):
    """Training leaves the rule unchanged, equal and hashable."""
    untouched = copy.deepcopy(entry.rule)
    steps(entry.rule, Quadratic(), 20)
    assert entry.rule == untouched
    assert hash(entry.rule) == hash(untouched)
    assert from_json(to_json(entry.rule)) == entry.rule


@each_rule
def test_is_frozen(entry):
    """A hyper-parameter cannot be assigned, and nothing can be kept on the rule."""
    for name in [*(field.name for field in attrs.fields(type(entry.rule))), "anything"]:
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(entry.rule, name, 1)


def _weights(rule, *, origin):
    """Return the path on the squares, times powers of two, so that the constant rounds nothing away."""
    objective = FunctionObjective(
        lambda w: np.round((w @ w) * 2**20) / 2**20, lambda w: 2 * w, [1.0, -0.75], origin=origin
    )
    return np.array([step.weights for step in steps(rule, objective, 100)])


@each_rule
def test_origin_of_the_error(entry):
    """A constant added to the error changes nothing, except for the rules that are said to mind.

    The steps are large, so that the error rises now and then.
    """
    large = {"rate": 1.2, "initial_step": 0.5}
    rule = attrs.evolve(entry.rule, **{name: large[name] for name in large if hasattr(entry.rule, name)})
    paths = [_weights(rule, origin=origin) for origin in (0.0, 1024.0)]
    assert np.array_equal(*paths) != entry.minds_origin
