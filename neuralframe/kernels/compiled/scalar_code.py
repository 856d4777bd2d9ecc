"""User-defined transfer functions, compiled: for arrays, and for a row of the compiled pass."""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba import carray, types

from neuralframe.core.scalar_function import Elementwise, number_by_number
from neuralframe.exceptions import ParameterError
from neuralframe.kernels.compiled.compiling import FREE_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Array
    from neuralframe.core.scalar_function import ScalarFunction

FLOATS = {"float32": types.float32, "float64": types.float64}

_row_functions: dict[Any, tuple[Any, Any]] = {}
_lock = threading.Lock()


def elementwise(cls: type[ScalarFunction]) -> Elementwise:
    """Return the two functions of a class for arrays."""
    return Elementwise(_for_arrays(cls, "scalar_value", 1), _for_arrays(cls, "scalar_derivative", 2))


def _for_arrays(cls: type[ScalarFunction], name: str, n_arrays: int) -> Callable[..., Array]:
    function = getattr(cls, name)

    @cache
    def compiled(dtype: str, n_arguments: int) -> Callable[..., Array]:
        kind = FLOATS[dtype]
        try:
            made: Callable[..., Array] = numba.vectorize([kind(*[kind] * (n_arrays + n_arguments))])(function)
        except Exception as problem:
            raise _refusal(cls, name, problem) from problem
        return made

    @np.errstate(all="ignore")
    def apply(*numbers: Any) -> Array:
        single = all(np.asarray(array).dtype == np.float32 for array in numbers[:n_arrays])
        made = compiled("float32" if single else "float64", len(numbers) - n_arrays)
        try:
            return made(*numbers)
        except (ArithmeticError, ValueError):  # the function raised it for one of the numbers
            return number_by_number(function)(*numbers)

    return apply


def row_functions(function: ScalarFunction, dtype: str) -> tuple[Any, Any]:
    """Return C functions for a row: ``(net, output, n)`` and ``(net, output, delta, n)``.

    The first sets the output; the second multiplies delta, dE/d(output), by the slope. Where the user's
    function raises an exception, all numbers of the row are NaN. They live as long as this process, so that
    their addresses stay good.
    """
    # numbers that are equal may differ, as 0.0 and -0.0 do
    key = type(function), dtype, repr(function.scalar_arguments)
    with _lock:  # of two that were made at once one would be dropped, and its address with it
        if key not in _row_functions:
            _row_functions[key] = _compiled_rows(function, dtype)
        return _row_functions[key]


def _compiled_rows(function: ScalarFunction, dtype: str) -> tuple[Any, Any]:
    kind = FLOATS[dtype]
    pointer, arguments = types.CPointer(kind), function.scalar_arguments
    plain_value = numba.njit(**FREE_OPTIONS)(function.scalar_value)
    plain_derivative = numba.njit(**FREE_OPTIONS)(function.scalar_derivative)

    # numba unpacks arguments outside a try only
    @numba.njit(**FREE_OPTIONS)
    def value(net: Any) -> Any:
        return plain_value(net, *arguments)

    @numba.njit(**FREE_OPTIONS)
    def derivative(net: Any, output: Any) -> Any:
        return plain_derivative(net, output, *arguments)

    # an exception would end the loop, and nobody would hear of it
    def set_output(net: Any, output: Any, n: int) -> None:
        z, y = carray(net, n), carray(output, n)
        try:
            for j in range(n):
                y[j] = value(z[j])
        except Exception:  # noqa: BLE001 - compiled code can catch nothing else
            for j in range(n):
                y[j] = np.nan

    def multiply_delta(net: Any, output: Any, delta: Any, n: int) -> None:
        z, y, d = carray(net, n), carray(output, n), carray(delta, n)
        try:
            for j in range(n):
                d[j] *= derivative(z[j], y[j])
        except Exception:  # noqa: BLE001
            for j in range(n):
                d[j] = np.nan

    name = "scalar_value"
    try:
        first = _row_function(set_output, pointer, pointer)
        name = "scalar_derivative"
        return first, _row_function(multiply_delta, pointer, pointer, pointer)
    except Exception as problem:
        raise _refusal(type(function), name, problem) from problem


def _row_function(function: Callable[..., None], *pointers: Any) -> Any:
    return numba.cfunc(types.void(*pointers, types.int64), **FREE_OPTIONS)(function)


def _refusal(cls: type[ScalarFunction], name: str, problem: Exception) -> ParameterError:
    return ParameterError(
        f"{cls.__name__}.{name} cannot be compiled. It may use numbers and functions of the module math "
        f"only, and must be a static method that returns a number. numba says: {problem}"
    )
