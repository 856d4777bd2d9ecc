"""Rates of single weights: Silva-Almeida, SuperSAB and delta-bar-delta."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, Script, steps


def scripted(adaptive, gradients, errors=None, *, rate=1.0, momentum=0.0, nesterov=False):
    """Return the standings of one weight from 0, along given gradients."""
    rule = nf.GradientDescent(rate, momentum, nesterov=nesterov, adaptive=adaptive)
    objective = Script([0.0] * len(gradients) if errors is None else errors, [[g] for g in gradients])
    return steps(rule, objective, len(gradients) - 1)


def path(taken):
    return [float(step.weights[0]) for step in taken]


def rates(taken):
    return [float(step.state.rate[0]) for step in taken]


def test_silva_almeida_by_hand():
    """Up while the sign stays, down when it turns, as it is at 0; a rise is undone, and the rate changes."""
    taken = scripted(
        nf.SilvaAlmeida(2.0, 0.25),
        [1.0, 1.0, -1.0, 1.0, 1.0, 0.0],
        [9.0, 8.0, 8.5, 7.0, 7.5, 5.0],
    )
    assert path(taken) == [0.0, -1.0, -1.0, -1.5, -1.5, -3.5]
    assert rates(taken) == [1.0, 2.0, 0.5, 1.0, 2.0, 2.0]
    assert [step.state.discarded for step in taken] == [0, 0, 1, 0, 1, 0]


def test_silva_almeida_loses_its_patience():
    """From the third failure in a row all rates are halved, on top of what the signs say."""
    taken = scripted(nf.SilvaAlmeida(1.0, 0.5, patience=3), [1.0] * 6, [9.0, 10.0, 10.0, 10.0, 10.0, 8.0])
    assert rates(taken) == [1.0, 1.0, 1.0, 0.5, 0.25, 0.25]
    assert path(taken) == [0.0, 0.0, 0.0, 0.0, 0.0, -0.25]


def test_silva_almeida_forgets_the_momentum_of_a_discarded_step():
    """The step after a rise is the gradient's alone."""
    taken = scripted(nf.SilvaAlmeida(1.0, 0.5), [1.0] * 4, [9.0, 8.0, 8.5, 7.0], momentum=0.5)
    assert path(taken) == [0.0, -1.0, -1.0, -2.0]


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
def test_silva_almeida_never_rises(problem):
    """Whatever the first rate is."""
    for rate in (1e-6, 1.0, 1e6):
        taken = steps(nf.GradientDescent(rate, 0.9, adaptive="silva_almeida"), problem(), 200)
        assert (np.diff([step.error for step in taken]) <= 0).all()
        assert taken[-1].error < taken[0].error / 2


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_silva_almeida_discards_what_is_not_finite(bad):
    """An error or a gradient that is no number."""
    for errors, gradients in (([1.0, bad, 0.5], [1.0] * 3), ([1.0, 0.5, 0.5], [1.0, bad, 1.0])):
        assert path(scripted(nf.SilvaAlmeida(), gradients, errors)) == [0.0, 0.0, -0.5]


def test_super_sab_by_hand():
    """The sign turns at -3: back to -1, and that it turns again on the way counts as nothing; then on."""
    taken = scripted(nf.SuperSAB(2.0, 0.5), [1.0, 1.0, -1.0, 1.0, 1.0, 1.0])
    assert path(taken) == [0.0, -1.0, -3.0, -1.0, -2.0, -4.0]
    assert rates(taken) == [1.0, 2.0, 1.0, 1.0, 2.0, 4.0]


def test_super_sab_builds_no_momentum_on_a_change_that_was_taken_back():
    """After the way back the momentum begins with the next step."""
    taken = scripted(nf.SuperSAB(1.0, 0.5), [1.0, -1.0, 1.0, 1.0, 1.0], momentum=0.5)
    assert path(taken) == [0.0, -1.0, 0.0, -0.5, -1.25]


@pytest.mark.parametrize("nesterov", [False, True])
def test_super_sab_comes_back_to_the_old_weight(nesterov):
    """Exactly, each weight alone, though others move on, momentum or no."""
    curvatures = np.array([1.9, 0.3])
    objective = FunctionObjective(lambda w: 0.5 * curvatures @ w**2, lambda w: curvatures * w, np.ones(2))
    rule = nf.GradientDescent(1.0, 0.3, nesterov=nesterov, adaptive=nf.SuperSAB(1.0))
    first, second, third = steps(rule, objective, 2)
    assert second.state.turned.tolist() == [True, False]
    assert third.weights[0] == first.weights[0]
    assert third.weights[1] != first.weights[1]


def test_super_sab_has_a_highest_rate():
    """A derivative that never turns does not drive the rate to infinity."""
    taken = scripted(nf.SuperSAB(10.0, highest=50.0), [1.0] * 5)
    assert rates(taken) == [1.0, 10.0, 50.0, 50.0, 50.0]


def test_delta_bar_delta_by_hand():
    """Kappa 1, phi 1/4, theta 1/2: the average decides, not the last derivative alone."""
    taken = scripted(nf.DeltaBarDelta(1.0, 0.25, 0.5), [8.0, 2.0, -1.0, 1.0, -4.0, 0.0])
    # averages before each comparison: 4, 3, 1, 1, -1.5
    averages = [float(step.state.average[0]) for step in taken]
    assert averages == [4.0, 3.0, 1.0, 1.0, -1.5, -0.75]
    assert rates(taken) == [1.0, 2.0, 1.5, 2.5, 1.875, 1.875]
    assert path(taken) == [0.0, -8.0, -12.0, -10.5, -13.0, -5.5]


def literally_delta_bar_delta(objective, n, *, rate, kappa, phi, theta):
    """Return the path, weight by weight, from Jacobs' three lines."""
    weights = objective.start.tolist()
    rates, averages, found = [rate] * len(weights), [0.0] * len(weights), [list(weights)]
    gradient = objective.gradient(np.array(weights)).tolist()
    for i, slope in enumerate(gradient):
        averages[i] = (1 - theta) * slope
    for _ in range(n):
        weights = [w - r * g for w, r, g in zip(weights, rates, gradient, strict=True)]
        gradient = objective.gradient(np.array(weights)).tolist()
        for i, slope in enumerate(gradient):
            if averages[i] * slope > 0:
                rates[i] += kappa
            elif averages[i] * slope < 0:
                rates[i] -= phi * rates[i]
            averages[i] = (1 - theta) * slope + theta * averages[i]
        found.append(list(weights))
    return found


def test_delta_bar_delta_follows_jacobs():
    """On ten weights that depend on each other, for 200 steps."""
    taken = steps(nf.GradientDescent(0.001, adaptive=nf.DeltaBarDelta(1e-5)), Quadratic(), 200)
    expected = literally_delta_bar_delta(Quadratic(), 200, rate=0.001, kappa=1e-5, phi=0.3, theta=0.7)
    np.testing.assert_allclose([step.weights for step in taken], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("adaptive", ["silva_almeida", "super_sab", "delta_bar_delta"])
def test_weights_that_do_not_depend_on_each_other_find_their_own_rates(adaptive):
    """Curvatures 100 and 0.01 along the axes: one rate for both would need hundreds of thousands of steps."""
    curvatures = np.array([100.0, 0.01])
    objective = FunctionObjective(lambda w: 0.5 * curvatures @ w**2, lambda w: curvatures * w, np.ones(2))
    last = steps(nf.GradientDescent(0.001, adaptive=adaptive), objective, 400)[-1]
    assert last.error < 1e-4
    assert last.state.rate[1] > 10 * last.state.rate[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda: nf.SilvaAlmeida(up=0.9),
        lambda: nf.SilvaAlmeida(down=1.0),
        lambda: nf.SilvaAlmeida(patience=0),
        lambda: nf.SuperSAB(up=0.5),
        lambda: nf.SuperSAB(down=0.0),
        lambda: nf.SuperSAB(highest=0.0),
        lambda: nf.DeltaBarDelta(-0.1),
        lambda: nf.DeltaBarDelta(decrease=1.0),
        lambda: nf.DeltaBarDelta(memory=1.0),
    ],
)
def test_parameters_out_of_range(build):
    """A hyper-parameter with which the rate means nothing is refused."""
    with pytest.raises(nf.ParameterError):
        build()
