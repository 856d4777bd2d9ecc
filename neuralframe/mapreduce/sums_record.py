"""What tasks hand on: the sums over a range of blocks under one key, as one record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.packet import read_packet, write_packet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.mapreduce.job import Sums
    from neuralframe.mapreduce.partial_sum import PartialSum, Range


def write_sums(covered: Range, sums: Sums) -> bytes:
    """Return the packet of the sums over a range of blocks."""
    return write_packet(covered, sums)


def read_sums(packet: bytes) -> tuple[Range, Sums]:
    """Return what `write_sums` wrote.

    Raises
    ------
    EngineError
        If the packet is damaged.

    """
    header, sums = read_packet(packet)
    match header:
        case [int(level), int(i)]:
            return (level, i), sums
    raise EngineError(f"a packet between driver and tasks covers {header!r}, which is no range of blocks")


def keyed_packets(partial: PartialSum) -> Iterator[tuple[int, bytes]]:
    """Yield the packet of each range of blocks under each key."""
    for covered, keyed in partial.ranges():
        for key, sums in keyed.items():
            yield key, write_sums(covered, sums)
