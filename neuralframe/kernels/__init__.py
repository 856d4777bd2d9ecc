"""Kernels: how a block is computed. Found by name, imported when they are first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from neuralframe.exceptions import ChoiceError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.topology import Topology
    from neuralframe.kernels.kernel import Kernel

KERNELS = {
    "numpy": "neuralframe.kernels.numpy_kernel:NumpyKernel",
    "numba": "neuralframe.kernels.numba_kernel:NumbaKernel",
    "cuda": "neuralframe.kernels.cuda_kernel:CudaKernel",
    "cuda_uint8": "neuralframe.kernels.compact_cuda_kernels:ByteCudaKernel",
    "cuda_float16": "neuralframe.kernels.compact_cuda_kernels:HalfCudaKernel",
}
"""Where each kernel lives: ``module:class``."""


AUTO = "auto"
"""Stands for the kernel that `neuralframe.kernels.choice` picks."""


def make_kernel(name: str, topology: Topology, dtype: npt.DTypeLike = "float64") -> Kernel:
    """Return the kernel of the given name for a network.

    ``"auto"``, where nothing is known of the data, is numpy; see `neuralframe.kernels.choice` for the choice
    by the size of the work.

    Raises
    ------
    ChoiceError
        If there is no such kernel, or no such floating-point type.

    """
    if name == AUTO:
        name = "numpy"
    if name not in KERNELS:
        raise ChoiceError("kernel", name, [AUTO, *KERNELS])
    module, _, cls = KERNELS[name].partition(":")
    kernel: Kernel = getattr(import_module(module), cls)(topology, dtype)
    return kernel
