"""The header of a packed data set: what must be known of the samples without reading them."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import Any, Self

import attrs
import numpy as np

from neuralframe.core.arrays import FLOAT_TYPES
from neuralframe.data import block_record
from neuralframe.data.encoding import Encoding
from neuralframe.data.sample_facts import SampleFacts
from neuralframe.exceptions import NeuralFrameError, PackedDataError

FORMAT, VERSION = "neuralframe packed data", 1
HEADER_NAME = "_header.json"
"""Hadoop takes files whose names begin with an underscore for no input."""

PART_NAME = re.compile(r"part-\d{5,12}", re.ASCII)


@attrs.frozen
class PartFile:
    """One file of records; one map each.

    Attributes
    ----------
    name : str
        The file's name in the folder.
    first_block, n_blocks, n_samples, n_bytes : int
        What it holds. `first_block` is a multiple of the blocks of a full part, a power of two, so that the
        sums over a part are one sum.

    """

    name: str
    first_block: int
    n_blocks: int
    n_samples: int
    n_bytes: int


@attrs.frozen(eq=False, kw_only=True)
class PackedHeader(SampleFacts):
    """What is written beside the part files.

    Attributes
    ----------
    token : bytes
        Eight bytes made from the first block; every record repeats them.
    digest : str
        The SHA-256 of all records, one after the other, in hexadecimal digits.
    block_size : int
        Samples a block.
    encoding : Encoding or None
    parts : tuple of PartFile

    """

    token: bytes
    digest: str
    block_size: int
    encoding: Encoding | None
    parts: tuple[PartFile, ...]

    @property
    def n_blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.n_samples // self.block_size)

    @property
    def n_bytes(self) -> int:
        """Bytes of all part files."""
        return sum(part.n_bytes for part in self.parts)

    @property
    def record_bytes(self) -> int:
        """The length of the record of a full block."""
        return self._record_bytes(self.block_size)

    def part_of(self, index: int) -> PartFile:
        """Return the file that a block is in."""
        starts = [part.first_block for part in self.parts]
        return self.parts[bisect_right(starts, index) - 1]

    def samples_of(self, index: int) -> int:
        """Return how many samples a block has."""
        return min(self.block_size, self.n_samples - index * self.block_size)

    def to_text(self) -> str:
        """Return the header as JSON; numbers keep all their digits."""
        written: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            **attrs.asdict(self, filter=attrs.filters.exclude("encoding")),
            "token": self.token.hex(),
            "input_ranges": self.input_ranges.tolist(),
            "target_ranges": self.target_ranges.tolist(),
            "telling_targets": self.telling_targets.tolist(),
            "encoding": None if self.encoding is None else self.encoding.to_json(),
        }
        return json.dumps(written, indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_text(cls, text: str, where: str) -> Self:
        """Return the header that was written.

        Raises
        ------
        PackedDataError
            If it is damaged, of another version, or no header.

        """
        try:
            written = json.loads(text)
            if not isinstance(written, dict) or written.pop("format", None) != FORMAT:
                raise ValueError("it is not the header of packed data")  # noqa: TRY301 - as all other damage
            if (version := written.pop("version")) == VERSION:
                header = cls(**(written | _restored(written)))
                header.check()
                return header
        except (
            NeuralFrameError, LookupError, TypeError, ValueError, OverflowError, RecursionError,
        ) as problem:  # fmt: skip
            raise PackedDataError(f"{where}: damaged ({problem}). {block_record.ADVICE}") from problem
        raise PackedDataError(
            f"{where}: written in version {version!r} of the format; this neuralframe reads version "
            f"{VERSION}. Pack the data with this neuralframe, or install the one that packed it"
        )

    def check(self) -> None:
        """Raise `ValueError` unless sizes, ranges and parts fit each other; nothing is allocated for them."""
        counts = [self.n_samples, self.n_inputs, self.n_targets, self.block_size]
        counts += [number for part in self.parts for number in attrs.astuple(part)[2:]]
        shapes = (self.input_ranges.shape, self.target_ranges.shape, self.telling_targets.shape[1:])
        classes = self.class_counts
        for good, what in (
            (all(type(number) is int and number > 0 for number in counts), "numbers of samples and bytes"),
            (self.dtype in FLOAT_TYPES and type(self.weighted) is bool, "the type of numbers"),
            (len(self.token) == block_record.TOKEN_BYTES and type(self.digest) is str, "token and digest"),
            (shapes == ((self.n_inputs, 2), (self.n_targets, 2), (self.n_targets,)), "ranges"),
            (classes is None or (len(classes), sum(classes)) == (self.n_targets, self.n_samples), "classes"),
            (_sizes(self.encoding) in (None, (self.n_inputs, self.n_targets)), "the encoding"),
        ):
            if not good:
                raise ValueError(f"{what} make no sense")
        self._check_parts()

    def _check_parts(self) -> None:
        expected = 0
        for part in self.parts:
            if part.first_block != expected:
                raise ValueError(f"no part file holds block {expected}")
            expected += part.n_blocks
            if not PART_NAME.fullmatch(part.name):
                raise ValueError(f"{part.name!r} is no name of a part file")
            if (part.n_samples, part.n_bytes) != self._contents(part):
                raise ValueError(f"{part.name} has other sizes than its blocks")
        if expected != self.n_blocks:
            raise ValueError(f"the part files do not hold {self.n_samples} samples")

    def _contents(self, part: PartFile) -> tuple[int, int]:
        """Return how many samples and bytes the blocks of a part have; only the last may be short."""
        last = self.samples_of(part.first_block + part.n_blocks - 1)
        full = part.n_blocks - 1
        return full * self.block_size + last, full * self.record_bytes + self._record_bytes(last)

    def _record_bytes(self, n_samples: int) -> int:
        itemsize = np.dtype(self.dtype).itemsize
        return block_record.record_bytes(
            n_samples, self.n_inputs, self.n_targets, itemsize, weighted=self.weighted
        )


def _sizes(encoding: Encoding | None) -> tuple[int, int] | None:
    return None if encoding is None or encoding.target is None else (encoding.n_inputs, encoding.n_targets)


def _restored(written: dict[str, Any]) -> dict[str, Any]:
    encoding, counts = written["encoding"], written["class_counts"]
    arrays = ("input_ranges", "target_ranges", "telling_targets")
    return {
        **{name: np.array(written[name], dtype=np.float64) for name in arrays},
        "token": bytes.fromhex(written["token"]),
        "class_counts": None if counts is None else tuple(counts),
        "encoding": None if encoding is None else Encoding.from_json(encoding),
        "parts": tuple(PartFile(**part) for part in written["parts"]),
    }
