"""Where the files of public data sets are: a local folder, the user's cache, or the UCI archive.

Every file is known by its SHA-256, so that a data set is the same wherever it came from.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import zipfile
import zlib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from neuralframe.exceptions import DataError, DownloadError

UCI = "https://archive.ics.uci.edu/static/public"
FOLDER_VARIABLE = "NEURALFRAME_DATA"
SECONDS_TO_WAIT = 30
INSTALL = "pip install 'neuralframe[data]' (in a clone: pip install '.[data]')"


@attrs.frozen
class PublicFile:
    """A file of the UCI Machine Learning Repository.

    Parameters
    ----------
    name : str
        The file's name, in the archive and on disk.
    sha256 : str
        Its checksum, in hexadecimal.
    parcel : str
        The zip file that holds it, relative to the archive's address.

    """

    name: str
    sha256: str
    parcel: str

    def locate(self) -> Path:
        """Return where the file is, downloading it if it is nowhere at hand.

        Raises
        ------
        DataError
            If the copy in the folder NEURALFRAME_DATA is not the archive's file.
        DownloadError
            If the file is in none of the three places.

        """
        folder = os.environ.get(FOLDER_VARIABLE)
        if folder and (own := Path(folder, self.name)).is_file():
            self._require_genuine(own)
            return own
        cached = cache_folder() / self.name
        if not cached.is_file() or not self._is_genuine(cached.read_bytes()):
            self._download(cached)
        return cached

    def _require_genuine(self, path: Path) -> None:
        if not self._is_genuine(path.read_bytes()):
            raise DataError(
                f"{path} is not the file that the UCI archive has (its SHA-256 is not {self.sha256}). "
                f"Put the unchanged {self.name} there, or read your own file with DataSet.from_csv"
            )

    def _is_genuine(self, content: bytes) -> bool:
        return hashlib.sha256(content).hexdigest() == self.sha256

    def _download(self, destination: Path) -> None:
        """Fetch the zip file and keep the one member; the cache never holds anything unchecked."""
        address = f"{UCI}/{self.parcel}"
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=destination.parent) as folder:
                parcel, fresh = Path(folder, "parcel.zip"), Path(folder, self.name)
                self._fetch(address, parcel)
                with zipfile.ZipFile(parcel) as members:
                    content = members.read(self.name)
                if not self._is_genuine(content):
                    raise DownloadError(self._advice(f"{address} holds another {self.name} than expected"))
                fresh.write_bytes(content)
                fresh.replace(destination)
        except ImportError:
            raise DownloadError(self._advice(f"downloading needs the package 'pooch': {INSTALL}")) from None
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError) as problem:
            raise DownloadError(self._advice(f"{address}: {problem}")) from problem

    def _fetch(self, address: str, destination: Path) -> None:
        try:
            fetch(address, destination)
        except OSError as problem:  # requests' errors are OSErrors
            raise DownloadError(self._advice(in_short(problem, address))) from problem

    def _advice(self, problem: str) -> str:
        folder = os.environ.get(FOLDER_VARIABLE)
        looked = f"{folder!r}, where it is not" if folder else "not set"
        return (
            f"{self.name} cannot be had. (1) The folder {FOLDER_VARIABLE}: {looked}. "
            f"(2) The cache {str(cache_folder())!r}: not there. (3) The UCI archive: {problem}. "
            f"Set {FOLDER_VARIABLE} to a folder with {self.name}, put the file into the cache, or go online"
        )


def cache_folder() -> Path:
    """Return the folder in which this platform keeps a user's caches, with our name added."""
    if sys.platform == "win32":
        parent = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        parent = Path.home() / "Library" / "Caches"
    else:
        parent = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(parent, "neuralframe")


def in_short(problem: BaseException, address: str) -> str:
    """Return why nothing came from an address: what the server answered, or why it could not be reached."""
    if getattr(problem, "response", None) is not None:
        return str(problem)
    while (earlier := problem.__cause__ or problem.__context__) is not None:
        problem = earlier
    cause = getattr(problem, "strerror", None) or problem
    return f"no connection to {urlsplit(address).netloc}: {cause}"


def fetch(address: str, destination: Path) -> None:
    """Download a file, showing the progress if somebody watches and tqdm is installed."""
    import pooch  # noqa: PLC0415

    watched = sys.stderr.isatty() and find_spec("tqdm") is not None
    download = pooch.HTTPDownloader(progressbar=watched, timeout=SECONDS_TO_WAIT)
    download(address, str(destination), None)
