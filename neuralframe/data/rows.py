"""Rows of text files: the csv module's, with where they begin."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING, NoReturn

import attrs

from neuralframe.exceptions import DataError, RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Row = tuple[int, list[str]]
"""The line on which a record starts, and its fields."""


@attrs.frozen
class Place:
    """Where a record begins: how many bytes come before it, and its line, counted from 1."""

    offset: int
    line: int


BEGINNING = Place(0, 1)


class LineOffsets:
    """Takes note of where the lines that are read begin.

    Attributes
    ----------
    n_bytes : int
        How far the file has been read.

    """

    def __init__(self) -> None:
        self.n_bytes = 0
        self._first = 1
        self._offsets: list[int] = []

    def passing(self, lines: Iterable[str], start: Place) -> Iterator[str]:
        """Yield the lines, of which the first begins at `start`."""
        self.n_bytes, self._first, self._offsets = start.offset, start.line, []
        for text in lines:
            self._offsets.append(self.n_bytes)
            self.n_bytes += len(text.encode())
            yield text

    def place(self, line: int) -> Place:
        """Return where a line begins that was read, and not forgotten, before."""
        return Place(self._offsets[line - self._first], line)

    def forget(self) -> None:
        """Forget the lines that were read so far."""
        self._first += len(self._offsets)
        self._offsets.clear()


def read_rows(
    file: str,
    delimiter: str,
    start: Place = BEGINNING,
    *,
    lines: LineOffsets | None = None,
    called: str | None = None,
) -> Iterator[Row]:
    """Read the records of a file with their lines; empty lines are passed over.

    Quoted fields may hold delimiters, doubled quotes and line ends. A byte order mark is no part of
    the first field. `lines` takes note of where lines begin; errors name the file as it is `called`.
    """
    line, called = start.line, called or file
    try:
        with open(file, "rb") as content:  # noqa: PTH123
            offset = start.offset or len(codecs.BOM_UTF8) * content.peek().startswith(codecs.BOM_UTF8)
            content.seek(offset)
            # newline="": the csv module finds the ends of lines itself, also inside quotes
            stream = io.TextIOWrapper(content, encoding="utf-8", newline="")
            texts = stream if lines is None else lines.passing(stream, Place(offset, line))
            reader = csv.reader(texts, delimiter=delimiter, strict=True, skipinitialspace=True)
            for fields in reader:
                if fields:
                    yield line, fields
                line = start.line + reader.line_num
    except csv.Error as problem:
        raise RecordError(
            f"not well-formed text with delimiters ({problem}). Is a quote left open?", file=called, line=line
        ) from None
    except UnicodeDecodeError:
        _raise_encoding_error(file, called)
    except OSError as problem:
        raise DataError(f"{called} cannot be read: {problem.strerror}") from problem


def _raise_encoding_error(file: str, called: str) -> NoReturn:
    """Find the line; the decoder itself reads ahead and does not know it."""
    with open(file, "rb") as stream:  # noqa: PTH123
        for line, text in enumerate(stream, start=1):  # noqa: B007
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                break
    raise RecordError("the text is not UTF-8; save the file in that encoding", file=called, line=line)
