"""The one door to numba-cuda: found out about cheaply, imported late, and cured of what it suffers from.

Kernels and what they call are plain Python functions in real modules, made by factories that close over the
network's sizes. They say `cuda` for numba's module. This module's `cuda` merely stands in for it until
`linked` puts the real one in its place; the tests' emulator puts its own.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.exceptions import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable

cuda: Any = None
"""Stands for numba's ``cuda`` module in the source of kernels."""

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def is_available() -> bool:
    """Return whether kernels can be compiled and there is a device to run them."""
    return not reason_against()


@cache
def reason_against() -> str:
    """Return why CUDA cannot be used in this process, or an empty text.

    It never raises, and where the package or the driver is missing it imports nothing. The driver is asked
    for its devices, which a process forked later cannot do again.
    """
    if find_spec("numba_cuda") is None:
        return "numba-cuda is not installed: pip install 'neuralframe[cuda13]', or [cuda12] for older drivers"
    try:
        driver = ctypes.CDLL(_DRIVER)
    except OSError:
        return "no NVIDIA driver was found"
    n_devices = ctypes.c_int()
    failure = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(n_devices))
    if failure or not n_devices.value:
        return f"the NVIDIA driver offers no device (error {failure}); is CUDA_VISIBLE_DEVICES empty?"
    return ""


@cache
def numba_cuda() -> Any:
    """Return the module ``numba.cuda`` of the package numba-cuda.

    Raises
    ------
    MissingPackageError
        If it is not installed. The module of that name in numba itself is deprecated, and is not used.

    """
    if find_spec("numba_cuda") is None:
        raise MissingPackageError("numba_cuda", purpose="kernel='cuda'", extra="cuda13")
    vars(np).setdefault("row_stack", np.vstack)  # numba-cuda 0.30 asks for it; numpy 2.5 has dropped it
    cuda = import_module("numba.cuda")
    cuda.config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small data make small grids, and that is as it should be
    return cuda


def compiled(kernel: Callable[..., None]) -> Any:
    """Return what numba makes of a kernel; it is compiled when it is first launched."""
    return numba_cuda().jit(linked(kernel))


def linked(function: Any) -> Any:
    """Return a kernel whose `cuda` is numba's, and whose plain functions are device functions of numba's."""
    return _Linker().linked(function)


class _Linker:
    """Follows a kernel to the functions it calls; each is made a device function once."""

    def __init__(self) -> None:
        self._made: dict[FunctionType, Any] = {}

    def linked(self, function: FunctionType) -> FunctionType:
        names = {
            name: self._linked(name, value)
            for name, value in function.__globals__.items()
            if name in _names_in(function)
        }
        cells = [
            CellType(self._linked(name, cell.cell_contents))
            for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        ]
        names["__builtins__"] = function.__globals__["__builtins__"]
        names["__name__"] = function.__module__
        made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, tuple(cells))
        made.__qualname__, made.__module__ = function.__qualname__, function.__module__
        return made

    def _linked(self, name: str, value: Any) -> Any:
        if name == "cuda":
            return numba_cuda()
        if not isinstance(value, FunctionType):
            return value
        if value not in self._made:
            self._made[value] = numba_cuda().jit(device=True)(self.linked(value))
        return self._made[value]


def _names_in(function: FunctionType) -> set[str]:
    return set(function.__code__.co_names)
