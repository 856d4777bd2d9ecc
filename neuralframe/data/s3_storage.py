"""S3, and what speaks like it (``AWS_ENDPOINT_URL``), by boto3, connected and retried as mrjob does it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from neuralframe.data.packed_header import HEADER_NAME
from neuralframe.data.remote_storage import RemoteStorage
from neuralframe.exceptions import DataError, MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE_BYTES = 2**20
MOST_DELETED = 1000
"""As many objects as S3 deletes at a time."""


class S3Storage(RemoteStorage):
    """A bucket; credentials are found as boto3 finds them.

    Parameters
    ----------
    bucket : str
        Its name.

    """

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def read(self, address: str) -> bytes:
        with _problems(address):
            content: bytes = self._get(address).read()
        return content

    def lengths(self, folder: str) -> dict[str, int]:
        prefix = _key(folder) + "/"
        with _problems(folder):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix, Delimiter="/"
            )
            found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"].removeprefix(prefix): item["Size"] for item in found}

    def require_free(self, address: str, *, replace: bool) -> None:
        if replace:
            raise DataError(
                f"{address}: S3 cannot replace a folder in one step; pack under another name, and remove "
                "the old folder after that"
            )
        with _problems(address):
            listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=f"{_key(address)}/", MaxKeys=1)
        if listed["KeyCount"]:
            raise DataError(f"{address} exists already; choose another name, or remove it first")

    def upload(self, local: Path, address: str, *, replace: bool) -> None:  # noqa: ARG002 - refused before
        # The header goes last: as long as it is missing, the folder is no packed data.
        files = sorted(local.iterdir(), key=lambda path: (path.name == HEADER_NAME, path.name))
        keys = [f"{_key(address)}/{path.name}" for path in files]
        try:
            for path, key in zip(files, keys, strict=True):
                with _problems(address):
                    self._client.upload_file(str(path), self._bucket, key)
        except BaseException:
            self._delete(keys)
            raise

    def download(self, address: str, local: Path) -> None:
        with _problems(address), local.open("wb") as file:
            for piece in self._get(address).iter_chunks(PIECE_BYTES):
                file.write(piece)

    @cached_property
    def _client(self) -> Any:
        from mrjob.fs.s3 import S3Filesystem  # noqa: PLC0415 - takes a while, and tasks do without

        return S3Filesystem().get_bucket(self._bucket).meta.client

    def _get(self, address: str) -> Any:
        return self._client.get_object(Bucket=self._bucket, Key=_key(address))["Body"]

    def _delete(self, keys: list[str]) -> None:
        for start in range(0, len(keys), MOST_DELETED):
            names = [{"Key": key} for key in keys[start : start + MOST_DELETED]]
            self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": names})


@contextmanager
def _problems(address: str) -> Iterator[None]:
    """Turn what boto3 raises into a `FileNotFoundError` or a `DataError` that names the address."""
    if find_spec("boto3") is None:
        raise MissingPackageError("boto3", purpose="data on S3", extra="aws")
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 - an optional package
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except (Boto3Error, BotoCoreError, ClientError) as problem:
        error = getattr(problem, "response", {}).get("Error", {})
        if error.get("Code") == "NoSuchKey":
            raise FileNotFoundError(f"{address}: there is no such file on S3") from None
        raise DataError(f"{address}: {problem}") from problem


def _key(address: str) -> str:
    return address.partition("://")[2].partition("/")[2]
