"""RPROP: steps sized by how often the sign of the gradient turns, not by the gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import number, one_of
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector
    from neuralframe.core.objective import Objective


@attrs.frozen(eq=False)
class StepSizes:
    """What RPROP carries from step to step.

    Attributes
    ----------
    sizes : (n_weights,) float64
        How far each weight moves.
    signs : (n_weights,) float64
        Sign of the gradient at the last step; 0 where it is to be forgotten.
    weights : (n_weights,) float64
        The weights before the last step, to which a step that is taken back returns.
    error : float
        The error at those weights.

    """

    sizes: Vector
    signs: Vector
    weights: Vector
    error: float


@attrs.frozen
class ResilientPropagation(LearningRule):
    """RPROP in its four variants.

    Each weight has a step size of its own and moves by it against the sign of its derivative. The size
    grows while the sign stays and shrinks when it turns. Where it has turned::

        "rprop-"     the weight moves by the smaller size
        "irprop-"    the weight stays for one iteration
        "rprop+"     the weight's last step is taken back
        "irprop+"    it is taken back if the error rose as well; otherwise the weight stays

    In all but the first, the iteration after that moves by the smaller size without changing it again.

    Parameters
    ----------
    variant : {"irprop-", "rprop-", "rprop+", "irprop+"}
        What to do where the sign has turned.
    initial_step : float, above 0
        First step size of each weight, between `min_step` and `max_step`.
    increase : float, above 1
        Factor of the size where the sign stays.
    decrease : float, between 0 and 1
        Factor of the size where the sign has turned.
    min_step, max_step : float
        Bounds of the sizes. No weight comes reliably closer to a minimum than `min_step`.

    Raises
    ------
    ParameterError
        If a number is out of its range or the variant is unknown.

    Notes
    -----
    An iteration costs one gradient job; the state is three vectors. Only the sign of a derivative
    matters, so the scale of the error does not, and its origin neither: the one comparison of errors,
    in iRprop+, is with the last one. For gradients of the whole training set only: of a small batch the
    sign is mostly chance.

    The signs are multiplied, not the derivatives, whose product may underflow to zero. A step is taken
    back by returning to the weight's old value, free of rounding.

    References
    ----------
    M. Riedmiller and H. Braun (1993). A direct adaptive method for faster backpropagation learning:
    the RPROP algorithm. Proc. IEEE Int. Conf. on Neural Networks, 586-591 (the bounds of the sizes).

    C. Igel and M. Huesken (2003). Empirical evaluation of the improved Rprop learning algorithms.
    Neurocomputing 50, 105-123 (the variants and the first size).

    """

    variant: Literal["irprop-", "rprop-", "rprop+", "irprop+"] = attrs.field(
        default="irprop-", validator=one_of("irprop-", "rprop-", "rprop+", "irprop+")
    )
    initial_step: float = attrs.field(default=0.0125, kw_only=True, validator=number(above=0))
    increase: float = attrs.field(default=1.2, kw_only=True, validator=number(above=1))
    decrease: float = attrs.field(default=0.5, kw_only=True, validator=number(above=0, below=1))
    min_step: float = attrs.field(default=1e-6, kw_only=True, validator=number(at_least=0))
    max_step: float = attrs.field(default=50.0, kw_only=True, validator=number(above=0))

    def __attrs_post_init__(self) -> None:
        if not self.min_step <= self.initial_step <= self.max_step:
            raise ParameterError(
                f"ResilientPropagation: initial_step must lie between min_step and max_step; "
                f"got {self.initial_step!r} with bounds {self.min_step!r} and {self.max_step!r}"
            )

    @property
    def compares_errors(self) -> bool:
        """No: signs are all that counts, but for iRprop+, which has the last two errors already.

        Under noise these two are of different draws, so that iRprop+ takes some steps back by chance.
        """
        return False

    def initial_state(self, weights: Vector, gradient: Vector) -> StepSizes:  # noqa: ARG002
        """Return equal step sizes and a past without signs."""
        return StepSizes(
            sizes=np.full_like(weights, self.initial_step),
            signs=np.zeros_like(weights),
            weights=weights,
            error=math.inf,
        )

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Move each weight by its step size, or treat it as the variant does where its sign turned."""
        state: StepSizes = last.state
        assert last.gradient is not None
        signs = np.sign(last.gradient)
        agreement = signs * state.signs
        turned = agreement < 0
        sizes = self._resize(state.sizes, agreement)
        if self.variant != "rprop-":
            signs[turned] = 0.0
        weights = last.weights - signs * sizes
        if self._takes_back(last):
            weights[turned] = state.weights[turned]
        error, gradient = objective.value_and_gradient(weights)
        return Iterate(weights, error, gradient, StepSizes(sizes, signs, last.weights, last.error))

    def _resize(self, sizes: Vector, agreement: Vector) -> Vector:
        grown = np.minimum(sizes * self.increase, self.max_step)
        shrunk = np.maximum(sizes * self.decrease, self.min_step)
        return np.where(agreement > 0, grown, np.where(agreement < 0, shrunk, sizes))

    def _takes_back(self, last: Iterate) -> bool:
        return self.variant == "rprop+" or (self.variant == "irprop+" and last.error > last.state.error)
