"""A spool: samples that wait in a temporary file until it is known how to normalize them."""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING, Self

import attrs
import numpy as np

from neuralframe.data.normalizers import PORTION_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neuralframe.core.arrays import Array, Vector

    Portion = tuple[Array, Array, Vector | None]


@attrs.define(eq=False)
class Spool:
    """Rows of float64 in a file that vanishes when it is closed.

    Parameters
    ----------
    folder : Path
        Where there is room.

    """

    folder: Path
    _widths: tuple[int, int, int] = (0, 0, 0)
    _file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile(dir=self.folder)
        return self

    def __exit__(self, *problem: object) -> None:
        assert self._file is not None
        self._file.close()

    def add(self, inputs: Array, targets: Array, sample_weights: Vector | None) -> None:
        """Append samples."""
        weights = np.empty((len(inputs), 0)) if sample_weights is None else sample_weights[:, np.newaxis]
        self._widths = inputs.shape[1], targets.shape[1], weights.shape[1]
        assert self._file is not None
        self._file.write(np.hstack([inputs, targets, weights]).tobytes())

    def __iter__(self) -> Iterator[Portion]:
        """Yield all samples from the beginning, `PORTION_ROWS` at a time."""
        assert self._file is not None
        n_inputs, n_targets, weighted = self._widths
        row = 8 * sum(self._widths)
        self._file.seek(0)
        while content := self._file.read(PORTION_ROWS * row):
            rows = np.frombuffer(content).reshape(-1, row // 8)
            inputs, targets, weights = np.split(rows, [n_inputs, n_inputs + n_targets], axis=1)
            yield inputs, targets, weights[:, 0] if weighted else None
