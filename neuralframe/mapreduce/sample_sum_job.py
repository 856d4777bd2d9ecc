"""The job of sums that a learning rule invents."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.mapreduce.disturbed import disturbed
from neuralframe.mapreduce.job import Job, KeyedSums, Sums

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.noise import Noise
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel
    from neuralframe.kernels.sample_sum import SampleSum

SAMPLES = "samples"
"""The name under which samples are counted: [sum of sample weights, number of samples]."""


@attrs.frozen(eq=False)
class SampleSumJob(Job):
    """Sums of several rules over the training part; the key is the row of the weight vector.

    Parameters
    ----------
    kernel : Kernel
        How a block is computed.
    tasks : tuple of SampleSum
        What is summed.
    sizes : tuple of int
        How many of the weight vectors belong to each task, in order.
    weights : (S, n_weights) float64
        The weight vectors.
    free : (n_free,) int or None
        Which of the weights the rules see.
    noise : tuple of Noise
        What disturbs the network: a task is handed a kernel that computes it so.
    draws : (S, 2) uint64, optional
        Which noise each row meets, by session and iteration; None is none.

    """

    kernel: Kernel
    tasks: tuple[SampleSum, ...]
    sizes: tuple[int, ...]
    weights: Vector
    free: Indices | None = None
    noise: tuple[Noise, ...] = ()
    draws: npt.NDArray[np.uint64] | None = None
    _rows: list[tuple[SampleSum, int]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        spans = pairwise([0, *accumulate(self.sizes)])
        rows = [
            (task, row)
            for task, (first, last) in zip(self.tasks, spans, strict=True)
            for row in range(last - first)
        ]
        object.__setattr__(self, "_rows", rows)

    @property
    def rows(self) -> list[tuple[SampleSum, int]]:
        """For each weight vector, its task and which of the task's candidates it is."""
        return self._rows

    @property
    def kind(self) -> Hashable:
        return type(self), self.kernel.topology.n_weights, tuple(map(type, self.tasks)), self.sizes

    def wants(self, number: int) -> bool:
        return any(task.wants(row, number) for task, row in self._rows)

    def map(self, block: Block) -> KeyedSums:
        if block.part != "training":
            return {}
        return {
            key: self._terms(key, task, row, block)
            for key, (task, row) in enumerate(self._rows)
            if task.wants(row, block.number)
        }

    def reduce(self, key: int, total: Sums) -> Sums:  # noqa: ARG002 - every key is reduced alike
        return total

    def _terms(self, key: int, task: SampleSum, row: int, block: Block) -> Sums:
        kernel = self.kernel
        if self.draws is not None:
            kernel = disturbed(kernel, self.noise, self.draws[key], block)
        terms = task.terms(kernel, self.weights[key], block, row=row, free=self.free)
        n = (
            block.n_samples
            if block.sample_weights is None
            else np.sum(block.sample_weights, dtype=np.float64)
        )
        return {**terms, SAMPLES: np.array([n, block.n_samples], dtype=np.float64)}
