"""Streaming to a device: nothing is lost on the way, and no buffer is filled while it is read."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neuralframe.kernels.cuda.streaming import Bus, NumbaBus, Stream


class LateBus(Bus):
    """Copies as late as it may, so that a buffer that is filled too early arrives wrong."""

    def __init__(self):
        self.pending = [[], []]
        self.n_copies = self.n_pinned = 0

    def pinned(self, n_bytes):
        self.n_pinned += 1
        return np.full(n_bytes, 0xFF, np.uint8)

    def empty(self, size, dtype):
        return np.full(size, np.nan, dtype)

    def start_copy(self, source, target, lane):
        self.n_copies += 1
        self.pending[lane].append((source, target))

    def wait(self, lane):
        for source, target in self.pending[lane]:
            target[:] = source
        self.pending[lane].clear()


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["float32", "float64"]), st.integers(1, 100))
def test_an_array_arrives_as_it_is_whatever_the_pieces(n_rows, n_columns, dtype, room):
    array = np.random.default_rng(0).normal(size=(n_rows, n_columns))
    found = Stream(LateBus(), 8 * room).carry(array, dtype)
    assert found.dtype == dtype
    assert np.array_equal(found, array.astype(dtype).reshape(-1))


def test_buffers_are_pinned_once_and_used_in_turns():
    bus = LateBus()
    stream = Stream(bus, 80)
    for n in (25, 7):
        assert np.array_equal(stream.carry(np.arange(float(n)), "float64"), np.arange(n))
    assert (bus.n_pinned, bus.n_copies) == (2, 4)


def test_rows_need_not_lie_together():
    array = np.arange(60.0).reshape(6, 10)[::2, 3:8]
    assert np.array_equal(Stream(LateBus(), 64).carry(array, "float32"), array.reshape(-1))


def test_a_number_beyond_float32_becomes_infinite_quietly():
    assert Stream(LateBus()).carry(np.array([1e300, -1e300]), "float32").tolist() == [np.inf, -np.inf]


class FakeStream:
    def __init__(self):
        self.waits = 0

    def synchronize(self):
        self.waits += 1


class FakeArray(np.ndarray):
    """A device's array: it tells over which stream it was written."""

    def copy_to_device(self, source, stream):
        assert isinstance(stream, FakeStream)
        self[:] = source


def test_numba_copies_pieces_over_two_streams(monkeypatch):
    made = []

    def stream():
        made.append(FakeStream())
        return made[-1]

    cuda = SimpleNamespace(
        stream=stream,
        pinned_array=np.empty,
        device_array=lambda size, dtype: np.empty(size, dtype).view(FakeArray),
    )
    found = Stream(NumbaBus(cuda), 64).carry(np.arange(20.0), "float64")
    assert np.array_equal(found, np.arange(20.0))
    assert [lane.waits for lane in made] == [3, 2]  # each before it is filled, and at the end
