"""Files that the program writes: refused in time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable


def require_writable(path: Path, *, keep: Iterable[str | Path] = ()) -> None:
    """Raise `DataError` if a file cannot be written there, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where the file is to be written.
    keep : iterable of str or Path
        Files that must stay, such as the data.

    """
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"{path} cannot be written: there is no folder {str(folder)!r}. Create it first")
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder; give the name of a file")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path} cannot be written: the folder {str(folder)!r} is read-only")
    if path.resolve() in {Path(other).resolve() for other in keep}:
        raise DataError(f"{path} would be overwritten, but it is needed; give the output another name")
