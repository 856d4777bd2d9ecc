"""The CUDA kernel: blocks computed on an NVIDIA device, where they stay between evaluations."""

from __future__ import annotations

import os
import threading
import warnings
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from neuralframe.exceptions import DeviceError, DeviceWarning
from neuralframe.kernels.kernel import Kernel
from neuralframe.kernels.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.noise_draw import Draw
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.cuda.device import Device
    from neuralframe.kernels.cuda.family import Family

T = TypeVar("T")

FAMILIES = (
    "neuralframe.kernels.cuda.weight_stationary:WeightStationary",
    "neuralframe.kernels.cuda.tile:Tile",
    "neuralframe.kernels.cuda.gemm:Gemm",
)
"""The families of kernels, ``module:class``; the first that serves a network computes it."""


class CudaKernel(Kernel):
    """Outputs, errors and gradients on a CUDA device; all else, and what no family serves, by numpy.

    Where there is no device, or it fails (out of memory, a kernel that does not compile), the processor takes
    over for good, with one `DeviceWarning`: the call that failed is computed from its start.

    Parameters
    ----------
    topology : Topology
        The network.
    dtype : {"float64", "float32"}
        What is computed in; float32 is 2 to 60 times faster, depending on the device.
    device : Device, optional
        Where to compute; by default `choose_device` chooses in the process that computes first.

    """

    name: ClassVar[str] = "cuda"

    def __init__(
        self, topology: Topology, dtype: npt.DTypeLike = "float64", *, device: Device | None = None
    ) -> None:
        super().__init__(topology, dtype)
        self._device = device
        self._family: Family | None = None
        self._begin()

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        return self._computed(lambda kernel: kernel.outputs(weights, inputs))

    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        return self._plain.activations(weights, inputs)

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        return self._computed(lambda kernel: kernel.errors(weights, inputs, targets, sample_weights))

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        found: tuple[Vector, Vector] = self._computed(
            lambda kernel: kernel.errors_and_gradients(weights, inputs, targets, sample_weights)
        )
        return found

    def noisy(self, draw: Draw) -> Kernel:
        return self._plain.noisy(draw)

    @cached_property
    def served_by(self) -> type[Family] | None:
        """The family of kernels that the network suits, if there is one."""
        return family_of(self.topology, self.dtype)[0]

    def _computed(self, compute: Callable[[Any], T]) -> T:
        """Return what the device computes, or the processor if the device cannot."""
        if self._pid != os.getpid():
            self._device = None
            self._begin()
        if self.served_by is not None and not self._failed:
            try:
                with self._lock:
                    family = self._made(self.served_by)
                    with family.device.current():
                        return compute(family)
            except DeviceError as problem:
                self._give_up(problem)
        return compute(self._plain)

    def _begin(self) -> None:
        """Begin in this process. What the parent had of the device is kept: to free it here would fail."""
        self._abandoned = self._family
        self._family, self._failed = None, False
        self._lock, self._pid = threading.Lock(), os.getpid()

    def _made(self, family: type[Family]) -> Family:
        from neuralframe.kernels.cuda.device import choose_device  # noqa: PLC0415 - by then there is a use

        if self._family is None:
            stack, device = Stack.of(self.topology), self._device or choose_device()
            assert stack is not None, "families serve stacks"
            with device.current():
                self._family = self._ready(family(stack, self.dtype, device))
        return self._family

    def _ready(self, family: Family) -> Family:
        """Return a family as this kernel uses it."""
        return family

    def _give_up(self, problem: DeviceError) -> None:
        with self._lock:
            if self._failed:
                return
            self._failed, self._family = True, None
        warnings.warn(
            f"kernel={self.name!r}: {problem}. The processor computes instead, with kernel='numpy'",
            DeviceWarning,
            stacklevel=4,
        )


def family_of(topology: Topology, dtype: np.dtype[Any]) -> tuple[type[Family] | None, str]:
    """Return the family that serves a network, or None and why none does."""
    stack = Stack.of(topology)
    if stack is None:
        return None, "its layers are not joined full to full, one after the other"
    reasons = []
    for home in FAMILIES:
        module, _, name = home.partition(":")
        family: type[Family] = getattr(import_module(module), name)
        reason = family.reason_against(stack, dtype)
        if not reason:
            return family, ""
        reasons.append(f"{name}: {reason}")
    return None, "; ".join(reasons)
