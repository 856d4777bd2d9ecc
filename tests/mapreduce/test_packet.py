"""Packets: what travels between a driver and its tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.packet import packet_from_text, packet_to_text, read_packet, write_packet
from neuralframe.mapreduce.sums_record import read_sums, write_sums

NUMBERS = st.sampled_from(["<f8", "<f4", "<i8", "<u1", "?"])
ARRAYS = NUMBERS.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0)))
HEADERS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(HEADERS, st.dictionaries(st.text(max_size=6), ARRAYS, max_size=4))
def test_what_was_written_is_read_bit_by_bit(header, arrays):
    """NaNs with their payloads, signed zeros, empty arrays and scalars too; through base64 as well."""
    text = packet_to_text(write_packet(header, arrays))
    assert b"\n" not in text
    assert b"\t" not in text
    found_header, found = read_packet(packet_from_text(text))
    assert found_header == header
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()
        assert found[name].flags.writeable


@given(st.data())
def test_a_changed_byte_is_noticed_wherever_it_is(data):
    packet = bytearray(write_packet({"a": 1}, {"x": np.arange(5.0)}))
    position = data.draw(st.integers(0, len(packet) - 1))
    if position in (6, 7):  # two bytes of the head that mean nothing
        return
    packet[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(EngineError):
        read_packet(bytes(packet))


@given(st.integers(0, 100))
def test_a_packet_that_was_cut_short_is_refused(length):
    packet = write_packet({"a": 1}, {"x": np.arange(9.0)})
    with pytest.raises(EngineError, match="damaged"):
        read_packet(packet[: min(length, len(packet) - 1)])


@given(st.binary(max_size=60))
def test_what_is_no_packet_is_refused(content):
    with pytest.raises(EngineError):
        read_packet(content)


@pytest.mark.parametrize("text", [b"AAA", b"A\nAA", b"AAAA=AAA", b"\xff\xfe\xfd\xfc", b"AAAA\t"])
def test_what_is_no_base64_is_refused(text):
    with pytest.raises(EngineError, match="damaged"):
        packet_from_text(text)


def test_another_version_is_named():
    packet = bytearray(write_packet(None, {}))
    packet[4] = 9
    with pytest.raises(EngineError, match=r"version 9.*same version on every machine"):
        read_packet(bytes(packet))


def test_objects_do_not_travel():
    """An array of Python objects could only be a pickle."""
    packet = write_packet(None, {"x": np.array(["text"])})
    with pytest.raises(EngineError, match="numbers and booleans"):
        read_packet(packet)


def test_sums_are_read_with_the_range_that_they_cover():
    covered, sums = read_sums(write_sums((3, 5), {"gradient": np.array([0.1, -0.0])}))
    assert covered == (3, 5)
    np.testing.assert_array_equal(sums["gradient"], [0.1, -0.0])


@pytest.mark.parametrize("header", [None, [1], [1, 2, 3], ["a", 2], {"level": 1}])
def test_sums_without_a_range_are_refused(header):
    with pytest.raises(EngineError, match="no range of blocks"):
        read_sums(write_packet(header, {}))
