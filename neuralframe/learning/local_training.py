"""Local training: each individual of a population learns from its own split of the training set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.kernels.sample_sum import SampleSum, free_part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel

WILD = 1e100
"""A weight of this size has diverged, and with it the individual."""


@attrs.frozen(eq=False, kw_only=True)
class LocalTraining(SampleSum):
    """Mini-batch gradient descent where the samples are.

    The split of individual k is the run of neighbouring blocks b with ``b * individuals // blocks == k``;
    if there are more individuals than blocks, some share one. Each block of the split trains a copy of the
    individual's weights, by itself, and the result is their mean, weighted by the number of samples. So the
    blocks of a split can be mapped anywhere and in any order; with one block to a split, which
    ``DataSet(..., block_size=...)`` brings about, it is plain descent through all of the split.

    An epoch goes through the samples of a block in an order drawn from seed, generation, epoch and the number
    of the block::

        w -= rate * (mean gradient of the mini-batch + decay * w)

    Attributes
    ----------
    individuals, blocks : int
        How many there are of each.
    epochs : int
        Passes through each block.
    rate : float
        The learning rate.
    batch_size : int
        Samples in a mini-batch; the last of a block may have fewer.
    decay : (n_free,) float64
        Weight decay of each weight; a penalty's `curvature`.
    seed, generation : int
        Where the order of the samples comes from.

    """

    individuals: int
    blocks: int
    epochs: int
    rate: float
    batch_size: int
    decay: Vector
    seed: int
    generation: int

    def wants(self, row: int, number: int) -> bool:
        """Return whether a block is in an individual's split."""
        if self.individuals > self.blocks:
            return row * self.blocks // self.individuals == number
        return number * self.individuals // self.blocks == row

    def terms(
        self,
        kernel: Kernel,
        weights: Vector,
        block: Block,
        *,
        row: int,  # noqa: ARG002
        free: Indices | None,
    ) -> dict[str, Vector]:
        """Return ``"weights"``: those trained on the block, times its samples; NaN if they diverged."""
        trained = weights.copy()
        places = slice(None) if free is None else free
        for batch in self._batches(block):
            gradient = _mean_gradient(kernel, trained, batch)
            if gradient is not None:
                with np.errstate(over="ignore", invalid="ignore"):  # who diverges will have no children
                    trained[places] -= self.rate * (gradient[places] + self.decay * trained[places])
        if not np.all(np.abs(trained) < WILD):
            trained[:] = np.nan  # neither overflows nor warns when sums are added, unlike infinities
        return {"weights": free_part(trained, free) * block.n_samples}

    def _batches(self, block: Block) -> Iterator[Block]:
        for epoch in range(self.epochs):
            random = np.random.default_rng((self.seed, self.generation, epoch, block.number))
            order = random.permutation(block.n_samples)
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                weights = None if block.sample_weights is None else block.sample_weights[rows]
                yield attrs.evolve(
                    block, inputs=block.inputs[rows], targets=block.targets[rows], sample_weights=weights
                )


def _mean_gradient(kernel: Kernel, weights: Vector, batch: Block) -> Vector | None:
    """Return the mean gradient of a mini-batch; None if its samples have no weight."""
    _, gradients = kernel.errors_and_gradients(
        weights[np.newaxis], batch.inputs, batch.targets, batch.sample_weights
    )
    n = batch.n_samples if batch.sample_weights is None else float(np.sum(batch.sample_weights))
    return gradients[0] / n if n > 0 else None
