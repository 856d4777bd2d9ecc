"""Adagrad: each weight's steps shrink with all the gradients that it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.learning.mini_batch import MiniBatchRule

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


@attrs.frozen
class Adagrad(MiniBatchRule):
    """Steps along the gradient over the root of the sum of all its squares.

    With the gradient g of update t::

        total = total + g**2
        direction = g / (1 + (t - 1) * slowing) / (sqrt(total) + epsilon)

    Parameters
    ----------
    rate : float, above 0
        The learning rate.
    slowing : float, at least 0
        How fast the rate falls from update to update; a schedule goes by iterations instead.
    initial_total : float, at least 0
        What the sums of squares begin with.
    epsilon : float, above 0
        Keeps the quotient finite.
    schedule, batch_blocks
        See `MiniBatchRule`.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer (2011). Adaptive subgradient methods for online learning and stochastic
    optimization. Journal of Machine Learning Research 12, 2121-2159 (the diagonal form). Defaults are those
    of PyTorch's ``Adagrad``, which calls `slowing` ``lr_decay``.

    """

    rate: float = attrs.field(default=0.01, validator=number(above=0))
    slowing: float = attrs.field(default=0.0, kw_only=True, validator=number(at_least=0))
    initial_total: float = attrs.field(default=0.0, kw_only=True, validator=number(at_least=0))
    epsilon: float = attrs.field(default=1e-10, kw_only=True, validator=number(above=0))

    def initial_memory(self, weights: Vector) -> tuple[Vector, ...]:
        """Return the first sums of squares."""
        return (np.full_like(weights, self.initial_total),)

    def direction(
        self,
        weights: Vector,  # noqa: ARG002 - only their gradient matters
        gradient: Vector,
        memory: tuple[Vector, ...],
        update: int,
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return the gradient, measured by all before it."""
        total = memory[0] + np.square(gradient)
        return gradient / (1 + (update - 1) * self.slowing) / (np.sqrt(total) + self.epsilon), (total,)
