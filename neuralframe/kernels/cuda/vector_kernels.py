"""Vectors of weights on a device: what learning rules do with them between evaluations.

All in float64, as in the rules themselves. No rule uses them yet: they are what a rule needs to keep its
whole step on the device.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import float64, uint64

from neuralframe.kernels.cuda.block_sums import block_sum
from neuralframe.kernels.cuda.reduction import row_sum
from neuralframe.kernels.cuda.scratch import Scratch
from neuralframe.kernels.cuda.shim import cuda

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.cuda.device import Device

    Kernel = Callable[..., None]

N_THREADS = 256
"""Threads in a block."""

MOST_CHUNKS = 128
"""Blocks of threads that share a dot product; one of them adds their sums."""


class DeviceVectors:
    """Operations on float64 vectors of a device.

    Parameters
    ----------
    device : Device

    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._scratch = Scratch(device)

    def dot(self, x: Any, y: Any) -> float:
        """Return the sum of the products of two vectors' numbers; the same bits every time."""
        n_chunks = min(MOST_CHUNKS, -(-x.size // N_THREADS))
        rows = self._scratch.empty(f"rows of {n_chunks}", n_chunks, np.float64)
        result = self._scratch.empty("dot", 1, np.float64)
        tickets = self._scratch.zeros("tickets", 1, np.int32)
        args = (x, y, x.size, -(-x.size // n_chunks), rows, result, tickets)
        self._device.launch(dot_kernel(), (n_chunks, 1), N_THREADS, args)
        return float(self._device.to_host(result)[0])

    def add(self, factor: float, x: Any, y: Any) -> None:
        """Add ``factor * x`` to `y`, in place."""
        self._elementwise(axpy_kernel(), factor, x, y, x.size)

    def sign_step(
        self,
        gradient: Any,
        weights: Any,
        sizes: Any,
        signs: Any,
        *,
        factors: tuple[float, float] = (1.2, 0.5),
        bounds: tuple[float, float] = (1e-6, 50.0),
    ) -> None:
        """Move the weights as `ResilientPropagation` does in its variant iRprop-, in place.

        Parameters
        ----------
        gradient, weights, sizes, signs : device arrays
            The last two are the rule's state: the step sizes, and the signs at the last step.
        factors : (float, float)
            Of a size whose sign stays, and of one whose sign has turned.
        bounds : (float, float)
            Of the sizes.

        """
        self._elementwise(sign_step_kernel(*factors, *bounds), gradient, weights, sizes, signs, weights.size)

    def _elementwise(self, kernel: Kernel, *args: Any) -> None:
        self._device.launch(kernel, (-(-args[-1] // N_THREADS), 1), N_THREADS, args)


@lru_cache
def dot_kernel() -> Kernel:
    """Return ``kernel(x, y, n, chunk_length, rows, sums, tickets)``; see `reduction.row_sum`."""
    add_up, add_rows = block_sum(N_THREADS), row_sum(1, N_THREADS)

    def kernel(  # noqa: PLR0917 - kernels know no keywords
        x: Any, y: Any, n: Any, chunk_length: Any, rows: Any, sums: Any, tickets: Any
    ) -> None:
        begin = uint64(cuda.blockIdx.x) * uint64(chunk_length)
        total = float64(0)
        end = min(begin + uint64(chunk_length), uint64(n))
        for at in range(begin + uint64(cuda.threadIdx.x), end, uint64(N_THREADS)):
            total += x[at] * y[at]
        add_up(total, rows, uint64(cuda.blockIdx.x))
        add_rows(rows, sums, tickets)

    return kernel


@lru_cache
def axpy_kernel() -> Kernel:
    """Return ``kernel(factor, x, y, n)``: y becomes ``factor * x + y``."""

    def kernel(factor: Any, x: Any, y: Any, n: Any) -> None:
        at = uint64(cuda.grid(1))
        if at < uint64(n):
            y[at] += factor * x[at]

    return kernel


@lru_cache
def sign_step_kernel(increase: float, decrease: float, min_step: float, max_step: float) -> Kernel:
    """Return ``kernel(gradient, weights, sizes, signs, n)``: a step of iRprop-, in place."""
    zero, one = float64(0), float64(1)

    def kernel(gradient: Any, weights: Any, sizes: Any, signs: Any, n: Any) -> None:
        at = uint64(cuda.grid(1))
        if at < uint64(n):
            sign, size = gradient[at], sizes[at]
            if sign > zero:
                sign = one
            elif sign < zero:
                sign = -one  # 0 and NaN stay what they are
            agreement = sign * signs[at]
            if agreement > zero:
                size = min(size * increase, max_step)
            elif agreement < zero:
                size = max(size * decrease, min_step)
                sign = zero  # the weight stays for one iteration
            weights[at] -= sign * size
            sizes[at], signs[at] = size, sign

    return kernel
