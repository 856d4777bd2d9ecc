"""A progress bar for work on data, by rich where it is installed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from neuralframe.exceptions import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress_of(what: str, total: int | None, wanted: bool | None) -> Iterator[Callable[[int], None]]:  # noqa: FBT001
    """Yield a function that takes note of so many more units done, and draws a bar if one is wanted.

    Parameters
    ----------
    what : str
        What is being done.
    total : int or None
        Units in all, if known.
    wanted : bool or None
        None means: if standard error is a terminal and rich is installed.

    Raises
    ------
    MissingPackageError
        If a bar is asked for and rich is missing.

    """
    has_rich = find_spec("rich") is not None
    if wanted and not has_rich:
        raise MissingPackageError("rich", purpose="a progress bar", extra="cli")
    if not (has_rich and sys.stderr.isatty() if wanted is None else wanted):
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - an optional package
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bars:
        task = bars.add_task(what, total=total)
        yield lambda units: bars.update(task, advance=units)
