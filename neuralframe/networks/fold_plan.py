"""The plan of a cross-validation: who is in which fold, from which seeds, and prepared how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.validation import count
from neuralframe.data.data_set import DataSet
from neuralframe.data.stored_data_set import StoredDataSet
from neuralframe.evaluation.folds import k_folds, stratified_folds
from neuralframe.exceptions import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.core.arrays import Indices

LEAVE_ONE_OUT = "leave-one-out"


@attrs.frozen(eq=False)
class Split:
    """One fold as it is planned; see `neuralframe.networks.cross_validated.Fold`."""

    repeat: int
    number: int
    training_rows: Indices
    test_rows: Indices
    seeds: tuple[int, ...]


def _checked_data(given: Any) -> DataSet:
    if not isinstance(given, DataSet):
        raise DataError(
            f"expected a data set, got {type(given).__name__}; make one with nf.DataSet(inputs, targets)"
        )
    encoding = given.encoding
    if encoding and (encoding.input_normalizer or encoding.target_normalizer):
        raise DataError(
            "the data set is normalized, by what was learnt from all its samples; give it as it was, and "
            "normalizer=, which is fitted to each fold's training samples"
        )
    stored = isinstance(given, StoredDataSet)
    if stored and encoding and any(column.fill is not None for column in encoding.columns):
        raise DataError(
            "missing inputs were filled in by what all samples taught, and packed or streamed data do not "
            "tell which they are; give the data set as DataSet.from_csv reads it"
        )
    return given


def _folds(instance: FoldPlan, attribute: attrs.Attribute[Any], value: Any) -> None:
    if value != LEAVE_ONE_OUT:
        count(at_least=2)(instance, attribute, value)


def _choice(instance: FoldPlan, attribute: attrs.Attribute[Any], value: Any) -> None:
    del instance
    if value is not None and not isinstance(value, bool):
        raise ParameterError(f"{attribute.name} takes True, False or None; got {value!r}")


@attrs.frozen(eq=False, kw_only=True)
class FoldPlan:
    """What `cross_validate` was asked for, checked; see there."""

    data: DataSet = attrs.field(converter=_checked_data)
    folds: int | str = attrs.field(validator=_folds)
    repeats: int = attrs.field(validator=count())
    stratified: bool | None = attrs.field(validator=_choice)
    seed: int = attrs.field(validator=count(at_least=0))
    ensemble: int = attrs.field(validator=count())
    normalizer: Any
    target_normalizer: Any

    @property
    def n_folds(self) -> int:
        """How many folds a repeat has."""
        return self.data.n_samples if self.folds == LEAVE_ONE_OUT else int(self.folds)

    @property
    def is_stratified(self) -> bool:
        """Whether each fold has its share of each class."""
        if self.stratified is not None:
            return self.stratified
        return self.data.class_labels is not None and self.n_folds < self.data.n_samples

    def splits(self) -> Iterator[list[Split]]:
        """Yield the folds of each repeat.

        Raises
        ------
        DataError
            If there are fewer samples, or fewer of a class, than folds.

        """
        for repeat in range(self.repeats):
            parts = self._parts(np.random.default_rng(self._seeds(repeat)))
            yield [self._split(repeat, number, rows) for number, rows in enumerate(parts)]

    def prepared(self, split: Split) -> tuple[DataSet, DataSet]:
        """Return a fold's training set, prepared by what it teaches itself, and its test set as it was."""
        training, test = self.data.rows(split.training_rows), self.data.rows(split.test_rows)
        if training.gaps is not None:
            training = training.refilled()
            test = test.refilled(like=training)
        if self.normalizer is not None or self.target_normalizer is not None:
            training = training.normalized(self.normalizer, self.target_normalizer)
        return training, test

    def _parts(self, random: np.random.Generator) -> tuple[Indices, ...]:
        if not self.is_stratified:
            return k_folds(self.data.n_samples, self.n_folds, seed=random)
        return stratified_folds(self.data.classes, self.n_folds, labels=self.data.class_labels, seed=random)

    def _split(self, repeat: int, number: int, test: Indices) -> Split:
        training = np.setdiff1d(np.arange(self.data.n_samples), test)
        seeds = (self._seeds(repeat, number, member) for member in range(self.ensemble))
        return Split(repeat, number, training, test, tuple(int(one.generate_state(1)[0]) for one in seeds))

    def _seeds(self, *place: int) -> np.random.SeedSequence:
        return np.random.SeedSequence(self.seed, spawn_key=place)
