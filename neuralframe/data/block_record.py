"""The record of a packed block: one line of text that holds K samples as they are in memory.

A record is ``number TAB base64 NEWLINE``: the block's number among those of its data set, in twelve digits,
and a header of 40 bytes followed by the sample weights (float64, if there are any), the inputs and the
targets, row by row, in little-endian floating point, and zeros up to a multiple of three bytes. So base64
ends without a "=", next to which a changed bit could go unnoticed, and numbers are aligned in memory.
base64 makes a third more of it and is safe wherever text is (measured, and compared with JSON and pickle:
benchmarks/results/packed_data.md). Nothing in a record is ever executed.

======  ====  =====================================================
offset  type  meaning
======  ====  =====================================================
0       4s    ``NFBK``
4       u2    version of the format
6       u1    bytes of a number: 4 or 8
7       u1    1 if there are sample weights, else 0
8       u8    number of the block
16      8s    token of the data set
24      u4    samples
28      u4    inputs of a sample
32      u4    targets of a sample
36      u4    CRC-32 of all other bytes
======  ====  =====================================================
"""

from __future__ import annotations

import binascii
import struct
import zlib
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.data.blocks import Block
from neuralframe.exceptions import PackedDataError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array

MAGIC, VERSION = b"NFBK", 1
HEADER = struct.Struct("<4sHBBQ8sIIII")
CHECKSUM = struct.Struct("<I")
KEY_BYTES, TOKEN_BYTES = 13, 8
ADVICE = "Pack the data again, or copy the file again from where it was whole"


@attrs.frozen(eq=False)
class BlockRecord:
    """A block, and which data set it belongs to.

    Attributes
    ----------
    token : bytes
        Eight bytes that tell the data set from others.
    block : Block
        The block; its number counts among the blocks of its own data set.

    """

    token: bytes
    block: Block


def write_block(block: Block, token: bytes) -> bytes:
    """Return the record of a block, its newline included."""
    inputs, targets, weights = block.inputs, block.targets, block.sample_weights
    header = HEADER.pack(
        MAGIC, VERSION, inputs.dtype.itemsize, weights is not None, block.number, token,
        len(inputs), inputs.shape[1], targets.shape[1], 0,
    )[: -CHECKSUM.size]  # fmt: skip
    arrays = [_little_endian(array) for array in (weights, inputs, targets) if array is not None]
    padding = bytes(_padding(sum(array.nbytes for array in arrays)))
    checksum = zlib.crc32(header)
    for array in arrays:
        checksum = zlib.crc32(array, checksum)
    checksum = zlib.crc32(padding, checksum)
    content = b"".join([header, CHECKSUM.pack(checksum), *arrays, padding])
    return b"".join([_key(block.number), binascii.b2a_base64(content)])


def read_block(record: bytes, where: str) -> BlockRecord:
    """Return the block in a record; its arrays are read-only views of the bytes that were decoded.

    Parameters
    ----------
    record : bytes
        A line, with or without its newline.
    where : str
        File and record, for messages.

    Raises
    ------
    PackedDataError
        If the record is damaged, cut short, of another version, or holds a number that is not finite.

    """
    content = _decoded(record, where)
    layout = Layout(*HEADER.unpack_from(content))
    layout.check(len(content), where)
    kept = memoryview(content)
    if layout.checksum != zlib.crc32(kept[HEADER.size :], zlib.crc32(kept[: HEADER.size - CHECKSUM.size])):
        raise PackedDataError(f"{where}: a byte was changed (the checksum is wrong). {ADVICE}")
    if _key(layout.number) != record[:KEY_BYTES]:
        raise PackedDataError(f"{where}: the record of block {layout.number} has another key. {ADVICE}")
    block = layout.block(content)
    _require_finite(block, where)
    return BlockRecord(layout.token, block)


def record_bytes(n_samples: int, n_inputs: int, n_targets: int, itemsize: int, *, weighted: bool) -> int:
    """Return the length of the record of a block, its newline included."""
    content = HEADER.size + n_samples * ((n_inputs + n_targets) * itemsize + 8 * weighted)
    return KEY_BYTES + -(-content // 3) * 4 + 1


@attrs.frozen
class Layout:
    """The header of a record, field by field."""

    magic: bytes
    version: int
    itemsize: int
    weighted: int
    number: int
    token: bytes
    n_samples: int
    n_inputs: int
    n_targets: int
    checksum: int

    @property
    def n_bytes(self) -> int:
        """How many bytes the arrays take."""
        return self.n_samples * ((self.n_inputs + self.n_targets) * self.itemsize + 8 * self.weighted)

    def check(self, length: int, where: str) -> None:
        """Raise `PackedDataError` unless this is a header that fits a content of `length` bytes."""
        if self.magic != MAGIC or self.itemsize not in (4, 8) or self.weighted not in (0, 1):
            raise PackedDataError(f"{where}: not a packed block. {ADVICE}")
        if self.version != VERSION:
            raise PackedDataError(
                f"{where}: written in version {self.version} of the format; this neuralframe reads version "
                f"{VERSION}. Pack the data with this neuralframe, or install the one that packed it"
            )
        if HEADER.size + self.n_bytes + _padding(self.n_bytes) != length:
            raise PackedDataError(
                f"{where}: {length - HEADER.size} bytes of samples, where its header announces "
                f"{self.n_samples} samples of {self.n_inputs} inputs and {self.n_targets} targets, "
                f"{self.n_bytes} bytes. {ADVICE}"
            )

    def block(self, content: bytes) -> Block:
        """Return the block as views of `content`."""
        n, offset = self.n_samples, HEADER.size + 8 * self.n_samples * self.weighted
        weights = np.frombuffer(content, "<f8", n, HEADER.size) if self.weighted else None
        values = np.frombuffer(content, f"<f{self.itemsize}", n * (self.n_inputs + self.n_targets), offset)
        inputs, targets = np.split(values, [n * self.n_inputs])
        return Block(
            self.number, inputs.reshape(n, self.n_inputs), targets.reshape(n, self.n_targets), weights
        )


def _key(number: int) -> bytes:
    return b"%012d\t" % number


def _padding(n_bytes: int) -> int:
    return -(HEADER.size + n_bytes) % 3


def _little_endian(array: Array) -> memoryview:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data


def _decoded(record: bytes, where: str) -> bytes:
    key = record[:KEY_BYTES]
    if not (key[:-1].isdigit() and key.endswith(b"\t") and len(key) == KEY_BYTES):
        raise PackedDataError(f"{where}: not a packed block; expected a number, a tab and base64")
    try:
        text = memoryview(record)[KEY_BYTES : -1 if record.endswith(b"\n") else None]
        content = binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as problem:
        raise PackedDataError(f"{where}: damaged or cut short ({problem}). {ADVICE}") from None
    if len(content) < HEADER.size:
        raise PackedDataError(f"{where}: cut short: {len(content)} bytes. {ADVICE}")
    return content


def _require_finite(block: Block, where: str) -> None:
    for what, values in (
        ("input", block.inputs),
        ("target", block.targets),
        ("sample weight", block.sample_weights),
    ):
        if values is None or np.isfinite(values).all():
            continue
        row, *column = (int(position) for position in np.argwhere(~np.isfinite(values))[0])
        raise PackedDataError(
            f"{where}: {' '.join([what, *map(str, column)])} of the block's sample {row} (counted from 0) is "
            f"{values[(row, *column)]}; every number must be finite. Mend or leave out the sample and pack "
            "the data again"
        )
