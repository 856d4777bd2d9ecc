"""The CUDA kernel for inputs that are kept as bytes or as float16, so that more data stay on the device."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from neuralframe.kernels.cuda.compact import CompactInputs, Kind, coded
from neuralframe.kernels.cuda_kernel import CudaKernel
from neuralframe.kernels.kernel import Kernel

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.noise_draw import Draw
    from neuralframe.kernels.cuda.family import Family


class CompactCudaKernel(CudaKernel):
    """As `CudaKernel`, for inputs that are rounded to codes of one or two bytes, block by block.

    The network sees what the codes stand for, whoever computes: so does the processor, where it takes over.

    Parameters
    ----------
    topology, dtype, device
        As for `CudaKernel`.

    Raises
    ------
    DataError
        Where it computes, if an input is not finite.

    """

    name: ClassVar[str] = "compact_cuda"
    kind: ClassVar[Kind]

    def _ready(self, family: Family) -> Family:
        family.on_device = CompactInputs(family.device, self.dtype, self.kind)
        return family

    @cached_property
    def _plain(self) -> Kernel:
        return SeesCodes(super()._plain, self.kind)


class ByteCudaKernel(CompactCudaKernel):
    """Inputs as bytes: each column's range, in a block, in 255 equal steps."""

    name: ClassVar[str] = "cuda_uint8"
    kind: ClassVar[Kind] = "uint8"


class HalfCudaKernel(CompactCudaKernel):
    """Inputs as float16, shifted and scaled by column and block: 3 digits."""

    name: ClassVar[str] = "cuda_float16"
    kind: ClassVar[Kind] = "float16"


class SeesCodes(Kernel):
    """Another kernel, for inputs that stand for what their codes stand for.

    Parameters
    ----------
    kernel : Kernel
    kind : {"uint8", "float16"}

    """

    def __init__(self, kernel: Kernel, kind: Kind) -> None:
        super().__init__(kernel.topology, kernel.dtype)
        self._kernel = kernel
        self._kind: Kind = kind

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        return self._kernel.outputs(weights, self._seen(inputs))

    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        return self._kernel.activations(weights, self._seen(inputs))

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        return self._kernel.errors(weights, self._seen(inputs), targets, sample_weights)

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        return self._kernel.errors_and_gradients(weights, self._seen(inputs), targets, sample_weights)

    def noisy(self, draw: Draw) -> Kernel:
        return SeesCodes(self._kernel.noisy(draw), self._kind)

    def squared_jacobian(
        self,
        weights: Vector,
        inputs: Array,
        sample_weights: Vector | None = None,
        *,
        free: Indices | None = None,
    ) -> Vector:
        return self._kernel.squared_jacobian(weights, self._seen(inputs), sample_weights, free=free)

    def gauss_newton_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        return self._kernel.gauss_newton_products(
            weights, directions, self._seen(inputs), targets, sample_weights
        )

    def hessian_products(
        self,
        weights: Vector,
        directions: Vector,
        inputs: Array,
        targets: Array,
        sample_weights: Vector | None = None,
    ) -> Vector:
        return self._kernel.hessian_products(weights, directions, self._seen(inputs), targets, sample_weights)

    def _seen(self, inputs: Array) -> Array:
        """Return what the codes of some inputs stand for."""
        return coded(inputs, self._kind).values() if len(inputs) else inputs
