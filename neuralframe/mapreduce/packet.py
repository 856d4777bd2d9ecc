"""Packets: a JSON header and named arrays in one string of bytes, with a checksum.

What travels between the driver and its tasks are packets: jobs and sums. Numbers keep all their bits, and
nothing is executed when a packet is read (unlike a pickle).

======  ====  ============================================
offset  type  meaning
======  ====  ============================================
0       4s    ``NFPK``
4       u2    version of the format
6       2x
8       u4    length of the JSON text, padded to eights
12      u4    CRC-32 of all that follows
16            JSON, then the arrays, each padded to eights
======  ====  ============================================
"""

from __future__ import annotations

import binascii
import json
import math
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.exceptions import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Arrays = dict[str, np.ndarray[Any, Any]]

MAGIC, VERSION = b"NFPK", 1
HEAD = struct.Struct("<4sH2xII")


def write_packet(header: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return a packet of what `json.dumps` takes and of arrays of numbers or booleans."""
    described = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    text = json.dumps([header, described]).encode()
    content = b"".join([_padded(text), *(_padded(array.tobytes()) for array in arrays.values())])
    return HEAD.pack(MAGIC, VERSION, len(_padded(text)), zlib.crc32(content)) + content


def read_packet(packet: bytes) -> tuple[Any, Arrays]:
    """Return the header and the arrays, which may be written to.

    Raises
    ------
    EngineError
        If the packet is damaged, cut short, or of another version.

    """
    try:
        return _read(bytearray(packet))
    except (struct.error, LookupError, TypeError, ValueError, RecursionError) as problem:
        raise EngineError(f"a packet between driver and tasks is damaged ({problem})") from problem


def packet_to_text(packet: bytes) -> bytes:
    """Return the packet as base64, without a newline."""
    return binascii.b2a_base64(packet, newline=False)


def packet_from_text(text: bytes) -> bytes:
    """Return the packet that `packet_to_text` wrote."""
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as problem:
        raise EngineError(f"a packet between driver and tasks is damaged ({problem})") from problem


def _read(packet: bytearray) -> tuple[Any, Arrays]:
    magic, version, length, checksum = HEAD.unpack_from(packet)
    if (magic, version) != (MAGIC, VERSION):
        raise EngineError(
            f"a packet of the kind {magic!r} in version {version}, where {MAGIC!r} in version {VERSION} is "
            "read. Is neuralframe installed in the same version on every machine?"
        )
    if zlib.crc32(memoryview(packet)[HEAD.size :]) != checksum:
        raise EngineError("a packet between driver and tasks is damaged (the checksum is wrong)")
    header, described = json.loads(packet[HEAD.size : HEAD.size + length])
    arrays, offset = {}, HEAD.size + length
    for name, kind, shape in described:
        dtype = np.dtype(kind)
        if dtype.kind not in "fiub":
            raise EngineError(f"a packet holds an array of the type {kind!r}; numbers and booleans travel")
        array = np.frombuffer(packet, dtype, math.prod(shape), offset).reshape(shape)
        arrays[name] = array
        offset += -(-array.nbytes // 8) * 8
    return header, arrays


def _padded(content: bytes) -> bytes:
    return content + b" " * (-len(content) % 8)
