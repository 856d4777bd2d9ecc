"""Files that the program writes: refused in time."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from neuralframe.cli.models import is_model
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def require_writable(path: Path, *, keep: Iterable[str | Path] = ()) -> None:
    """Raise `DataError` if a file cannot be written there, before any work is done for it.

    Parameters
    ----------
    path : Path
        Where the file is to be written; a link is followed.
    keep : iterable of str or Path
        Files that must stay, such as the data.

    """
    folder = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        raise DataError(f"{path} cannot be written: there is no folder {str(folder)!r}. Create it first")
    if path.is_dir():
        raise DataError(f"{path} cannot be written: it is a folder; give the name of a file")
    if path.exists() and not path.is_file():
        raise DataError(f"{path} cannot be written: it is a device or a pipe; give the name of a file")
    if not os.access(folder, os.W_OK):
        raise DataError(f"{path} cannot be written: the folder {str(folder)!r} is read-only")
    if path.resolve() in {Path(other).resolve() for other in keep}:
        raise DataError(f"{path} would be overwritten, but it is needed; give the output another name")


def require_model_or_nothing(path: Path) -> None:
    """Raise `DataError` if there is a file that is no model: a model replaces nothing else."""
    if path.is_file() and path.stat().st_size and not is_model(path):
        raise DataError(
            f"{path} would be overwritten, but it is no model file of neuralframe. Give the model another "
            "name, or remove the file first"
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Name the file as the user did where it cannot be written in the end."""
    try:
        yield
    except OSError as problem:
        raise DataError(f"{path} cannot be written: {problem.strerror or problem}") from problem
