"""The survey: one pass over the records that finds out what the columns are."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.data.columns import CategoryColumn, Column, NumberColumn, in_order, parse_numbers
from neuralframe.data.gaps import fill_of
from neuralframe.data.wording import as_category, left_out
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from neuralframe.core.arrays import Vector
    from neuralframe.data.records import Records

MOSTLY_NUMBERS = 0.75
# From this share of numbers on, a text is taken for a mistyped number. Refusing a true column of
# categories costs its owner one argument; taking a typing error for a category would go unnoticed.

MOST_CATEGORIES = 1000
# A column with more different texts than this holds identifiers or remarks, and would become as many
# inputs. It also bounds what the survey remembers of a column of numbers.

FEW_CATEGORIES, MOSTLY_DIFFERENT = 50, 0.9
# With more different texts than the first, in more than this share of the records, nearly every record has
# one of its own: identifiers, from which nothing can be learnt.

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?", re.ASCII)


@attrs.define
class ColumnSurvey:
    """What was seen of one column.

    Parameters
    ----------
    name : str
        The column's name.
    kind : {"number", "category"} or None
        What the caller declared it to be.
    keeps_numbers : bool
        Whether the numbers themselves are wanted, for a median or the most frequent one.

    """

    name: str
    kind: str | None = None
    keeps_numbers: bool = False
    n_numbers: int = 0
    total: float = 0.0
    n_others: int = 0
    first_other: Records | None = None
    has_decimal_commas: bool = True
    counts: Counter[str] | None = attrs.field(factory=Counter)
    numbers: list[Vector] = attrs.field(factory=list)

    def look(self, records: Records, missing: frozenset[str]) -> None:
        """Take in the next records."""
        if self.kind != "category":
            self._look_for_numbers(records, missing)
        if self.kind != "number" and self.counts is not None:
            self.counts.update(text for text in records.columns[self.name] if text not in missing)
            if self.kind is None and len(self.counts) > MOST_CATEGORIES:
                self.counts = None

    def _look_for_numbers(self, records: Records, missing: frozenset[str]) -> None:
        numbers, others = parse_numbers(records.columns[self.name], missing)
        present = numbers[~np.isnan(numbers)]
        self.n_numbers += len(present)
        with np.errstate(over="ignore", invalid="ignore"):
            self.total += float(present.sum())
        self.n_others += len(others)
        if self.keeps_numbers:
            self.numbers.append(present)
        if others and self.first_other is None:
            self.first_other = records.chosen(others[:1])
        texts = records.columns[self.name]
        self.has_decimal_commas &= all(_DECIMAL_COMMA.fullmatch(texts[other]) for other in others)

    def settle(self) -> str:
        """Return the column's kind.

        Raises
        ------
        RecordError
            At the first text, if the column is declared as numbers, or is not declared and holds mostly
            numbers, numbers with decimal commas, or identifiers.
        DataError
            If there are no values.

        """
        if not self.n_numbers + self.n_others and not self.counts:
            raise DataError(f"the column {self.name!r} has no values; {left_out(self.name)}")
        if self.kind == "category":
            return "category"
        if self.first_other is None:
            return "number"
        if problem := self._misreading():
            raise self.first_other.error(problem, 0, self.name)
        return "category"

    def _misreading(self) -> str | None:
        """Return why a column with texts must not be taken for categories, if it must not."""
        share = self.n_numbers / (self.n_numbers + self.n_others)
        if self.has_decimal_commas:
            return f"a decimal comma. Write the column with points, 1.5 for 1,5, or {as_category(self.name)}"
        if self.kind == "number":
            return "not a finite number, in a column declared as numbers"
        if share >= MOSTLY_NUMBERS:
            return f"not a finite number. If the column holds categories, {as_category(self.name)}"
        if self._holds_identifiers():
            different = f"more than {MOST_CATEGORIES}" if self.counts is None else str(len(self.counts))
            return (
                f"{different} different texts in {self.n_numbers + self.n_others} records look like "
                f"identifiers; {left_out(self.name)}, or {as_category(self.name)}"
            )
        return None

    def _holds_identifiers(self) -> bool:
        if self.counts is None:
            return True
        n_records = self.n_numbers + self.n_others
        return len(self.counts) > max(FEW_CATEGORIES, MOSTLY_DIFFERENT * n_records)

    def categories(self) -> tuple[str, ...]:
        """Return the different texts, those that begin with numbers first and in their order.

        Only for a column that `settle` found to be one of categories.
        """
        assert self.counts is not None
        return in_order(self.counts)

    def column(self, fill: str | None) -> Column:
        """Return the column as an encoding keeps it.

        Parameters
        ----------
        fill : {"mean", "median", "most_frequent"} or None
            What is to stand in for missing values.

        """
        if self.settle() == "number":
            return NumberColumn(self.name, self._number_fill(fill))
        categories = self.categories()
        # The first of the categories in their order wins a tie.
        commonest = None if fill is None else max(categories, key=Counter(self.counts).__getitem__)
        return CategoryColumn(self.name, categories, commonest)

    def _number_fill(self, fill: str | None) -> float | None:
        if fill is None:
            return None
        if fill == "mean":
            return self.total / self.n_numbers
        return fill_of(np.concatenate(self.numbers), fill)


def survey(
    portions: Iterable[Records],
    kinds: Mapping[str, str | None],
    missing: frozenset[str],
    *,
    keeps_numbers: Collection[str] = (),
) -> tuple[dict[str, ColumnSurvey], int]:
    """Look at the columns named in `kinds` (None: find out) in all `portions`; count the records, too."""
    surveys = {name: ColumnSurvey(name, kind, name in keeps_numbers) for name, kind in kinds.items()}
    n_records = 0
    for records in portions:
        n_records += len(records)
        for column in surveys.values():
            column.look(records, missing)
    if not n_records:
        raise DataError(
            "no record is left: each of them lacks a value. Fill them in, or train with missing='median' "
            "(--missing median) instead of 'drop'"
        )
    return surveys, n_records
