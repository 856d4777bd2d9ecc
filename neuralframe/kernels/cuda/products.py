"""Products of matrices that lie on a device, by cuBLAS through whichever package is there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.exceptions import DeviceError, MissingPackageError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array

_NO_TRANSPOSE, _TRANSPOSE = 0, 1  # cublasOperation_t


@attrs.frozen(eq=False)
class Matrix:
    """A matrix on a device, row by row.

    Attributes
    ----------
    numbers : device array
        Flat.
    n_rows, n_columns : int
        Its shape as it is stored.
    is_transposed : bool
        Whether the transpose is meant.

    """

    numbers: Any
    n_rows: int
    n_columns: int
    is_transposed: bool = False

    @property
    def T(self) -> Matrix:  # noqa: N802 - numpy's name
        """The transpose: the same numbers."""
        return attrs.evolve(self, is_transposed=not self.is_transposed)

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of what is meant."""
        shape = self.n_rows, self.n_columns
        return shape[::-1] if self.is_transposed else shape


class Products(ABC):
    """Multiplies matrices on a device."""

    @abstractmethod
    def multiply(self, left: Matrix, right: Matrix, result: Matrix) -> None:
        """Write the product of two matrices into a third, which is not transposed.

        The products are those of float32 or float64 numbers: nothing is rounded to TF32.

        Raises
        ------
        DeviceError
            If the device fails.

        """


def reason_against() -> str:
    """Return why there are no products on a device, or an empty text; nothing is imported for it."""
    if any(find_spec(package) for package in _PRODUCTS):
        return ""
    return "neither nvmath-python nor cupy is installed: pip install 'neuralframe[gemm]'"


def device_products(dtype: np.dtype[Any]) -> Products:
    """Return the products of the first package that is installed: nvmath-python, then cupy.

    Raises
    ------
    MissingPackageError
        If neither is.

    """
    for package, make in _PRODUCTS.items():
        if find_spec(package):
            return make(dtype)
    raise MissingPackageError("nvmath", purpose="wide layers with kernel='cuda'", extra="gemm")


class NvmathProducts(Products):
    """cuBLAS, as nvmath-python binds it.

    Parameters
    ----------
    dtype : numpy.dtype
        float32 or float64.

    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._cublas = import_module("nvmath.bindings.cublas")
        self._gemm = self._cublas.sgemm if dtype == np.float32 else self._cublas.dgemm
        self._one, self._zero = np.ones(1, dtype), np.zeros(1, dtype)
        self._handle: Any = None

    def multiply(self, left: Matrix, right: Matrix, result: Matrix) -> None:
        # cuBLAS stores columns: what lies row by row is the transpose to it, and (AB)' = B'A'.
        (n_rows, n_terms), n_columns = left.shape, right.shape[1]
        try:
            if self._handle is None:
                self._handle = self._cublas.create()
            self._gemm(
                self._handle, _operation(right), _operation(left), n_columns, n_rows, n_terms,
                self._one.ctypes.data, _address(right), right.n_columns, _address(left), left.n_columns,
                self._zero.ctypes.data, _address(result), result.n_columns,
            )  # fmt: skip
        except Exception as problem:
            raise DeviceError(f"cuBLAS failed: {problem}") from problem


class CupyProducts(Products):
    """cuBLAS, as cupy calls it.

    Parameters
    ----------
    dtype : numpy.dtype
        Unused: cupy goes by the type of the matrices.

    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        del dtype
        self._cupy = import_module("cupy")

    def multiply(self, left: Matrix, right: Matrix, result: Matrix) -> None:
        try:
            left_view, right_view, result_view = (self._view(matrix) for matrix in (left, right, result))
            self._cupy.matmul(left_view, right_view, out=result_view)
        except Exception as problem:
            raise DeviceError(f"cupy failed: {problem}") from problem

    def _view(self, matrix: Matrix) -> Array:
        view: Array = self._cupy.asarray(matrix.numbers).reshape(matrix.n_rows, matrix.n_columns)
        return view.T if matrix.is_transposed else view


_PRODUCTS = {"nvmath": NvmathProducts, "cupy": CupyProducts}


def _operation(matrix: Matrix) -> int:
    return _TRANSPOSE if matrix.is_transposed else _NO_TRANSPOSE


def _address(matrix: Matrix) -> int:
    address: int = matrix.numbers.__cuda_array_interface__["data"][0]
    return address
