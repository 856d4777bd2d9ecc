"""Lines for people, for whom the work does not stop when nobody reads on."""

from __future__ import annotations

import os
import sys
from typing import Any

import typer


def tell(message: object = "", *, err: bool = False, **style: Any) -> None:
    """Write a line to standard output or standard error.

    Where the reader has gone, as with ``neuralframe train ... | head -1``, this line and those to come go
    nowhere, and the work goes on: a model is worth more than the report on it.
    """
    try:
        typer.echo(typer.style(message, **style) if style else message, err=err)
    except BrokenPipeError:
        _close_ears(sys.stderr.fileno() if err else sys.stdout.fileno())


def _close_ears(stream: int) -> None:
    """Let a stream lead nowhere, also what Python still holds back of it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream)
    os.close(nowhere)
