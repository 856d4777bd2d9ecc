"""Chunks: some samples of a block, laid out for the arithmetic, and how many are computed at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.stage import Layers

CHUNK_BYTES = 1 << 23
"""Working memory of one chunk, about: 8 MiB keeps the products of wide layers at full speed."""

MAX_CHUNK = 1024
"""Samples computed at once at most, in float64: the activations of narrow networks stay in cache."""


@attrs.frozen(eq=False)
class Chunk:
    """Some samples of a block: inputs as they came, targets laid out as outputs are, sample weights.

    Under noise, the inputs are disturbed, and the outputs of hidden layers are multiplied by `factors`.
    """

    inputs: Array
    target: Array
    sample_weights: Vector | None = None
    factors: Layers | None = None

    def scale(self, dtype: np.dtype[Any]) -> Array | None:
        """Return what the derivatives of each sample are multiplied by, if by anything."""
        return None if self.sample_weights is None else self.sample_weights.astype(dtype)

    def total(self, values: Array) -> float:
        """Return the values of the samples, (n_samples,), each times its weight, added up in float64."""
        weighted = values if self.sample_weights is None else values * self.sample_weights
        return float(np.sum(weighted, dtype=np.float64))


def quietly() -> np.errstate:
    """Let infinities and NaN pass: at a wild trial step they are an answer, which the rule judges."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


@np.errstate(over="ignore")  # a number beyond float32 becomes infinite, like any other overflow
def laid_out(array: Array, dtype: np.dtype[Any]) -> Array:
    """Return an array row by row and aligned: a matrix product's last bits depend on how its factors lie."""
    return np.require(array, dtype, ("C_CONTIGUOUS", "ALIGNED"))


def chunk_size(values_per_sample: int, itemsize: int) -> int:
    """Return how many samples are computed at once: a function of the network alone, so that bits repeat."""
    fitting = max(1, CHUNK_BYTES // max(1, values_per_sample * itemsize))
    return int(min(MAX_CHUNK * (8 // itemsize), 1 << (fitting.bit_length() - 1)))
