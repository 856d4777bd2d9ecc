"""User-defined transfer functions, compiled: for arrays, and for a row of the compiled pass."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba import carray, types
from numba.core.errors import NumbaError

from neuralframe.core.scalar_function import Elementwise
from neuralframe.exceptions import ParameterError
from neuralframe.kernels.compiled.compiling import FREE_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Array
    from neuralframe.core.scalar_function import ScalarFunction

FLOATS = {"float32": types.float32, "float64": types.float64}


def elementwise(cls: type[ScalarFunction]) -> Elementwise:
    """Return the two functions of a class for arrays."""
    return Elementwise(_for_arrays(cls, "scalar_value", 1), _for_arrays(cls, "scalar_derivative", 2))


def _for_arrays(cls: type[ScalarFunction], name: str, n_arrays: int) -> Callable[..., Array]:
    function = getattr(cls, name)

    @cache
    def compiled(n_arguments: int) -> Callable[..., Array]:
        kinds = [kind(*[kind] * (n_arrays + n_arguments)) for kind in FLOATS.values()]
        try:
            made: Callable[..., Array] = numba.vectorize(kinds)(function)
        except NumbaError as problem:
            raise _refusal(cls, name, problem) from problem
        return made

    @np.errstate(all="ignore")
    def apply(*numbers: Any) -> Array:
        return compiled(len(numbers) - n_arrays)(*numbers)

    return apply


@cache
def row_functions(function: ScalarFunction, dtype: str) -> tuple[Any, Any]:
    """Return C functions for a row: ``(net, output, n)`` and ``(net, output, delta, n)``.

    The first sets the output; the second multiplies delta, dE/d(output), by the slope. They live as long as
    this process, so that their addresses stay good.
    """
    kind = FLOATS[dtype]
    pointer, arguments = types.CPointer(kind), function.scalar_arguments
    value = numba.njit(**FREE_OPTIONS)(function.scalar_value)
    derivative = numba.njit(**FREE_OPTIONS)(function.scalar_derivative)

    def set_output(net: Any, output: Any, n: int) -> None:
        z, y = carray(net, n), carray(output, n)
        for j in range(n):
            y[j] = value(z[j], *arguments)

    def multiply_delta(net: Any, output: Any, delta: Any, n: int) -> None:
        z, y, d = carray(net, n), carray(output, n), carray(delta, n)
        for j in range(n):
            d[j] *= derivative(z[j], y[j], *arguments)

    name = "scalar_value"
    try:
        first = _row_function(set_output, pointer, pointer)
        name = "scalar_derivative"
        return first, _row_function(multiply_delta, pointer, pointer, pointer)
    except NumbaError as problem:
        raise _refusal(type(function), name, problem) from problem


def _row_function(function: Callable[..., None], *pointers: Any) -> Any:
    return numba.cfunc(types.void(*pointers, types.int64), **FREE_OPTIONS)(function)


def _refusal(cls: type[ScalarFunction], name: str, problem: NumbaError) -> ParameterError:
    return ParameterError(
        f"{cls.__name__}.{name} cannot be compiled. It may use numbers and functions of the module math "
        f"only, and must be a static method that returns a number. numba says: {problem}"
    )
