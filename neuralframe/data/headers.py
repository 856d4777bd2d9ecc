"""Whether a text file begins with a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.data.columns import parse_numbers
from neuralframe.data.encoding import MISSING_VALUES
from neuralframe.data.survey import MOSTLY_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable


def guess_header(sample: list[list[str]], known_names: Iterable[str] = ()) -> bool:
    """Say whether the first record is a header.

    It is one if a known name is among its fields. Otherwise look at the columns in which the later
    records have numbers, a mistyped one now and then, or nothing: the first record has at least one
    text there, and no number.

    Examples
    --------
    >>> guess_header([["sex", "length"], ["M", "0.455"], ["F", "0.53"]])
    True
    >>> guess_header([["M", "0.455"], ["F", "0.53"]])
    False

    """
    first = [text.strip() for text in sample[0]]
    if not set(known_names).isdisjoint(first):
        return True
    missing = frozenset(MISSING_VALUES)
    texts = 0
    for name, column in zip(first, zip(*sample[1:], strict=False), strict=False):
        numbers, others = parse_numbers([text.strip() for text in column], missing)
        n_numbers = int(np.count_nonzero(~np.isnan(numbers)))
        if not n_numbers or n_numbers < MOSTLY_NUMBERS * (n_numbers + len(others)):
            continue
        heading, is_text = parse_numbers([name], missing)
        if not np.isnan(heading[0]):
            return False
        texts += len(is_text)
    return texts > 0
