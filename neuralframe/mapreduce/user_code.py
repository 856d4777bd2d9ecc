"""The user's own modules, gathered so that tasks on other machines can import them."""

from __future__ import annotations

import sys
import sysconfig
import zipfile
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from neuralframe.mapreduce.shipped_job import module_name, modules_of

if TYPE_CHECKING:
    from types import ModuleType

    from neuralframe.mapreduce.job import Job

PACKAGE = Path(__file__).resolve().parents[1]
"""The folder of neuralframe itself."""


def own_modules(job: Job) -> frozenset[str]:
    """Return the names of the user's modules that define the classes a job is made of."""
    return frozenset(module_name(module) for module in modules_of(job) if _is_users(module))


def write_user_code(path: Path) -> None:
    """Write a zip archive of all modules of the user's that are imported now.

    A module is the user's if it is a Python file that belongs neither to Python, nor to an installed
    package, nor to neuralframe. Modules that are imported later, and other files, are not in it.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for module in list(sys.modules.values()):
            if _is_users(module):
                file = Path(str(module.__file__))
                _add(archive, file, _place(module_name(module), file))


def write_package(path: Path) -> None:
    """Write a zip archive of neuralframe, for machines on which it is not installed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(PACKAGE.rglob("*.py")):
            archive.write(file, file.relative_to(PACKAGE.parent))


def _add(archive: zipfile.ZipFile, file: Path, place: PurePosixPath) -> None:
    for folder in reversed(place.parents[:-1]):
        # Python finds a package without an __init__.py in an archive by the folder's own entry.
        if f"{folder}/" not in archive.namelist():
            archive.mkdir(str(folder))
    if str(place) not in archive.namelist():  # a module may be known under two names
        archive.write(file, str(place))


def _place(name: str, file: Path) -> PurePosixPath:
    path = name.replace(".", "/")
    return PurePosixPath(f"{path}/__init__.py" if file.name == "__init__.py" else f"{path}.py")


def _is_users(module: ModuleType) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and str(file).endswith(".py") and not _is_installed(str(file))


@cache
def _is_installed(file: str) -> bool:
    """Return whether a file belongs to Python, an installed package or neuralframe."""
    path = Path(file).resolve()
    return any(path.is_relative_to(root) for root in (*_installations(), PACKAGE))


@cache
def _installations() -> tuple[Path, ...]:
    return tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))
