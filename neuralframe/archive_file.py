"""Archives: a JSON header and named arrays in one file that is safe to open and whole or not there.

An archive is an uncompressed zip file with the header and one ``.npy`` file for each array. Nothing in it is
executed or unpickled. The zip file's checksums find a damaged byte. Writing goes to a new file that replaces
the old one only when it is complete. Model files, runs and checkpoints are archives.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from neuralframe.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neuralframe.exceptions import NeuralFrameError

    Arrays = dict[str, np.ndarray[Any, Any]]


@attrs.frozen
class ArchiveFormat:
    """A kind of archive.

    Parameters
    ----------
    name : str
        What the header gives as its ``format``.
    version : int
        What the header gives as its ``version``.
    noun : str
        What users call such a file.
    header_name : str
        The header's file in the archive.
    error : type
        What is raised about a file that is damaged, foreign or of another version.
    advice : str
        What to do about a damaged one.

    """

    name: str
    version: int = attrs.field(kw_only=True)
    noun: str = attrs.field(kw_only=True)
    header_name: str = attrs.field(kw_only=True)
    error: type[NeuralFrameError] = attrs.field(kw_only=True)
    advice: str = attrs.field(kw_only=True)

    def write(self, path: str | Path, header: Mapping[str, Any], arrays: Arrays) -> None:
        """Write an archive; a failure leaves what was there before.

        Raises
        ------
        OSError
            If the file cannot be written.

        """
        text = json.dumps({"format": self.name, "version": self.version, **header}, allow_nan=False, indent=1)
        with replacing(path) as fresh, zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(self.header_name, text)
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)

    def read(self, path: str | Path) -> tuple[dict[str, Any], Arrays]:
        """Return the header and the arrays, every checksum verified.

        Raises
        ------
        `error`
            If the file is damaged, foreign or of another version.
        OSError
            If it cannot be read.

        """
        members = self._members(path)
        header = self._header_of(members)
        self._check(header)
        rest = {name: content for name, content in members.items() if name != self.header_name}
        try:
            return header, {name.removesuffix(".npy"): self._array(name, rest[name]) for name in rest}
        except ValueError as problem:
            raise self.error(f"damaged ({problem}). {self.advice}") from problem

    def read_header(self, path: str | Path) -> Any:
        """Return the header of a file, of whatever format and version, unchecked.

        Raises
        ------
        `error`
            If there is no header to be read.
        OSError
            If the file cannot be read.

        """
        return self._header_of(self._members(path))

    def _check(self, header: Any) -> None:
        if not isinstance(header, dict) or header.get("format") != self.name:
            raise self.error(f"not a {self.noun} of neuralframe")
        if header.get("version") != self.version:
            raise self.error(
                f"written in version {header.get('version')!r} of the format; this neuralframe reads version "
                f"{self.version}. Install a newer neuralframe"
            )

    def _members(self, path: str | Path) -> dict[str, bytes]:
        """Return the content of each file in the archive, its checksum verified."""
        content = Path(path).read_bytes()
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        # A damaged directory may name a compression that zipfile does not know, ask for a password, or point
        # to a place before the file.
        except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as problem:
            raise self.error(f"not a {self.noun}, or damaged ({problem}). {self.advice}") from problem

    def _header_of(self, members: Mapping[str, bytes]) -> Any:
        try:
            return json.loads(members[self.header_name])
        except (KeyError, ValueError, RecursionError) as problem:
            raise self.error(
                f"not a {self.noun}, or damaged: its header cannot be read. {self.advice}"
            ) from problem

    def _array(self, name: str, content: bytes) -> np.ndarray[Any, Any]:
        """Return the array of an ``.npy`` file; its header is believed if the length agrees."""
        file = io.BytesIO(content)
        if np.lib.format.read_magic(file) != (1, 0):
            raise self.error(f"{name} is written in a version of numpy's format that is not read here")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise self.error(f"{name} holds Python objects, which are not opened: that could run anything")
        if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
            raise self.error(f"{name} is not as long as it says")
        order: Literal["F", "C"] = "F" if is_fortran else "C"
        return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order=order).copy(order)
