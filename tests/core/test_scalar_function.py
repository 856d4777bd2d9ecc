"""Transfer functions from one scalar function: with numba and without, they are the same numbers."""

# ruff: noqa: ARG004 - scalar functions keep the signatures of their family

from __future__ import annotations

import math
import subprocess
import sys
from math import erf

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import neuralframe as nf
from neuralframe.core import scalar_function
from neuralframe.core.components import from_json, to_json


@attrs.frozen
class Mish(nf.ScalarFunction):
    """``net * tanh(softplus(net))`` (Misra 2019)."""

    @staticmethod
    def scalar_value(net):
        return net * math.tanh(math.log1p(math.exp(net)))

    @staticmethod
    def scalar_derivative(net, output):
        share = 1 / (1 + math.exp(-net))
        bend = math.tanh(math.log1p(math.exp(net)))
        return bend + net * share * (1 - bend * bend) if net > -700 else 0.0


@attrs.frozen
class Swish(nf.ScalarFunction):
    """``net`` times a logistic function of it (Ramachandran, Zoph and Le 2017)."""

    beta: float = 1.0

    @staticmethod
    def scalar_value(net, beta):
        return net / (1 + math.exp(-beta * net))

    @staticmethod
    def scalar_derivative(net, output, beta):
        share = 1 / (1 + math.exp(-beta * net))
        return share + beta * (output * (1 - share))


@attrs.frozen
class GELU(nf.ScalarFunction):
    """``net`` times the normal distribution (Hendrycks and Gimpel 2016)."""

    @staticmethod
    def scalar_value(net):
        return 0.5 * net * (1 + erf(net / math.sqrt(2)))

    @staticmethod
    def scalar_derivative(net, output):
        bell = math.exp(-0.5 * net * net) / math.sqrt(2 * math.pi)
        return 0.5 * (1 + erf(net / math.sqrt(2))) + net * bell


@attrs.frozen
class Awkward(nf.ScalarFunction):
    """Overflows, divides by zero and leaves the domain of its functions."""

    @staticmethod
    def scalar_value(net):
        if net > 0:
            return -math.exp(net)
        return 1 / net if net > -1 else math.sqrt(net)

    @staticmethod
    def scalar_derivative(net, output):
        return math.log(net)


FUNCTIONS = [Mish(), Swish(), Swish(beta=2.5), GELU()]
every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=repr)


@pytest.fixture(params=["compiled", "plain"])
def way(request, monkeypatch):
    """Compute with numba, and as where it is not installed."""
    if request.param == "compiled":
        pytest.importorskip("numba", reason="compiling needs numba")
    else:
        monkeypatch.setattr(scalar_function, "_COMPILER", "neuralframe.no_such_module")
    scalar_function._elementwise.cache_clear()
    yield request.param
    scalar_function._elementwise.cache_clear()


NETS = np.array([[-30.0, -2.0, -0.5], [0.0, 0.7, 30.0]])


def test_values_by_hand(way):
    """Of the three functions at 1, from their papers' formulas."""
    net = np.array([[1.0]])
    assert Mish().value(net)[0, 0] == pytest.approx(0.8650983882673103)
    assert Swish().value(net)[0, 0] == pytest.approx(0.7310585786300049)
    assert GELU().value(net)[0, 0] == pytest.approx(0.8413447460685429)


@every_function
def test_the_derivative_is_the_slope(function, way):
    """By central differences."""
    slope = (function.value(NETS + 1e-6) - function.value(NETS - 1e-6)) / 2e-6
    assert function.derivative(NETS, function.value(NETS)) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@every_function
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_shape_type_and_order_are_kept(function, dtype, order, way):
    """As of any transfer function; the net input is left alone."""
    net = np.asarray(NETS, dtype, order=order)
    output = function.value(net)
    for result in (output, function.derivative(net, output)):
        assert (result.shape, result.dtype) == (net.shape, net.dtype)
        assert result.flags.c_contiguous == net.flags.c_contiguous
        assert not np.shares_memory(result, net)
    assert np.array_equal(net, NETS.astype(dtype))


@every_function
@given(net=hnp.arrays("float64", (2, 3), elements=st.floats(-1e308, 1e308) | st.floats(-50, 50)))
def test_compiled_and_plain_are_the_same_numbers(function, net):
    """Also where the plain function would raise an exception."""
    pytest.importorskip("numba", reason="compiling needs numba")
    output = function.value(net)
    assert np.isfinite(output).all()
    plain_value = scalar_function.number_by_number(function.scalar_value)
    plain_derivative = scalar_function.number_by_number(function.scalar_derivative)
    given_more = [np.float64(argument) for argument in function.scalar_arguments]
    assert plain_value(net, *given_more) == pytest.approx(output, rel=1e-12, abs=1e-300)
    derivative = function.derivative(net, output)
    assert plain_derivative(net, output, *given_more) == pytest.approx(derivative, rel=1e-12, abs=1e-15)


def test_what_raises_in_python_is_infinite_or_nan_quietly(way):
    """Overflow, division by zero, the root and the logarithm of what has none."""
    net = np.array([[1000.0, 0.0, -0.0, -4.0]])
    assert np.array_equal(Awkward().value(net), [[-np.inf, np.inf, -np.inf, np.nan]], equal_nan=True)
    assert np.array_equal(
        Awkward().derivative(net, net), [[math.log(1000), -np.inf, -np.inf, np.nan]], equal_nan=True
    )


@attrs.frozen
class Refusing(nf.ScalarFunction):
    """Raises exceptions of its own."""

    @staticmethod
    def scalar_value(net):
        if net == 0:
            raise ZeroDivisionError("no quotient")
        return 1 / net

    @staticmethod
    def scalar_derivative(net, output):
        if net < 1:
            raise ValueError("too small")
        return 1.0


def test_what_a_function_raises_is_no_number(way):
    """And the other numbers of the array are what they are."""
    net = np.array([0.0, 1.0])
    assert np.isfinite(Refusing().value(net)).tolist() == [False, True]
    assert np.array_equal(Refusing().derivative(net, net), [np.nan, 1.0], equal_nan=True)


@pytest.mark.parametrize("beta", [np.float32(2.5), np.int64(2)], ids=repr)
def test_fields_may_be_numbers_of_numpys(beta, way):
    """They are the same numbers as Python's."""
    assert np.array_equal(Swish(beta=beta).value(NETS), Swish(beta=float(beta)).value(NETS))
    assert all(type(argument) is float for argument in Swish(beta=beta).scalar_arguments)


def test_what_has_its_own_way_with_arrays_is_told_from_what_has_not():
    """Compiled networks call the two functions alone."""

    class OwnWay(Swish):
        def backward(self, net, output, output_delta):
            return 2 * super().backward(net, output, output_delta)

    assert Swish().is_scalar_only
    assert not OwnWay().is_scalar_only


def test_functions_of_math_may_stand_in_a_closure(way):
    """A class made in a function, as in a notebook's cell."""
    import math as mathematics

    @attrs.frozen
    class Local(nf.ScalarFunction):
        @staticmethod
        def scalar_value(net):
            return mathematics.exp(net)

        @staticmethod
        def scalar_derivative(net, output):
            return output

    assert Local().value(np.array([0.0, 1e4])).tolist() == [1, np.inf]


def test_second_derivatives_are_differences(way):
    """As of any function that does not bring its own."""
    curvature = Swish().second_derivative(np.array([0.0]), np.array([0.0]))
    assert curvature[0] == pytest.approx(0.5, rel=1e-8)


@every_function
def test_it_is_a_component_like_any_other(function):
    """Written as JSON, read again, found by name."""
    assert from_json(to_json(function)) == function
    assert nf.TransferFunction.of(type(function).name) == type(function)()


def test_fields_must_be_numbers():
    """They are handed to compiled code."""

    @attrs.frozen
    class Wordy(nf.ScalarFunction):
        word: str = "seven"

        @staticmethod
        def scalar_value(net, word):
            return net

        @staticmethod
        def scalar_derivative(net, output, word):
            return 1.0

    with pytest.raises(nf.ParameterError, match=r"Wordy\.word is 'seven'.*must be numbers"):
        Wordy().value(np.zeros(2))


def test_what_cannot_be_compiled_is_refused_with_the_reason():
    """A function that is not one of numbers."""
    pytest.importorskip("numba", reason="compiling needs numba")

    @attrs.frozen
    class Reader(nf.ScalarFunction):
        @staticmethod
        def scalar_value(net):
            return float(open("net").read())  # noqa: PTH123

        @staticmethod
        def scalar_derivative(net, output):
            return 1.0

    with pytest.raises(nf.ParameterError, match=r"Reader\.scalar_value cannot be compiled.*module math only"):
        Reader().value(np.zeros(2))


@pytest.mark.parametrize("function", [Mish(), Swish(beta=0.7)], ids=repr)
def test_a_network_learns_with_it_on_every_kernel(function):
    """The kernels come to the same error, which is far below that of the beginning."""
    pytest.importorskip("numba", reason="one of the kernels needs numba")
    random = np.random.default_rng(3)
    inputs = random.normal(size=(60, 3))
    data = nf.DataSet(inputs, np.tanh(inputs @ [[1.0], [-2.0], [0.5]]))
    runs = []
    for kernel in ("numpy", "numba"):
        network = nf.MultilayerPerceptron(3, 5, 1, hidden=function, output="linear", seed=1)
        runs.append(network.learn(data, rule="lbfgs", kernel=kernel, stop=nf.MaxIterations(30)))
    assert runs[0].error == pytest.approx(runs[1].error, rel=1e-6)
    assert runs[0].error < 0.2 * np.square(data.targets).mean() / 2


def test_numba_is_not_imported_before_it_is_needed():
    """To define a function is free; to use it loads numba."""
    pytest.importorskip("numba", reason="compiling needs numba")
    program = (
        "import sys, math, attrs, numpy as np, neuralframe as nf\n"
        "@attrs.frozen\n"
        "class Square(nf.ScalarFunction):\n"
        "    @staticmethod\n"
        "    def scalar_value(net): return net * net\n"
        "    @staticmethod\n"
        "    def scalar_derivative(net, output): return 2 * net\n"
        "print('numba' in sys.modules, Square().value(np.array([3.0])), 'numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False [9.] True\n"
