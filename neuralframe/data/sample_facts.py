"""What must be known of samples that stay in files, gathered while they go by."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from neuralframe.core.arrays import Array  # noqa: TC001 - attrs resolves it
from neuralframe.data.checks import is_one_hot


@attrs.frozen(eq=False, kw_only=True)
class SampleFacts:
    """What is known of samples without reading them.

    Attributes
    ----------
    n_samples, n_inputs, n_targets : int
    dtype : {"float64", "float32"}
    weighted : bool
        Whether samples have weights.
    input_ranges : (n_inputs, 2) float64
        The smallest and largest value of each input.
    target_ranges : (n_targets, 2) float64
        The smallest and largest value of each target.
    telling_targets : (m, n_targets) float64
        Up to four rows of targets: those with the smallest and the largest number, and those with the
        smallest and the largest sum.
    class_counts : tuple of int or None
        Samples of each class, if the targets are ones of exactly one class in every row.

    """

    n_samples: int
    n_inputs: int
    n_targets: int
    dtype: str
    weighted: bool
    input_ranges: Array
    target_ranges: Array
    telling_targets: Array
    class_counts: tuple[int, ...] | None


@attrs.define(eq=False)
class SampleSurvey:
    """Gathers the facts of samples that go by."""

    n_samples: int = 0
    weight_sum: float = 0.0
    _known: dict[str, Any] = attrs.field(factory=dict)
    _input_ranges: Array | None = None
    _target_ranges: Array | None = None
    _telling_targets: Array | None = None
    _class_counts: Array | None = None

    def see(self, inputs: Array, targets: Array, sample_weights: Array | None = None) -> None:
        """Take further samples into account; there must be at least one."""
        known = {
            "n_inputs": inputs.shape[1],
            "n_targets": targets.shape[1],
            "dtype": inputs.dtype.name,
            "weighted": sample_weights is not None,
        }
        self._count_classes(targets)
        self._known = known
        self.n_samples += len(inputs)
        if sample_weights is not None:
            self.weight_sum += float(sample_weights.sum())
        self._input_ranges = _wider(self._input_ranges, inputs)
        self._target_ranges = _wider(self._target_ranges, targets)
        rows = targets.astype(np.float64, copy=False)
        self._telling_targets = telling_rows(
            rows if self._telling_targets is None else np.concatenate([self._telling_targets, rows])
        )

    def _count_classes(self, targets: Array) -> None:
        """Count while every row so far has been that of a class."""
        if self.n_samples and self._class_counts is None:
            return
        counts = (targets == 1).sum(axis=0) if is_one_hot(targets) else None
        before = 0 if self._class_counts is None else self._class_counts
        self._class_counts = None if counts is None else counts + before

    @property
    def facts(self) -> dict[str, Any]:
        """The attributes of the `SampleFacts`."""
        counts = self._class_counts
        return {
            **self._known,
            "n_samples": self.n_samples,
            "input_ranges": self._input_ranges,
            "target_ranges": self._target_ranges,
            "telling_targets": self._telling_targets,
            "class_counts": None if counts is None else tuple(counts.tolist()),
        }


def telling_rows(targets: Array) -> Array:
    """Return the rows with the smallest and the largest number, and those with such a sum."""
    low, high, sums = targets.min(axis=1), targets.max(axis=1), targets.sum(axis=1, dtype=np.float64)
    chosen = {int(low.argmin()), int(high.argmax()), int(sums.argmin()), int(sums.argmax())}
    rows: Array = targets[sorted(chosen)]
    return rows


def _wider(ranges: Array | None, values: Array) -> Array:
    found = np.stack([values.min(axis=0), values.max(axis=0)], axis=1).astype(np.float64, copy=False)
    if ranges is None:
        return found
    return np.stack([np.minimum(ranges[:, 0], found[:, 0]), np.maximum(ranges[:, 1], found[:, 1])], axis=1)
