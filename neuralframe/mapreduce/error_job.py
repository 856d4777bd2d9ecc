"""The job behind every learning rule: errors, and gradients where asked for, at S weight vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.kernels.sample_sum import free_part
from neuralframe.mapreduce.disturbed import disturbed
from neuralframe.mapreduce.error_sums import MeanError, error_sums, kind_of_errors, sum_name
from neuralframe.mapreduce.job import Job, KeyedSums, Sums

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.conclusion import Conclusion
    from neuralframe.core.metrics import Metric
    from neuralframe.core.noise import Noise
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


@attrs.frozen(eq=False)
class ErrorJob(Job):
    """Sums errors and gradients; the key is the row of the weight vector.

    Validation blocks are summed in the same pass, apart from the training blocks and without a gradient.

    Parameters
    ----------
    kernel : Kernel
        How a block is computed.
    weights : (S, n_weights) float64
        The weight vectors.
    with_gradient : (S,) bool
        At which of them the gradient is wanted too.
    metrics : tuple of Metric
        What else is wanted of the validation part.
    conclusions : tuple of Conclusion
        What is worked out from the errors of several rows together.
    spans : tuple of (int, int)
        The rows of each conclusion: from the first up to, not including, the second.
    penalties : (S,) float64, optional
        The penalty of each row's weights, which jobs do not sum but conclusions count.
    free : (n_free,) int, optional
        Which of the weights conclusions see; by default all.
    noise : tuple of Noise
        What disturbs the blocks that are learnt from.
    draws : (S, 2) uint64, optional
        Which noise each row meets, by session and iteration; None is none.

    """

    kernel: Kernel
    weights: Vector
    with_gradient: npt.NDArray[np.bool_]
    metrics: tuple[Metric, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    penalties: Vector | None = None
    free: Indices | None = None
    noise: tuple[Noise, ...] = ()
    draws: npt.NDArray[np.uint64] | None = None

    @property
    def kind(self) -> Hashable:
        n_gradients = int(np.count_nonzero(self.with_gradient))
        return kind_of_errors(self.kernel, n_gradients, len(self.weights) - n_gradients)

    @property
    def concludes(self) -> bool:
        return bool(self.conclusions)

    def map(self, block: Block) -> KeyedSums:
        if block.part != "training":
            return self._watched(block)
        return self._learnt(block, with_gradient=False) | self._learnt(block, with_gradient=True)

    def conclude(self, totals: KeyedSums) -> KeyedSums:
        concluded = dict(totals)
        for index, (conclusion, (first, last)) in enumerate(zip(self.conclusions, self.spans, strict=True)):
            key, rows = len(self.weights) + index, range(first, last)
            if key not in totals and all(row in totals for row in rows):
                errors = np.array([self._error(totals[row], row) for row in rows])
                concluded[key] = conclusion.conclude(errors, free_part(self.weights[first:last], self.free))
        return concluded

    def reduce(self, key: int, total: Sums) -> Any:
        if key >= len(self.weights):
            return total
        return MeanError.of(total, self.metrics)

    def _error(self, total: Sums, row: int) -> float:
        """Return E as a conclusion sees it."""
        mean = float(total["training"][0] / total["training"][1])
        return mean if self.penalties is None else mean + float(self.penalties[row])

    def _learnt(self, block: Block, *, with_gradient: bool) -> KeyedSums:
        """Return the sums of the rows that learn so from a block, those under one noise together."""
        rows = np.flatnonzero(self.with_gradient == with_gradient)
        if self.draws is None or not len(rows):
            return self._sums(self.kernel, block, rows, with_gradient=with_gradient)
        keyed: KeyedSums = {}
        _, groups = np.unique(self.draws[rows], axis=0, return_inverse=True)
        for group in range(groups.max() + 1):
            alike = rows[groups.reshape(-1) == group]
            kernel = disturbed(self.kernel, self.noise, self.draws[alike[0]], block)
            keyed |= self._sums(kernel, block, alike, with_gradient=with_gradient)
        return keyed

    def _watched(self, block: Block) -> KeyedSums:
        """Return the errors of a validation block, and the sums of the metrics."""
        keyed = self._sums(self.kernel, block, np.arange(len(self.weights)), with_gradient=False)
        if self.metrics:
            weights = np.ones(block.n_samples) if block.sample_weights is None else block.sample_weights
            for row, vector in enumerate(self.weights):
                outputs = self.kernel.outputs(vector, block.inputs)
                for metric in self.metrics:
                    keyed[row][sum_name(metric)] = metric.sums(outputs, block.targets, weights)
        return keyed

    def _sums(self, kernel: Kernel, block: Block, rows: Indices, *, with_gradient: bool) -> KeyedSums:
        if not len(rows):
            return {}
        found = error_sums(kernel, self.weights[rows], block, with_gradient=with_gradient)
        return dict(zip(rows.tolist(), found, strict=True))
