"""Wide layers: the kernels between products emulated, the products those of numpy."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels.cuda import gemm, products
from neuralframe.kernels.cuda.gemm import Gemm
from neuralframe.kernels.cuda.products import CupyProducts, Matrix, NvmathProducts, Products
from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.kernels.stack import Stack
from tests.kernels.cuda import compile_gate, kernel_list
from tests.kernels.cuda.emulated_device import EmulatedDevice
from tests.kernels.cuda.family_checks import (
    block_of,
    check,
    check_left_out,
    distance,
    same,
    vectors_of,
)

NETWORKS = {
    "one hidden layer": (8, 37, 3, {"output": "softmax"}),
    "no hidden layer": (21, 3, {"output": "sigmoid", "error": "cross_entropy"}),
    "three hidden layers": (6, 9, 33, 5, 3, {"hidden": "sigmoid", "output": "softmax"}),
    "softmax and squares": (5, 6, 4, {"output": "softmax", "error": "sum_of_squares"}),
    "one of everything": (1, 1, 1, {}),
    "functions that need the net input": (4, 5, 3, {"hidden": "gaussian", "output": "softsign"}),
}


class NumpyProducts(Products):
    """Products of matrices that lie in the host's memory."""

    def multiply(self, left, right, result):
        result.numbers[:] = (_array(left) @ _array(right)).reshape(-1)


def _array(matrix):
    array = matrix.numbers.reshape(matrix.n_rows, matrix.n_columns)
    return array.T if matrix.is_transposed else array


def made(network, dtype="float32", **options):
    return Gemm(Stack.of(network.topology), np.dtype(dtype), EmulatedDevice(**options), NumpyProducts())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_errors_gradients_and_outputs_are_those_of_the_numpy_kernel(name, dtype):
    *sizes, options = NETWORKS[name]
    network = nf.MultilayerPerceptron(*sizes, **options, seed=1)
    check(made(network, dtype, seed=2), network, block_of(network, 19, weighted=True))


@pytest.mark.parametrize("n", [1, 31, 257])
def test_any_number_of_samples_is_served(n):
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=1)
    check(made(network, seed=3), network, block_of(network, n))


def test_samples_may_be_computed_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(gemm, "FEWEST_ROWS", 8)
    monkeypatch.setattr(gemm, "MOST_ROWS", 8)
    network = nf.MultilayerPerceptron(3, 4, 2, output="softmax", seed=1)
    for weighted in (False, True):
        check(made(network, "float64"), network, block_of(network, 21, weighted=weighted))


def test_no_samples_have_no_error():
    network = nf.MultilayerPerceptron(3, 2, seed=1)
    computing, block = made(network), block_of(network, 0)
    errors, gradients = computing.errors_and_gradients(vectors_of(network), *block)
    assert (errors.tolist(), gradients.any(), computing.device.launches) == ([0, 0], False, [])
    assert computing.outputs(network.weights, block[0]).shape == (0, 2)


def test_memory_is_shared_without_races():
    network = nf.MultilayerPerceptron(3, 34, 2, output="softmax", seed=1)
    check(made(network, watch=True, seed=1), network, block_of(network, 11, weighted=True))


def test_the_numbers_do_not_depend_on_the_order_of_blocks_and_threads():
    network = nf.MultilayerPerceptron(3, 4, 2, output="softmax", seed=1)
    block, vectors = block_of(network, 300), vectors_of(network, 1)
    first, second = (made(network, seed=seed).errors_and_gradients(vectors, *block) for seed in (0, 9))
    assert same(first, second)


def test_a_sample_of_weight_0_is_left_out_whatever_it_holds():
    """Its numbers are beyond float32, so that its error is infinite and its slopes are NaN."""
    network = nf.MultilayerPerceptron(2, 3, 3, 2, hidden="relu", seed=1)
    inputs, targets, _ = block_of(network, 9)
    inputs[4], targets[4] = 1e300, -1e300
    weights = np.where(np.arange(9) == 4, 0.0, 1.5)
    vectors, kept = vectors_of(network), np.flatnonzero(weights)
    errors, gradients = made(network).errors_and_gradients(vectors, inputs, targets, weights)
    plain = NumpyKernel(network.topology)
    expected = plain.errors_and_gradients(vectors, inputs[kept], targets[kept], weights[kept])
    assert errors == pytest.approx(expected[0], rel=1e-6)
    assert distance(gradients, expected[1]) <= 2e-6


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's products warn; a device's do not
def test_a_sample_of_weight_0_leaves_no_trace_beside_infinite_weights():
    network = nf.MultilayerPerceptron(3, 4, 3, 2, seed=1)
    check_left_out(made(network), network)


@pytest.mark.parametrize("wild", [np.inf, np.nan, 1e300])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's products warn; a device's do not
def test_wild_weights_give_an_answer_that_is_not_finite(wild):
    network = nf.MultilayerPerceptron(2, 3, 2, output="softmax", seed=1)
    vectors = np.full((1, network.topology.n_weights), wild)
    errors, gradients = made(network).errors_and_gradients(vectors, *block_of(network, 5))
    assert not np.isfinite(errors).any()
    assert not np.isfinite(gradients).all()


def test_what_is_not_served_says_why(monkeypatch):
    def reason(*sizes, **options):
        network = nf.MultilayerPerceptron(*sizes, seed=0, **options)
        return Gemm.reason_against(Stack.of(network.topology), np.dtype("float32"))

    monkeypatch.setattr(products, "find_spec", lambda _: None)
    assert "neuralframe[gemm]" in reason(784, 500, 10)
    with pytest.raises(nf.MissingPackageError, match="gemm"):
        products.device_products(np.dtype("float32"))
    monkeypatch.setattr(products, "find_spec", lambda package: package == "cupy")
    assert reason(784, 500, 10) == ""
    assert "mean_absolute" in reason(784, 500, 10, error="mean_absolute")


class FakeCublas:
    """cuBLAS by its book: columns, leading dimensions, and addresses in the host's memory."""

    def __init__(self, arrays):
        self.arrays = {array.ctypes.data: array for array in arrays}

    def create(self):
        return 7

    def dgemm(self, handle, *arguments):
        transa, transb, m, n, k, _, a, lda, b, ldb, _, c, ldc = arguments
        assert handle == 7
        left, right = self._read(a, lda, transa, m, k), self._read(b, ldb, transb, k, n)
        self.arrays[c][: ldc * n] = (left @ right).reshape(-1, order="F")

    def _read(self, address, leading, is_transposed, n_rows, n_columns):
        n = n_rows if is_transposed else n_columns
        stored = self.arrays[address][: leading * n].reshape(leading, n, order="F")
        return stored.T if is_transposed else stored


class OnDevice:
    """A host's array that says where it lies, as a device's does."""

    def __init__(self, array):
        self.__cuda_array_interface__ = {"data": (array.ctypes.data, False)}


MEANT = [(False, False), (False, True), (True, False), (True, True)]


def factors(is_transposed_left, is_transposed_right):
    random = np.random.default_rng(0)
    left, right = random.normal(size=(3, 4)), random.normal(size=(4, 5))
    stored = left.T.copy() if is_transposed_left else left, right.T.copy() if is_transposed_right else right
    return left @ right, [array.reshape(-1) for array in stored], [array.shape for array in stored]


@pytest.mark.parametrize("transposed", MEANT)
def test_cublas_is_asked_for_the_product_of_what_lies_row_by_row(transposed, monkeypatch):
    expected, arrays, shapes = factors(*transposed)
    found = np.empty(15)
    fake = FakeCublas([*arrays, found])
    monkeypatch.setattr(products, "import_module", lambda _: fake)
    left, right = (
        Matrix(OnDevice(array), *shape, is_transposed=flag)
        for array, shape, flag in zip(arrays, shapes, transposed, strict=True)
    )
    NvmathProducts(np.dtype("float64")).multiply(left, right, Matrix(OnDevice(found), 3, 5))
    assert found.reshape(3, 5) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("transposed", MEANT)
def test_cupy_is_asked_for_the_same_product(transposed, monkeypatch):
    expected, arrays, shapes = factors(*transposed)
    found = np.empty(15)
    monkeypatch.setitem(sys.modules, "cupy", np)  # cupy's functions are numpy's
    left, right = (
        Matrix(array, *shape, is_transposed=flag)
        for array, shape, flag in zip(arrays, shapes, transposed, strict=True)
    )
    CupyProducts(np.dtype("float64")).multiply(left, right, Matrix(found, 3, 5))
    assert found.reshape(3, 5) == pytest.approx(expected, rel=1e-14)


def test_what_goes_wrong_in_a_product_is_a_failure_of_the_device(monkeypatch):
    def fail(*arguments, **keywords):
        raise ValueError("CUBLAS_STATUS_ALLOC_FAILED")

    monkeypatch.setattr(
        products,
        "import_module",
        lambda _: SimpleNamespace(create=fail, sgemm=fail, matmul=fail, asarray=np.asarray),
    )
    matrix = Matrix(np.ones(4), 2, 2)
    for make in (NvmathProducts, CupyProducts):
        with pytest.raises(nf.DeviceError, match="ALLOC_FAILED"):
            make(np.dtype("float32")).multiply(matrix, matrix, matrix)


@pytest.mark.skipif(bool(compile_gate.missing()), reason=compile_gate.missing() or "nothing is missing")
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_kernels_compile_without_spills(real):
    for listed in kernel_list.between_products(kernel_list.WIDE, real):
        for budget in compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values():
            assert (budget.spills, budget.stack) == (0, 0), listed.name
            assert budget.registers <= 128, listed.name
