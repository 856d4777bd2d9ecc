"""RMSprop: each weight's step is measured by how large its gradient usually is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.learning.mini_batch import MiniBatchRule

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


@attrs.frozen
class RMSprop(MiniBatchRule):
    """Steps along the gradient over the root of its running mean square.

    With the gradient g of a mini-batch::

        v = memory * v + (1 - memory) * g**2
        m = memory * m + (1 - memory) * g                      (`centered` only, else 0)
        velocity = momentum * last velocity + g / (sqrt(v - m**2) + epsilon)
        direction = velocity

    Parameters
    ----------
    rate : float, above 0
        The learning rate.
    memory : float, at least 0 and below 1
        The share of the mean square that is kept.
    momentum : float, at least 0 and below 1
        The share of the velocity that is kept.
    centered : bool
        Whether to measure by the standard deviation instead.
    epsilon : float, above 0
        Keeps the quotient finite.
    schedule, batch_blocks
        See `MiniBatchRule`.

    Notes
    -----
    With a constant rate the weights end up in restless steps of about the size of the rate: use a schedule.

    References
    ----------
    T. Tieleman and G. Hinton (2012). Lecture 6.5: rmsprop. Coursera, Neural networks for machine learning.

    A. Graves (2013). Generating sequences with recurrent neural networks. arXiv 1308.0850, equations 38-45
    (the centered form). Defaults and form are those of PyTorch's ``RMSprop``.

    """

    name: ClassVar[str] = "rmsprop"

    rate: float = attrs.field(default=0.01, validator=number(above=0))
    memory: float = attrs.field(default=0.99, kw_only=True, validator=number(at_least=0, below=1))
    momentum: float = attrs.field(default=0.0, kw_only=True, validator=number(at_least=0, below=1))
    centered: bool = attrs.field(default=False, kw_only=True, validator=attrs.validators.instance_of(bool))
    epsilon: float = attrs.field(default=1e-8, kw_only=True, validator=number(above=0))

    def initial_memory(self, weights: Vector) -> tuple[Vector, ...]:
        """Return a mean square, a mean and a velocity of 0."""
        return np.zeros_like(weights), np.zeros_like(weights), np.zeros_like(weights)

    def direction(
        self,
        weights: Vector,  # noqa: ARG002 - only their gradient matters
        gradient: Vector,
        memory: tuple[Vector, ...],
        update: int,  # noqa: ARG002 - all updates are alike
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return the velocity of the measured gradients."""
        square, mean, velocity = memory
        square = self.memory * square + (1 - self.memory) * np.square(gradient)
        if self.centered:
            mean = self.memory * mean + (1 - self.memory) * gradient
        spread = np.maximum(square - np.square(mean), 0.0)  # rounding may leave less than nothing
        velocity = self.momentum * velocity + gradient / (np.sqrt(spread) + self.epsilon)
        return velocity, (square, mean, velocity)
