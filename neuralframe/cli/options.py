"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Any

import typer

DATA, NETWORK, METHOD, WORK = "Data", "Network", "Method", "How the work is done"
"""Panels of the help."""

Fallback = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Use this public data set if DATA is one that cannot be had."),
]

Validation = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        rich_help_panel=DATA,
        help="The share of the training rows to watch the error of, and not to learn from; below 1.",
    ),
]
ShareDropped = Annotated[
    float | None,
    typer.Option(
        metavar="SHARE",
        rich_help_panel=METHOD,
        help="Switch off this share of the hidden neurons, below 1, anew in each iteration.",
    ),
]
Deviation = Annotated[
    float | None,
    typer.Option(
        metavar="SIGMA",
        rich_help_panel=METHOD,
        help="Add noise of this standard deviation to the normalized inputs, anew in each iteration.",
    ),
]
Sessions = Annotated[
    int,
    typer.Option(
        min=1, rich_help_panel=METHOD, help="Trainings side by side, from different initial weights."
    ),
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
