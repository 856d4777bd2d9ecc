"""Data sets from text files: find out what the columns are, then encode record by record.

A file is read twice, a portion of records at a time: once for the survey, from which the encoding is
made, and once to encode. With an encoding given, once.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.data.data_set import DataSet
from neuralframe.data.encoded_records import EncodedRecords, learn
from neuralframe.data.encoding import MISSING_VALUES, Encoding
from neuralframe.data.headers import guess_header
from neuralframe.data.records import RecordFile, RecordFiles, Records
from neuralframe.data.roles import Roles, optional_column
from neuralframe.data.rows import read_rows
from neuralframe.data.wording import listing, plural
from neuralframe.exceptions import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from neuralframe.core.arrays import Array
    from neuralframe.data.roles import Reference

    Path = str | PathLike[str]
    Paths = Path | Sequence[Path]


def read_csv(
    paths: Paths,
    target: Reference | Sequence[Reference] | None = None,
    *,
    block_size: int | None = None,
    **options: Any,
) -> DataSet:
    """Read a text file, or several as one; parameters and errors as for `DataSet.from_csv`.

    Returns
    -------
    DataSet
        One sample a record, in the order of the file, with the encoding that was used.

    """
    return in_memory(learnt(paths, target, **options), block_size=block_size)


def learnt(
    paths: Paths,
    target: Reference | Sequence[Reference] | None = None,
    *,
    task: str | None = None,
    kinds: Mapping[Reference, str] | None = None,
    ignore: Sequence[Reference] = (),
    weights: Reference | None = None,
    missing: str = "refuse",
    missing_values: Sequence[str] = MISSING_VALUES,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
    encoding: Encoding | None = None,
    watch: Callable[[int], None] | None = None,
) -> EncodedRecords[RecordFiles]:
    """Return the records of files and their encoding, given or learnt; see `DataSet.from_csv`.

    `watch` is called with the number of bytes whenever some have been read to learn from.
    """
    first, *others = [paths] if isinstance(paths, str | PathLike) else paths
    if encoding is not None:
        file = open_encoded(first, encoding, header=header, names=names, delimiter=delimiter)
        _require_columns(file, () if encoding.target is None else encoding.target.names)
        files = _with_others(file, others, header=header)
        return EncodedRecords(files, encoding, optional_column(weights, file.names))
    if target is None:
        raise ParameterError("from_csv: say which column is the target, or give encoding=")
    wanted = [target] if isinstance(target, str | int) else list(target)
    file = open_unknown(first, wanted, header=header, names=names, delimiter=delimiter)
    file.require_several_columns()
    roles = Roles.of(file.names, wanted, ignore=ignore, weights=weights, kinds=kinds, task=task)
    files = _with_others(file, others, header=header)
    found = learn(attrs.evolve(files, watch=watch), roles, missing=missing, missing_values=missing_values)
    return attrs.evolve(found, source=files)


def _with_others(first: RecordFile, paths: Sequence[Path], *, header: bool | None) -> RecordFiles:
    """Return the files: those after the first are read as it is, and may each have the same header."""
    files = [first]
    above = _first_row(first) if first.has_header else None
    for path in paths:
        file = attrs.evolve(first, file=str(path), has_header=False, called=str(path))
        has_header = above is not None and _first_row(file) == above
        if header and not has_header:
            raise DataError(f"{path} has another header than {first.file}: {listing(_first_row(file))}")
        files.append(attrs.evolve(file, has_header=has_header))
    return RecordFiles(tuple(files))


def _first_row(file: RecordFile) -> list[str]:
    _, fields = next(read_rows(file.file, file.delimiter), (1, []))
    return [text.strip() for text in fields]


def open_unknown(
    path: str | PathLike[str],
    targets: Sequence[Reference],
    *,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
) -> RecordFile:
    """Open a file of which nothing is known but its targets; parameters as for `DataSet.from_csv`."""
    known = [name for name in targets if isinstance(name, str)]
    return _open(path, known, header=header, names=names, delimiter=delimiter)


def read_inputs(
    path: str | PathLike[str],
    encoding: Encoding,
    *,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
) -> tuple[Array, Records]:
    """Read the inputs of a file that may lack the target, for a trained network to answer.

    Parameters
    ----------
    path, header, names, delimiter
        As for `DataSet.from_csv`.
    encoding : Encoding
        The network's.

    Returns
    -------
    inputs : (n, n_inputs) float64
        Encoded and normalized.
    records : Records
        The records themselves: ``records.names``, ``records.rows``.

    Raises
    ------
    RecordError
        At a bad record: the message names file, line, column and value.
    DataError
        If the file cannot be read, or does not have the columns.

    """
    file = open_encoded(path, encoding, header=header, names=names, delimiter=delimiter)
    portions = list(file)
    return np.concatenate([encoding.encode_inputs(portion) for portion in portions]), Records.joined(portions)


def learn_and_encode(
    source: Iterable[Records],
    roles: Roles,
    *,
    missing: str = "refuse",
    missing_values: Sequence[str] = MISSING_VALUES,
    block_size: int | None = None,
) -> DataSet:
    """Survey the records, make an encoding of what was found, and encode them.

    `source` is gone through twice: a list of records or files, not a generator.
    """
    return in_memory(
        learn(source, roles, missing=missing, missing_values=missing_values), block_size=block_size
    )


def in_memory(samples: EncodedRecords[Any], *, block_size: int | None = None) -> DataSet:
    """Return the data set that records make, in one pass."""
    inputs, targets, weights = zip(*samples, strict=True)
    return DataSet(
        np.concatenate(inputs),
        np.concatenate(targets),
        None if samples.weights is None else np.concatenate(weights),
        block_size=block_size,
        encoding=samples.encoding,
        gaps=samples.gaps(),
    )


def open_encoded(
    path: str | PathLike[str],
    encoding: Encoding,
    *,
    header: bool | None = None,
    names: Sequence[str] | None = None,
    delimiter: str | None = None,
) -> RecordFile:
    """Open a file and see that it has the inputs of `encoding`, by name or else by position."""
    expected = [column.name for column in encoding.columns]
    file = _open(path, expected, header=header, names=names, delimiter=delimiter, among_texts=False)
    if not file.has_header and names is None:
        file = attrs.evolve(file, names=_layout(len(file.names), encoding, file.file))
    _require_columns(file, expected)
    return file


def _require_columns(file: RecordFile, expected: Iterable[str]) -> None:
    absent = [name for name in expected if name not in file.names]
    if absent:
        columns = "column" if len(absent) == 1 else "columns"
        raise DataError(f"{file.file} lacks the {columns} {listing(absent)}; it has {listing(file.names)}")


def _layout(width: int, encoding: Encoding, file: str) -> tuple[str, ...]:
    """Return names for the columns of a file without a header: all, all but the targets, or the inputs."""
    goals = () if encoding.target is None else encoding.target.names
    layouts = (
        encoding.layout,
        tuple(name for name in encoding.layout if name not in goals),
        tuple(column.name for column in encoding.columns),
    )
    for layout in layouts:
        if len(layout) == width:
            return layout
    expected = " or ".join(map(str, sorted({len(layout) for layout in layouts if layout})))
    raise DataError(
        f"{file} has {plural(width, 'column')} and no header; expected {expected}, "
        "or a header with the columns' names"
    )


def _open(
    path: str | PathLike[str],
    known_names: Sequence[str],
    *,
    header: bool | None,
    names: Sequence[str] | None,
    delimiter: str | None,
    among_texts: bool = True,
) -> RecordFile:
    def is_header(sample: list[list[str]]) -> bool:
        return guess_header(sample, known_names, among_texts=among_texts) if header is None else header

    return RecordFile.open(path, is_header=is_header, names=names, delimiter=delimiter)
