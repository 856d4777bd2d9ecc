"""The blocks of a training as files for tasks: packed data where they lie, arrays packed for the time."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import attrs

from neuralframe.data.block_record import TOKEN_BYTES, write_block
from neuralframe.data.packed_data_set import PackedSamples
from neuralframe.data.storage import is_remote
from neuralframe.data.text_samples import TextSamples
from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.shipped_job import InputFile, Placement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuralframe.data.blocks import Blocks, BlockSource


@attrs.frozen(eq=False)
class BlockFiles:
    """Files of block records, and where their blocks stand among all.

    Attributes
    ----------
    addresses : tuple of str
        Paths, or addresses on HDFS or S3; one map each.
    placements : dict of str to Placement
        By token, in hexadecimal digits.
    files : dict of str to InputFile
        What there is to say of each, by the path that its address ends with.

    """

    addresses: tuple[str, ...]
    placements: dict[str, Placement]
    files: dict[str, InputFile]

    @classmethod
    def of(cls, blocks: Blocks, folder: Path, maps: int, store: Callable[[str], str]) -> BlockFiles:
        """Return the files of a training's blocks; what lies in memory is written to `folder` first.

        Parameters
        ----------
        blocks : Blocks
        folder : Path
            An existing folder for what is to be written.
        maps : int
            Files, about, for each part that lies in memory.
        store : callable
            Takes the path of a local file to its address for the tasks.

        Raises
        ------
        EngineError
            If two parts are the same packed data, whose records cannot be told apart.

        """
        addresses: list[str] = []
        placements: dict[str, Placement] = {}
        files: dict[str, InputFile] = {}
        for part, start in zip(blocks.parts, blocks.starts, strict=True):
            placement = Placement(start, part.part)
            if isinstance(part, TextSamples):
                found = {
                    text.address: InputFile(text.address, placement, part.description(text))
                    for text in part.files
                }
            else:
                token, paths = _records_of(part, folder, maps)
                if token.hex() in placements:
                    raise EngineError(
                        f"{paths[0]} and its like are training and validation data at once; hold out others"
                    )
                placements[token.hex()] = placement
                found = {path: InputFile(path) for path in paths}
            for path, file in found.items():
                address = path if is_remote(path) else store(path)
                addresses.append(address)
                files[urlsplit(address).path] = file
        return cls(tuple(addresses), placements, files)


def _records_of(part: BlockSource, folder: Path, maps: int) -> tuple[bytes, list[str]]:
    """Return the token of the blocks of a part, and the files of records that hold them."""
    if isinstance(part, PackedSamples):
        return part.header.token, [part.address_of(file) for file in part.part_files]
    token = secrets.token_bytes(TOKEN_BYTES)
    return token, _write(part, folder, token, maps)


def _write(part: BlockSource, folder: Path, token: bytes, maps: int) -> list[str]:
    """Write the blocks of a part as files of aligned dyadic ranges, and return their paths."""
    wanted = max(1, -(-part.n_blocks // maps))
    length = 1 << (wanted - 1).bit_length()
    paths: list[str] = []
    for first in range(0, part.n_blocks, length):
        path = folder / f"{part.part}-{token.hex()}-{len(paths):05d}"
        with path.open("wb") as file:
            for index in range(first, min(first + length, part.n_blocks)):
                file.write(write_block(part.block(index, index), token))
        paths.append(str(path))
    return paths
