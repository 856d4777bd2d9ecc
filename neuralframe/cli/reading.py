"""What the options say about how DATA is to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import typer

from neuralframe.cli.usage import usage
from neuralframe.data.csv_reader import open_unknown
from neuralframe.data.data_set import DataSet
from neuralframe.data.encoded_records import TREATMENTS
from neuralframe.data.roles import KIND_OF_TASK, choose

if TYPE_CHECKING:
    from collections.abc import Sequence


def _texts(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(given or ())


@attrs.frozen(kw_only=True)
class Reading:
    """The options of ``train`` about its data; columns are names, or numbers counted from 1."""

    target: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    task: str | None = None
    missing: str | None = None
    category: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    ignore: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    weights: str | None = None
    header: bool | None = None

    def __attrs_post_init__(self) -> None:
        with usage("--task"):
            choose("task", self.task or "regression", KIND_OF_TASK)
        with usage("--missing"):
            choose("treatment of missing values", self.missing or "refuse", TREATMENTS)

    def refuse_columns(self, source: str) -> None:
        """Raise an error of usage where options speak of columns, but those of DATA are known."""
        require_unset(
            source, category=self.category, ignore=self.ignore, weights=self.weights, header=self.header
        )

    def refuse(self, source: str) -> None:
        """Raise an error of usage at any option, where DATA are packed, and no columns any more."""
        require_unset(source, **attrs.asdict(self, recurse=False))

    def data_set(self, file: str) -> DataSet:
        """Read a file; without a target, the last column is what is to be learnt."""
        return DataSet.from_csv(file, **self.options(file))

    def options(self, file: str) -> dict[str, Any]:
        """Return what `DataSet.from_csv` is to be told about a file."""
        # A number is a column's place: as a value of the first record it does not show a header.
        known = [name for name in self.target if not name.isdigit()]
        names = open_unknown(file, known, header=self.header).names
        targets = [column(given, names) for given in self.target]
        return {
            "target": targets or -1,
            "task": self.task,
            "kinds": {column(given, names): "category" for given in self.category},
            "ignore": [column(given, names) for given in self.ignore],
            "weights": None if self.weights is None else column(self.weights, names),
            "missing": self.missing or "refuse",
            "header": self.header,
        }


def column(given: str, names: Sequence[str]) -> str:
    """Return the name of a column that is given by its name or, if none has that name, by its number.

    >>> column("2", ["length", "rings"])
    'rings'
    """
    is_number = given not in names and given.isascii() and given.isdigit()
    return names[int(given) - 1] if is_number and 0 < int(given) <= len(names) else given


def require_unset(source: str, **options: object) -> None:
    """Raise an error of usage at an option about columns that is set where the columns of DATA are known."""
    for name, value in options.items():
        if value not in (None, ()):
            raise typer.BadParameter(f"the columns of {source} are known", param_hint=f"--{name}")
