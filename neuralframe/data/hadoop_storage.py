"""HDFS, and whatever else ``hadoop fs`` reaches.

mrjob's file system finds the program. Its other methods are passed over: they ask for Hadoop's version
before each command, drop the lengths of files, and lose what an error said.
"""

from __future__ import annotations

import secrets
import subprocess
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from neuralframe.data.packed_header import HEADER_NAME
from neuralframe.data.remote_storage import RemoteStorage
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from pathlib import Path


class HadoopStorage(RemoteStorage):
    """Whatever ``hadoop fs`` reaches; each command is a Java process and takes more than half a second."""

    def read(self, address: str) -> bytes:
        return self._run("-cat", address).stdout

    def lengths(self, folder: str) -> dict[str, int]:
        return self._listed(self._run("-ls", folder).stdout)

    def require_free(self, address: str, *, replace: bool) -> None:
        parent = address.rpartition("/")[0] + "/"
        listing = self._run("-ls", "-d", parent, address, f"{address}/{HEADER_NAME}", missing_is_error=False)
        found = self._listed(listing.stdout, folders=True)
        if address.rpartition("/")[2] not in found:
            if not found:
                raise DataError(f"{address} cannot be written: there is no folder {parent!r}")
            return
        if not replace:
            raise DataError(f"{address} exists already; choose another name, or remove it first")
        if HEADER_NAME not in found:
            raise DataError(f"{address} exists and is not packed data, so it is not replaced by such")

    def upload(self, local: Path, address: str, *, replace: bool) -> None:
        parent, _, name = address.rpartition("/")
        fresh, old = (f"{parent}/.{name}.{secrets.token_hex(8)}{end}" for end in ("", ".old"))
        moved = False
        try:
            self._run("-put", str(local), fresh)
            moved = replace and self._run("-mv", address, old, missing_is_error=False).returncode == 0
            self._run("-mv", fresh, address)
        except BaseException:
            with suppress(DataError):  # what went wrong first is what is told
                self._run("-rm", "-r", "-f", "-skipTrash", fresh)
            if moved:
                self._run("-mv", old, address)
            raise
        if moved:
            self._run("-rm", "-r", "-f", "-skipTrash", old)

    def download(self, address: str, local: Path) -> None:
        self._run("-get", address, str(local))

    @cached_property
    def _program(self) -> list[str]:
        from mrjob.fs.hadoop import HadoopFilesystem  # noqa: PLC0415 - takes a while, and tasks do without

        found: list[str] = HadoopFilesystem().get_hadoop_bin()
        return found

    def _run(self, *arguments: str, missing_is_error: bool = True) -> subprocess.CompletedProcess[bytes]:
        try:
            done = subprocess.run([*self._program, "fs", *arguments], capture_output=True, check=False)  # noqa: S603
        except OSError as problem:
            raise DataError(
                f"{arguments[-1]} needs the program hadoop, which cannot be started ({problem}). Install a "
                "Hadoop client and set HADOOP_HOME, or put its folder bin on the PATH"
            ) from problem
        if done.returncode == 0:
            return done
        told = done.stderr.decode(errors="replace").strip()
        if "No such file or directory" in told:
            if missing_is_error:
                raise FileNotFoundError(f"{arguments[-1]}: no such file or directory on the remote system")
            return done
        raise DataError(f"hadoop fs {' '.join(arguments)} failed: {told or done.returncode}")

    @staticmethod
    def _listed(listing: bytes, *, folders: bool = False) -> dict[str, int]:
        """Return names and lengths from ``permissions copies user group length date time path``."""
        lines = (line.split(maxsplit=7) for line in listing.decode().splitlines())
        return {
            fields[7].rstrip("/").rpartition("/")[2]: int(fields[4])
            for fields in lines
            if len(fields) == 8 and (folders or not fields[0].startswith("d"))  # noqa: PLR2004
        }
