"""Errors of the command line, as opposed to errors of the data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def usage(option: str) -> Iterator[None]:
    """Say of a choice or a parameter that neuralframe refuses which option it was given by (status 2)."""
    from neuralframe.exceptions import ChoiceError, ParameterError, TopologyError

    try:
        yield
    except (ChoiceError, ParameterError, TopologyError) as problem:
        raise typer.BadParameter(str(problem), param_hint=option) from problem
