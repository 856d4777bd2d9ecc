"""Gradient descent by mini-batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.learning.mini_batch import MiniBatchRule

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


@attrs.frozen
class StochasticGradientDescent(MiniBatchRule):
    """Steps against the gradient of one mini-batch after another, with momentum if wanted.

    With the gradient g of a mini-batch::

        velocity = momentum * last velocity + g
        direction = velocity                     (or g + momentum * velocity with `nesterov`)

    Parameters
    ----------
    rate : float, above 0
        The learning rate.
    momentum : float, at least 0 and below 1
        The share of the velocity that is kept.
    nesterov : bool
        Whether to look ahead along the velocity. The weights are then those at which the gradient is taken
        next, not those from which the momentum starts; see `GradientDescent`.
    schedule, batch_blocks
        See `MiniBatchRule`.

    Notes
    -----
    The velocity does not contain the rate, as in PyTorch's ``SGD``: when a schedule lowers the rate, it slows
    the momentum down at once.

    References
    ----------
    H. Robbins and S. Monro (1951). A stochastic approximation method. Annals of Mathematical Statistics 22,
    400-407.

    I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013). On the importance of initialization and momentum
    in deep learning. ICML, 1139-1147.

    """

    momentum: float = attrs.field(default=0.0, validator=number(at_least=0, below=1))
    nesterov: bool = attrs.field(default=False, kw_only=True, validator=attrs.validators.instance_of(bool))

    def initial_memory(self, weights: Vector) -> tuple[Vector, ...]:
        """Return a velocity of 0."""
        return (np.zeros_like(weights),)

    def direction(
        self,
        weights: Vector,  # noqa: ARG002 - only their gradient matters
        gradient: Vector,
        memory: tuple[Vector, ...],
        update: int,  # noqa: ARG002 - all updates are alike
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return the velocity, or the gradient ahead of it."""
        (velocity,) = memory
        velocity = self.momentum * velocity + gradient
        return gradient + self.momentum * velocity if self.nesterov else velocity, (velocity,)
