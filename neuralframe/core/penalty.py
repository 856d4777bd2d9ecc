"""The penalty on large weights: what is added to the mean error, once, where jobs' sums come together."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.validation import flag, number

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Vector


class Penalty(Component):
    """What large weights cost, beside the error.

    Derive one of your own by writing `value` and `slope`, and `curvature` for rules that use second
    derivatives.
    """

    @classmethod
    def given(cls, decay: Any) -> Penalty:
        """Return a penalty as it is, and a number as weight decay."""
        return decay if isinstance(decay, Penalty) else ElasticNet(decay)

    @abstractmethod
    def value(self, weights: Vector, is_bias: npt.NDArray[np.bool_]) -> float:
        """Return the penalty of weights (n_weights,); `is_bias` tells which of them are biases."""

    @abstractmethod
    def slope(self, weights: Vector, gradient: Vector, is_bias: npt.NDArray[np.bool_]) -> Vector:
        """Return the gradient of the error, (n_weights,), with the penalty's added."""

    @abstractmethod
    def curvature(self, weights: Vector, is_bias: npt.NDArray[np.bool_]) -> Vector:
        """Return the diagonal of the penalty's second derivatives, (n_weights,) float64."""

    def added(
        self, weights: Vector, error: float, gradient: Vector | None, is_bias: npt.NDArray[np.bool_]
    ) -> tuple[float, Vector | None]:
        """Return the error with the penalty, and its gradient if the error's is given."""
        return error + self.value(weights, is_bias), (
            None if gradient is None else self.slope(weights, gradient, is_bias)
        )


@attrs.frozen
class ElasticNet(Penalty):
    """Weight decay (L2), the sum of absolute weights (L1), or both.

    The penalty of the weights w is ``l2/2 * sum(w**2) + l1 * sum(abs(w))``; biases are left alone unless
    asked for.

    Parameters
    ----------
    l2 : float, at least 0
        Weight decay.
    l1 : float, at least 0
        Pull towards exactly 0. E has a kink there: rules that follow the gradient alone get along with
        it, rules that build on its second derivatives do so only as long as no weight crosses 0.
    biases : bool
        Whether biases are penalised too.

    Notes
    -----
    Where a weight is 0, ``abs`` has no derivative; taken is the subgradient of the whole error that is
    nearest to 0, so that a weight leaves 0 only if the error pulls harder than `l1` (Andrew and Gao 2007,
    Scalable training of L1-regularized log-linear models, ICML, equation 4).

    Examples
    --------
    >>> import numpy as np
    >>> penalty, is_bias = ElasticNet(l1=0.5), np.array([False, False, True])
    >>> weights, gradient = np.array([2.0, 0.0, 3.0]), np.array([0.1, 0.3, 0.2])
    >>> penalty.value(weights, is_bias)
    1.0
    >>> penalty.slope(weights, gradient, is_bias).tolist()
    [0.6, 0.0, 0.2]

    """

    l2: float = attrs.field(default=0.0, validator=number(at_least=0))
    l1: float = attrs.field(default=0.0, kw_only=True, validator=number(at_least=0))
    biases: bool = attrs.field(default=False, kw_only=True, validator=flag())

    @property
    def is_none(self) -> bool:
        """Whether nothing is penalised."""
        return self.l2 == 0 and self.l1 == 0

    def value(self, weights: Vector, is_bias: npt.NDArray[np.bool_]) -> float:
        """Return the sum of squares and of sizes, each with its factor."""
        if self.is_none:
            return 0.0
        counted = self._counted(weights, is_bias)
        with np.errstate(over="ignore", invalid="ignore"):
            squares = self.l2 / 2 * float(np.sum(np.square(counted))) if self.l2 else 0.0
            return squares + (self.l1 * float(np.sum(np.abs(counted))) if self.l1 else 0.0)

    def slope(self, weights: Vector, gradient: Vector, is_bias: npt.NDArray[np.bool_]) -> Vector:
        """Return the gradient with the penalty's added; at a kink the subgradient nearest to 0."""
        if self.is_none:
            return gradient
        counted = self._counted(weights, is_bias)
        with np.errstate(over="ignore", invalid="ignore"):
            whole = gradient + self.l2 * counted
            if not self.l1:
                return whole
            at_kink = (weights == 0) & (self._counted(np.ones_like(weights), is_bias) > 0)
            pull = np.sign(whole) * np.maximum(np.abs(whole) - self.l1, 0.0)
            return np.where(at_kink, pull, whole + self.l1 * np.sign(counted))

    def curvature(self, weights: Vector, is_bias: npt.NDArray[np.bool_]) -> Vector:
        """Return the weight decay for each weight that is penalised."""
        return self._counted(np.full(len(weights), float(self.l2)), is_bias)

    def _counted(self, weights: Vector, is_bias: npt.NDArray[np.bool_]) -> Vector:
        return weights if self.biases else np.where(is_bias, 0.0, weights)
