"""Residency: what was made of an array is remembered as long as both are there."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from neuralframe.kernels.residency import Residency


def read_only(n, value=1.0):
    """Return n numbers that cannot be written to."""
    array = np.full(n, value)
    array.flags.writeable = False
    return array


class Maker:
    """Doubles arrays, and counts how often."""

    def __init__(self):
        self.times = 0

    def __call__(self, array):
        self.times += 1
        return array * 2


def kept(residency, array, maker, layout="double"):
    """Return the double, now or before."""
    return residency.of(array, layout, maker, lambda made: made.nbytes)


def test_it_is_made_once_for_each_array_and_layout():
    """The second time it is the same object."""
    residency, maker, array, other = Residency(10**6), Maker(), read_only(10), read_only(10)
    first = kept(residency, array, maker)
    assert kept(residency, array, maker) is first
    assert kept(residency, other, maker) is not first
    assert kept(residency, array, maker, "again") is not first
    assert (maker.times, residency.n_bytes) == (3, 240)
    residency.clear()
    assert residency.n_bytes == 0
    assert kept(residency, array, maker) is not first


def test_an_array_that_may_be_written_to_is_not_remembered():
    """Its numbers may be others the next time."""
    residency, maker, array = Residency(10**6), Maker(), np.ones(10)
    kept(residency, array, maker)
    array[:] = 3
    assert kept(residency, array, maker)[0] == 6
    assert residency.n_bytes == 0


def test_what_was_made_goes_with_its_array():
    """Another array in the same place gets its own."""
    residency, maker = Residency(10**6), Maker()
    for value in range(20):
        array = read_only(10, value)
        assert kept(residency, array, maker)[0] == 2 * value
        assert residency.n_bytes == 80
        del array
        gc.collect()
    assert residency.n_bytes == 0
    assert maker.times == 20


def test_what_fits_stays_where_all_are_asked_for_in_turn():
    """Of five blocks of which two fit, two are found in each round; none is larger than the limit."""
    residency, maker, arrays = Residency(200), Maker(), [read_only(10, value) for value in range(5)]
    for array in [*arrays, read_only(30)] * 3:
        kept(residency, array, maker)
    assert residency.n_bytes == 160
    before = maker.times
    for array in arrays:
        kept(residency, array, maker)
    assert maker.times == before + 3


def test_what_has_long_not_been_used_gives_way():
    """Other blocks take the place of those that nobody asks for any more."""
    residency, maker = Residency(200), Maker()
    old, new = [read_only(10, value) for value in range(2)], [read_only(10, value) for value in range(2)]
    for array in old + new * 10:
        kept(residency, array, maker)
    before = maker.times
    for array in new:
        kept(residency, array, maker)
    assert maker.times == before


def test_an_array_that_becomes_writable_is_laid_out_anew():
    """Its numbers may have changed since."""
    residency, maker, array = Residency(1000), Maker(), read_only(10)
    kept(residency, array, maker)
    array.flags.writeable = True
    array *= 3
    assert kept(residency, array, maker)[0] == 6


def test_threads_may_share_it():
    """The count of bytes is right after any interleaving."""
    residency, arrays = Residency(800), [read_only(10, value) for value in range(30)]

    def use(seed):
        for number in np.random.default_rng(seed).integers(30, size=300):
            assert kept(residency, arrays[number], lambda array: array * 2)[0] == 2 * number

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(8)))
    assert residency.n_bytes <= 800
    arrays.clear()
    gc.collect()
    assert residency.n_bytes == 0
