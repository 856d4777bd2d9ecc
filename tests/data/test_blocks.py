"""Blocks."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.data.blocks import Blocks
from neuralframe.data.data_set import DataSet, default_block_size
from neuralframe.exceptions import ParameterError, ShapeError


@given(n_samples=st.integers(1, 40), block_size=st.integers(1, 45))
def test_blocks_hold_every_sample_once_and_in_order(n_samples, block_size):
    """Put end to end, the blocks are the data set; all but the last are full."""
    data = DataSet(np.arange(n_samples)[:, None], np.arange(n_samples), block_size=block_size)
    blocks = list(data.blocks)
    assert len(blocks) == len(data.blocks) == -(-n_samples // block_size)
    assert np.array_equal(np.concatenate([block.inputs for block in blocks]), data.inputs)
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert all(block.n_samples == block_size for block in blocks[:-1])


def test_blocks_are_views():
    """Making blocks copies nothing, and nobody can write through one."""
    data = DataSet(np.ones((5, 2)), np.ones(5), np.ones(5), block_size=2)
    block = data.blocks[-1]
    assert np.shares_memory(block.inputs, data.inputs)
    assert np.shares_memory(block.sample_weights, data.sample_weights)
    with pytest.raises(ValueError, match="read-only"):
        block.inputs[0, 0] = 2


def test_a_block_has_the_same_arrays_whenever_it_is_asked_for():
    """Kernels keep beside an array what they made of it; the number may differ where data are joined."""
    data = DataSet(np.ones((5, 2)), np.ones(5), np.ones(5), block_size=2)
    (samples,) = data.blocks.parts
    first, again, renumbered = samples.block(1, 1), samples.block(1, 1), samples.block(1, 7)
    assert again is first
    assert (first.number, renumbered.number) == (1, 7)
    for name in ("inputs", "targets", "sample_weights"):
        assert getattr(renumbered, name) is getattr(first, name)
        assert not getattr(first, name).flags.writeable


def test_pickled_samples_leave_the_blocks_behind():
    """A view is pickled as a copy: after a pass the samples would be sent twice."""
    data = DataSet(np.ones((500, 20)), np.ones(500), np.ones(500), block_size=10)
    (samples,) = data.blocks.parts
    before = len(pickle.dumps(samples))
    assert len(list(data.blocks)) == 50
    assert len(pickle.dumps(samples)) == before
    again = pickle.loads(pickle.dumps(samples))
    assert (again.block_size, again.part, again.n_blocks) == (10, "training", 50)
    assert again.block(1, 1).sample_weights.tolist() == [1.0] * 10


def test_joined_blocks_number_on_and_mark_validation():
    """Training comes first, validation is marked, and only training is counted as samples."""
    training = DataSet(np.zeros((5, 2)), np.zeros(5), block_size=2)
    validation = DataSet(np.ones((4, 2)), np.ones(4), block_size=3)
    joined = Blocks.joined(training.blocks, validation.blocks)
    assert [(b.number, b.part, b.n_samples) for b in joined] == [
        (0, "training", 2),
        (1, "training", 2),
        (2, "training", 1),
        (3, "validation", 3),
        (4, "validation", 1),
    ]
    assert (joined.n_samples, joined.n_validation) == (5, 4)
    assert repr(joined) == "<5 block(s) of 5 sample(s) of training and 4 of validation>"


def test_joined_blocks_must_fit():
    """Validation data prepared in another way is refused."""
    training, validation = DataSet(np.zeros((5, 2)), np.zeros(5)), DataSet(np.ones((4, 3)), np.ones(4))
    with pytest.raises(ShapeError, match="validation data has 3 inputs a sample, the training data 2"):
        Blocks.joined(training.blocks, validation.blocks)


def test_blocks_behave_as_a_sequence():
    """Negative indices, slices, the end, and a way through pickle."""
    blocks = DataSet(np.arange(7)[:, None], np.arange(7), block_size=3).blocks
    assert blocks[-1].inputs.tolist() == [[6]]
    assert [block.number for block in blocks[1:]] == [1, 2]
    with pytest.raises(IndexError):
        blocks[3]
    assert pickle.loads(pickle.dumps(blocks))[2].inputs.tolist() == [[6]]


@pytest.mark.parametrize(
    ("n_inputs", "expected"), [(1, 4096), (128, 4096), (256, 2048), (784, 1024), (10**6, 1024)]
)
def test_default_block_size(n_inputs, expected):
    """A power of two near 4 MiB of inputs, from 1024 to 4096."""
    assert default_block_size(n_inputs) == expected


@pytest.mark.parametrize("block_size", [0, -1, 2.5, True])
def test_block_size_must_be_a_count(block_size):
    """A block holds a whole number of samples, at least one."""
    with pytest.raises(ParameterError, match="block_size must be a whole number >= 1"):
        DataSet([[1.0]], [1.0], block_size=block_size)
