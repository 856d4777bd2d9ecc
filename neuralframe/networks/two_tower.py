"""Two towers: a network with two inputs and skip connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neuralframe.core.validation import whole_sizes
from neuralframe.learning.resilient_propagation import ResilientPropagation
from neuralframe.networks.neural_network import NeuralNetwork

if TYPE_CHECKING:
    import numpy as np

    from neuralframe.core.error_functions import ErrorFunction
    from neuralframe.core.transfer_functions import TransferFunction


class TwoTowerPerceptron(NeuralNetwork):
    """Two groups of inputs, each with a hidden layer (a tower) of its own, that meet at the output.

    Each group also feeds the output directly (skip connections), so that the towers learn what a linear
    model of the same inputs leaves over.

    Parameters
    ----------
    left, right : (int, int)
        Number of inputs and of hidden neurons of each tower. The left tower's inputs are the first
        columns of the data.
    n_outputs : int
        Number of outputs.
    hidden, output : str or TransferFunction
        Transfer functions.
    error, seed
        As in `NeuralNetwork`.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.TwoTowerPerceptron((4, 8), (3, 6), 1, output="sigmoid", seed=0)
    >>> [layer.name for layer in net.layers]
    ['left', 'right', 'left tower', 'right tower', 'output']

    """

    def __init__(
        self,
        left: tuple[int, int],
        right: tuple[int, int],
        n_outputs: int,
        *,
        hidden: str | TransferFunction = "tanh",
        output: str | TransferFunction = "linear",
        error: str | ErrorFunction | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(left, right, n_outputs, hidden=hidden, output=output, error=error, seed=seed)

    def build(self, left: Any, right: Any, n_outputs: int, *, hidden: Any, output: Any) -> None:
        """Make the two towers and let them meet."""
        sizes = {"left": whole_sizes(left, at_least=2), "right": whole_sizes(right, at_least=2)}
        inputs = [self.input_layer(n_inputs, name=name) for name, (n_inputs, _) in sizes.items()]
        towers = [
            self.layer(n_hidden, transfer_function=hidden, name=f"{name} tower")
            for name, (_, n_hidden) in sizes.items()
        ]
        out = self.layer(n_outputs, transfer_function=output, name="output")
        for inputs_of_tower, tower in zip(inputs, towers, strict=True):
            self.connect(inputs_of_tower, tower)
            self.connect(tower, out)
            self.connect(inputs_of_tower, out)
        self.learning_rule = ResilientPropagation()
