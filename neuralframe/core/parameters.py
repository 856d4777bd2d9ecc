"""The numbers of a network: one weight vector, and which of its weights are frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector


class Parameters:
    """One contiguous float64 vector that every object of a network is a view of.

    Attributes
    ----------
    weights : (n_weights,) float64
        Weights and biases, writable in place.
    frozen : (n_weights,) bool or None
        Which weights training leaves alone; None as long as none was ever frozen.

    """

    __slots__ = ("frozen", "weights")

    def __init__(self, weights: Vector) -> None:
        self.weights = weights
        self.frozen: npt.NDArray[np.bool_] | None = None

    def freeze(self, where: int | slice | Indices, frozen: bool = True) -> None:  # noqa: FBT001, FBT002
        """Freeze the weights at `where`, or release them."""
        if self.frozen is None:
            self.frozen = np.zeros(len(self.weights), dtype=bool)
        self.frozen[where] = frozen

    def free(self) -> Indices | None:
        """Return the positions of the weights that training may change; None means all of them."""
        return np.flatnonzero(~self.frozen) if self.frozen is not None and self.frozen.any() else None
