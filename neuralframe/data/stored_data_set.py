"""Data sets whose samples stay in files, and are read block by block when they are needed."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.blocks import Blocks
    from neuralframe.data.encoding import Encoding
    from neuralframe.data.sample_facts import SampleFacts

FIELDS = ("inputs", "targets", "sample_weights", "block_size", "encoding", "gaps")


class StoredDataSet(DataSet):
    """A data set of which facts are known without reading.

    What needs the samples as arrays (`rows`, `split`, `normalized`, another block size, ...) reads all of
    them into memory, and returns a data set that stays there. Training and what computes sums do not.
    """

    _facts: SampleFacts

    def _set_up(self, facts: SampleFacts, block_size: int, encoding: Encoding | None) -> None:
        """Take the place of the constructor, in a class that is frozen."""
        fields = {"_facts": facts, "block_size": block_size, "encoding": encoding, "gaps": None}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    @abstractmethod
    def blocks(self) -> Blocks: ...

    @property
    @abstractmethod
    def source(self) -> str: ...

    @cached_property
    def _arrays(self) -> tuple[Array, Array, Vector | None]:
        """All samples; fixed in size beforehand, so that they are in memory once and not twice."""
        facts = self._facts
        inputs = np.empty((facts.n_samples, facts.n_inputs), facts.dtype)
        targets = np.empty((facts.n_samples, facts.n_targets), facts.dtype)
        weights = np.empty(facts.n_samples) if facts.weighted else None
        start = 0
        for block in self.blocks:
            rows = slice(start, start + block.n_samples)
            inputs[rows], targets[rows] = block.inputs, block.targets
            if weights is not None:
                weights[rows] = block.sample_weights
            start += block.n_samples
        for array in (inputs, targets, weights):
            if array is not None:
                array.flags.writeable = False
        return inputs, targets, weights

    @property
    def inputs(self) -> Array:
        """(n, n_inputs): one sample a row; reads all of the data."""
        return self._arrays[0]

    @property
    def targets(self) -> Array:
        """(n, n_targets): what the network should answer; reads all of the data."""
        return self._arrays[1]

    @property
    def sample_weights(self) -> Vector | None:
        """(n,) or None: how much each sample counts; reads all of the data if they have weights."""
        return self._arrays[2] if self.is_weighted else None

    @property
    def n_samples(self) -> int:
        return self._facts.n_samples

    @property
    def n_inputs(self) -> int:
        return self._facts.n_inputs

    @property
    def n_targets(self) -> int:
        return self._facts.n_targets

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self._facts.dtype)

    @property
    def is_weighted(self) -> bool:
        return self._facts.weighted

    @property
    def input_ranges(self) -> Array:
        return self._facts.input_ranges

    @property
    def telling_targets(self) -> Array:
        return self._facts.telling_targets

    @property
    def class_labels(self) -> tuple[str, ...] | None:
        if self.encoding is not None and self.encoding.target is not None:
            return self.encoding.class_labels
        return None if self._facts.class_counts is None else tuple(map(str, range(self.n_targets)))

    @property
    def class_counts(self) -> dict[str, int]:
        if self._facts.class_counts is None:
            return super().class_counts
        return dict(zip(self._require_labels(), self._facts.class_counts, strict=True))

    def require_classes(self) -> None:
        low, high = self._facts.target_ranges.T
        if (low == high).all():
            raise DataError(
                f"one class only: all samples of {self.source} have the target {low.tolist()}. "
                "A classifier needs samples of at least two classes"
            )

    def _changed(self, **changes: Any) -> DataSet:  # type: ignore[override]
        """Return a data set in memory, unless nothing changes."""
        if changes == {"block_size": self.block_size}:
            return self
        kept = {name: getattr(self, name) for name in FIELDS if name not in changes}
        return DataSet(**kept, **changes)
