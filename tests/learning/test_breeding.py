"""Selection, crossing and mutation, apart from any network."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.weight_groups import WeightGroups
from neuralframe.learning.breeding import Breeding, fitness, ranking

GROUPS = WeightGroups.of(nf.MultilayerPerceptron(3, 4, 2).topology)
N = GROUPS.n_weights
CROSSOVERS = list(nf.Crossover.members())
MOTHER, FATHER = np.arange(1.0, N + 1), -np.arange(1.0, N + 1)


def breeding(**changes):
    plain = {
        "size": 6,
        "elite": 1,
        "survivors": 3,
        "crossover": nf.UniformCrossover(),
        "mutation": 0.1,
        "mutation_share": 0.5,
        "neurons": GROUPS.neurons,
        "in_first_half": GROUPS.in_first_half,
        "seed": 1,
        "generation": 0,
    }
    return Breeding(**(plain | changes))


def bred(errors, candidates=None, **changes):
    if candidates is None:
        candidates = np.random.default_rng(0).standard_normal((len(errors), N))
    return breeding(**changes).conclude(np.array(errors, dtype=float), candidates)["population"]


def child(name, seed=0, groups=GROUPS):
    return nf.Crossover.of(name).child(MOTHER, FATHER, groups, np.random.default_rng(seed))


def test_there_are_six_crossovers():
    assert sorted(CROSSOVERS) == sorted(
        ["one_point", "two_point", "uniform", "arithmetic", "by_neuron", "half_rows"]
    )


@pytest.mark.parametrize("name", CROSSOVERS)
@given(seed=st.integers(0, 2**32))
def test_a_child_lies_between_its_parents(name, seed):
    """Weight by weight; and all but the arithmetic crossover take each weight from one of them."""
    found = child(name, seed)
    assert np.all(np.abs(found) <= np.abs(MOTHER))
    if name != "arithmetic":
        assert np.all((found == MOTHER) | (found == FATHER))


@pytest.mark.parametrize("name", CROSSOVERS)
def test_children_of_equal_parents_are_as_they_are(name):
    """So weights that all have in common stay what they are."""
    found = nf.Crossover.of(name).child(MOTHER, MOTHER, GROUPS, np.random.default_rng(0))
    assert np.array_equal(found, MOTHER)


@pytest.mark.parametrize("name", [name for name in CROSSOVERS if name != "half_rows"])
def test_every_weight_comes_from_either_parent_sooner_or_later(name):
    children = np.array([child(name, seed) for seed in range(50)])
    assert np.any(children > 0, axis=0).all()
    assert np.any(children < 0, axis=0).all()


@given(seed=st.integers(0, 2**32))
def test_points_cut_once_and_twice(seed):
    """Going along the child, its parent changes at most once or twice, and the mother comes first."""
    for name, cuts in (("one_point", 1), ("two_point", 2)):
        from_mother = (child(name, seed) > 0).astype(int)
        changes = np.flatnonzero(np.diff(from_mother))
        assert len(changes) <= cuts
        assert cuts != len(changes) or from_mother[0] == 1


@given(seed=st.integers(0, 2**32))
def test_neurons_are_not_torn_apart(seed):
    from_mother = child("by_neuron", seed) > 0
    for neuron in np.unique(GROUPS.neurons):
        assert len(set(from_mother[GROUPS.neurons == neuron])) == 1


def test_the_first_half_of_the_rows_is_the_mothers():
    """3-4-2: two of four rows of three, and their biases; one of two rows of four, and its bias."""
    from_mother = [1] * 6 + [0] * 6 + [1, 1, 0, 0] + [1] * 4 + [0] * 4 + [1, 0]
    assert np.array_equal(child("half_rows") > 0, np.array(from_mother, bool))


def test_the_arithmetic_child_is_on_the_line():
    found = child("arithmetic")
    assert np.ptp((found - FATHER) / (MOTHER - FATHER)) < 1e-12


def test_fitness_by_hand():
    np.testing.assert_allclose(fitness(np.array([1.0, 2.0, 4.0])), [4 / 7, 2 / 7, 1 / 7])


@pytest.mark.parametrize(
    ("errors", "shares"),
    [([0.0, 1.0], [1, 0]), ([0.0, 0.0], [0.5, 0.5]), ([-3.0, 0.0, 2.0], [0.5, 0.5, 0]), ([1e308], [1])],
)
def test_fitness_where_one_over_the_error_is_no_number(errors, shares):
    np.testing.assert_allclose(fitness(np.array(errors)), shares, atol=1e-290)


def test_ranking_leaves_out_what_is_not_finite_and_keeps_the_order_of_equals():
    assert ranking(np.array([3.0, np.nan, 1.0, np.inf, 1.0, -np.inf])).tolist() == [2, 4, 0]


def test_the_roulette_wheel_turns_in_proportion_to_fitness():
    """Children with a weight for each parent tell where it came from; binomial counts, five deviations."""
    candidates = np.repeat([[0.0], [1.0], [2.0], [3.0]], N, axis=1)
    found = bred([1, 2, 4, 1e9], candidates, size=4001, mutation=0.0, survivors=3)[1:]
    shares = np.bincount(found[:, 0].astype(int), minlength=4) / len(found)
    for share, expected in zip(shares, [4 / 7, 2 / 7, 1 / 7, 0], strict=True):
        assert abs(share - expected) <= 5 * np.sqrt(expected * (1 - expected) / len(found))


def test_the_best_live_on_as_they_are():
    candidates = np.random.default_rng(0).standard_normal((5, N))
    found = bred([3, 1, np.nan, 2, 5], candidates, elite=2)
    assert np.array_equal(found[:2], candidates[[1, 3]])
    assert found.shape == (6, N)


@given(errors=st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 0.5, 1.0, 7.0]), min_size=2, max_size=9))
def test_who_has_no_finite_error_has_no_children(errors):
    """Their weights are not finite either here, and none is found in the next generation."""
    errors = np.array([*errors, 2.0])
    candidates = np.where(np.isfinite(errors), 1.0, np.nan)[:, None] * np.ones(N)
    assert np.isfinite(bred(errors, candidates, survivors=8, elite=3)).all()


def test_only_survivors_have_children():
    """Without mutation every child of two equal survivors is their equal."""
    candidates = np.arange(6.0)[:, None] * np.ones(N)
    found = bred([6, 5, 4, 3, 1, 2], candidates, survivors=2, crossover=nf.OnePointCrossover(), mutation=0)
    assert set(np.unique(found)) == {4.0, 5.0}


def test_mutation_is_scaled_to_the_weights():
    """Of equal parents, children differ by a tenth of the root mean square in about half of the weights."""
    parent = np.random.default_rng(0).standard_normal(N) * 50
    found = bred([1, 1], np.array([parent, parent]), size=401, survivors=2)[1:]
    changes = (found - parent)[found != parent]
    assert abs(np.mean(found != parent) - 0.5) < 0.02
    assert changes.std() == pytest.approx(0.1 * np.sqrt(np.mean(parent**2)), rel=0.03)


def test_each_child_is_mutated_by_its_own_scale():
    """Of two families without crossing, one with weights a thousand times as large."""
    candidates = np.array([np.full(N, 1.0), np.full(N, 1000.0)])
    found = bred([1, 1], candidates, size=200, survivors=2, crossover=nf.HalfRowsCrossover(), mutation=0.01)
    small = found[np.all(found < 10, axis=1)]
    assert len(small) > 20
    assert np.abs(small - 1).max() < 0.1


def test_it_is_a_pure_function_of_seed_and_generation():
    errors = [3, 1, 4, 1.5]
    first = bred(errors)
    assert np.array_equal(bred(errors), first)
    assert not np.array_equal(bred(errors, seed=2), first)
    assert not np.array_equal(bred(errors, generation=1), first)


def test_it_travels_as_json():
    """Nothing is lost on the way to a reducer."""
    from neuralframe.core.components import from_json, to_json

    arrays = {}
    again = from_json(to_json(breeding(), arrays), arrays)
    for field in attrs.fields(Breeding):
        assert np.array_equal(getattr(again, field.name), getattr(breeding(), field.name))
