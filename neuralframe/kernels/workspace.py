"""The workspace: memory that a kernel computes in, got once and used for every chunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from neuralframe.core.arrays import Array

SHAPES_KEPT = 512
"""Views that are remembered at most: chunks come in few lengths, unless samples of weight 0 are left out."""


class Workspace:
    """Buffers by name. Fresh pages cost more than the arithmetic done in them, so none is given back.

    Every buffer that is taken under a name shares the memory of the one before. Not for several threads.

    Parameters
    ----------
    dtype : numpy.dtype
        Type of the buffers.

    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._memory: dict[Hashable, Array] = {}
        self._views: dict[Hashable, Array] = {}

    def take(self, name: Hashable, rows: int, columns: int) -> Array:
        """Return a contiguous array (rows, columns) with whatever stands in it."""
        view = self._views.get((name, rows, columns))
        if view is None:
            view = self._made(name, rows, columns)
        return view

    def zeros(self, name: Hashable, rows: int, columns: int) -> Array:
        """Return an array (rows, columns) that held zeros at first; its name is for one shape only."""
        if name not in self._memory:
            self.take(name, rows, columns)[...] = 0
        return self.take(name, rows, columns)

    def _made(self, name: Hashable, rows: int, columns: int) -> Array:
        memory = self._memory.get(name)
        if memory is None or memory.size < rows * columns:
            memory = self._memory[name] = np.empty(rows * columns, self._dtype)
            # views of the memory that was too small would keep it alive
            self._views = {key: kept for key, kept in self._views.items() if key[0] != name}  # type: ignore[index]
        if len(self._views) >= SHAPES_KEPT:
            self._views.clear()
        view = self._views[name, rows, columns] = memory[: rows * columns].reshape(rows, columns)
        return view
