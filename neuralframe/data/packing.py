"""Packing: from samples, a portion at a time, to part files of block records."""

from __future__ import annotations

import hashlib
import json
import math
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.validation import whole
from neuralframe.data import storage
from neuralframe.data.block_record import TOKEN_BYTES, record_bytes, write_block
from neuralframe.data.blocks import Block
from neuralframe.data.packed_header import HEADER_NAME, PackedHeader, PartFile
from neuralframe.data.sample_facts import SampleSurvey
from neuralframe.exceptions import DataError
from neuralframe.files import sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.encoding import Encoding

PART_BYTES = 64 * 2**20
"""Size of a part file, about, where the caller does not say how many there should be."""


@contextmanager
def packing(
    path: str | PathLike[str],
    *,
    block_size: int,
    n_blocks: int | None,
    parts: int | None,
    encoding: Encoding | None = None,
    replace: bool = False,
) -> Iterator[Packer]:
    """Yield what takes samples in; the packed data are at `path` once the block ends without an error.

    They are written to a folder of another name first, so that a failure leaves nothing and loses nothing.

    Parameters
    ----------
    path : str or path
        A local folder, or its address on HDFS or S3.
    block_size : int
        Samples a block.
    n_blocks : int or None
        How many blocks there will be; None only where `parts` is None.
    parts : int or None
        Part files, about; None makes them about 64 MiB each.
    encoding : Encoding or None
        Goes into the header.
    replace : bool
        Whether packed data may be replaced.

    Raises
    ------
    ParameterError
        If `parts` is no whole number above 0.
    DataError
        If there is something at `path` already, and `replace` does not say that packed data may go.
    OSError
        If it cannot be written.

    """
    wanted = None if parts is None else -(-(n_blocks or 1) // whole(parts, "parts"))
    with storage.writing_folder(str(path), replace=replace) as local:
        final = Path(local)
        _require_free(final, replace=replace)
        fresh = final.with_name(f".{final.name}.{secrets.token_hex(8)}")
        fresh.mkdir()
        try:
            packer = Packer(fresh, block_size, encoding, blocks_per_part=wanted and power_of_two(wanted))
            try:
                yield packer
                packer.finish()
            finally:
                packer.close()
            _move(fresh, final)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise


def power_of_two(least: int) -> int:
    """Return the smallest power of two that is at least so much.

    >>> [power_of_two(number) for number in (1, 2, 3, 25)]
    [1, 2, 4, 32]
    """
    return 1 << (least - 1).bit_length()


@attrs.define(eq=False)
class Packer:
    """Takes samples in and writes them out block by block; holds one block at a time.

    Attributes
    ----------
    folder : Path
        Where the part files go.
    block_size : int
        Samples a block.
    encoding : Encoding or None
        Goes into the header.
    blocks_per_part : int or None
        A power of two; None chooses the one that makes parts of 64 MiB, or a little less.
    header : PackedHeader or None
        What was written, once it is finished.

    """

    folder: Path
    block_size: int
    encoding: Encoding | None
    blocks_per_part: int | None = attrs.field(kw_only=True)
    header: PackedHeader | None = None
    _token: bytes = b""
    _digest: Any = attrs.field(factory=hashlib.sha256)
    _waiting: list[tuple[Array, Array, Vector | None]] = attrs.field(factory=list)
    _n_waiting: int = 0
    _parts: list[PartFile] = attrs.field(factory=list)
    _file: IO[bytes] | None = None
    _survey: SampleSurvey = attrs.field(factory=SampleSurvey)

    def add(self, inputs: Array, targets: Array, sample_weights: Vector | None = None) -> None:
        """Take in samples, however many: they are checked by who made them."""
        self._waiting.append((inputs, targets, sample_weights))
        self._n_waiting += len(inputs)
        if self._n_waiting >= self.block_size:
            self._write_full_blocks()

    def finish(self) -> None:
        """Write what is left, and the header.

        Raises
        ------
        DataError
            If there were no samples, or none that counts.

        """
        if self._n_waiting:
            self._write(*self._joined())
        self._end_part()
        facts = self._survey.facts
        if not self._survey.n_samples:
            raise DataError("there are no samples to pack")
        if facts["weighted"] and not 0 < self._survey.weight_sum < math.inf:
            raise DataError(
                f"the sample weights add up to {self._survey.weight_sum}; their sum must be above 0"
            )
        self.header = PackedHeader(
            **facts,
            token=self._token,
            digest=self._digest.hexdigest(),
            block_size=self.block_size,
            encoding=self.encoding,
            parts=tuple(self._parts),
        )
        with (self.folder / HEADER_NAME).open("w", encoding="utf-8") as file:
            file.write(self.header.to_text())
            _sync(file)

    def close(self) -> None:
        """Let go of the file that is being written, if any."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _joined(self) -> tuple[Array, Array, Vector | None]:
        inputs, targets, weights = zip(*self._waiting, strict=True)
        self._waiting, self._n_waiting = [], 0
        if len(inputs) == 1:
            return inputs[0], targets[0], weights[0]
        return (
            np.concatenate(inputs),
            np.concatenate(targets),
            None if weights[0] is None else np.concatenate(weights),
        )

    def _write_full_blocks(self) -> None:
        inputs, targets, weights = self._joined()
        full = len(inputs) - len(inputs) % self.block_size
        for start in range(0, full, self.block_size):
            rows = slice(start, start + self.block_size)
            self._write(inputs[rows], targets[rows], None if weights is None else weights[rows])
        if full < len(inputs):
            # Copies, so that what is written need not be kept for the sake of the rest.
            rest = None if weights is None else weights[full:].copy()
            self._waiting = [(inputs[full:].copy(), targets[full:].copy(), rest)]
            self._n_waiting = len(inputs) - full

    def _write(self, inputs: Array, targets: Array, weights: Vector | None) -> None:
        number = sum(part.n_blocks for part in self._parts)
        if number == 0:
            self._begin(inputs, targets, weights)
        assert self.blocks_per_part is not None
        if number % self.blocks_per_part == 0:
            self._begin_part(number)
        self._survey.see(inputs, targets, weights)
        record = write_block(Block(number, inputs, targets, weights), self._token)
        assert self._file is not None
        self._file.write(record)
        self._digest.update(record)
        part = self._parts[-1]
        self._parts[-1] = attrs.evolve(
            part,
            n_blocks=part.n_blocks + 1,
            n_samples=part.n_samples + len(inputs),
            n_bytes=part.n_bytes + len(record),
        )

    def _begin(self, inputs: Array, targets: Array, weights: Vector | None) -> None:
        self._token = _token(inputs, targets, self.block_size, self.encoding)
        if self.blocks_per_part is None:
            width, itemsize = (inputs.shape[1], targets.shape[1]), inputs.dtype.itemsize
            record = record_bytes(self.block_size, *width, itemsize, weighted=weights is not None)
            self.blocks_per_part = max(1, power_of_two(PART_BYTES // record + 1) // 2)

    def _begin_part(self, number: int) -> None:
        self._end_part()
        name = f"part-{len(self._parts):05d}"
        self._parts.append(PartFile(name, number, 0, 0, 0))
        self._file = (self.folder / name).open("wb")

    def _end_part(self) -> None:
        if self._file is not None:
            _sync(self._file)
            self.close()


def _sync(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _token(inputs: Array, targets: Array, block_size: int, encoding: Encoding | None) -> bytes:
    """Return eight bytes that repeat when the same data are packed again."""
    described = [inputs.dtype.name, block_size, None if encoding is None else encoding.to_json()]
    digest = hashlib.sha256(json.dumps(described).encode())
    digest.update(np.ascontiguousarray(inputs).data)
    digest.update(np.ascontiguousarray(targets).data)
    return digest.digest()[:TOKEN_BYTES]


def _require_free(final: Path, *, replace: bool) -> None:
    if not final.exists():
        if not final.parent.is_dir():
            raise DataError(f"{final} cannot be written: there is no folder {str(final.parent)!r}")
        return
    if not replace:
        raise DataError(f"{final} exists already; choose another name, or remove it first")
    if not (final / HEADER_NAME).is_file():
        raise DataError(f"{final} exists and is not packed data, so it is not replaced by such")


def _move(fresh: Path, final: Path) -> None:
    """Put the finished folder in its place; packed data that are there go only after that."""
    sync_folder(fresh)
    if not final.exists():
        fresh.rename(final)
        sync_folder(final.parent)
        return
    old = final.with_name(f"{fresh.name}.old")
    final.rename(old)
    try:
        fresh.rename(final)
    except BaseException:
        old.rename(final)
        raise
    sync_folder(final.parent)
    shutil.rmtree(old)
