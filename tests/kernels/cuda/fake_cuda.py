"""What a kernel sees as `cuda` when it is emulated: its place, memory, and the device's own functions."""

from __future__ import annotations

import itertools
from typing import Any

import attrs
import numpy as np

from tests.kernels.cuda.rewriting import Integer

WARP = 32


@attrs.frozen
class Dim:
    """A position, or an extent, in three directions."""

    x: int
    y: int = 1
    z: int = 1

    @classmethod
    def of(cls, extent: Any) -> Dim:
        return cls(*extent) if isinstance(extent, tuple) else cls(int(extent))

    def __iter__(self) -> Any:
        return iter((self.x, self.y, self.z))

    def positions(self) -> list[Dim]:
        """All positions within this extent, x fastest, as the device numbers its threads."""
        return [Dim(x, y, z) for z, y, x in itertools.product(*map(range, (self.z, self.y, self.x)))]


class SharedMemory:
    """The shared memory of the block that runs: one array a declaration, and the dynamic one.

    All that is declared with size 0 lies in the same bytes, which the launch has asked for.
    """

    def __init__(self) -> None:
        self._arrays: dict[Any, Any] = {}
        self._dynamic = np.empty(0, np.uint8)
        self._watch: Any = None

    def begin(self, n_bytes: int, watch: Any) -> None:
        self._arrays.clear()
        self._dynamic = np.full(n_bytes, 0xFF, np.uint8)  # which is NaN in every floating-point type
        self._watch = watch

    def array(self, shape: Any, dtype: Any, *, site: str) -> Any:
        if site not in self._arrays:
            dtype = _dtype(dtype)
            made = self._dynamic.view(dtype) if shape == 0 else poisoned(shape, dtype)
            self._arrays[site] = made if self._watch is None else self._watch(made, site)
        return self._arrays[site]


class LocalMemory:
    """Arrays of a thread's own."""

    @staticmethod
    def array(shape: Any, dtype: Any) -> Any:
        return poisoned(shape, _dtype(dtype))


class Atomics:
    """Atomic operations, on integers only."""

    @staticmethod
    def add(array: Any, index: Any, value: Any) -> Any:
        values = _integers(array)
        old = int(values[index])
        values[index] = old + value
        return old

    @staticmethod
    def inc(array: Any, index: Any, limit: Any) -> Any:
        values = _integers(array)
        old = int(values[index])
        values[index] = 0 if old >= limit else old + 1
        return old


class Libdevice:
    """The device's own functions; those called fast are as wrong here as they may be there."""

    _LOG2_E = np.float32(1 / np.log(2))
    _LARGEST_DIVISOR = np.float32(2.0**126)

    @classmethod
    def fast_expf(cls, x: Any) -> Any:
        return np.exp2(np.float32(x) * cls._LOG2_E)  # the product's rounding grows with the argument

    @classmethod
    def fast_fdividef(cls, x: Any, y: Any) -> Any:
        if cls._LARGEST_DIVISOR < abs(y) < np.inf:
            return np.float32(0)
        return np.float32(x) / np.float32(y)


class Cuda:
    """What a kernel sees as `cuda`, from the thread that runs now."""

    def __init__(self) -> None:
        self.shared, self.local, self.atomic = SharedMemory(), LocalMemory(), Atomics()
        self.threadIdx = self.blockIdx = Dim(0, 0, 0)
        self.blockDim = self.gridDim = Dim(1)
        self.warpsize, self.laneid = WARP, 0
        self.libdevice = Libdevice()

    def grid(self, n_dims: int) -> Any:
        index = [b * n + t for b, n, t in zip(self.blockIdx, self.blockDim, self.threadIdx, strict=True)]
        return index[0] if n_dims == 1 else tuple(index[:n_dims])

    def gridsize(self, n_dims: int) -> Any:
        size = [b * n for b, n in zip(self.gridDim, self.blockDim, strict=True)]
        return size[0] if n_dims == 1 else tuple(size[:n_dims])

    @staticmethod
    def fma(a: Any, b: Any, c: Any) -> Any:
        return a * b + c

    @staticmethod
    def threadfence() -> None:
        """Memory is seen by all at once here."""

    threadfence_block = threadfence_system = threadfence


def poisoned(shape: Any, dtype: Any) -> Any:
    """Return an array full of NaN, or of the largest integer."""
    dtype = np.dtype(dtype)
    return np.full(shape, np.nan if dtype.kind == "f" else np.iinfo(dtype).max, dtype)


def _dtype(name: Any) -> Any:
    return name.dtype if isinstance(name, Integer) else np.dtype(name)


def _integers(array: Any) -> Any:
    values = getattr(array, "values", array)
    if values.dtype.kind not in "iu":
        raise AssertionError(f"an atomic operation on {values.dtype}: its result depends on the order")
    return values
