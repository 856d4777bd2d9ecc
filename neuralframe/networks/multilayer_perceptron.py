"""The multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from neuralframe.core.validation import whole_sizes
from neuralframe.learning.resilient_propagation import ResilientPropagation
from neuralframe.networks.neural_network import NeuralNetwork

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.error_functions import ErrorFunction
    from neuralframe.core.initializers import Initializer
    from neuralframe.core.transfer_functions import TransferFunction
    from neuralframe.data.data_set import DataSet


class MultilayerPerceptron(NeuralNetwork):
    """Layers of neurons, each fed in full by the one before it (Rumelhart, Hinton and Williams, 1986).

    Parameters
    ----------
    *sizes : int
        Number of inputs, of neurons in each hidden layer, and of outputs; at least two.
    hidden : str or TransferFunction
        Transfer function of the hidden layers.
    output : str or TransferFunction
        Transfer function of the output layer: ``"softmax"`` for classes, ``"sigmoid"`` for yes or no,
        ``"linear"`` for numbers.
    initializer : str or Initializer, optional
        What draws the initial weights of every layer; by default Nguyen-Widrow for hidden layers of
        tanh and sigmoid, He for rectifiers, Glorot for the others.
    error : str or ErrorFunction, optional
        By default cross-entropy for softmax and sigmoid outputs, half the sum of squares for others.
    seed, input_ranges
        As in `NeuralNetwork`.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.MultilayerPerceptron(8, 16, 3, output="softmax", seed=0)
    >>> len(net.weights)
    195
    >>> net([0.0] * 8).sum().round(12)
    np.float64(1.0)

    """

    def __init__(
        self,
        *sizes: int,
        hidden: str | TransferFunction = "tanh",
        output: str | TransferFunction = "linear",
        initializer: str | Initializer | None = None,
        error: str | ErrorFunction | None = None,
        seed: int | np.random.Generator | None = None,
        input_ranges: npt.ArrayLike | None = None,
    ) -> None:
        super().__init__(
            *sizes,
            hidden=hidden,
            output=output,
            initializer=initializer,
            error=error,
            seed=seed,
            input_ranges=input_ranges,
        )

    def build(self, *sizes: int, hidden: Any, output: Any, initializer: Any) -> None:
        """Make the layers and join each to the next."""
        n_inputs, *n_hidden, n_outputs = whole_sizes(sizes, at_least=2)
        last = self.input_layer(n_inputs)
        for number, size in enumerate(n_hidden, start=1):
            name = "hidden" if len(n_hidden) == 1 else f"hidden {number}"
            layer = self.layer(size, transfer_function=hidden, initializer=initializer, name=name)
            self.connect(last, layer)
            last = layer
        out = self.layer(n_outputs, transfer_function=output, initializer=initializer, name="output")
        self.connect(last, out)
        self.learning_rule = ResilientPropagation()

    @classmethod
    def for_data(
        cls,
        data: DataSet,
        *hidden_sizes: int,
        output: str | TransferFunction | None = None,
        **keywords: Any,
    ) -> Self:
        """Return a network of the sizes that a data set calls for, drawn for its input ranges.

        Parameters
        ----------
        data : DataSet
            The training set, normalized.
        *hidden_sizes : int
            Number of neurons in each hidden layer.
        output : str or TransferFunction, optional
            By default softmax where the targets are classes, linear where they are numbers.
        **keywords
            As for the class.

        """
        if output is None:
            output = "linear" if data.class_labels is None else "softmax"
        return cls(
            data.n_inputs,
            *hidden_sizes,
            data.n_targets,
            output=output,
            input_ranges=data.input_ranges,
            **keywords,
        )
