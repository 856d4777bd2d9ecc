"""Whether a text file begins with a header."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.data.columns import parse_numbers
from neuralframe.data.encoding import MISSING_VALUES
from neuralframe.data.survey import MOSTLY_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Rows = Sequence[Sequence[str]]

_MISSING = frozenset(MISSING_VALUES)

ODDS = 20
"""How unlikely it must be that a first record of texts stands apart by chance, to be a header: 1 in 20."""


def guess_header(sample: Rows, known_names: Iterable[str] = (), *, among_texts: bool = True) -> bool:
    """Say whether the first record is a header.

    It is one if a known name is among its fields. Otherwise look at the columns in which the later
    records have numbers, a mistyped one now and then, or nothing: the first record has at least one

    text there, and no number; and its texts do not stand in their columns again.

    Where no column has numbers, the first record is a header if its fields are different texts, none
    of which stands in its column again, and it would be a strange chance if it were a record. In a
    column with s later texts that stand alone, one that stands alone comes first in s + 1 of n + 1
    orders of the records. The product of these shares over the columns must not be more than 1 in 20;
    it is the chance for columns that have nothing to do with each other, in records without an order.
    What stands alone in a file of one record of different texts is a header.

    Parameters
    ----------
    sample : list of list of str
        The first records of the file.
    known_names : iterable of str
        Names of columns that the caller knows of.
    among_texts : bool
        Whether to look for a header where no column has numbers, too. A caller who knows the names of
        the columns has no need to.

    Examples
    --------
    >>> guess_header([["sex", "length"], ["M", "0.455"], ["F", "0.53"]])
    True
    >>> guess_header([["M", "0.455"], ["F", "0.53"]])
    False
    >>> guess_header([["sex", "ill"], ["M", "no"], ["F", "no"], ["M", "yes"], ["F", "yes"]])
    True

    """
    first, later = [text.strip() for text in sample[0]], _columns(sample[1:])
    if not set(known_names).isdisjoint(first):
        return True
    above_numbers = [name for name, column in zip(first, later, strict=False) if _are_numbers(column)]
    if any(name in column for name, column in zip(first, later, strict=False) if _is_text(name)):
        return False
    if above_numbers:
        return not any(map(_is_number, above_numbers)) and any(map(_is_text, above_numbers))
    return among_texts and _stands_apart(first, later, len(sample))


def _columns(rows: Rows) -> list[list[str]]:
    return [[text.strip() for text in column] for column in zip(*rows, strict=False)]


def _are_numbers(column: Sequence[str]) -> bool:
    numbers, others = parse_numbers(column, _MISSING)
    n_numbers = int(np.count_nonzero(~np.isnan(numbers)))
    return n_numbers > 0 and n_numbers >= MOSTLY_NUMBERS * (n_numbers + len(others))


def _is_number(text: str) -> bool:
    return not np.isnan(parse_numbers([text], _MISSING)[0][0])


def _is_text(text: str) -> bool:
    return text not in _MISSING and not _is_number(text)


def _stands_apart(first: Sequence[str], later: Sequence[Sequence[str]], n_records: int) -> bool:
    if len(set(first)) < len(first) or not all(map(_is_text, first)):
        return False
    chance = math.prod((1 + list(Counter(column).values()).count(1)) / n_records for column in later)
    return n_records == 1 or chance * ODDS <= 1
