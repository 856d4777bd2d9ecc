"""Folders of files on a local disk, HDFS or S3, by address."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from os import PathLike

    from neuralframe.data.remote_storage import RemoteStorage


def is_remote(address: str) -> bool:
    """Return whether an address is on HDFS, S3 or the like, and no local path.

    >>> is_remote("hdfs://127.0.0.1:9000/data"), is_remote("file:///data"), is_remote("data")
    (True, False, False)
    """
    return "://" in address and not address.startswith("file://")


def absolute(address: str) -> str:
    """Return a path that holds in any working directory; the address of a remote file is one.

    >>> absolute("hdfs:///data/"), absolute("file:///a%20folder")
    ('hdfs:///data', '/a folder')
    """
    if is_remote(address):
        return address.rstrip("/")
    path = unquote(urlsplit(address).path) if address.startswith("file://") else address
    return str(Path(path).resolve())


def joined(folder: str, name: str) -> str:
    """Return the address of a file in a folder."""
    return f"{folder}/{name}" if is_remote(folder) else str(Path(folder) / name)


def read_text(address: str) -> str:
    """Return the content of a file in UTF-8.

    Raises
    ------
    FileNotFoundError
        If there is none.
    DataError
        If the remote system cannot be asked, or the content is no UTF-8.

    """
    content = _remote(address).read(address) if is_remote(address) else _local(address).read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise DataError(f"{address}: the text is not UTF-8 ({problem})") from None


def lengths(folder: str) -> dict[str, int]:
    """Return the length in bytes of each file in a folder, by name."""
    if is_remote(folder):
        return _remote(folder).lengths(folder)
    return {path.name: path.stat().st_size for path in Path(folder).iterdir() if path.is_file()}


def size_of(files: Iterable[str | PathLike[str]]) -> int:
    """Return the bytes of all those local files that there are."""
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())


@contextmanager
def writing_folder(address: str, *, replace: bool) -> Iterator[str]:
    """Yield a local path at which a folder is to be made; it is at `address` once the block ends.

    What goes to a remote system is written to the temporary folder (``TMPDIR``) first and then uploaded.

    Raises
    ------
    DataError
        If there is something at a remote address already that must not be replaced, or it cannot be written.

    """
    if not is_remote(address):
        yield absolute(address)
        return
    address = absolute(address)
    remote = _remote(address)
    remote.require_free(address, replace=replace)
    with tempfile.TemporaryDirectory(prefix="neuralframe-") as folder:
        local = Path(folder) / "packed"
        yield str(local)
        remote.upload(local, address, replace=replace)


class LocalCopies:
    """Local paths of the files of a folder; those of a remote one are copied when they are asked for.

    The copies go to the temporary folder (``TMPDIR``), which must have room for them, and are removed when
    this object, or the program, ends.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._copies: Path | None = None
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def path(self, name: str) -> Path:
        """Return the local path of a file."""
        if not is_remote(self._folder):
            return Path(self._folder) / name
        with self._lock:
            copies = self._copies = self._copies or self._make_folder()
            copying = self._locks.setdefault(name, threading.Lock())
        path = copies / name
        with copying:
            if not path.exists():
                fresh = copies / f"{name}.fresh"
                _remote(self._folder).download(joined(self._folder, name), fresh)
                fresh.rename(path)
        return path

    def _make_folder(self) -> Path:
        path = tempfile.mkdtemp(prefix="neuralframe-")
        weakref.finalize(self, _remove_copies, path, os.getpid())
        return Path(path)


def _remove_copies(path: str, owner: int) -> None:
    """Remove copies, unless this is a process that was forked from the one that made them."""
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def _local(address: str) -> Path:
    path = Path(address)
    if path.parent.is_file():  # otherwise a NotADirectoryError, of which a caller would have to know
        raise FileNotFoundError(address)
    return path


def _remote(address: str) -> RemoteStorage:
    from neuralframe.data.remote_storage import storage_of  # noqa: PLC0415 - tasks do without mrjob

    return storage_of(address)
