"""The sample sum: what a learning rule wants added up over the training set, beyond errors and gradients."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


class SampleSum(Component):
    """Terms of a sum over samples, computed block by block: the socket through which a rule gets its own job.

    A rule hands one to `Objective.totals`. It must be an ``attrs`` class of numbers, texts, arrays and
    components, for it travels to where the samples are. The terms of a block may depend on the block, the
    weights and the sum's own attributes alone, so that the total has the same bits on every engine::

        @attrs.frozen
        class SquaredGradients(nf.SampleSum):
            def terms(self, kernel, weights, block, *, row, free):
                _, gradients = kernel.errors_and_gradients(weights[None], block.inputs, block.targets)
                return {"squares": free_part(gradients[0] ** 2, free)}
    """

    def wants(self, row: int, number: int) -> bool:  # noqa: ARG002
        """Return whether the block of this number counts for a row of the candidates; by default all do."""
        return True

    @abstractmethod
    def terms(
        self, kernel: Kernel, weights: Vector, block: Block, *, row: int, free: Indices | None
    ) -> dict[str, Vector]:
        """Return the sums over a block's samples, by name: undivided float64 arrays, newly made.

        Parameters
        ----------
        kernel : Kernel
            How the network is computed.
        weights : (n_weights,) float64
            All weights of the network.
        block : Block
            Samples of the training part.
        row : int
            Which of the candidates the weights are.
        free : (n_free,) int, or None
            Which of the weights the rule sees; None means all. What is returned for weights should hold
            these only.

        """


def free_part(vector: Vector, free: Indices | None) -> Vector:
    """Return what a rule sees of a vector over all weights."""
    return vector if free is None else vector[..., free]


def whole_vector(vector: Vector, free: Indices | None, n_weights: int) -> Vector:
    """Return a vector over all weights, 0 at those that are frozen, from one over the free weights."""
    if free is None:
        return vector
    whole: Vector = np.zeros((*vector.shape[:-1], n_weights))
    whole[..., free] = vector
    return whole
