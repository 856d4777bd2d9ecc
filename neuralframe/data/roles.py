"""Roles: which columns of a file are inputs, targets, sample weights, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.data.columns import COLUMNS
from neuralframe.data.wording import listing
from neuralframe.exceptions import ChoiceError, DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Reference = str | int

KIND_OF_TASK = {"classification": "category", "regression": "number"}


@attrs.frozen
class Roles:
    """Which column is what.

    Attributes
    ----------
    names : tuple of str
        All columns of the file.
    inputs, targets : dict of str to (str or None)
        The columns of either role, with their declared kinds.
    weights : str or None
        The column of sample weights.

    """

    names: tuple[str, ...]
    inputs: dict[str, str | None]
    targets: dict[str, str | None]
    weights: str | None

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        targets: Reference | Sequence[Reference],
        *,
        ignore: Sequence[Reference] = (),
        weights: Reference | None = None,
        kinds: Mapping[Reference, str] | None = None,
        task: str | None = None,
    ) -> Roles:
        """Look the columns up among `names`.

        Raises
        ------
        ChoiceError
            At an unknown column, kind or task; the message lists those that exist.
        ParameterError
            Unless there is one target, or several different ones for a regression.
        DataError
            If no column is left for the inputs.

        """
        declared = {
            column(reference, names): choose("kind of column", kind, COLUMNS)
            for reference, kind in (kinds or {}).items()
        }
        wanted = [targets] if isinstance(targets, str | int) else targets
        goals = [column(reference, names) for reference in wanted]
        if not goals or len(set(goals)) < len(goals) or (len(goals) > 1 and task == "classification"):
            raise ParameterError(
                "expected one target, or several different ones for a regression; "
                f"got {listing(goals) or 'none'}"
            )
        goal_kind = "number" if len(goals) > 1 else declared.get(goals[0])
        if task is not None:
            goal_kind = KIND_OF_TASK[choose("task", task, KIND_OF_TASK)]
        weighting = optional_column(weights, names)
        others = {*goals, weighting, *(column(reference, names) for reference in ignore)}
        inputs = {name: declared.get(name) for name in names if name not in others}
        if not inputs:
            raise DataError(f"no column is left for the inputs: {listing(names)} all have other roles")
        return cls(names, inputs, dict.fromkeys(goals, goal_kind), weighting)

    @property
    def used(self) -> tuple[str, ...]:
        """The columns in which a value can be missed."""
        return (*self.inputs, *self.targets, *([] if self.weights is None else [self.weights]))


def column(reference: Reference, names: tuple[str, ...]) -> str:
    """Return the name of the column that `reference`, a name or an index, means."""
    if isinstance(reference, str) and reference in names:
        return reference
    if isinstance(reference, int) and -len(names) <= reference < len(names):
        return names[reference]
    raise ChoiceError("column", reference, names)


def optional_column(reference: Reference | None, names: tuple[str, ...]) -> str | None:
    """Return the column's name, or None if none is asked for."""
    return None if reference is None else column(reference, names)


def choose(what: str, given: str, choices: Iterable[str]) -> str:
    """Return `given` if it is one of the choices; otherwise raise `ChoiceError`."""
    if given not in choices:
        raise ChoiceError(what, given, choices)
    return given
