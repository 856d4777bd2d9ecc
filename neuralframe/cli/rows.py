"""Which rows of a data set are meant, counted from 1."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs
import typer

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices

_RANGE = re.compile(r"(?P<first>\d+)(?P<dash>-(?P<last>\d+)?)?", re.ASCII)


@attrs.frozen
class Rows:
    """The rows from `first` to `last`, both included; without a last one, to the end.

    >>> Rows.parse("3134-3136").positions(4177)
    array([3133, 3134, 3135])
    """

    first: int = 1
    last: int | None = None

    @classmethod
    def parse(cls, text: str) -> Rows:
        """Return what ``7``, ``3134-3143`` or ``3134-`` means; anything else is an error of usage."""
        match = _RANGE.fullmatch(text.strip())
        if match is None:
            raise typer.BadParameter(f"rows are given as 7, 3134-3143 or 3134-; got {text!r}")
        first = int(match["first"])
        last = int(match["last"]) if match["last"] else None if match["dash"] else first
        if first < 1 or (last is not None and last < first):
            raise typer.BadParameter(f"rows are counted from 1, the first before the last; got {text!r}")
        return cls(first, last)

    def positions(self, n_rows: int) -> Indices:
        """Return the positions, counted from 0, among `n_rows` rows.

        Raises
        ------
        DataError
            If there are not so many rows.

        """
        import numpy as np

        from neuralframe.data.wording import plural
        from neuralframe.exceptions import DataError

        last = n_rows if self.last is None else self.last
        if max(self.first, last) > n_rows:
            raise DataError(f"rows {self} are asked for; the data has {plural(n_rows, 'row')}")
        return np.arange(self.first - 1, last)

    def __str__(self) -> str:
        if self.first == self.last:
            return str(self.first)
        return f"{self.first}-{'' if self.last is None else self.last}"
