"""The numba kernel: small networks in one compiled call."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from neuralframe.exceptions import MissingPackageError
from neuralframe.kernels.kernel import Kernel
from neuralframe.kernels.narrow_stacks import reason_against

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.noise_draw import Draw
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.compiled.stack_call import StackCall


class NumbaKernel(Kernel):
    """Errors and gradients of narrow stacks in one compiled call; everything else is the numpy kernel's.

    A stack is narrow if it is no wider than `neuralframe.kernels.narrow_stacks` says. Its error must be the
    sum of squares or a cross-entropy fused with the outputs, and its transfer functions this package's own,
    `Sin` excepted, or each a `ScalarFunction` that has no way with arrays of its own. A call keeps to one
    thread and lets others run meanwhile.

    The first call imports numba, and the first of a type compiles for some seconds; machine code is kept on
    disk for later processes, under ``NUMBA_CACHE_DIR`` or in the user's cache folder.

    Raises
    ------
    MissingPackageError
        If numba is not installed.

    """

    name: ClassVar[str] = "numba"

    def __init__(self, topology: Topology, dtype: npt.DTypeLike = "float64") -> None:
        super().__init__(topology, dtype)
        if find_spec("numba") is None:
            raise MissingPackageError("numba", purpose="kernel='numba'")

    @property
    def is_compiled(self) -> bool:
        """Whether errors and gradients of this network are computed by compiled code."""
        return reason_against(self.topology) == ""

    @cached_property
    def _call(self) -> StackCall | None:
        """The compiled pass; made when it is called, for whoever only carries a kernel needs no numba."""
        if not self.is_compiled:
            return None
        from neuralframe.kernels.compiled.stack_call import StackCall  # noqa: PLC0415 - imports numba

        return StackCall.of(self.topology, self.dtype)

    def outputs(self, weights: Vector, inputs: Array) -> Array:
        return self._plain.outputs(weights, inputs)

    def activations(self, weights: Vector, inputs: Array) -> list[Array]:
        return self._plain.activations(weights, inputs)

    def noisy(self, draw: Draw) -> Kernel:
        return self._plain.noisy(draw)

    def errors(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> Vector:
        if self._call is None:
            return self._plain.errors(weights, inputs, targets, sample_weights)
        return self._call.errors(weights, *self._call.block(inputs, targets, sample_weights))

    def errors_and_gradients(
        self, weights: Vector, inputs: Array, targets: Array, sample_weights: Vector | None = None
    ) -> tuple[Vector, Vector]:
        if self._call is None:
            return self._plain.errors_and_gradients(weights, inputs, targets, sample_weights)
        return self._call.errors_and_gradients(weights, *self._call.block(inputs, targets, sample_weights))
