"""Packed data sets: samples that stay in their files until a block is asked for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import attrs

from neuralframe.core.arrays import float_type
from neuralframe.data import storage
from neuralframe.data.block_record import read_block
from neuralframe.data.blocks import Block, Blocks
from neuralframe.data.checks import cast
from neuralframe.data.packed_header import HEADER_NAME, PackedHeader
from neuralframe.data.packing import packing
from neuralframe.data.progress import progress_of
from neuralframe.data.stored_data_set import StoredDataSet
from neuralframe.exceptions import PackedDataError

if TYPE_CHECKING:
    from os import PathLike

    import numpy.typing as npt

    from neuralframe.data.data_set import DataSet
    from neuralframe.data.packed_header import PartFile

KEPT_BYTES = 2**28
"""Decoded blocks kept in memory, at most; reading a block anew costs about as much as a narrow network's
gradient (benchmarks/results/packed_data.md)."""


def pack(
    data: DataSet,
    path: str | PathLike[str],
    *,
    dtype: npt.DTypeLike | None,
    parts: int | None,
    replace: bool,
    progress: bool | None,
) -> PackedHeader:
    """Write a data set as packed blocks, and return what is written beside them; see `DataSet.pack`."""
    wanted = data.dtype if dtype is None else float_type(dtype)
    with (
        packing(
            path,
            block_size=data.block_size,
            n_blocks=-(-data.n_samples // data.block_size),
            parts=parts,
            encoding=data.encoding,
            replace=replace,
        ) as packer,
        progress_of("packing", len(data), progress) as advance,
    ):
        for block in data.blocks:
            inputs, targets = cast(block.inputs, wanted, "inputs"), cast(block.targets, wanted, "targets")
            packer.add(inputs, targets, block.sample_weights)
            advance(block.n_samples)
    assert packer.header is not None
    return packer.header


class PackedReader:
    """Reads the blocks of packed data by number; safe to share between threads.

    The blocks that come first are kept, as long as they fit: a pass over all blocks, again and again, would
    lose the most recent ones before they are needed.

    Parameters
    ----------
    address : str
        The folder, or its address on HDFS or S3, whose files are copied to a temporary folder as they
        are needed.
    header : PackedHeader

    """

    def __init__(self, address: str, header: PackedHeader) -> None:
        self.address = address
        self.header = header
        self._kept: dict[int, Block] = {}
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self._folder = storage.LocalCopies(address)

    def block(self, index: int) -> Block:
        """Return a block.

        Raises
        ------
        PackedDataError
            If its record is damaged.

        """
        kept = self._kept.get(index)
        return kept if kept is not None else self._keep(index, self._read(index))

    def _keep(self, index: int, block: Block) -> Block:
        with self._lock:
            if index not in self._kept and self._kept_bytes + _bytes_of(block) <= KEPT_BYTES:
                self._kept[index] = block
                self._kept_bytes += _bytes_of(block)
        return block

    def _read(self, index: int) -> Block:
        part = self.header.part_of(index)
        number = index - part.first_block
        where = f"{storage.joined(self.address, part.name)}, record {number + 1}"
        with self._folder.path(part.name).open("rb") as file:
            file.seek(number * self.header.record_bytes)
            record = read_block(file.readline(self.header.record_bytes), where)
        self._require_expected(record.token, record.block, index, where)
        return record.block

    def _require_expected(self, token: bytes, block: Block, index: int, where: str) -> None:
        header = self.header
        weighted = block.sample_weights is not None
        found = (block.number, token, block.n_samples, block.inputs.shape[1], block.targets.shape[1])
        expected = (index, header.token, header.samples_of(index), header.n_inputs, header.n_targets)
        if found == expected and (block.inputs.dtype.name, weighted) == (header.dtype, header.weighted):
            return
        raise PackedDataError(
            f"{where}: block {found[0]} of {found[1].hex()} with {found[2]} samples of {found[3]} inputs and "
            f"{found[4]} targets, where the header has block {expected[0]} of {expected[1].hex()} with "
            f"{expected[2]} samples of {expected[3]} and {expected[4]}. Are files of two data sets mixed?"
        )


@attrs.frozen(eq=False)
class PackedSamples:
    """The blocks of packed data, as a part of a training set."""

    reader: PackedReader
    part: str = "training"

    @property
    def header(self) -> PackedHeader:
        """What is known of the samples."""
        return self.reader.header

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return self.header.n_samples

    @property
    def n_blocks(self) -> int:
        """How many blocks they fill."""
        return self.header.n_blocks

    @property
    def n_inputs(self) -> int:
        """Numbers in a sample's input."""
        return self.header.n_inputs

    @property
    def n_targets(self) -> int:
        """Numbers in a sample's target."""
        return self.header.n_targets

    @property
    def part_files(self) -> tuple[PartFile, ...]:
        """The files that the blocks are in."""
        return self.header.parts

    def address_of(self, part: PartFile) -> str:
        """Return the path or address of a part file."""
        return storage.joined(self.reader.address, part.name)

    def block(self, index: int, number: int) -> Block:
        """Return the block at `index` of these samples under its `number` among all."""
        block = self.reader.block(index)
        if (block.number, block.part) == (number, self.part):
            return block
        return attrs.evolve(block, number=number, part=self.part)


class PackedDataSet(StoredDataSet):
    """A data set whose samples are read when they are needed; made by `DataSet.open`."""

    _reader: PackedReader

    def __init__(self, path: str | PathLike[str]) -> None:
        address = storage.absolute(str(path))
        where = storage.joined(address, HEADER_NAME)
        try:
            text = storage.read_text(where)
        except FileNotFoundError:
            raise PackedDataError(
                f"{path} is no packed data: there is no {HEADER_NAME} in it. Make such with "
                "data.pack(path), or neuralframe pack"
            ) from None
        header = PackedHeader.from_text(text, where)
        _check_files(address, header)
        object.__setattr__(self, "_reader", PackedReader(address, header))
        self._set_up(header, header.block_size, header.encoding)

    @property
    def header(self) -> PackedHeader:
        """What is known without reading."""
        return self._reader.header

    @property
    def source(self) -> str:
        return self._reader.address

    def fingerprint(self) -> str:
        return f"packed {self.header.digest}"

    @property
    def blocks(self) -> Blocks:
        return Blocks(PackedSamples(self._reader))


def _check_files(address: str, header: PackedHeader) -> None:
    """Raise `PackedDataError` unless every part file is there, whole, as far as its length tells."""
    lengths = storage.lengths(address)
    for part in header.parts:
        found = lengths.get(part.name)
        if found != part.n_bytes:
            what = (
                "is missing" if found is None else f"has {found} bytes, not {part.n_bytes}: it was cut short"
            )
            raise PackedDataError(
                f"{storage.joined(address, part.name)} {what}. Copy the file again, or pack the data again"
            )


def _bytes_of(block: Block) -> int:
    weights = block.sample_weights
    return block.inputs.nbytes + block.targets.nbytes + (0 if weights is None else weights.nbytes)
