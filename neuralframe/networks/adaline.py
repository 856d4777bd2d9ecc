"""Adaline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.core.initializers import Uniform
from neuralframe.learning.gradient_descent import GradientDescent
from neuralframe.networks.neural_network import NeuralNetwork

if TYPE_CHECKING:
    import numpy as np


class Adaline(NeuralNetwork):
    """Adaptive linear elements: one layer of linear neurons that minimises squared error.

    Trained by the least-mean-squares rule of Widrow and Hoff (1960), here in batch mode: gradient descent
    on half the mean square of the difference between target and net input. For yes-or-no targets of -1
    and +1 the answer is the sign of the output.

    Parameters
    ----------
    n_inputs : int
        Number of inputs.
    n_outputs : int
        Number of linear neurons.
    seed : int, numpy.random.Generator or None
        Where the initial weights come from.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.Adaline(2, seed=0)
    >>> data = nf.DataSet([[-1, -1], [-1, 1], [1, -1], [1, 1]], [-1, -1, -1, 1])    # logical and
    >>> run = net.learn(data, stop=nf.MaxIterations(200))
    >>> [int(sign) for sign in nf.Sgn().value(net(data.inputs))[:, 0]]
    [-1, -1, -1, 1]

    """

    def __init__(
        self, n_inputs: int, n_outputs: int = 1, *, seed: int | np.random.Generator | None = None
    ) -> None:
        super().__init__(n_inputs, n_outputs, seed=seed)

    def build(self, n_inputs: int, n_outputs: int) -> None:
        """Make one layer of linear neurons."""
        inputs = self.input_layer(n_inputs)
        outputs = self.layer(n_outputs, initializer=Uniform(-0.1, 0.1), name="output")
        self.connect(inputs, outputs)
        self.learning_rule = GradientDescent(rate=0.1)
