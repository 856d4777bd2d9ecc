"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

Fallback = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Use this public data set if DATA is one that cannot be had."),
]
