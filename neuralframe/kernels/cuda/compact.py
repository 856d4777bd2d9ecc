"""Compact inputs: 1 or 2 bytes a number on the way to a device, and while they wait there.

A lossy choice, for who asks for it by the name of a kernel (`neuralframe.kernels.compact_cuda_kernels`):
numbers become codes, and the network sees what the codes stand for. Pixels that came as bytes lose nothing.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy import float64, int32, uint64

from neuralframe.exceptions import DataError
from neuralframe.kernels.cuda.scratch import Scratch
from neuralframe.kernels.cuda.shim import cuda
from neuralframe.kernels.residency import Residency

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.kernels.cuda.device import Device

N_THREADS = 256
"""Threads in a block."""

HOST_BYTES = 1 << 32
"""Memory of the host for codes, so that blocks which do not fit a device are coded once all the same."""

Kind: TypeAlias = 'Literal["uint8", "float16"]'

_LAST_CODE = 255
_coded = Residency(HOST_BYTES)


@attrs.frozen(eq=False)
class Compact:
    """Numbers as codes: ``code * scale + offset``, by column.

    Attributes
    ----------
    codes : (n_samples, n_columns) uint8 or float16
    scales, offsets : (n_columns,) float64

    """

    codes: Array
    scales: Vector
    offsets: Vector

    @classmethod
    def of(cls, array: Array, kind: Kind = "uint8") -> Compact:
        """Return the codes of an array.

        With ``"uint8"`` each column's range is cut into 255 equal steps: a number is off by half a step at
        most. With ``"float16"`` columns are shifted and scaled to between -1 and 1, and keep 3 digits.

        Parameters
        ----------
        array : (n_samples, n_columns) float
        kind : {"uint8", "float16"}

        Raises
        ------
        DataError
            If a number is not finite.

        """
        low, high = array.min(axis=0).astype(np.float64), array.max(axis=0).astype(np.float64)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise DataError("compact inputs have to be finite; fill in what is missing first")
        if kind == "uint8":
            scales, offsets = np.where(high > low, (high - low) / _LAST_CODE, 1.0), low
            codes = np.rint((array - offsets) / scales).astype(np.uint8)
        else:
            scales, offsets = np.where(high > low, (high - low) / 2, 1.0), (high + low) / 2
            codes = ((array - offsets) / scales).astype(np.float16)
        return cls(codes, scales, offsets)

    def values(self) -> Array:
        """Return what the codes stand for, float64."""
        values: Array = self.codes * self.scales + self.offsets
        return values

    def carried(self, device: Device) -> CompactOnDevice:
        """Return these numbers on a device, still as codes."""
        # not every device has arithmetic for float16: its bits travel, and the kernel reads them
        bits: Any = self.codes if self.codes.dtype == np.uint8 else self.codes.view(np.uint16)
        codes, scales, offsets = (
            device.cast_to_device(part, part.dtype) for part in (bits, self.scales, self.offsets)
        )
        return CompactOnDevice(device, codes, scales, offsets, shape=self.codes.shape)


@attrs.frozen(eq=False)
class CompactOnDevice:
    """Codes on a device, and what they stand for when it is asked for.

    Attributes
    ----------
    device : Device
    codes, scales, offsets : device arrays
    shape : (int, int)

    """

    device: Device
    codes: Any
    scales: Any
    offsets: Any
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Memory that the codes take on the device, and their scales and offsets."""
        return sum(int(part.nbytes) for part in (self.codes, self.scales, self.offsets))

    def expand(self, first: int, n: int, result: Any, real: type) -> None:
        """Write the numbers of some samples, flat, as they would have been carried in full.

        Parameters
        ----------
        first, n : int
            The samples.
        result : device array
            Of type `real`, for ``n * n_columns`` numbers.
        real : type
            ``numpy.float32`` or ``numpy.float64``.

        """
        n_columns = self.shape[1]
        kernel = expanding_kernel(n_columns, real, is_half=np.dtype(self.codes.dtype) == np.uint16)
        args = (self.codes, self.scales, self.offsets, first, n, result)
        self.device.launch(kernel, (-(-n * n_columns // N_THREADS), 1), N_THREADS, args)


def coded(array: Array, kind: Kind) -> Compact:
    """Return the codes of a block's array, made once if it cannot be written to."""
    return _coded.of(array, kind, lambda source: Compact.of(source, kind), lambda made: made.codes.nbytes)


class CompactInputs:
    """The way of a block's inputs to a device as codes: what `Family.on_device` may be.

    Codes stay on the device; each evaluation expands those of its block, into memory that all blocks share.

    Parameters
    ----------
    device : Device
    dtype : numpy.dtype
        What the network is computed in.
    kind : {"uint8", "float16"}
        The codes.

    """

    def __init__(self, device: Device, dtype: np.dtype[Any], kind: Kind) -> None:
        self._device = device
        self._real: Any = dtype.type
        self._kind: Kind = kind
        self._scratch = Scratch(device)

    def __call__(self, inputs: Array) -> Any:
        """Return the inputs on the device, flat, expanded; good until the next call."""
        codes = self._device.kept(
            inputs, self._kind, lambda source: coded(source, self._kind).carried(self._device)
        )
        expanded = self._scratch.empty("inputs", inputs.size, self._real)
        codes.expand(0, len(inputs), expanded, self._real)
        return expanded


def _power(bits: Any) -> Any:
    return int32((bits >> 10) & 31) - int32(25)


def _half_value(bits: Any) -> Any:
    """Return the number, finite, that the bits of a float16 stand for; a device function."""
    digits, power = bits & 1023, _power(bits)
    if power == int32(-25):
        value = math.ldexp(float64(digits), -24)
    else:
        value = math.ldexp(float64(digits + 1024), power)
    return -value if bits & 32768 else value


@lru_cache
def expanding_kernel(n_columns: int, real: type, *, is_half: bool) -> Callable[..., None]:
    """Return ``kernel(codes, scales, offsets, first, n, result)``; a thread has a number."""
    decode = _half_value if is_half else _unchanged

    def kernel(codes: Any, scales: Any, offsets: Any, first: Any, n: Any, result: Any) -> None:  # noqa: PLR0917
        at = uint64(cuda.grid(1))
        if at < uint64(n) * uint64(n_columns):
            column = at % uint64(n_columns)
            code = decode(codes[uint64(first) * uint64(n_columns) + at])
            result[at] = real(code * scales[column] + offsets[column])

    return kernel


def _unchanged(code: Any) -> Any:
    return code
