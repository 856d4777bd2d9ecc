"""Folders of files on other systems, read and written with few requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

S3_SCHEMES = ("s3", "s3a", "s3n")


class RemoteStorage(ABC):
    """A file system elsewhere."""

    @abstractmethod
    def read(self, address: str) -> bytes:
        """Return the content of a small file; raise `FileNotFoundError` if there is none."""

    @abstractmethod
    def lengths(self, folder: str) -> dict[str, int]:
        """Return the length of each file in a folder, by name."""

    @abstractmethod
    def require_free(self, address: str, *, replace: bool) -> None:
        """Raise `DataError` if a folder must not be written there."""

    @abstractmethod
    def upload(self, local: Path, address: str, *, replace: bool) -> None:
        """Copy a folder to where `require_free` found room; after a failure nothing is left of it."""

    @abstractmethod
    def download(self, address: str, local: Path) -> None:
        """Copy a file to a local path."""


def storage_of(address: str) -> RemoteStorage:
    """Return the file system of an address: S3 by boto3, any other by the ``hadoop`` program."""
    scheme, _, rest = address.partition("://")
    return _s3(rest.partition("/")[0]) if scheme in S3_SCHEMES else _hadoop()


@cache
def _s3(bucket: str) -> RemoteStorage:
    from neuralframe.data.s3_storage import S3Storage  # noqa: PLC0415 - it derives from the class above

    return S3Storage(bucket)


@cache
def _hadoop() -> RemoteStorage:
    from neuralframe.data.hadoop_storage import HadoopStorage  # noqa: PLC0415 - the same

    return HadoopStorage()
