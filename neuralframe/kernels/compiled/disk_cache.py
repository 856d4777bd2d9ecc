"""Where compiled code is kept between processes.

numba keeps it beside the source or under the home folder, and refuses to compile where it can write
to neither. It looks at the time of one source file only, though a function is compiled from several. Here
the folder's name has a digest of all sources, and where nothing can be written nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@cache
def cache_folder() -> str | None:
    """Return the folder for compiled code, made if need be; None where none can be written to.

    It lies in ``NUMBA_CACHE_DIR`` if that is set, else in the user's cache folder, else in the folder for
    temporary files.
    """
    return next((str(folder) for folder in _candidates() if _is_ours(folder)), None)


def _candidates() -> Iterator[Path]:
    name = f"neuralframe-{_digest()}"
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(chosen) / name
        return
    with suppress(RuntimeError):  # the user has no home folder
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        yield Path(home) / "neuralframe" / name
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    with suppress(FileNotFoundError):  # no folder for temporary files can be written to
        yield Path(tempfile.gettempdir()) / f"{name}-{owner}"


def _is_ours(folder: Path) -> bool:
    """Make a folder; return whether it can be written to, and by nobody else: code is loaded from it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def _digest() -> str:
    """Return a digest of this package's sources: code that was compiled from others is not found."""
    digest = hashlib.sha256()
    sources = resources.files(__package__).iterdir()
    for source in sorted(sources, key=lambda source: source.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]
