"""The history of a training on disk: a line of JSON for each record, written as training goes on."""

from __future__ import annotations

import json
import os
import zlib
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.exceptions import CheckpointError
from neuralframe.training.history import IterationRecord

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@attrs.define(eq=False)
class HistoryLog:
    """A file of records, of which as much counts as the last checkpoint says.

    Attributes
    ----------
    path : Path
        The file.
    n_bytes : int
        How much of it counts.
    checksum : int
        The CRC-32 of that much.

    """

    path: Path
    n_bytes: int = 0
    checksum: int = 0

    def append(self, records: Iterable[IterationRecord]) -> None:
        """Write further records to the disk, in place of anything that did not count."""
        lines = b"".join(json.dumps(attrs.asdict(record)).encode() + b"\n" for record in records)
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            file.seek(self.n_bytes)
            file.write(lines)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self.n_bytes += len(lines)
        self.checksum = zlib.crc32(lines, self.checksum)

    def records(self) -> list[IterationRecord]:
        """Return the records that count.

        Raises
        ------
        CheckpointError
            If the file is shorter than that, or other bytes are in it.

        """
        content = self.path.read_bytes()[: self.n_bytes] if self.path.exists() else b""
        if len(content) < self.n_bytes or zlib.crc32(content) != self.checksum:
            raise CheckpointError(f"the history up to it, in {self.path}, is damaged or cut short")
        return [IterationRecord(**json.loads(line)) for line in content.splitlines()]

    def to_json(self) -> dict[str, Any]:
        """Return how much counts, for a checkpoint."""
        return {"bytes": self.n_bytes, "crc32": self.checksum}
