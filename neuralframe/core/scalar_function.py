"""Transfer functions of one's own, from plain functions of one number: they run compiled everywhere."""

from __future__ import annotations

import math
from abc import abstractmethod
from functools import cache
from importlib import import_module
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Array

_COMPILER = "neuralframe.kernels.compiled.scalar_code"
"""What compiles; named rather than imported, because core is light and numba may not be there."""


class ScalarFunction(TransferFunction):
    """A transfer function that is written for one number, with the standard library's `math` alone.

    Where numba is installed the functions are compiled when they are first called, for arrays and for the
    kernels that compile whole networks, on the processor and on CUDA devices: that takes about a second, in
    each process, also under ``kernel="numpy"``. Elsewhere they run as they
    are, number by number. They are used elementwise. Numbers that the attrs class has as fields are handed
    over after the others, in their order::

        @attrs.frozen
        class Swish(nf.ScalarFunction):
            beta: float = 1.0

            @staticmethod
            def scalar_value(net, beta):
                return net / (1 + math.exp(-beta * net))

            @staticmethod
            def scalar_derivative(net, output, beta):
                share = 1 / (1 + math.exp(-beta * net))
                return share + beta * (output * (1 - share))

    Where a number is too large for a function of `math`, the result is infinite, and where there is no
    result it is NaN, as in numpy and in compiled code: no exception is raised. If one of the two functions
    raises an exception itself, a kernel that compiles networks makes the results of the samples about it
    NaN too.

    Raises
    ------
    ParameterError
        When it is first used, if a field is not a number or numba cannot compile a function.

    """

    @staticmethod
    @abstractmethod
    def scalar_value(net: float, *arguments: float) -> float:
        """Return the output for a net input."""

    @staticmethod
    @abstractmethod
    def scalar_derivative(net: float, output: float, *arguments: float) -> float:
        """Return d output / d net; `output` is ``scalar_value(net)``."""

    @property
    def scalar_arguments(self) -> tuple[float, ...]:
        """What the two functions are given after the net input and the output."""
        values = self.parameters()
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
                raise ParameterError(
                    f"{type(self).__name__}.{name} is {value!r}; the fields of a ScalarFunction are handed "
                    "to compiled code, so they must be numbers"
                )
        return tuple(float(value) for value in values.values())

    @property
    def is_scalar_only(self) -> bool:
        """Whether the two functions say all: a class may have its own way with arrays besides."""
        cls = type(self)
        return all(getattr(cls, name) is getattr(ScalarFunction, name) for name in _FOR_ARRAYS)

    def value(self, net: Array) -> Array:
        return _elementwise(type(self)).value(net, *self.scalar_arguments)

    def derivative(self, net: Array, output: Array) -> Array:
        return _elementwise(type(self)).derivative(net, output, *self.scalar_arguments)


_FOR_ARRAYS = ("value", "derivative", "backward")


@attrs.frozen
class Elementwise:
    """The two functions of a class, for arrays; shape, type and order of the first argument are kept."""

    value: Callable[..., Array]
    derivative: Callable[..., Array]


@cache
def _elementwise(cls: type[ScalarFunction]) -> Elementwise:
    """Return the functions of a class for arrays: compiled if that is possible here."""
    try:
        compiler = import_module(_COMPILER)
    except ImportError:
        return Elementwise(number_by_number(cls.scalar_value), number_by_number(cls.scalar_derivative))
    made: Elementwise = compiler.elementwise(cls)
    return made


def number_by_number(function: Callable[..., float]) -> Callable[..., Array]:
    """Return a function that calls another for each number of its arrays."""
    quiet = _quiet(function)

    @np.errstate(all="ignore")
    def mapped(net: Array, *others: Any) -> Array:
        results = np.frompyfunc(quiet, 1 + len(others), 1)(net.astype(np.float64), *others)
        return np.asarray(results, order="K").astype(net.dtype, order="K")

    return mapped


def _quiet(function: Callable[..., float]) -> Callable[..., float]:
    """Return a copy of a function in which those of `math` return infinities and NaN as numpy's do."""
    copy = _with_quiet_names(function) if isinstance(function, FunctionType) else _quiet_name(function)

    def quiet(*numbers: float) -> float:
        # numpy's numbers divide by zero and overflow quietly; Python's raise
        try:
            return float(copy(*map(np.float64, numbers)))
        except OverflowError:
            return math.inf
        except (ArithmeticError, ValueError):
            return math.nan

    return quiet


def _with_quiet_names(function: FunctionType) -> FunctionType:
    cells = function.__closure__
    return FunctionType(
        function.__code__,
        {name: _quiet_name(value) for name, value in function.__globals__.items()},
        function.__name__,
        function.__defaults__,
        None if cells is None else tuple(CellType(_quiet_name(cell.cell_contents)) for cell in cells),
    )


class _QuietMath:
    """Stands for the module `math`."""

    def __getattr__(self, name: str) -> Any:
        return _quiet_name(getattr(math, name))


def _quiet_name(value: Any) -> Any:
    if value is math:
        return _QuietMath()
    if getattr(value, "__module__", None) != "math":
        return value
    # numpy has nearly all of them under the same names
    return getattr(np, value.__name__, None) or _without_exceptions(value)


def _without_exceptions(function: Callable[..., float]) -> Callable[..., float]:
    def quiet(*numbers: float) -> float:
        try:
            return np.float64(function(*numbers))
        except OverflowError:
            return np.float64(np.inf)
        except ValueError:
            return np.float64(np.nan)

    return quiet
