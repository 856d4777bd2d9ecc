"""How a Spark task comes by its records: from files that it opens, or from what Spark has cached."""

from __future__ import annotations

import json
from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Records(Protocol):
    """Turns the elements of a partition into records, each with the file and record that it was."""

    def read(self, partition: int, elements: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
        """Yield each record, and where it came from."""


@attrs.frozen
class Stretch:
    """Consecutive records of a file.

    Attributes
    ----------
    path : str
    offset : int
        Where the first of them begins, in bytes.
    first, count : int
        Its number in the file, from 0, and how many they are.

    """

    path: str
    offset: int
    first: int
    count: int

    def read(self) -> Iterator[tuple[bytes, str]]:
        """Yield the records."""
        with Path(self.path).open("rb") as file:
            file.seek(self.offset)
            for number in range(self.first, self.first + self.count):
                yield file.readline(), f"{self.path}, record {number + 1}"


@attrs.frozen
class FileRecords:
    """Records of files that the worker opens itself; the one element of a partition says which."""

    def read(self, partition: int, elements: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:  # noqa: ARG002
        """Yield the records of the files."""
        for element in elements:
            for stretch in json.loads(element):
                yield from Stretch(**stretch).read()

    @staticmethod
    def element(stretches: Iterable[Stretch]) -> bytes:
        """Return the element that stands for some stretches of files."""
        return json.dumps([attrs.asdict(stretch) for stretch in stretches]).encode()


@attrs.frozen
class NamedFiles:
    """The files of one part of the data.

    Attributes
    ----------
    first_partition : int
        The first of the partitions that hold the part.
    first_blocks : tuple of int
        The first block in each file.
    names : tuple of str

    """

    first_partition: int
    first_blocks: tuple[int, ...]
    names: tuple[str, ...]

    def where(self, record: bytes) -> str:
        """Return the file and the record's place in it, as far as its key tells."""
        key = record[:12]
        if not key.isdigit():
            return f"{self.names[0]} or another file of the same data, a record without a key"
        file = bisect_right(self.first_blocks, int(key)) - 1
        return f"{self.names[file]}, record {int(key) - self.first_blocks[file] + 1}"


@attrs.frozen
class CachedRecords:
    """Records that are the elements themselves."""

    parts: tuple[NamedFiles, ...]

    def read(self, partition: int, elements: Iterable[bytes]) -> Iterator[tuple[bytes, str]]:
        """Yield the elements."""
        part = bisect_right([part.first_partition for part in self.parts], partition) - 1
        for element in elements:
            yield element, self.parts[part].where(element)
