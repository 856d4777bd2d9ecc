"""Tables of text: names to the left, numbers to the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as lines in which the columns stand under each other.

    >>> print(aligned([["", "x"], ["a", "10"], ["long", "2"]]))
           x
    a     10
    long   2
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *numbers]).rstrip())
    return "\n".join(lines)


def percent(share: float, decimals: int = 1) -> str:
    """Return a share in per cent; a dash where there is none (NaN)."""
    return "-" if np.isnan(share) else f"{share:.{decimals}%}"


def decimal(value: float, digits: int = 4) -> str:
    """Return a number with so many decimals; a dash where there is none (NaN)."""
    return "-" if np.isnan(value) else f"{value:.{digits}f}"
