"""DATA on the command line: a CSV file, packed data, or the name of a public data set."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import typer

from neuralframe.cli.reading import require_unset
from neuralframe.cli.telling import tell
from neuralframe.cli.usage import usage
from neuralframe.data import datasets, storage
from neuralframe.data.csv_reader import read_inputs
from neuralframe.data.data_set import DataSet
from neuralframe.data.packed_header import HEADER_NAME
from neuralframe.data.wording import listing
from neuralframe.exceptions import ChoiceError, DataError, DownloadError
from neuralframe.networks.preparation import prepared_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from neuralframe.cli.reading import Reading
    from neuralframe.core.arrays import Array
    from neuralframe.data.encoding import Encoding

T = TypeVar("T")

_GOALS: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "abalone": ("target", {"classification": ("classes",), "regression": ("rings",)}),
    "wisconsin-prognostic": (
        "endpoint",
        {"classification": ("recurrence", "24 months"), "regression": ("time",)},
    ),
}
"""Public data sets in which there is more than one thing to learn: the option, and its values by task."""

_WITH_GAPS = {"wisconsin-prognostic": ("median", "mean", "most_frequent", "drop")}
"""Public data sets that lack values, and what can be done about them."""


def is_public(source: str) -> bool:
    """Say whether DATA is the name of a public data set; ``./iris`` is always a file."""
    return source in datasets.names()


def is_packed(source: str) -> bool:
    """Say whether DATA is a folder of packed data; what is on HDFS or S3 is taken for one."""
    return storage.is_remote(source) or Path(source, HEADER_NAME).is_file()


def require_source(source: str) -> None:
    """Raise `ChoiceError` if DATA looks like the name of a public data set, but of none that there is."""
    looks_like_a_name = not Path(source).suffix and Path(source).name == source
    if looks_like_a_name and not is_public(source) and not Path(source).exists():
        raise ChoiceError("file or public data set", source, datasets.names())


def read(source: str, reading: Reading) -> DataSet:
    """Return what is to be learnt from."""
    require_source(source)
    if is_packed(source):
        reading.refuse(source)
        return DataSet.open(source)
    if not is_public(source):
        return reading.data_set(source)
    reading.refuse_columns(source)
    return datasets.by_name(source, **_public_options(source, reading))


def or_fallback(source: str, fallback: str | None, read_from: Callable[[str], T]) -> tuple[str, T]:
    """Return what is read from DATA, or from what stands in for it, with the name of the one that was read.

    Raises
    ------
    ChoiceError
        If `fallback` is no public data set.
    DownloadError
        If neither can be had.

    """
    if fallback is not None:
        require_source(fallback)
    try:
        return source, read_from(source)
    except DownloadError as problem:
        if fallback is None:
            raise
        tell(f"using {fallback} instead of {source}: {problem}", err=True)
    return fallback, read_from(fallback)


def read_like(source: str, encoding: Encoding, header: bool | None = None) -> DataSet:
    """Return samples with their targets, as a trained network reads them.

    Raises
    ------
    DataError
        If a public data set is not the one that the network was trained on; otherwise whatever reading a
        file with an encoding raises.

    """
    require_source(source)
    if is_packed(source):
        require_unset(source, header=header)
        return DataSet.open(source)
    if not is_public(source):
        return DataSet.from_csv(source, encoding=encoding, header=header)
    require_unset(source, header=header)
    for options in _variants(source):
        data = datasets.by_name(source, **options)
        assert data.encoding is not None
        if (data.encoding.columns, data.encoding.target) == (encoding.columns, encoding.target):
            return data
    raise DataError(
        f"the model was not trained on {source!r}: it reads the columns "
        f"{listing([column.name for column in encoding.columns])} and answers "
        f"{listing(encoding.target_names or ())}"
    )


def read_inputs_like(source: str, encoding: Encoding, header: bool | None = None) -> Array:
    """Return inputs, encoded and normalized, from what may lack the target."""
    require_source(source)
    if is_packed(source):
        return prepared_like(encoding, read_like(source, encoding, header)).inputs
    if not is_public(source):
        return read_inputs(source, encoding, header=header)[0]
    raw = read_like(source, encoding, header).inputs
    return raw if encoding.input_normalizer is None else np.asarray(encoding.input_normalizer.transform(raw))


def _public_options(source: str, reading: Reading) -> dict[str, Any]:
    target, task = reading.target, reading.task
    option, goals = _GOALS.get(source, ("", {"classification": ()}))
    options: dict[str, Any] = {}
    if task is not None and task not in goals:
        raise typer.BadParameter(f"{source} has classes to learn, no numbers", param_hint="--task")
    if target:
        options[option] = _goal(
            source, target, [name for t in goals if task in (None, t) for name in goals[t]]
        )
    elif task is not None and option:
        options[option] = goals[task][0]
    if reading.missing is not None and source in _WITH_GAPS:
        options["missing"] = reading.missing
    return options


def _goal(source: str, target: Sequence[str], choices: Sequence[str]) -> str:
    if not choices:
        raise typer.BadParameter(f"{source} has one target, which needs no name", param_hint="--target")
    with usage("--target"):
        if len(target) > 1 or target[0] not in choices:
            raise ChoiceError(f"target of {source}", ", ".join(target), choices)
    return target[0]


def _variants(source: str) -> Iterator[dict[str, Any]]:
    """Go through every form in which a public data set can be had."""
    option, by_task = _GOALS.get(source, ("", {}))
    goals = [{option: goal} for goals in by_task.values() for goal in goals] or [{}]
    treatments = [{"missing": treatment} for treatment in _WITH_GAPS.get(source, ())] or [{}]
    return (goal | treatment for goal, treatment in product(goals, treatments))
