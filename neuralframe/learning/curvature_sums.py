"""Sums over samples for rules that use second derivatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.error_functions import SumOfSquares
from neuralframe.exceptions import LearningRuleError
from neuralframe.kernels.curvature import packed
from neuralframe.kernels.sample_sum import SampleSum, free_part, whole_vector

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.topology import Topology
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


def require_sum_of_squares(topology: Topology) -> None:
    """Raise `LearningRuleError` unless the error of a network is a sum of squares."""
    error = topology.error_function
    if type(error) is not SumOfSquares:
        raise LearningRuleError(
            f"Levenberg-Marquardt needs a sum of squares, and the error of this network is {error}. Build it "
            "with error='sum_of_squares' or, for numbers, a linear output; or train it by TruncatedNewton(), "
            "which takes any error"
        )


@attrs.frozen
class GaussNewtonSum(SampleSum):
    """J'J of the residuals, under ``"curvature"``: the upper triangle, row by row.

    For n weights it is n (n + 1) / 2 numbers; `neuralframe.kernels.curvature.unpacked` makes them a matrix.

    Raises
    ------
    LearningRuleError
        If the error of the network is no sum of squares.

    """

    def terms(
        self, kernel: Kernel, weights: Vector, block: Block, *, row: int, free: Indices | None
    ) -> dict[str, Vector]:
        del row
        require_sum_of_squares(kernel.topology)
        square = kernel.squared_jacobian(weights, block.inputs, block.sample_weights, free=free)
        return {"curvature": packed(square)}


@attrs.frozen(eq=False)
class CurvatureProductSum(SampleSum):
    """Products of a matrix of second derivatives with K directions, under ``"products"``: (K, n_weights).

    Parameters
    ----------
    directions : (K, n_weights) float64
        Over the weights that the rule sees.

    """

    directions: Vector

    def _spread(self, weights: Vector, free: Indices | None) -> Vector:
        """Return the directions over all weights of the network."""
        return np.atleast_2d(whole_vector(self.directions, free, len(weights)))


@attrs.frozen(eq=False)
class GaussNewtonProductSum(CurvatureProductSum):
    """Products with the Gauss-Newton matrix, which is never negative: J'HJ as in `Kernel`."""

    def terms(
        self, kernel: Kernel, weights: Vector, block: Block, *, row: int, free: Indices | None
    ) -> dict[str, Vector]:
        del row
        products = kernel.gauss_newton_products(
            weights, self._spread(weights, free), block.inputs, block.targets, block.sample_weights
        )
        return {"products": free_part(products, free)}


@attrs.frozen(eq=False)
class HessianProductSum(CurvatureProductSum):
    """Products with the Hessian of the error."""

    def terms(
        self, kernel: Kernel, weights: Vector, block: Block, *, row: int, free: Indices | None
    ) -> dict[str, Vector]:
        del row
        products = kernel.hessian_products(
            weights, self._spread(weights, free), block.inputs, block.targets, block.sample_weights
        )
        return {"products": free_part(products, free)}
