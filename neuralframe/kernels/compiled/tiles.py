"""A block laid out for the compiled pass: features one after the other, in tiles of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.kernels.chunks import laid_out
from neuralframe.kernels.compiled.views import TILE

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector

LANES = 16
"""Samples come in multiples of so many: whole vectors of the widest processors, in float32."""

_ALIGNMENT = 64  # bytes of a cache line: a vector that lies across two takes twice as long to read


@attrs.frozen(eq=False)
class Tiles:
    """The samples of a block that count.

    Attributes
    ----------
    inputs, targets : flat arrays
        For each tile, feature by feature, `TILE` values. Where softmax is fused with the error, the targets
        have a further feature: their sum. Places that no sample fills repeat the last one. No inputs where
        they are taken row by row.
    rows : (n, n_inputs) or None
        The inputs row by row; None where they are the block's own, which it is not for this to hold.
    sample_weights : (n,) float64
        n is a multiple of `LANES`; 0 where there is no sample.
    sources : (targets, sample weights)
        What it was made of: held, so that no other array takes their place in memory. None in place of the
        inputs, which it would else keep alive: targets may be the very same array.

    """

    inputs: Array
    rows: Array | None
    targets: Array
    sample_weights: Vector
    sources: tuple[Array | None, ...]

    @classmethod
    def of(
        cls,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None,
        dtype: np.dtype[Any],
        *,
        with_sums: bool,
        by_rows: bool,
    ) -> Tiles:
        """Lay out a block; samples of weight 0 are left out, as their errors may be infinite."""
        sources, own = (None if targets is inputs else targets, sample_weights), inputs
        counting: Any = slice(None) if sample_weights is None else np.flatnonzero(sample_weights)
        inputs, targets = laid_out(inputs[counting], dtype), laid_out(targets[counting], dtype)
        if with_sums:
            targets = np.column_stack([targets, targets.sum(axis=1)])
        n_samples = len(inputs)
        weights: Vector = aligned(-(-n_samples // LANES) * LANES, np.dtype(np.float64))
        weights[:n_samples] = 1 if sample_weights is None else sample_weights[counting]
        if not by_rows:
            return cls(_tiled(inputs), None, _tiled(targets), weights, sources)
        rows = None if np.may_share_memory(inputs, own) else inputs
        return cls(_tiled(inputs[:0]), rows, _tiled(targets), weights, sources)

    def is_of(self, inputs: Array, targets: Array, sample_weights: Vector | None) -> bool:
        """Whether it was made of these arrays, given that it was of these inputs, and they cannot change."""
        source = inputs if self.sources[0] is None else self.sources[0]
        if source is not targets or self.sources[1] is not sample_weights:
            return False
        fixed = not (inputs.flags.writeable or targets.flags.writeable)
        return fixed and (sample_weights is None or not sample_weights.flags.writeable)

    @property
    def n_bytes(self) -> int:
        """Memory that the arrays take."""
        rows = 0 if self.rows is None else self.rows.nbytes
        return self.inputs.nbytes + rows + self.targets.nbytes + self.sample_weights.nbytes


def _tiled(samples: Array) -> Array:
    n_samples, n_features = samples.shape
    n_tiles = -(-n_samples // TILE)
    rows = np.minimum(np.arange(n_tiles * TILE), n_samples - 1)
    flat: Array = aligned(n_tiles * TILE * n_features, samples.dtype)
    flat.reshape(n_tiles, n_features, TILE)[...] = (
        samples[rows].reshape(n_tiles, TILE, n_features).transpose(0, 2, 1)
    )
    return flat


def aligned(n: int, dtype: np.dtype[Any]) -> Any:
    """Return n zeros that start on a cache line."""
    raw = np.zeros(n * dtype.itemsize + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + n * dtype.itemsize].view(dtype)
