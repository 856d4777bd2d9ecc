"""Writing files so that a failure never loses what was there before."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def sync_folder(path: str | Path) -> None:
    """Make what was created, renamed or removed in a folder survive a failure of the machine."""
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened, and renaming is made durable by the system
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # what file systems without such a thing answer
            raise
    finally:
        os.close(folder)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield the path of a new file, which replaces the one at `path` when the block ends without an error.

    At every moment either the old file is there, whole, or the new one; also if the machine stops. A link
    is followed, and the permissions of a file that was there are kept.

    Raises
    ------
    OSError
        If the file cannot be written, or `path` is a folder or a device; what was there is untouched.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "notes.txt")
    >>> with replacing(path) as fresh:
    ...     _ = fresh.write_text("all of it")
    >>> path.read_text()
    'all of it'

    """
    final = Path(path).resolve()
    if final.exists() and not final.is_file():
        raise OSError(f"{path} is not a file, so it cannot be replaced by one")
    if not final.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {str(final.parent)!r}")
    fresh = final.with_name(f".{final.name}.{secrets.token_hex(8)}")
    try:
        yield fresh
        with fresh.open("r+b") as file:
            os.fsync(file.fileno())
        if final.exists():
            fresh.chmod(stat.S_IMODE(final.stat().st_mode))
        fresh.replace(final)
        sync_folder(final.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
