"""Writing files so that a failure never loses what was there before."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield the path of a new file, which replaces the one at `path` when the block ends without an error.

    At every moment either the old file is there, whole, or the new one; also if the machine stops.

    Raises
    ------
    OSError
        If the file cannot be written; the old one is untouched then.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "notes.txt")
    >>> with replacing(path) as fresh:
    ...     _ = fresh.write_text("all of it")
    >>> path.read_text()
    'all of it'

    """
    final = Path(path)
    fresh = final.with_name(f".{final.name}.{secrets.token_hex(8)}")
    try:
        yield fresh
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(final)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
