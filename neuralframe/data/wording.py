"""Phrases that messages share; what to do is said for Python and for the command line."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FILL_GAPS = (
    "Fill it in; or train with missing='median' or 'most_frequent' (--missing median), and gaps are filled "
    "in then and later"
)
LEAVE_GAPS_OUT = (
    "Fill it in or remove the record; training leaves such records out with missing='drop' (--missing drop)"
)


def as_category(name: str) -> str:
    """Return how to declare a column a category."""
    return f"declare it a category: kinds={{{name!r}: 'category'}} (--category {shlex.quote(name)})"


def left_out(name: str) -> str:
    """Return how to leave a column out."""
    return f"leave it out: ignore=[{name!r}] (--ignore {shlex.quote(name)})"


def listing(names: Sequence[str], most: int = 20) -> str:
    """Return names for a message, which is to stay readable when there are many."""
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more


def plural(number: int, noun: str) -> str:
    """Return the number with the noun.

    >>> plural(1, "row"), plural(2, "class")
    ('1 row', '2 classes')
    """
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number} {noun}{ending}"
