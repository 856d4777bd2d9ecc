"""Records and what makes numbers of them: learnt in one pass, encoded in another, a portion at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import attrs
import numpy as np

from neuralframe.data.columns import numbers_of
from neuralframe.data.encoding import MISSING_VALUES, Encoding
from neuralframe.data.gaps import Gaps
from neuralframe.data.roles import Roles, choose
from neuralframe.data.survey import survey
from neuralframe.data.targets import ClassTarget, NumberTarget, Target
from neuralframe.data.wording import LEAVE_GAPS_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.records import Records
    from neuralframe.data.survey import ColumnSurvey

Source = TypeVar("Source", bound="Iterable[Records]")

FILLS = ("mean", "median", "most_frequent")
TREATMENTS = ("refuse", "drop", *FILLS)


@attrs.frozen(eq=False)
class EncodedRecords(Generic[Source]):
    """Records that become samples when they are gone through.

    Attributes
    ----------
    source : iterable of Records
        A list or files: it is gone through several times.
    encoding : Encoding
    weights : str or None
        The column of sample weights.
    complete_in : tuple of str
        Records that lack a value in one of these columns are left out.
    n_records : int or None
        How many there are, if they have been counted.
    treatment : str or None
        How missing inputs are filled in, if that was learnt from these records.

    """

    source: Source
    encoding: Encoding
    weights: str | None = None
    complete_in: tuple[str, ...] = ()
    n_records: int | None = None
    treatment: str | None = None

    def __iter__(self) -> Iterator[tuple[Array, Array, Vector | None]]:
        """Yield inputs, targets and sample weights of some records at a time."""
        for records in self.source:
            if kept := self.kept(records):
                yield self.encoded(kept)

    def kept(self, records: Records) -> Records:
        """Return the records that become samples."""
        if not self.complete_in:
            return records
        return records.complete(self.complete_in, frozenset(self.encoding.missing_values))

    def encoded(self, records: Records) -> tuple[Array, Array, Vector | None]:
        """Return inputs, targets and sample weights of records that are kept."""
        weights = None if self.weights is None else self._sample_weights(records, self.weights)
        return self.encoding.encode_inputs(records), self.encoding.encode_targets(records), weights

    def gaps(self) -> Gaps | None:
        """Return which inputs are filled in by what these records taught, if any; reads everything."""
        if self.treatment is None:
            return None
        missing = frozenset(self.encoding.missing_values)
        portions = [
            np.hstack([column.gaps(kept, missing) for column in self.encoding.columns])
            for records in self.source
            if (kept := self.kept(records))
        ]
        filled = np.concatenate(portions)
        return Gaps(filled, self.treatment) if filled.any() else None

    def count(self) -> int:
        """Return how many samples there are; reads everything, unless that has been done before."""
        if self.n_records is not None:
            return self.n_records
        return sum(len(self.kept(records)) for records in self.source)

    def _sample_weights(self, records: Records, name: str) -> Vector:
        missing = frozenset(self.encoding.missing_values)
        numbers: Vector = numbers_of(records, name, missing, advice=LEAVE_GAPS_OUT)[:, 0]
        if (numbers < 0).any():
            raise records.error("a sample weight must not be negative", int((numbers < 0).argmax()), name)
        return numbers


def learn(
    source: Source,
    roles: Roles,
    *,
    missing: str = "refuse",
    missing_values: Sequence[str] = MISSING_VALUES,
) -> EncodedRecords[Source]:
    """Survey the records, and make an encoding of what was found."""
    choose("treatment of missing values", missing, TREATMENTS)
    absent = frozenset(missing_values)
    complete_in = roles.used if missing == "drop" else ()
    fill = missing if missing in FILLS else None
    portions = (records.complete(complete_in, absent) if complete_in else records for records in source)
    found, n_records = survey(
        (records for records in portions if records),
        roles.inputs | roles.targets,
        absent,
        keeps_numbers=roles.inputs if fill not in (None, "mean") else (),
    )
    encoding = Encoding(
        [found[name].column(fill) for name in roles.inputs],
        _target(roles, found),
        missing_values=tuple(missing_values),
        layout=roles.names,
    )
    return EncodedRecords(source, encoding, roles.weights, complete_in, n_records, fill)


def _target(roles: Roles, found: dict[str, ColumnSurvey]) -> Target:
    kinds = [found[name].settle() for name in roles.targets]
    if "category" in kinds:
        (name,) = roles.targets
        return ClassTarget(name, found[name].categories())
    return NumberTarget(tuple(roles.targets))
