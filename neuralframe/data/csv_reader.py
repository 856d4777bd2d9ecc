"""Data sets from text files: find out what the columns are, then encode record by record.

A file is read twice, a portion of records at a time: once for the survey, from which the encoding is
made, and once to encode. With an encoding given, once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.data.columns import numbers_of
from neuralframe.data.data_set import DataSet
from neuralframe.data.encoding import MISSING_VALUES, Encoding
from neuralframe.data.headers import guess_header
from neuralframe.data.records import RecordFile, Records
from neuralframe.data.roles import Roles, choose, optional_column
from neuralframe.data.survey import survey
from neuralframe.data.targets import ClassTarget, NumberTarget, Target
from neuralframe.data.wording import LEAVE_GAPS_OUT, listing, plural
from neuralframe.exceptions import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from os import PathLike

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.roles import Reference
    from neuralframe.data.survey import ColumnSurvey

FILLS = ("mean", "median", "most_frequent")
TREATMENTS = ("refuse", "drop", *FILLS)


def read_csv(
    path: str | PathLike[str],
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
    block_size: int | None = None,
) -> DataSet:
    """Read a text file; parameters and errors as for `DataSet.from_csv`.

    Returns
    -------
    DataSet
        One sample a record, in the order of the file, with the encoding that was used.

    """
    if encoding is not None:
        file = open_encoded(path, encoding, header=header, names=names, delimiter=delimiter)
        goals = () if encoding.target is None else encoding.target.names
        _require_columns(file, goals)
        return encode(file, encoding, weights=optional_column(weights, file.names), block_size=block_size)
    if target is None:
        raise ParameterError("from_csv: say which column is the target, or give encoding=")
    wanted = [target] if isinstance(target, str | int) else list(target)
    file = open_unknown(path, wanted, header=header, names=names, delimiter=delimiter)
    file.require_several_columns()
    roles = Roles.of(file.names, wanted, ignore=ignore, weights=weights, kinds=kinds, task=task)
    return learn_and_encode(
        file, roles, missing=missing, missing_values=missing_values, block_size=block_size
    )


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


@attrs.frozen(eq=False)
class CompleteRecords:
    """The records of a source without those that lack a value in one of the columns `names`."""

    source: Iterable[Records]
    names: tuple[str, ...]
    missing: frozenset[str]

    def __iter__(self) -> Iterator[Records]:
        for records in self.source:
            if kept := records.complete(self.names, self.missing):
                yield kept


def learn_and_encode(
    source: Iterable[Records],
    roles: Roles,
    *,
    missing: str = "refuse",
    missing_values: Sequence[str] = MISSING_VALUES,
    block_size: int | None = None,
) -> DataSet:
    """Survey the records, make an encoding of what was found, and encode them.

    `source` is gone through twice: a list of records or a `RecordFile`, not a generator.
    """
    choose("treatment of missing values", missing, TREATMENTS)
    absent = frozenset(missing_values)
    if missing == "drop":
        source = CompleteRecords(source, roles.used, absent)
    fill = missing if missing in FILLS else None
    found = survey(source, roles.inputs | roles.targets, absent, keeps_numbers=roles.inputs if fill else ())
    encoding = Encoding(
        [found[name].column(fill) for name in roles.inputs],
        _target(roles, found),
        missing_values=tuple(missing_values),
        layout=roles.names,
    )
    return encode(source, encoding, weights=roles.weights, block_size=block_size)


def encode(
    source: Iterable[Records],
    encoding: Encoding,
    *,
    weights: str | None = None,
    block_size: int | None = None,
) -> DataSet:
    """Return the data set that `encoding` makes of the records, in one pass."""
    missing = frozenset(encoding.missing_values)
    inputs, targets, sample_weights = [], [], []
    for records in source:
        inputs.append(encoding.encode_inputs(records))
        targets.append(encoding.encode_targets(records))
        if weights is not None:
            sample_weights.append(_sample_weights(records, weights, missing))
    return DataSet(
        np.concatenate(inputs),
        np.concatenate(targets),
        np.concatenate(sample_weights) if sample_weights else None,
        block_size=block_size,
        encoding=encoding,
    )


def _sample_weights(records: Records, name: str, missing: frozenset[str]) -> Vector:
    numbers: Vector = numbers_of(records, name, missing, advice=LEAVE_GAPS_OUT)[:, 0]
    if (numbers < 0).any():
        raise records.error("a sample weight must not be negative", int((numbers < 0).argmax()), name)
    return numbers


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


def _target(roles: Roles, found: dict[str, ColumnSurvey]) -> Target:
    kinds = [found[name].settle() for name in roles.targets]
    if "category" in kinds:
        (name,) = roles.targets
        return ClassTarget(name, found[name].categories())
    return NumberTarget(tuple(roles.targets))
