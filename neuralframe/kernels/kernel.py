"""The kernel: how the numbers of one block of samples are computed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from neuralframe.core.arrays import float_type
from neuralframe.core.components import Component

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology


class Kernel(Component):
    """Outputs, errors and gradients of a network on one block, for S weight vectors at once.

    What a kernel returns depends on the network, the weights and the block alone: not on the number of
    weight vectors asked for together, on other blocks, on threads, or on earlier calls. Sums over the
    block's samples come undivided, in float64.

    Parameters
    ----------
    topology : Topology
        The network.
    dtype : {"float64", "float32"}
        What is computed in.

    """

    def __init__(self, topology: Topology, dtype: npt.DTypeLike = "float64") -> None:
        self.topology = topology
        self.dtype: np.dtype[Any] = float_type(dtype)

    @abstractmethod
    def outputs(self, weights: Vector, inputs: Array) -> Array:
        """Return the outputs, shape (n_samples, n_outputs), for inputs of shape (n_samples, n_inputs)."""

    @abstractmethod
    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        """Return the outputs of every layer, each of shape (n_samples, size)."""

    @abstractmethod
    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        """Return the error summed over the block for each weight vector.

        Parameters
        ----------
        weights : (S, n_weights) float64
            One weight vector a row.
        inputs : (n_samples, n_inputs)
        targets : (n_samples, n_outputs)
        sample_weights : (n_samples,) float64, optional
            What each sample's error is multiplied by.

        Returns
        -------
        (S,) float64

        """

    @abstractmethod
    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        """Return the summed errors (S,) and their gradients (S, n_weights), both float64."""

    def parameters(self) -> dict[str, Any]:
        # A kernel travels as what it was made from; plans and buffers are made anew where it arrives.
        return {"topology": self.topology, "dtype": self.dtype.name}

    def __reduce__(self) -> tuple[type[Kernel], tuple[Any, ...]]:
        return type(self), tuple(self.parameters().values())
