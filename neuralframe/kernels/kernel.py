"""The kernel: how the numbers of one block of samples are computed."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from neuralframe.core.arrays import float_type
from neuralframe.core.components import Component
from neuralframe.exceptions import LearningRuleError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.noise_draw import Draw
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

    def noisy(self, draw: Draw) -> Kernel:
        """Return a kernel whose errors and gradients are those of the network under a block's noise.

        It is for that block only, and costs next to nothing. The gradient is that of the disturbed error.

        Raises
        ------
        LearningRuleError
            If the kernel computes without noise only.

        """
        del draw
        raise LearningRuleError(f"the kernel {self.name!r} computes without noise; take kernel='numpy'")

    def squared_jacobian(
        self,
        weights: Vector,
        inputs: Array,
        sample_weights: Vector | None = None,
        *,
        free: Indices | None = None,
    ) -> Vector:
        """Return J'J summed over the block: J is the derivative of a sample's outputs in the weights.

        Parameters
        ----------
        weights : (n_weights,) float64
        inputs : (n_samples, n_inputs)
        sample_weights : (n_samples,) float64, optional
        free : (n_free,) int, optional
            The weights that the derivatives are taken in; by default all.

        Returns
        -------
        (n_free, n_free) float64

        """
        return self._plain.squared_jacobian(weights, inputs, sample_weights, free=free)

    def gauss_newton_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        """Return the Gauss-Newton matrix, summed over the block, times each direction.

        The matrix is J'HJ: J is the derivative of the outputs in the weights, H the second derivative of the
        error in the outputs (or both in the net inputs, where the error has a form on these). For a sum of
        squares it is J'J.

        Parameters
        ----------
        weights : (n_weights,) float64
        directions : (K, n_weights) float64
        inputs, targets, sample_weights
            As in `errors`.

        Returns
        -------
        (K, n_weights) float64

        """
        return self._plain.gauss_newton_products(weights, directions, inputs, targets, sample_weights)

    def hessian_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        """Return the error's second derivatives, summed over the block, times each direction.

        Exact but for input functions other than the weighted sum and for functions of the user's own, whose
        second derivatives are differences. Arguments and result are those of `gauss_newton_products`.
        """
        return self._plain.hessian_products(weights, directions, inputs, targets, sample_weights)

    @cached_property
    def _plain(self) -> Kernel:
        """The kernel that computes what this one has no way of its own for."""
        from neuralframe.kernels.numpy_kernel import NumpyKernel  # noqa: PLC0415 - it is a kernel itself

        return NumpyKernel(self.topology, self.dtype)

    def parameters(self) -> dict[str, Any]:
        # A kernel travels as what it was made from; plans and buffers are made anew where it arrives.
        return {"topology": self.topology, "dtype": self.dtype.name}

    def __reduce__(self) -> tuple[type[Kernel], tuple[Any, ...]]:
        return type(self), tuple(self.parameters().values())
