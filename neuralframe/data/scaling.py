"""Normalizing samples that go by, a portion at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.data.data_set import CLASSES_STAY
from neuralframe.data.normalizers import PORTION_ROWS, Normalizer, still_to_apply
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.data.encoding import Encoding

    Portion = tuple[Array, Array, Vector | None]
    Normalizing = str | Normalizer | type[Normalizer] | None


@attrs.frozen(eq=False)
class Scaling:
    """What is still to be normalized of samples that an encoding makes.

    Attributes
    ----------
    encoding : Encoding
    inputs, targets : Normalizer or None

    """

    encoding: Encoding
    inputs: Normalizer | None
    targets: Normalizer | None

    @classmethod
    def of(cls, encoding: Encoding, inputs: Normalizing, targets: Normalizing) -> Scaling:
        """Look the normalizers up.

        Raises
        ------
        DataError
            If the targets to normalize are classes, or the samples are normalized already.

        """
        if targets is not None and encoding.class_labels is not None:
            raise DataError(CLASSES_STAY)
        return cls(
            encoding,
            still_to_apply(inputs, encoding.input_normalizer, "inputs"),
            still_to_apply(targets, encoding.target_normalizer, "targets"),
        )

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return self.inputs is not None or self.targets is not None

    def fitted(self, samples: Callable[[], Iterable[Portion]]) -> Encoding:
        """Return the encoding with the normalizers, fitted to samples that are gone through several times."""
        inputs = _fitted(self.inputs, lambda: (x for x, _, _ in samples()), self.encoding.input_names)
        targets = _fitted(self.targets, lambda: (y for _, y, _ in samples()), self.encoding.target_names)
        return attrs.evolve(
            self.encoding,
            input_normalizer=inputs or self.encoding.input_normalizer,
            target_normalizer=targets or self.encoding.target_normalizer,
        )

    def applied(self, portion: Portion, encoding: Encoding) -> Portion:
        """Return samples, encoded without them, normalized by the normalizers of what `fitted` returned."""
        inputs, targets, weights = portion
        if self.inputs is not None and encoding.input_normalizer is not None:
            inputs = encoding.input_normalizer.transform(inputs)
        if self.targets is not None and encoding.target_normalizer is not None:
            targets = encoding.target_normalizer.transform(targets)
        return inputs, targets, weights


def _fitted(
    normalizer: Normalizer | None, arrays: Callable[[], Iterable[Array]], names: Sequence[str] | None
) -> Normalizer | None:
    if normalizer is None or normalizer.fitted:
        return normalizer
    return normalizer.fit_portions(lambda: _regrouped(arrays()), names=names)


def _regrouped(arrays: Iterable[Array]) -> Iterator[Array]:
    """Yield the same rows, `PORTION_ROWS` at a time; the last may be fewer."""
    waiting: list[Array] = []
    n_waiting = 0
    for array in arrays:
        rows = array
        while n_waiting + len(rows) >= PORTION_ROWS:
            taken = PORTION_ROWS - n_waiting
            yield np.concatenate([*waiting, rows[:taken]]) if waiting else rows[:taken]
            waiting, n_waiting, rows = [], 0, rows[taken:]
        if len(rows):
            waiting.append(rows)
            n_waiting += len(rows)
    if waiting:
        yield np.concatenate(waiting)
