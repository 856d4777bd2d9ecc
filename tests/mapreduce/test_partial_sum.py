"""The reproducible sum: the same bits however blocks are shared out."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.mapreduce.job import Job
from neuralframe.mapreduce.partial_sum import PartialSum, folded, ranges_of


class Adding(Job):
    """A job of which only `combine` matters."""

    def map(self, block):
        raise AssertionError

    def reduce(self, key, total):
        raise AssertionError


COMBINE = Adding().combine


def numbers(n_blocks, seed=0):
    """Return one number a block, spread over twenty orders of magnitude: their sum depends on the order."""
    random = np.random.default_rng(seed)
    return random.standard_normal(n_blocks) * 10.0 ** random.integers(-10, 10, n_blocks)


def summed(values, blocks):
    partial = PartialSum(COMBINE)
    for number in blocks:
        partial.add_block(number, {0: {"sum": values[number : number + 1].copy()}})
    return partial


def by_recursion(values):
    """Return the canonical sum by its definition: halves of dyadic ranges, then the ranges from the right."""

    def dyadic(start, length):
        if length == 1:
            return values[start]
        return dyadic(start, length // 2) + dyadic(start + length // 2, length // 2)

    parts, start = [], 0
    for bit in reversed(range(len(values).bit_length())):
        if len(values) >> bit & 1:
            parts.append(dyadic(start, 1 << bit))
            start += 1 << bit
    total = parts[-1]
    for part in reversed(parts[:-1]):
        total = part + total
    return total


@given(st.integers(1, 70), st.data())
def test_any_partition_in_any_order_gives_the_bits_of_the_definition(n_blocks, data):
    values = numbers(n_blocks)
    owners = data.draw(st.lists(st.integers(0, 6), min_size=n_blocks, max_size=n_blocks))
    order = data.draw(st.permutations(range(n_blocks)))
    partials = [summed(values, [b for b in order if owners[b] == owner]) for owner in range(7)]
    merged = PartialSum(COMBINE)
    for i in data.draw(st.permutations(range(7))):
        merged.merge(partials[i])
    assert merged.total(n_blocks)[0]["sum"][0] == by_recursion(values)


def test_a_plain_sum_in_another_order_has_other_bits():
    """The numbers of these tests would show a sum that depends on the order."""
    values = numbers(64)
    assert sum(values) != sum(values[::-1])


def test_merging_is_associative():
    values = numbers(13)
    parts = [range(4), range(4, 9), range(9, 13)]
    left = summed(values, parts[0]).merge(summed(values, parts[1])).merge(summed(values, parts[2]))
    right = summed(values, parts[0]).merge(summed(values, parts[1]).merge(summed(values, parts[2])))
    assert left.total(13)[0]["sum"][0] == right.total(13)[0]["sum"][0]


@pytest.mark.parametrize("blocks", [[0, 1, 3], [0, 1, 2, 3, 4], [1, 2, 3], []])
def test_a_sum_over_the_wrong_blocks_is_never_returned(blocks):
    with pytest.raises(nf.EngineError, match="not the 4"):
        summed(numbers(8), blocks).total(4)


@pytest.mark.parametrize("blocks", [[0, 0], [2, 3, 2], [0, 1, 2, 3, 1]])
def test_a_block_that_comes_twice_is_refused_at_once_or_at_the_end(blocks):
    with pytest.raises(nf.EngineError):
        summed(numbers(8), blocks).total(4)


def test_a_total_is_taken_once():
    """It is added up in place; a second one would be wrong."""
    partial = summed(numbers(3), range(3))
    partial.total(3)
    with pytest.raises(nf.EngineError, match="covers 0 block"):
        partial.total(3)


def test_sums_of_other_keys_and_names_are_kept():
    """Validation blocks bring names, and perhaps keys, that training blocks do not have."""
    partial = PartialSum(COMBINE)
    partial.add_block(0, {0: {"training": np.array([1.0])}})
    partial.add_block(1, {0: {"validation": np.array([2.0])}, 7: {"training": np.array([3.0])}})
    total = partial.total(2)
    assert total[0] == {"training": np.array([1.0]), "validation": np.array([2.0])}
    assert total[7] == {"training": np.array([3.0])}


@given(st.integers(1, 40), st.integers(0, 40))
def test_blocks_that_follow_do_not_change_the_sum_over_those_before(n_training, n_validation):
    """A validation set that is only watched must not change the training, not even in its last bits."""
    values = numbers(n_training)
    alone, watched = summed(values, range(n_training)), summed(values, range(n_training))
    for number in range(n_training, n_training + n_validation):
        watched.add_block(number, {0: {"validation": np.array([1.0])}})
    expected = alone.total(n_training)[0]["sum"][0]
    assert watched.total(n_training + n_validation)[0]["sum"][0] == expected


def test_a_run_of_neighbouring_blocks_holds_few_sums_at_a_time():
    partial = PartialSum(COMBINE)
    most = 0
    for number in range(1000):
        partial.add_block(number, {0: {"sum": np.ones(1)}})
        most = max(most, len(partial._ranges))
    assert most <= 10
    assert partial.total(1000)[0]["sum"][0] == 1000


@given(st.integers(1, 300))
def test_folding_in_order_gives_the_bits_of_the_definition(n_blocks):
    values = numbers(n_blocks, seed=n_blocks)
    assert folded(iter(values), operator.add) == by_recursion(values)


def test_folding_adds_neighbours_in_place_and_left_to_right():
    assert folded("abcdefg", lambda left, right: f"({left}{right})") == "(((ab)(cd))((ef)g))"


def test_ranges_cover_every_block_once():
    for n in range(1, 200):
        covered = [b for level, i in ranges_of(n) for b in range(i << level, (i + 1) << level)]
        assert covered == list(range(n))


@given(st.integers(1, 40), st.data())
def test_keys_that_some_blocks_lack_sum_to_the_same_bits_at_a_reducer(n_blocks, data):
    """A reducer sees one key's ranges, from several mappers, and not the blocks that have nothing to add."""
    values = numbers(n_blocks, seed=n_blocks)
    having = data.draw(st.sets(st.integers(0, n_blocks - 1), min_size=1))
    shares = data.draw(st.lists(st.integers(0, 3), min_size=n_blocks, max_size=n_blocks))
    here = PartialSum(COMBINE)
    for number in range(n_blocks):
        here.add_block(number, {0: {"sum": values[number : number + 1].copy()}} if number in having else {})
    reducer = PartialSum(COMBINE)
    for share in range(4):
        mapper = PartialSum(COMBINE)
        for number in data.draw(st.permutations([n for n in range(n_blocks) if shares[n] == share])):
            sums = {0: {"sum": values[number : number + 1].copy()}} if number in having else {}
            mapper.add_block(number, sums)
        for covered, keyed in mapper.ranges():
            if keyed:
                reducer.add_range(covered, keyed)
    assert reducer.sparse_total(n_blocks)[0]["sum"] == here.total(n_blocks)[0]["sum"]


def test_a_reducer_refuses_a_range_within_one_that_it_has():
    values = numbers(4)
    partial = summed(values, [0, 1])
    partial.add_range((0, 1), {0: {"sum": values[1:2].copy()}})
    with pytest.raises(nf.EngineError, match="blocks 0 to 1 came twice"):
        partial.sparse_total(4)


def test_ranges_come_in_the_order_of_the_blocks():
    partial = summed(numbers(8), [6, 2, 3, 0, 7])
    assert [covered for covered, _ in partial.ranges()] == [(0, 0), (1, 1), (1, 3)]
