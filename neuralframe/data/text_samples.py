"""Blocks of text files, encoded whenever they are asked for: CSV straight into the mapper."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.data.blocks import Block
from neuralframe.data.records import RecordFile
from neuralframe.data.text_format import TextFormat
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from neuralframe.data.encoding import Encoding
    from neuralframe.data.rows import Place
    from neuralframe.data.storage import LocalCopies

    Address = str | PathLike[str]


@attrs.frozen(eq=False)
class TextFile:
    """A file, and where its blocks begin.

    Attributes
    ----------
    address : str
        The path, or the address on HDFS or S3.
    file : RecordFile
        The file itself, or its local copy.
    first_block : int
        The number of its first block among those of all files.
    n_samples, n_bytes : int
        What it holds.
    places : tuple of Place
        Where each block begins.

    """

    address: str
    file: RecordFile
    first_block: int
    n_samples: int
    n_bytes: int
    places: tuple[Place, ...]

    @property
    def n_blocks(self) -> int:
        """How many blocks it has; they begin anew in each file."""
        return len(self.places)


@attrs.frozen(eq=False)
class TextSamples:
    """The blocks of text files, as a part of a training set.

    Attributes
    ----------
    format : TextFormat
    files : tuple of TextFile
        At least one; each has at least one block.
    copies : tuple of LocalCopies
        What keeps the copies of remote files.
    part : {"training", "validation"}

    """

    format: TextFormat
    files: tuple[TextFile, ...]
    copies: tuple[LocalCopies, ...] = ()
    part: str = "training"

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return sum(file.n_samples for file in self.files)

    @property
    def n_blocks(self) -> int:
        """How many blocks they fill, the last of each file perhaps in part."""
        return sum(file.n_blocks for file in self.files)

    @property
    def n_inputs(self) -> int:
        """Numbers in a sample's input."""
        return self.format.encoding.n_inputs

    @property
    def n_targets(self) -> int:
        """Numbers in a sample's target."""
        return self.format.encoding.n_targets

    @property
    def encoding(self) -> Encoding:
        """How records become samples."""
        return self.format.encoding

    def block(self, index: int, number: int) -> Block:
        """Return the block at `index` of these samples under its `number` among all: read and encoded now."""
        file = self.files[bisect_right([file.first_block for file in self.files], index) - 1]
        if Path(file.file.file).stat().st_size != file.n_bytes:
            raise DataError(f"{file.address} has changed since it was opened. Open it again")
        place = file.places[index - file.first_block]
        samples, _ = next(self.format.blocks(file.file, place))
        return Block(number, *samples, self.part)

    def description(self, file: TextFile) -> dict[str, Any]:
        """Return what `blocks_of_file` must know to make the blocks of one of the files, as JSON values."""
        return {
            "format": self.format.to_json(),
            "address": file.address,
            "has_header": file.file.has_header,
            "first_block": file.first_block,
            "n_samples": file.n_samples,
        }


def blocks_of_file(path: Address, description: Mapping[str, Any]) -> Iterator[Block]:
    """Yield the blocks of a text file in a task that has a copy of it; the same bits as where it was opened.

    Parameters
    ----------
    path : str or path
        The copy.
    description : mapping
        What `TextSamples.description` returned for the file.

    Raises
    ------
    RecordError
        At a bad record; it names the file that was copied.
    DataError
        If the file has another number of samples than it had.

    """
    format_ = TextFormat.from_json(description["format"])
    file = RecordFile(
        str(path),
        format_.names,
        format_.delimiter,
        description["has_header"],
        called=description["address"],
    )
    n_samples = 0
    for number, (samples, _) in enumerate(format_.blocks(file), start=description["first_block"]):
        n_samples += len(samples[0])
        yield Block(number, *samples)
    if n_samples != description["n_samples"]:
        raise DataError(
            f"{description['address']} has {n_samples} samples, not {description['n_samples']}: it has "
            "changed since it was opened. Open it again"
        )
