"""The gradient over some of the blocks: what mini-batch training asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.kernels.sample_sum import SampleSum, free_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.objective import Objective
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


def _numbers(given: Iterable[int]) -> tuple[int, ...]:
    return tuple(int(number) for number in given)


@attrs.frozen
class BatchGradient(SampleSum):
    """Sums the gradient over some blocks; the others are not even read.

    Parameters
    ----------
    blocks : tuple of int
        The numbers of the blocks.

    """

    blocks: tuple[int, ...] = attrs.field(converter=_numbers)

    def wants(self, row: int, number: int) -> bool:  # noqa: ARG002 - every row wants the same blocks
        """Return whether the block is one of the batch."""
        return number in self.blocks

    def terms(
        self,
        kernel: Kernel,
        weights: Vector,
        block: Block,
        *,
        row: int,  # noqa: ARG002 - every row wants the same sum
        free: Indices | None,
    ) -> dict[str, Vector]:
        """Return the gradient summed over a block, (n_free,)."""
        _, gradients = kernel.errors_and_gradients(
            weights[np.newaxis], block.inputs, block.targets, block.sample_weights
        )
        return {"gradient": free_part(gradients[0], free)}


def batches(objective: Objective, batch_blocks: int) -> Iterator[tuple[int, ...]]:
    """Yield all blocks in random order, cut into batches; the last may be smaller."""
    order = _numbers(objective.random.permutation(objective.n_blocks))
    for first in range(0, len(order), batch_blocks):
        yield order[first : first + batch_blocks]


def batch_gradient(objective: Objective, weights: Vector, blocks: tuple[int, ...]) -> Vector:
    """Return dE/dw, shape (n_weights,), with the error averaged over some blocks; one job.

    The penalty of the weights is added in full: it belongs to every batch's estimate of E.
    """
    (sums,) = objective.totals(BatchGradient(blocks), weights[np.newaxis])
    n = sums["samples"][0] or 1.0  # where no sample of a batch counts, the sum is 0 as well
    _, gradient = objective.penalised(weights, 0.0, sums["gradient"] / n)
    assert gradient is not None
    return gradient
