"""The record of a block: what is written is read, and no damage goes unnoticed."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.data.block_record import HEADER, KEY_BYTES, read_block, record_bytes, write_block
from neuralframe.data.blocks import Block
from neuralframe.exceptions import PackedDataError

TOKEN = b"8 bytes!"


def some_block(n=3, n_inputs=2, n_targets=1, dtype="float64", *, weighted=False, number=5):
    random = np.random.default_rng(0)
    weights = random.random(n) if weighted else None
    inputs, targets = random.standard_normal((n, n_inputs)), random.standard_normal((n, n_targets))
    return Block(number, inputs.astype(dtype), targets.astype(dtype), weights)


@given(
    n=st.integers(1, 9),
    n_inputs=st.integers(1, 5),
    n_targets=st.integers(1, 4),
    dtype=st.sampled_from(["float64", "float32"]),
    weighted=st.booleans(),
    number=st.integers(0, 10**11),
)
def test_what_is_written_is_read(*, n, n_inputs, n_targets, dtype, weighted, number):
    """Every bit, the type, the number and the token come back, with or without the newline."""
    block = some_block(n, n_inputs, n_targets, dtype, weighted=weighted, number=number)
    record = write_block(block, TOKEN)
    assert record.count(b"\n") == 1
    assert len(record) == record_bytes(n, n_inputs, n_targets, np.dtype(dtype).itemsize, weighted=weighted)
    for line in (record, record[:-1]):
        read = read_block(line, "here")
        assert (read.token, read.block.number) == (TOKEN, number)
        for name in ("inputs", "targets", "sample_weights"):
            before, after = getattr(block, name), getattr(read.block, name)
            assert (before is None) == (after is None)
            if before is not None:
                assert after.dtype == before.dtype
                assert after.tobytes() == before.tobytes()
                assert after.flags.aligned
                assert not after.flags.writeable


def test_a_record_is_what_the_documentation_says():
    """Taken apart by hand, field by field."""
    block = some_block(weighted=True)
    key, _, text = write_block(block, TOKEN).partition(b"\t")
    content = base64.b64decode(text, validate=False)
    assert key == b"000000000005"
    assert b"=" not in text
    assert struct.unpack("<4sHBBQ8sIII", content[:36]) == (b"NFBK", 1, 8, 1, 5, TOKEN, 3, 2, 1)
    assert struct.unpack("<I", content[36:40])[0] == zlib.crc32(content[:36] + content[40:])
    numbers = np.frombuffer(content[40 : 40 + 8 * 12], "<f8")
    expected = np.concatenate([block.sample_weights, block.inputs.ravel(), block.targets.ravel()])
    assert np.array_equal(numbers, expected)
    assert content[40 + 8 * 12 :].strip(b"\0") == b""


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_changed_byte_is_noticed(dtype, weighted):
    """Each byte of the line in turn, the key and the newline included, with several other values."""
    block = some_block(dtype=dtype, weighted=weighted)
    record = write_block(block, TOKEN)
    random = np.random.default_rng(1)
    for position in range(len(record)):
        for flip in {1, 128, int(random.integers(1, 256))}:
            changed = bytearray(record)
            changed[position] ^= flip
            with pytest.raises(PackedDataError, match=r"^part-7, record 3: "):
                read_block(bytes(changed), "part-7, record 3")


def test_a_record_that_is_cut_short_is_noticed():
    record = write_block(some_block(), TOKEN)
    for length in range(len(record) - 1):
        with pytest.raises(PackedDataError, match="here: "):
            read_block(record[:length], "here")


def forged(position, replacement, *, block=None):
    """Return a record with changed content and the right checksum."""
    record = write_block(block or some_block(), TOKEN)
    content = bytearray(base64.b64decode(record[KEY_BYTES:]))
    content[position : position + len(replacement)] = replacement
    content[36:40] = struct.pack("<I", zlib.crc32(bytes(content[:36] + content[40:])))
    return record[:KEY_BYTES] + base64.b64encode(bytes(content)) + b"\n"


@pytest.mark.parametrize(
    ("position", "replacement", "message"),
    [
        (0, b"PK\3\4", "not a packed block"),
        (4, struct.pack("<H", 2), r"written in version 2 .* reads version 1"),
        (6, b"\2", "not a packed block"),
        (7, b"\2", "not a packed block"),
        (8, struct.pack("<Q", 6), "the record of block 6 has another key"),
        (24, struct.pack("<I", 2**32 - 1), "4294967295 samples of 2 inputs"),
        (28, struct.pack("<I", 7), "3 samples of 7 inputs"),
        (32, struct.pack("<I", 0), "2 inputs and 0 targets"),
        (HEADER.size, struct.pack("<d", np.nan), r"input 0 of the block's sample 0 .* is nan"),
        (HEADER.size + 8 * 5, struct.pack("<d", np.inf), r"input 1 of the block's sample 2 .* is inf"),
        (HEADER.size + 8 * 7, struct.pack("<d", -np.inf), r"target 0 of the block's sample 1 .* is -inf"),
    ],
)
def test_a_forged_record_is_refused(position, replacement, message):
    """The checksum is right, so that each field is checked for itself; nothing is allocated for it."""
    with pytest.raises(PackedDataError, match=message):
        read_block(forged(position, replacement), "here")


def test_a_weight_that_is_not_finite_is_refused():
    record = forged(HEADER.size + 8, struct.pack("<d", np.nan), block=some_block(weighted=True))
    with pytest.raises(PackedDataError, match="sample weight of the block's sample 1"):
        read_block(record, "here")


@given(st.binary(max_size=200))
def test_any_other_line_is_refused(line):
    with pytest.raises(PackedDataError):
        read_block(line, "here")
