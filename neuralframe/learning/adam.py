"""Adam and AdamW: steps measured by the running moments of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.learning.mini_batch import MiniBatchRule

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


@attrs.frozen
class AdaptiveMoments(MiniBatchRule):
    """What Adam and AdamW have in common: the running moments."""

    momentum: float = attrs.field(default=0.9, kw_only=True, validator=number(at_least=0, below=1))
    memory: float = attrs.field(default=0.999, kw_only=True, validator=number(at_least=0, below=1))
    epsilon: float = attrs.field(default=1e-8, kw_only=True, validator=number(above=0))

    def initial_memory(self, weights: Vector) -> tuple[Vector, ...]:
        """Return moments of 0."""
        return np.zeros_like(weights), np.zeros_like(weights)

    def measured(
        self, gradient: Vector, memory: tuple[Vector, ...], update: int
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return the mean over the root of the mean square, both freed of their start at 0."""
        mean, square = memory
        mean = self.momentum * mean + (1 - self.momentum) * gradient
        square = self.memory * square + (1 - self.memory) * np.square(gradient)
        size = np.sqrt(square / (1 - self.memory**update)) + self.epsilon
        return mean / (1 - self.momentum**update) / size, (mean, square)


@attrs.frozen
class Adam(AdaptiveMoments):
    """Steps along the running mean of the gradient, over the root of its running mean square.

    With the gradient g of update t::

        m = momentum * m + (1 - momentum) * g
        v = memory * v + (1 - memory) * g**2
        direction = m / (1 - momentum**t) / (sqrt(v / (1 - memory**t)) + epsilon)

    Parameters
    ----------
    rate : float, above 0
        The learning rate: about as far as a weight moves in one update.
    momentum : float, at least 0 and below 1
        The share of the mean that is kept (the paper's beta1).
    memory : float, at least 0 and below 1
        The share of the mean square that is kept (beta2).
    epsilon : float, above 0
        Keeps the quotient finite.
    schedule, batch_blocks
        See `MiniBatchRule`.

    References
    ----------
    D. P. Kingma and J. Ba (2015). Adam: a method for stochastic optimization. ICLR, algorithm 1. Defaults and
    form are those of PyTorch's ``Adam``.

    """

    def direction(
        self,
        weights: Vector,  # noqa: ARG002 - only their gradient matters
        gradient: Vector,
        memory: tuple[Vector, ...],
        update: int,
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return the measured gradient."""
        return self.measured(gradient, memory, update)


@attrs.frozen
class AdamW(AdaptiveMoments):
    """Adam with a weight decay that does not pass through the moments.

    The direction is Adam's plus ``decay * weights``.

    Parameters
    ----------
    rate, momentum, memory, epsilon
        See `Adam`.
    decay : float, at least 0
        What pulls the weights towards 0, rate times in each update.
    schedule, batch_blocks
        See `MiniBatchRule`.

    Notes
    -----
    The decay is part of the update, not of the error that is reported, and it pulls at every weight that is
    learnt, biases included: a rule does not know them apart. A penalty that spares biases is asked for where
    the training is (``learn(decay=...)``); it goes into the gradient, and through the moments.

    References
    ----------
    I. Loshchilov and F. Hutter (2019). Decoupled weight decay regularization. ICLR, algorithm 2. Defaults are
    those of PyTorch's ``AdamW``.

    """

    name: ClassVar[str] = "adamw"

    decay: float = attrs.field(default=0.01, kw_only=True, validator=number(at_least=0))

    def direction(
        self, weights: Vector, gradient: Vector, memory: tuple[Vector, ...], update: int
    ) -> tuple[Vector, tuple[Vector, ...]]:
        """Return Adam's direction and the pull of the decay."""
        direction, memory = self.measured(gradient, memory, update)
        return direction + self.decay * weights, memory
