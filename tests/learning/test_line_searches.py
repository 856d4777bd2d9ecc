"""Line searches: what each promises, on curves of one weight and along lines of many."""

from __future__ import annotations

import json
import math

import attrs
import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.core.components import from_json, to_json
from neuralframe.core.learning_rule import Iterate
from neuralframe.core.objective import Costs
from neuralframe.exceptions import ChoiceError, EngineError, ParameterError
from neuralframe.learning.conjugate_gradient import ConjugateGradient
from neuralframe.learning.hager_zhang_line_search import _steps
from neuralframe.learning.interpolation import cubic_minimum, parabola_minimum
from neuralframe.learning.line import Line, LinePoint
from neuralframe.learning.line_search import LineSearch
from neuralframe.learning.line_searches import (
    ArmijoBacktracking,
    AutomaticLineSearch,
    BatchedLineSearch,
    BrentLineSearch,
    HagerZhangLineSearch,
    WolfeLineSearch,
    line_search,
)
from tests.contracts.problems import FunctionObjective, Quadratic, Rosenbrock, steps

LINE_SEARCHES = [
    WolfeLineSearch(),
    WolfeLineSearch(curvature=0.1),
    HagerZhangLineSearch(),
    HagerZhangLineSearch(curvature=0.1),
    BrentLineSearch(),
    ArmijoBacktracking(),
    ArmijoBacktracking(steps_per_job=1),
    BatchedLineSearch(),
    BatchedLineSearch(gradients=True),
    BatchedLineSearch(candidates=3, ratio=4.0),
    AutomaticLineSearch(),
]

each_search = pytest.mark.parametrize("search", LINE_SEARCHES, ids=str)


class Recording(FunctionObjective):
    """A function that keeps where it was asked, job by job."""

    def __init__(self, error, gradient, start):
        super().__init__(error, gradient, start)
        self.asked, self.asked_gradients = [], []

    def value_and_gradient(self, weights):
        self.asked_gradients.append(weights.copy())
        return super().value_and_gradient(weights)

    def values_and_gradients(self, candidates):
        assert len(candidates) == len(np.unique(candidates, axis=0)) > 0
        self.asked_gradients.extend(candidates.copy())
        pairs = [FunctionObjective.value_and_gradient(self, weights) for weights in candidates]
        self.gradient_jobs -= len(candidates) - 1
        return np.array([error for error, _ in pairs]), np.array([gradient for _, gradient in pairs])

    def values(self, candidates):
        self.asked.extend(candidates.copy())
        return super().values(candidates)


def _curve(error, slope):
    """Return a line along the one weight of a function, from 0 forwards."""
    objective = Recording(lambda w: error(w[0]), lambda w: np.array([slope(w[0])]), [0.0])
    return _line(objective, np.array([1.0]))


def _line(objective, direction=None):
    """Return the line from an objective's start, by default along the steepest descent."""
    error = float(objective._error(objective.start))
    gradient = objective.gradient(objective.start)
    direction = -gradient if direction is None else direction
    return Line.along(objective, Iterate(objective.start, error, gradient), direction)


def _well(minimum=1.0, *, depth=1.0):
    """Return a parabola that has its minimum at a place ahead."""
    return _curve(lambda x: depth * (x - minimum) ** 2, lambda x: 2 * depth * (x - minimum))


def _wave(scale=1.0, *, tilt=0.3):
    """Return a curve with several minima, that falls on the whole, and then rises."""
    return _curve(
        lambda x: -math.sin(x / scale) + tilt * (x / scale - 2) ** 2,
        lambda x: (-math.cos(x / scale) + 2 * tilt * (x / scale - 2)) / scale,
    )


def test_every_line_search_is_here():
    """What is not in the registry is not under the battery."""
    ours = {kind for kind in LineSearch.members().values() if kind.__module__.startswith("neuralframe.")}
    assert ours == {type(search) for search in LINE_SEARCHES}
    names = {"wolfe", "hager_zhang", "brent", "armijo", "batched", "auto"}
    assert {kind.name for kind in ours} == names


@each_search
def test_a_line_search_is_a_value(search):
    """It survives JSON, is equal to its twin, and cannot be changed."""
    twin = from_json(json.loads(json.dumps(to_json(search))))
    assert twin == search
    assert hash(twin) == hash(search)
    for field in attrs.fields(type(search)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(search, field.name, 1)


@each_search
@pytest.mark.parametrize("first_step", [1e-6, 1e-3, 0.3, 1.0, 7.0, 1e4])
@pytest.mark.parametrize("curve", [_well, _wave, lambda: _well(1e-4), lambda: _well(3e3, depth=1e-3)])
def test_what_is_found_is_lower_and_comes_with_its_gradient(search, curve, first_step):
    """From first steps of any size; error, gradient and slope belong to the weights returned."""
    line = curve()
    found = search.search(line, first_step)
    assert found.error < line.origin.error
    assert found.step > 0
    fresh = curve().objective
    assert fresh.value_and_gradient(found.weights) == (found.error, found.gradient)
    assert found.slope == found.gradient @ line.direction


@each_search
def test_along_many_weights_the_direction_is_followed(search):
    """On the banana the weights returned lie on the line, at the step returned."""
    line = _line(Rosenbrock())
    found = search.search(line, 1e-3)
    assert np.array_equal(found.weights, line.origin.weights + found.step * line.direction)
    assert found.error < line.origin.error


@each_search
def test_no_point_is_asked_for_twice(search):
    """Neither errors nor gradients are computed again where they are known."""
    line = _wave()
    search.search(line, 0.2)
    gradients, errors = line.objective.asked_gradients, line.objective.asked
    assert len(np.unique(gradients, axis=0)) == len(gradients)
    if not isinstance(search, AutomaticLineSearch):  # it measures at the first step, by a job of its own
        assert len(errors) == 0 or len(np.unique(errors, axis=0)) == len(errors)


@each_search
@pytest.mark.parametrize("wild", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("first_step", [0.5, 3.0, 1e3])
def test_where_the_error_is_not_finite_a_search_steps_back(search, wild, first_step):
    """Beyond 2 the error is no number; what is found lies before, and is lower."""
    line = _curve(lambda x: (x - 1.5) ** 2 if x < 2 else wild, lambda x: 2 * (x - 1.5) if x < 2 else math.nan)
    found = search.search(line, first_step)
    assert found.step < 2
    assert found.error < line.origin.error
    assert found.is_finite


@each_search
def test_a_gradient_that_is_not_finite_is_no_find(search):
    """Where only gradients overflow, a search finds another point or nothing, but never that."""
    line = _curve(lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1) if x < 0.9 else math.nan)
    found = search.search(line, 1.0)
    assert found is None or found.is_finite


@each_search
def test_where_nothing_is_lower_a_search_gives_up(search):
    """An error that only rises, or that does not change at all, is given up after finitely many jobs."""
    for error in (abs, lambda _: 0.0):
        line = _curve(error, lambda _: -1.0)
        assert search.search(line, 1.0) is None
        assert line.objective.gradient_jobs + line.objective.value_jobs <= 60


@each_search
def test_an_error_that_falls_for_ever_is_followed_for_a_while(search):
    """A straight line has no minimum; some lower point is returned, or none, in finitely many jobs."""
    line = _curve(lambda x: -x, lambda _: -1.0)
    found = search.search(line, 1.0)
    assert found is None or found.error < 0
    assert line.objective.gradient_jobs + line.objective.value_jobs <= 120


# Interpolation


def _point(step, error, slope=None):
    return LinePoint(step, np.zeros(1), error, slope=slope)


@given(st.floats(-5, 5), st.floats(0.1, 5), st.floats(-3, 3), st.floats(0.2, 4))
def test_fits_are_exact_on_parabolas(minimum, bend, left, width):
    """Both fits find the minimum of a parabola wherever the points are."""

    def at(x):
        return _point(x, bend * (x - minimum) ** 2, 2 * bend * (x - minimum))

    assert parabola_minimum(at(left), at(left + width / 3), at(left + width)) == pytest.approx(
        minimum, abs=1e-6
    )
    for one, other in ((left, left + width), (left + width, left)):
        assert cubic_minimum(at(one), at(other)) == pytest.approx(minimum, abs=1e-6)


def test_the_cubic_fit_is_exact_on_a_cubic():
    """x**3 - 3x has its minimum at 1 and a maximum at -1."""
    points = [_point(x, x**3 - 3 * x, 3 * x**2 - 3) for x in (0.25, 3.0)]
    assert cubic_minimum(*points) == pytest.approx(1.0, abs=1e-12)
    assert cubic_minimum(*reversed(points)) == pytest.approx(1.0, abs=1e-12)


def test_what_has_no_minimum_has_no_fit():
    """A straight line, a hill and infinities give NaN."""
    assert math.isnan(parabola_minimum(_point(0, 1), _point(1, 2), _point(2, 3)))
    assert math.isnan(parabola_minimum(_point(0, 1), _point(1, 2), _point(2, 1)))
    assert math.isnan(parabola_minimum(_point(0, 1), _point(1, 0), _point(2, math.inf)))
    assert math.isnan(cubic_minimum(_point(0, 0, -1), _point(1, -1, -1)))


# Strong Wolfe


def _strong_wolfe(search, line, found):
    start = line.origin
    return found.error <= start.error + search.decrease * found.step * start.slope and abs(
        found.slope
    ) <= search.curvature * abs(start.slope)


@given(
    st.floats(1e-3, 1e3),
    st.floats(1e-3, 1e3),
    st.floats(0.05, 3.0),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_the_strong_wolfe_conditions_hold(scale, relative_step, tilt, curvature):
    """On curves with several minima, from steps of any size, in a few jobs."""
    search, line = WolfeLineSearch(curvature=curvature), _wave(scale, tilt=tilt)
    if not line.origin.slope < 0:
        return
    found = search.search(line, scale * relative_step)
    assert _strong_wolfe(search, line, found)
    assert line.objective.gradient_jobs < search.max_trials


@pytest.mark.parametrize("problem", [Quadratic, Rosenbrock])
@pytest.mark.parametrize("curvature", [0.1, 0.9])
def test_scipy_agrees_about_the_wolfe_conditions(problem, curvature):
    """From the same first step, scipy's step passes our conditions, and takes no fewer gradients."""
    search, objective = WolfeLineSearch(curvature=curvature), problem()
    line = _line(objective)
    found = search.search(line, 1.0)
    step, _, n_gradients, *_ = scipy.optimize.line_search(
        objective._error, objective.gradient, line.origin.weights, line.direction, c1=1e-4, c2=curvature
    )
    (theirs,) = points_unseen(line, [step])
    assert _strong_wolfe(search, line, found)
    assert _strong_wolfe(search, line, theirs)
    assert objective.gradient_jobs <= n_gradients + 12


def points_unseen(line, steps):
    """Return points with gradients without counting their jobs."""
    fresh = FunctionObjective(line.objective.error, line.objective.gradient, line.objective.start)
    return Line(fresh, line.origin, line.direction).points(steps)


def test_a_good_first_step_costs_one_job():
    """Where the first trial meets the conditions it is the only one."""
    for search in (WolfeLineSearch(), HagerZhangLineSearch()):
        line = _well(1.0)
        assert search.search(line, 0.9).step == 0.9
        assert line.objective.gradient_jobs == 1


def test_wolfe_comes_to_the_minimum_of_a_parabola_in_two_jobs():
    """The cubic through the start and a trial too far is the parabola itself."""
    line = _well(1.0)
    assert WolfeLineSearch(curvature=0.01).search(line, 5.0).step == pytest.approx(1.0, abs=1e-12)
    assert line.objective.gradient_jobs == 2


def test_wolfe_without_more_trials_returns_the_lowest_with_enough_decrease():
    line = _well(100.0)
    found = WolfeLineSearch(curvature=1e-3, max_trials=2).search(line, 1.0)
    assert line.objective.gradient_jobs == 2
    assert found.step == 10.0


def test_wolfe_wants_the_decrease_that_was_promised():
    """A step that is flat enough, and lower, but by less than its share of the slope, is passed over."""
    line = _well(1.0)
    found = WolfeLineSearch(decrease=0.4, curvature=0.95).search(line, 1.9)
    assert found.step < 1.2  # (a - 1)**2 <= 1 - 0.4 * 2 * a
    assert line.objective.gradient_jobs == 2


# Hager and Zhang


class LiteralHagerZhang:
    """The steps of the papers with floats and calls alone: an oracle for which steps are tried."""

    def __init__(self, error, slope, limit):
        self.error, self.slope, self.limit = error, slope, limit
        self.tried = []

    def look(self, c):
        """Try c."""
        self.tried.append(c)

    def update(self, a, b, c):
        """U0 to U3."""
        if not a < c < b:
            return a, b
        self.look(c)
        if self.slope(c) >= 0:
            return a, c
        if self.error(c) <= self.limit:
            return c, b
        return self.u3(a, c)

    def u3(self, a, b):
        """Halve."""
        for _ in range(100):
            d = 0.5 * a + 0.5 * b
            self.look(d)
            if self.slope(d) >= 0:
                return a, d
            if self.error(d) <= self.limit:
                a = d
            else:
                b = d
        raise AssertionError("no end")

    def secant(self, a, b):
        """Return the zero of the secant."""
        return (a * self.slope(b) - b * self.slope(a)) / (self.slope(b) - self.slope(a))

    def secant2(self, a, b):
        """S1 to S4."""
        c = self.secant(a, b)
        low, high = self.update(a, b, c)
        again = None
        if c == high:
            again = self.secant(b, high)
        elif c == low:
            again = self.secant(a, low)
        return (low, high) if again is None else self.update(low, high, again)

    def bracket(self, c):
        """B0 to B3."""
        below = 0.0
        while True:
            self.look(c)
            if self.slope(c) >= 0:
                return below, c
            if self.error(c) > self.limit:
                return self.u3(0.0, c)
            below, c = c, 5 * c

    def course(self, first_step, n):
        """Return the first n steps that are tried."""
        a, b = self.bracket(first_step)
        while len(self.tried) < n:
            low, high = self.secant2(a, b)
            if high - low > 0.66 * (b - a):
                low, high = self.update(low, high, (low + high) / 2)
            a, b = low, high
        return self.tried[:n]


@pytest.mark.parametrize("first_step", [0.03, 0.7, 4.0, 11.0, 60.0])
@pytest.mark.parametrize("tilt", [0.02, 0.1, 0.3, 1.0])
def test_hager_zhang_tries_the_steps_of_the_paper(first_step, tilt):
    """Step by step the literal procedure, with nothing good enough to stop at."""
    line = _wave(tilt=tilt)
    limit = line.origin.error + 1e-6 * abs(line.origin.error)
    steps = _steps(line.origin, first_step, limit)
    tried = [next(steps)]
    while len(tried) < 6:
        tried.append(steps.send(line.point(tried[-1])))
    oracle = LiteralHagerZhang(
        lambda x: line.objective.error([x]), lambda x: line.objective.gradient([x])[0], limit
    )
    np.testing.assert_allclose(tried, oracle.course(first_step, len(tried)), rtol=1e-9)


@given(st.floats(1e-2, 1e2), st.floats(1e-3, 1e3), st.floats(0.05, 3.0))
def test_the_wolfe_conditions_or_the_approximate_ones_hold(scale, relative_step, tilt):
    search, line = HagerZhangLineSearch(), _wave(scale, tilt=tilt)
    if not line.origin.slope < 0:
        return
    found, start = search.search(line, scale * relative_step), line.origin
    assert found.slope >= search.curvature * start.slope
    falls = found.error - start.error <= search.decrease * found.step * start.slope
    flat = (2 * search.decrease - 1) * start.slope >= found.slope
    assert falls or (flat and found.error <= start.error + 1e-6 * abs(start.error))


def test_close_to_a_minimum_hager_zhang_goes_on_where_wolfe_is_blind():
    """On a large constant the decrease is lost in rounding; slopes still tell the minimum."""
    curve = [lambda x: 1e8 + (x - 1e-5) ** 2, lambda x: 2 * (x - 1e-5)]
    assert WolfeLineSearch(curvature=0.1).search(_curve(*curve), 1e-6) is None
    found = HagerZhangLineSearch(curvature=0.1).search(_curve(*curve), 1e-6)
    assert found.step == pytest.approx(1e-5, rel=0.1)


@pytest.mark.parametrize(("times", "jobs"), [(1.75, 1), (1.85, 2)])
def test_approximately_a_slope_may_have_turned_by_four_fifths(times, jobs):
    """Where errors are lost in rounding: 0.75 of the first slope, upwards, is taken, and 0.85 is not."""
    line = _curve(lambda x: 1e8 + (x - 1e-5) ** 2, lambda x: 2 * (x - 1e-5))
    HagerZhangLineSearch().search(line, times * 1e-5)
    assert line.objective.gradient_jobs == jobs


# Brent


@pytest.mark.parametrize("first_step", [1e-3, 0.3, 5.0])
@pytest.mark.parametrize("curve", [_well, _wave])
def test_brent_is_scipys(curve, first_step):
    """The step is that of `scipy.optimize.minimize_scalar`, in units of the first step but for rounding."""
    line = curve()
    found = BrentLineSearch(tolerance=1e-6).search(line, first_step)
    theirs = scipy.optimize.minimize_scalar(
        lambda x: line.objective.error([x]), bracket=(0.0, first_step), tol=1e-6
    )
    assert found.step == pytest.approx(theirs.x, rel=1e-5)
    assert line.objective.value_jobs < theirs.nfev
    assert line.objective.gradient_jobs == 1


def test_brent_without_more_trials_takes_the_lowest_that_it_saw():
    line = _well(1000.0)
    found = BrentLineSearch(max_trials=4).search(line, 1.0)
    assert line.objective.value_jobs == 4
    assert found.error == min(line.objective.error(weights) for weights in line.objective.asked)


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, EngineError, KeyError])
def test_a_job_that_fails_is_no_missing_bracket(kind):
    """What scipy raises ends the search; what a job raises reaches the caller."""

    def error(x):
        if x > 1:
            raise kind("the cluster is gone")
        return (x - 3) ** 2

    with pytest.raises(kind, match="the cluster is gone"):
        BrentLineSearch().search(_curve(error, lambda x: 2 * (x - 3)), 0.5)


# Armijo


def test_armijo_takes_the_lowest_of_the_first_job_that_falls_enough():
    """By hand: of 8, 4, 2, 1 towards a minimum at 1.2 the last is lowest."""
    line = _well(1.2)
    assert ArmijoBacktracking().search(line, 4.0).step == 1.0
    assert (line.objective.value_jobs, line.objective.gradient_jobs) == (1, 1)


def test_armijos_first_trial_is_longer_than_the_step_suggested():
    line = _well(7.6)
    assert ArmijoBacktracking().search(line, 4.0).step == 8.0
    assert ArmijoBacktracking(growth=1.0).search(line, 4.0).step == 4.0


def test_armijo_one_by_one_is_the_textbooks():
    """By hand: (8-1)**2, (4-1)**2 and (2-1)**2 are not lower than 1 by enough; 0 is."""
    line = _well(1.0)
    assert ArmijoBacktracking(steps_per_job=1, growth=1.0).search(line, 8.0).step == 1.0
    assert line.objective.value_jobs == 4


def test_armijo_wants_the_decrease_that_was_promised():
    """A step that is lower, but by less than its share of the slope, is passed over."""
    line = _well(1.0)
    found = ArmijoBacktracking(decrease=0.6, steps_per_job=1, growth=1.0).search(line, 1.0)
    assert found.step == 0.5  # (0.5 - 1)**2 = 0.25 <= 1 - 0.6 * 0.5 * 2 = 0.4, but 0 > 1 - 0.6 * 2 is no


# Batched


def test_a_batch_finds_the_minimum_of_a_parabola_in_two_jobs():
    """One job of errors, one of two gradients; the fit is exact."""
    line = _well(1.3)
    assert BatchedLineSearch().search(line, 1.0).step == pytest.approx(1.3, abs=1e-12)
    assert (line.objective.value_jobs, line.objective.gradient_jobs) == (1, 1)
    assert len(line.objective.asked_gradients) == 2


def test_with_gradients_a_flat_candidate_ends_the_search_at_once():
    line = _well(1.3)
    assert BatchedLineSearch(gradients=True).search(line, 1.0).step == 1.0
    assert (line.objective.value_jobs, line.objective.gradient_jobs) == (0, 1)


def test_with_gradients_a_steep_candidate_is_refined_by_the_cubic():
    line = _well(1.3)
    found = BatchedLineSearch(gradients=True, curvature=0.01).search(line, 1.0)
    assert found.step == pytest.approx(1.3, abs=1e-12)
    assert line.objective.gradient_jobs == 2


@pytest.mark.parametrize(("minimum", "ends"), [(0.8, (0.5, 1.0)), (1.1, (1.0, 2.0))])
def test_the_cubic_goes_through_the_neighbour_towards_which_the_error_falls(minimum, ends):
    """On a curve that is no cubic, of which only one side is used."""
    line = _curve(lambda x: math.exp(x) - math.exp(minimum) * x, lambda x: math.exp(x) - math.exp(minimum))
    found = BatchedLineSearch(gradients=True, curvature=1e-3).search(line, 1.0)
    assert found.step == pytest.approx(cubic_minimum(*points_unseen(line, ends)), rel=1e-12)


@pytest.mark.parametrize("minimum", [1e-7, 1e-3, 50.0, 1e6])
@pytest.mark.parametrize("gradients", [False, True])
def test_the_grid_moves_to_where_the_minimum_is(minimum, gradients):
    """Further jobs look further out, or further in."""
    line = _well(minimum)
    search = BatchedLineSearch(gradients=gradients, curvature=0.01)
    assert search.search(line, 1.0).step == pytest.approx(minimum, rel=1e-9)
    assert line.objective.value_jobs + line.objective.gradient_jobs <= search.max_jobs


@pytest.mark.parametrize("curve", [_well, _wave])
def test_a_batch_takes_a_third_of_brents_jobs(curve):
    """To a step that is as low, within a thousandth of what there is to gain."""
    lines = [curve(), curve()]
    batched, brent = (
        search.search(line, 0.3)
        for search, line in zip((BatchedLineSearch(), BrentLineSearch()), lines, strict=True)
    )
    jobs, brents = (line.objective.value_jobs + line.objective.gradient_jobs for line in lines)
    assert jobs <= brents / 3
    assert batched.error <= brent.error + 1e-2 * (lines[0].origin.error - brent.error)


# The automatic choice


class Priced(Quadratic):
    """A quadratic whose jobs have a price."""

    def __init__(self, costs):
        super().__init__()
        self.costs, self.notes = costs, []

    def note(self, text):
        self.notes.append(text)


@pytest.mark.parametrize(
    ("costs", "curvature", "chosen", "told"),
    [
        (None, 0.9, "wolfe", "nothing is known"),
        (Costs(0.0, 0.0), 0.9, "wolfe", "a job costs 0 ms and a pass 0 ms"),
        (Costs(1e-4, 2e-3), 0.1, "wolfe", "a job costs 0.1 ms and a pass 2 ms"),
        (Costs(1.2, 4e-3), 0.9, "batched", "a job costs 1.2 s and a pass 4 ms"),
        (Costs(1.0, 0.02), 0.1, "batched", "a job costs 1 s and a pass 20 ms"),
        (Costs(1.0, 0.02), 0.9, "wolfe", "a job costs 1 s and a pass 20 ms"),
    ],
)
def test_the_dear_decides(costs, curvature, chosen, told):
    """Dear jobs are filled, dear passes are saved; rules that need close searches fill sooner."""
    objective = Priced(costs)
    search = AutomaticLineSearch(curvature=curvature).settled(objective)
    assert search.name == chosen
    assert objective.notes == [f"line search: {chosen}, because {told}"] or told in objective.notes[0]


def test_the_first_search_measures_a_small_job_and_a_large_one():
    """One error alone, then many together."""
    line = _well(1.3)
    assert AutomaticLineSearch().search(line, 1.0).step == pytest.approx(1.3, abs=1e-12)
    assert (line.objective.value_jobs, line.objective.gradient_jobs) == (2, 1)
    assert len(line.objective.asked) == 1 + 32


# By name


def test_a_name_takes_what_the_rule_wants():
    assert line_search("wolfe", curvature=0.1) == WolfeLineSearch(curvature=0.1)
    assert line_search(HagerZhangLineSearch, curvature=0.1) == HagerZhangLineSearch(curvature=0.1)
    assert line_search("auto", curvature=0.1) == AutomaticLineSearch(curvature=0.1)
    assert line_search("brent", curvature=0.1) == BrentLineSearch()
    given = WolfeLineSearch()
    assert line_search(given, curvature=0.1) is given


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(ChoiceError, match=r"unknown line search 'brend'\. Did you mean 'brent'"):
        line_search("brend", curvature=0.1)


@pytest.mark.parametrize(
    ("kind", "given", "says"),
    [
        (WolfeLineSearch, {"decrease": 0.5, "curvature": 0.1}, "decrease < curvature"),
        (WolfeLineSearch, {"curvature": 1.0}, "curvature must be a finite number and < 1"),
        (WolfeLineSearch, {"max_trials": 0}, "max_trials must be a whole number >= 1"),
        (HagerZhangLineSearch, {"decrease": 0.5}, "decrease must be"),
        (HagerZhangLineSearch, {"decrease": 0.4, "curvature": 0.3}, "decrease <= curvature"),
        (BrentLineSearch, {"tolerance": 0}, "tolerance must be a finite number and > 0"),
        (ArmijoBacktracking, {"shrink": 1}, "shrink must be"),
        (BatchedLineSearch, {"candidates": 1}, "candidates must be a whole number >= 2"),
        (BatchedLineSearch, {"ratio": 1.0}, "ratio must be"),
        (AutomaticLineSearch, {"curvature": 0}, "curvature must be"),
    ],
)
def test_bad_parameters_are_refused(kind, given, says):
    with pytest.raises(ParameterError, match=says):
        kind(**given)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e10, 1e12])
def test_brent_searches_in_units_of_the_first_step(scale):
    """On a steep line all steps are below 1e-11, which scipy takes for nothing."""
    curvatures = scale * np.array([1.0, 10.0, 100.0])
    objective = FunctionObjective(lambda w: 0.5 * curvatures @ w**2, lambda w: curvatures * w, np.ones(3))
    ended = steps(ConjugateGradient(line_search="brent"), objective, 8)[-1]
    assert ended.error < 1e-8 * objective.value(objective.start)
