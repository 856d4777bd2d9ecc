"""The battery of every initializer."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.core.components import from_json, to_json
from neuralframe.core.initializers import Constant, Fan, Initializer
from tests.contracts.registries import INITIALIZERS

every_initializer = pytest.mark.parametrize("initializer", INITIALIZERS, ids=repr)


@st.composite
def fans(draw):
    """Draw a fan; some of its inputs may be constant or range over nearly all numbers."""
    n_out, n_in = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    ranges = st.sampled_from([(-1.0, 1.0), (0.0, 1.0), (3.0, 3.0), (0.0, 0.0), (-1e308, 1e308), (1e-3, 2e-3)])
    return Fan(
        n_out,
        n_in,
        draw(st.lists(ranges, min_size=n_in, max_size=n_in)),
        draw(st.sampled_from([None, (-2.0, 2.0), (-4.0, 4.0), (0.0, 1.0), (-np.inf, np.inf)])),
        draw(st.booleans()),
    )


@every_initializer
@given(fan=fans(), seed=st.integers(0, 2**32))
def test_weights_and_biases_are_finite_float64_of_the_right_shapes(initializer, fan, seed):
    """For any fan, also with constant or enormous input ranges."""
    weights, biases = initializer.draw(fan, np.random.default_rng(seed))
    assert weights.shape == (fan.n_out, fan.n_in)
    assert biases.shape == (fan.n_out,)
    assert weights.dtype == biases.dtype == np.float64
    assert np.isfinite(weights).all()
    assert np.isfinite(biases).all()


@every_initializer
@given(fan=fans(), seed=st.integers(0, 2**32))
def test_the_generator_alone_decides(initializer, fan, seed):
    """Equal seeds give equal bits and different seeds different weights; the fan is left alone."""
    before = fan.input_ranges.copy()
    first = initializer.draw(fan, np.random.default_rng(seed))
    again = initializer.draw(fan, np.random.default_rng(seed))
    others = [initializer.draw(fan, np.random.default_rng(seed + i)) for i in range(1, 17)]
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    if not isinstance(initializer, Constant) and fan.n_out + fan.n_in > 2:
        # One neuron with one input that varies has but two weights to draw from in Nguyen-Widrow.
        assert not all(
            np.array_equal(one, two) for other in others for one, two in zip(first, other, strict=True)
        )
    assert np.array_equal(fan.input_ranges, before)


def test_an_initializer_of_ones_own_takes_a_few_lines():
    """It is found by name and object and written as JSON like any other."""

    @attrs.frozen
    class OneHot(Initializer):
        size: float = 1.0

        def draw(self, fan, random):
            weights = np.zeros((fan.n_out, fan.n_in))
            weights[np.arange(fan.n_out), random.integers(fan.n_in, size=fan.n_out)] = self.size
            return weights, np.zeros(fan.n_out)

    one_hot = Initializer.of("one_hot")
    assert one_hot == Initializer.of(OneHot(1.0)) == from_json(to_json(one_hot))
    weights, _ = one_hot.draw(Fan(4, 3, [(0, 1)] * 3), np.random.default_rng(0))
    assert weights.sum(axis=1).tolist() == [1, 1, 1, 1]
