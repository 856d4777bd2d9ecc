"""The device: memory apart from the host's, and kernels launched there."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from neuralframe.exceptions import DeviceError
from neuralframe.kernels.chunks import laid_out
from neuralframe.kernels.cuda import shim
from neuralframe.kernels.cuda.streaming import PIECE_BYTES, NumbaBus, Stream
from neuralframe.kernels.residency import Residency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from neuralframe.core.arrays import Array

RESIDENT_SHARE = 0.75
"""How much of the memory that is free at the start blocks may fill; the rest is for what kernels work in."""

STREAMED_BYTES = 2 * PIECE_BYTES
"""Arrays from this size on go through pinned buffers, which are made when the first one comes."""

DEVICE_VARIABLE = "NEURALFRAME_CUDA_DEVICE"
"""Environment variable with the number of the device that this process was given among those it sees."""


class HasBytes(Protocol):
    """Something on a device, and the memory that it takes there."""

    @property
    def nbytes(self) -> int: ...


class Device(ABC):
    """Where CUDA kernels run. Arrays on the device are flat, and opaque to the host.

    Parameters
    ----------
    free_bytes : int
        Memory that is free.

    """

    def __init__(self, free_bytes: int) -> None:
        self.free_bytes = free_bytes
        self._residency = Residency(int(RESIDENT_SHARE * free_bytes))

    @abstractmethod
    def to_device(self, array: Array) -> Any:
        """Return a copy of an array on the device."""

    @abstractmethod
    def write(self, array: Any, values: Array) -> None:
        """Put numbers into a device's array of their size and type."""

    @abstractmethod
    def empty(self, size: int, dtype: Any) -> Any:
        """Return an array on the device whose numbers mean nothing yet."""

    @abstractmethod
    def to_host(self, array: Any) -> Array:
        """Return a copy of a device's array, once everything launched before has ended."""

    @abstractmethod
    def launch(
        self,
        kernel: Callable[..., None],
        grid: tuple[int, int],
        block: int,
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Start a kernel; its plain function is compiled when it is first launched.

        Parameters
        ----------
        kernel : function
            As a factory made it.
        grid : (int, int)
            Blocks of threads: chunks, and weight vectors.
        block : int
            Threads in a block.
        args : sequence
            Device arrays and whole numbers.
        shared : int
            Bytes of dynamic shared memory.

        Raises
        ------
        DeviceError
            If it cannot be compiled or started. What goes wrong while it runs is raised by `to_host`.

        """

    def current(self) -> AbstractContextManager[None]:
        """Return a context in which the calling thread means this device; all other calls are made in one."""
        return nullcontext()

    def zeros(self, size: int, dtype: Any) -> Any:
        """Return an array of zeros on the device."""
        return self.to_device(np.zeros(size, dtype))

    def cast_to_device(self, array: Array, dtype: np.dtype[Any]) -> Any:
        """Return a flat copy of an array on the device, cast on the way."""
        return self.to_device(np.ravel(laid_out(array, dtype)))

    def resident(self, array: Array, dtype: np.dtype[Any]) -> Any:
        """Return a block's array on the device, carried there once.

        Parameters
        ----------
        array : ndarray
            The host's; remembered if it cannot be written to.
        dtype : numpy.dtype
            What it becomes.

        """
        return self.kept(array, dtype.name, lambda source: self.cast_to_device(source, dtype))

    def kept(self, array: Array, layout: str, carry: Callable[[Array], HasBytes]) -> Any:
        """Return what `carry` makes of a block's array on the device, now or before.

        Parameters
        ----------
        array : ndarray
            The host's; remembered if it cannot be written to.
        layout : str
            Tells what is made of one array from other things made of it.
        carry : callable
            Called with the array where nothing is kept; what it returns has `nbytes`.

        """
        return self._residency.of(array, layout, carry, lambda made: int(made.nbytes))


class CudaDevice(Device):
    """A CUDA device, through numba-cuda.

    Parameters
    ----------
    number : int
        Which, among those that are visible.

    """

    def __init__(self, number: int) -> None:
        with _typed_failures("use"):
            self._cuda = shim.numba_cuda()
            self._number = number
            with self.current():
                free, _ = self._cuda.current_context().get_memory_info()
        super().__init__(free)
        self._stream: Stream | None = None
        self._compiled: WeakKeyDictionary[Callable[..., None], Any] = WeakKeyDictionary()

    @contextmanager
    def current(self) -> Iterator[None]:
        with ExitStack() as stack:
            with _typed_failures("use"):
                stack.enter_context(self._cuda.gpus[self._number])
            yield

    def to_device(self, array: Array) -> Any:
        with _typed_failures("copy to"):
            return self._cuda.to_device(array)

    def cast_to_device(self, array: Array, dtype: np.dtype[Any]) -> Any:
        if array.size * dtype.itemsize < STREAMED_BYTES:
            return super().cast_to_device(array, dtype)
        with _typed_failures("copy to"):
            if self._stream is None:
                self._stream = Stream(NumbaBus(self._cuda))
            return self._stream.carry(array, dtype)

    def write(self, array: Any, values: Array) -> None:
        with _typed_failures("copy to"):
            array.copy_to_device(values)

    def empty(self, size: int, dtype: Any) -> Any:
        with _typed_failures("find memory on"):
            return self._cuda.device_array(size, dtype)

    def to_host(self, array: Any) -> Array:
        with _typed_failures("copy from"):
            copied: Array = array.copy_to_host()
            return copied

    def launch(
        self,
        kernel: Callable[..., None],
        grid: tuple[int, int],
        block: int,
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        with _typed_failures("start a kernel on"):
            if kernel not in self._compiled:
                self._compiled[kernel] = shim.compiled(kernel)
            self._compiled[kernel][grid, block, 0, shared](*args)


@contextmanager
def _typed_failures(what: str) -> Iterator[None]:
    """Turn whatever the driver, the compiler or the linker raises into a `DeviceError`."""
    try:
        yield
    except Exception as problem:
        first = str(problem).strip().partition("\n")[0]
        raise DeviceError(
            f"cannot {what} the CUDA device: {type(problem).__name__}: {first or 'no reason given'}"
        ) from problem


def choose_device(number: int | None = None) -> CudaDevice:
    """Return the device of this process: its memory is shared by all kernels in it.

    Parameters
    ----------
    number : int, optional
        The device that a scheduler gave to this task, such as the address that Spark tells, or the worker's
        number; counted around if there are fewer. By default the environment variable
        ``NEURALFRAME_CUDA_DEVICE``, or else 0.
        Where ``CUDA_VISIBLE_DEVICES`` is set, somebody has chosen already: it is the first that is visible.

    Raises
    ------
    DeviceError
        If there is none.

    """
    reason = shim.reason_against()
    if reason:
        raise DeviceError(reason)
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        number = 0
    elif number is None:
        number = _number_given()
    return _device(os.getpid(), number % len(shim.numba_cuda().gpus))


def _number_given() -> int:
    given = os.environ.get(DEVICE_VARIABLE, "0")
    if not given.isdecimal():
        raise DeviceError(f"{DEVICE_VARIABLE}={given!r} is not the number of a device")
    return int(given)


@cache
def _device(pid: int, number: int) -> CudaDevice:
    """Return the device as this process knows it: none of the parent's survives a fork."""
    del pid
    return CudaDevice(number)
