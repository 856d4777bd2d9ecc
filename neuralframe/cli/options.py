"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Fallback = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Use this public data set if DATA is one that cannot be had."),
]


def header_option(panel: str | None = None) -> Any:
    """Return the option that says whether the file has a header, for the command's help in `panel`."""
    return typer.Option(
        "--header/--no-header",
        rich_help_panel=panel,
        show_default=False,
        help="Whether the first row of the file is a header; guessed otherwise. A header of numbers, such "
        "as years, cannot be guessed.",
    )


Header = Annotated[bool | None, header_option()]
