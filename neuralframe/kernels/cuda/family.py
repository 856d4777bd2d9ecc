"""A family of CUDA kernels: one way to compute stacks of some sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.cuda.device import Device
    from neuralframe.kernels.stack import Stack


class Family(ABC):
    """Computes on a device what a `Kernel` returns, for the stacks that it suits.

    Arguments and results are those of `Kernel`, in the memory of the host; `device.resident` keeps the
    blocks' arrays on the device. One thread at a time calls a family.

    `on_device` returns a block's inputs on the device, flat, in the type that is computed in. Whoever makes a
    family may put another way in its place, as for `compact` inputs.

    Parameters
    ----------
    stack : Stack
        The network.
    dtype : numpy.dtype
        What is computed in.
    device : Device
        Where.

    """

    def __init__(self, stack: Stack, dtype: np.dtype[Any], device: Device) -> None:
        self.stack = stack
        self.dtype = dtype
        self.device = device
        self.on_device: Callable[[Array], Any] = lambda inputs: device.resident(inputs, dtype)

    @classmethod
    @abstractmethod
    def reason_against(cls, stack: Stack, dtype: np.dtype[Any]) -> str:
        """Return why the family does not serve a stack, or an empty text; nothing is imported for it."""

    @abstractmethod
    def outputs(self, weights: Vector, inputs: Array) -> Array:
        """Return the outputs, (n_samples, n_outputs)."""

    @abstractmethod
    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        """Return the summed errors, (S,) float64, of weight vectors (S, n_weights)."""

    @abstractmethod
    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        """Return the summed errors (S,) and their gradients (S, n_weights), float64."""
