"""Text files as records: portions of rows that remember where they stood."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from neuralframe.data.rows import BEGINNING, LineOffsets, read_rows
from neuralframe.data.wording import plural
from neuralframe.exceptions import DataError, ParameterError, RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from os import PathLike

    from neuralframe.data.rows import Place, Row

SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
DELIMITERS = "".join(SPOKEN)
RECORDS_AT_A_TIME = 512
"""Enough to work a column at a time; few enough to stay in the processor's cache (measured: 512 records
of ten fields are read half as fast again as 4096)."""


@attrs.frozen(eq=False)
class Records:
    """Consecutive records of a file, a column at a time.

    Attributes
    ----------
    file : str
        The file's path as the caller gave it.
    lines : tuple of int
        The line, counted from 1, on which each record starts.
    columns : dict of str to tuple of str
        The text of every column, without the spaces around it.

    """

    file: str
    lines: tuple[int, ...]
    columns: dict[str, tuple[str, ...]]

    @classmethod
    def joined(cls, portions: Iterable[Records]) -> Self:
        """Return all `portions` of a file as one; there must be at least one."""
        kept = list(portions)
        return cls(
            kept[0].file,
            tuple(line for portion in kept for line in portion.lines),
            {
                name: tuple(text for portion in kept for text in portion.columns[name])
                for name in kept[0].columns
            },
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in the order of the file."""
        return tuple(self.columns)

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The records one by one."""
        return list(zip(*self.columns.values(), strict=True))

    def __len__(self) -> int:
        return len(self.lines)

    def chosen(self, rows: Sequence[int]) -> Records:
        """Return the records at the given positions."""
        return Records(
            self.file,
            tuple(self.lines[row] for row in rows),
            {name: tuple(column[row] for row in rows) for name, column in self.columns.items()},
        )

    def complete(self, names: Iterable[str], missing: frozenset[str]) -> Records:
        """Return the records in which none of the columns `names` has a missing value."""
        gaps = {
            row
            for name in names
            if not missing.isdisjoint(self.columns[name])
            for row, text in enumerate(self.columns[name])
            if text in missing
        }
        return self.chosen([row for row in range(len(self)) if row not in gaps]) if gaps else self

    def error(self, problem: str, row: int, column: str) -> RecordError:
        """Return the error that points at one field."""
        return RecordError(
            problem, file=self.file, line=self.lines[row], column=column, value=self.columns[column][row]
        )


@attrs.frozen
class RecordFile:
    """A text file that can be read again and again, a portion at a time.

    Attributes
    ----------
    file : str
        The path.
    names : tuple of str
        The names of the columns.
    delimiter : str
        What stands between two fields.
    has_header : bool
        Whether the first record is a header and not data.
    called : str
        What errors name it; by default its path. A copy is called what its user calls the original.

    """

    file: str
    names: tuple[str, ...]
    delimiter: str
    has_header: bool
    called: str = attrs.field(default=attrs.Factory(lambda self: self.file, takes_self=True), kw_only=True)

    @classmethod
    def open(
        cls,
        path: str | PathLike[str],
        *,
        is_header: Callable[[list[list[str]]], bool],
        names: Sequence[str] | None = None,
        delimiter: str | None = None,
    ) -> Self:
        """Look at the first hundred records of a file.

        Parameters
        ----------
        path : str or path
            The file, in UTF-8.
        is_header : callable
            Says of a list of records whether the first is a header.
        names : sequence of str, optional
            Names for the columns; by default those of the header, else "column 1", "column 2", ...
        delimiter : str, optional
            By default that one of comma, semicolon, tab and bar which gives the first record most fields.

        Raises
        ------
        DataError
            If there is no such file, or `names` are not as many as the fields of the first record.
        RecordError
            If it is empty, not UTF-8, or two columns of its header have the same name.
        ParameterError
            If the delimiter is not one character.

        """
        file = str(path)
        if delimiter is not None and len(delimiter) != 1:
            raise ParameterError(f"delimiter must be one character; got {delimiter!r}")
        separator = _guess_delimiter(file) if delimiter is None else delimiter
        sample = list(islice(read_rows(file, separator), 100))
        if not sample:
            raise RecordError("the file is empty; expected at least one record", file=file, line=1)
        has_header = is_header([fields for _, fields in sample])
        if has_header and len(sample) == 1:
            raise RecordError(
                "there are no records after the header. If this is a record, say so: header=False "
                "(--no-header)",
                file=file,
                line=sample[0][0],
            )
        found = _header_names(file, sample[0]) if has_header else _numbered(len(sample[0][1]))
        if names is not None and len(names) != len(found):
            raise DataError(f"{file}: {len(names)} names were given for {len(found)} columns")
        return cls(file, tuple(found if names is None else names), separator, has_header)

    def require_several_columns(self) -> None:
        """Raise `DataError` if there is one column only: most likely another delimiter was meant."""
        if len(self.names) == 1:
            others = ", ".join(SPOKEN[mark] for mark in DELIMITERS if mark != self.delimiter)
            raise DataError(
                f"{self.file} has one column, so that nothing is left to learn the target from. Fields are "
                f"parted at a {SPOKEN.get(self.delimiter, repr(self.delimiter))}; {others} part no more of "
                "them. Save the file with one of these delimiters, or name another in Python: delimiter="
            )

    def __iter__(self) -> Iterator[Records]:
        """Read the file from its beginning, a portion of records at a time."""
        return self.read()

    def read(
        self,
        start: Place | None = None,
        *,
        lines: LineOffsets | None = None,
        at_a_time: int = RECORDS_AT_A_TIME,
    ) -> Iterator[Records]:
        """Read the file a portion of records at a time.

        Parameters
        ----------
        start : Place, optional
            Where the first record to read begins; by default that after the header, if any.
        lines : LineOffsets, optional
            Takes note of what is read.
        at_a_time : int
            Records in a portion.

        """
        rows = read_rows(self.file, self.delimiter, start or BEGINNING, lines=lines, called=self.called)
        if self.has_header and start is None:
            next(rows)
        while portion := list(islice(rows, at_a_time)):
            yield self._records(portion)

    def _records(self, portion: list[Row]) -> Records:
        width = len(self.names)
        for line, fields in portion:
            if len(fields) != width:
                raise RecordError(
                    f"the record has {plural(len(fields), 'field')}; expected {width}. "
                    "Is a field missing, or a delimiter inside a field without quotes?",
                    file=self.called,
                    line=line,
                )
        lines, fields_of = zip(*portion, strict=True)
        columns = (tuple(map(str.strip, column)) for column in zip(*fields_of, strict=True))
        return Records(self.called, lines, dict(zip(self.names, columns, strict=True)))


@attrs.frozen(eq=False)
class RecordFiles:
    """Files with the same columns, one after the other.

    Attributes
    ----------
    files : tuple of RecordFile
    watch : callable, optional
        Called with the number of bytes whenever some have been read.

    """

    files: tuple[RecordFile, ...]
    watch: Callable[[int], None] | None = None

    def __iter__(self) -> Iterator[Records]:
        """Read all files, a portion of records of one of them at a time."""
        for file in self.files:
            yield from file if self.watch is None else self._watched(file, self.watch)

    def _watched(self, file: RecordFile, watch: Callable[[int], None]) -> Iterator[Records]:
        lines, before = LineOffsets(), 0
        for records in file.read(lines=lines):
            yield records
            watch(lines.n_bytes - before)
            before = lines.n_bytes
            lines.forget()

    @property
    def n_bytes(self) -> int:
        """Bytes of all files."""
        return sum(Path(file.file).stat().st_size for file in self.files)


def _guess_delimiter(file: str) -> str:
    def n_fields(delimiter: str) -> int:
        try:
            return len(next(read_rows(file, delimiter), (1, []))[1])
        except RecordError:
            return 0

    return max(DELIMITERS, key=n_fields)


def _numbered(n_columns: int) -> list[str]:
    return [f"column {number}" for number in range(1, n_columns + 1)]


def _header_names(file: str, header: Row) -> list[str]:
    line, fields = header
    names = [text.strip() or other for text, other in zip(fields, _numbered(len(fields)), strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise RecordError(
                "two columns of the header have this name; rename one. If this is a record and no header, "
                "say so: header=False (--no-header)",
                file=file,
                line=line,
                value=name,
            )
    return names
