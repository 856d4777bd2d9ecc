"""How blocks are made of the records of a text file; all that a task must know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.data.checks import cast
from neuralframe.data.encoded_records import EncodedRecords
from neuralframe.data.encoding import Encoding
from neuralframe.data.records import RECORDS_AT_A_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.records import RecordFile, Records
    from neuralframe.data.rows import LineOffsets, Place

    Portion = tuple[Array, Array, Vector | None]


@attrs.frozen(eq=False, kw_only=True)
class TextFormat:
    """How blocks are made of the records of a file.

    Attributes
    ----------
    encoding : Encoding
    names : tuple of str
        The columns of the file.
    delimiter : str
    weights : str or None
        The column of sample weights.
    complete_in : tuple of str
        Records that lack a value in one of these columns are left out.
    block_size : int
        Samples a block.
    dtype : {"float64", "float32"}

    """

    encoding: Encoding
    names: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    delimiter: str
    weights: str | None
    complete_in: tuple[str, ...] = attrs.field(converter=tuple[str, ...])
    block_size: int
    dtype: str

    def to_json(self) -> dict[str, Any]:
        """Return the format as plain JSON values."""
        return attrs.asdict(self, recurse=False) | {
            "encoding": self.encoding.to_json(),
            "names": list(self.names),
            "complete_in": list(self.complete_in),
        }

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Self:
        """Return the format that `to_json` wrote."""
        return cls(**{**description, "encoding": Encoding.from_json(description["encoding"])})

    def blocks(
        self, file: RecordFile, start: Place | None = None, *, lines: LineOffsets | None = None
    ) -> Iterator[tuple[Portion, Place | None]]:
        """Yield the samples of one block after the other, and where the block's first record begins.

        Parameters
        ----------
        file : RecordFile
        start : Place, optional
            Where the first block to read begins; by default the first of the file.
        lines : LineOffsets, optional
            Takes note of the places of blocks, which are None without it.

        """
        samples_of: EncodedRecords[tuple[Records, ...]] = EncodedRecords(
            (), self.encoding, self.weights, self.complete_in
        )
        waiting: list[Portion] = []
        place, room = None, self.block_size
        for records in file.read(start, lines=lines, at_a_time=min(RECORDS_AT_A_TIME, self.block_size)):
            left = samples_of.kept(records)
            while left:
                if room == self.block_size and lines is not None:
                    place = lines.place(left.lines[0])
                taken, left = _cut(left, room)
                waiting.append(samples_of.encoded(taken))
                room -= len(taken)
                if not room:
                    yield self._joined(waiting), place
                    waiting, room = [], self.block_size
            if lines is not None:
                lines.forget()
        if waiting:
            yield self._joined(waiting), place

    def _joined(self, portions: Sequence[Portion]) -> Portion:
        inputs, targets, weights = zip(*portions, strict=True)
        dtype = float_type(self.dtype)
        return (
            cast(np.concatenate(inputs), dtype, "inputs"),
            cast(np.concatenate(targets), dtype, "targets"),
            None if self.weights is None else np.concatenate(weights),
        )


def _cut(records: Records, n: int) -> tuple[Records, Records]:
    if n >= len(records):
        return records, records.chosen(())
    return records.chosen(range(n)), records.chosen(range(n, len(records)))
