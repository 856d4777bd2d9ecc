"""The values of the transfer functions, against scipy and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from neuralframe.core import transfer_functions as tf
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.exceptions import ParameterError

NET = np.linspace(-40, 40, 161).reshape(7, 23)


def value(function, *net):
    """Return the outputs at plain numbers."""
    return function.value(np.array([net], dtype=float))[0].tolist()


def slope(function, *net):
    """Return the derivatives at plain numbers."""
    net = np.array([net], dtype=float)
    return function.derivative(net, function.value(net))[0].tolist()


def test_the_names_of_the_public_interface_exist():
    """Programs ask for transfer functions by these names."""
    assert set(TransferFunction.members()) >= {
        *("linear", "sigmoid", "tanh", "gaussian", "softmax", "relu", "sin", "step", "sgn", "ramp"),
        *("trapezoid", "log", "softplus", "leaky_relu", "elu", "softsign"),
    }


@pytest.mark.parametrize(
    ("function", "oracle"),
    [
        (tf.Linear(), np.positive),
        (tf.Sigmoid(), special.expit),
        (tf.Tanh(), lambda x: 2 * special.expit(2 * x) - 1),
        (tf.Gaussian(sigma=3.0), lambda x: special.exp2(-x * x / 18 / math.log(2))),
        (tf.Softmax(), lambda x: special.softmax(x, axis=-1)),
        (tf.ReLU(), lambda x: (x + abs(x)) / 2),
        (tf.LeakyReLU(slope=0.1), lambda x: 0.55 * x + 0.45 * abs(x)),
        (
            tf.ELU(alpha=2.0),
            lambda x: special.boxcox1p((x + abs(x)) / 2, 1) + 2 * special.expm1((x - abs(x)) / 2),
        ),
        (tf.Softplus(), lambda x: -special.log_expit(-x)),
        (tf.Softsign(), lambda x: 1 / (1 / x + np.sign(x))),
        (tf.Sin(), lambda x: special.sindg(np.rad2deg(x))),
        (tf.Log(), lambda x: np.sign(x) * special.log1p(abs(x))),
        (tf.Sgn(), lambda x: 2 * np.heaviside(x, 0) - 1),
        (tf.Step(), lambda x: np.heaviside(x, 0)),
        (tf.Ramp(-10, 5, -1, 2), lambda x: np.interp(x, [-10, 5], [-1, 2])),
        (tf.Trapezoid(-9, -5, 1, 13), lambda x: np.interp(x, [-9, -5, 1, 13], [0, 1, 1, 0])),
    ],
    ids=lambda value: repr(value) if isinstance(value, TransferFunction) else "oracle",
)
def test_values_agree_with_scipy_or_another_formula(function, oracle):
    """Over eighty units of net input the relative error is within rounding."""
    net = NET + 0.01
    assert function.value(net) == pytest.approx(oracle(net), rel=1e-12, abs=1e-13)


def test_values_by_hand():
    """Each formula at net inputs where its value is known."""
    assert value(tf.Sigmoid(), 0, math.log(3)) == pytest.approx([0.5, 0.75])
    assert value(tf.Gaussian(), 0, math.sqrt(2 * math.log(2))) == pytest.approx([1, 0.5])
    assert value(tf.Softmax(), 0, math.log(2), math.log(5)) == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert value(tf.ELU(), -math.log(2), 3) == pytest.approx([-0.5, 3])
    assert value(tf.Softplus(), 0, math.log(math.e - 1)) == pytest.approx([math.log(2), 1])
    assert value(tf.Log(), math.e - 1, 1 - math.e) == pytest.approx([1, -1])
    assert value(tf.Softsign(), -1, 3) == [-0.5, 0.75]
    assert value(tf.Trapezoid(), -1, 0.25, 1.5, 2.75, 4) == [0, 0.25, 1, 0.25, 0]


def test_at_a_kink_the_left_hand_side_counts():
    """Values and slopes at the very places where a function bends or jumps."""
    assert value(tf.Step(), 0) == [0]
    assert value(tf.Sgn(), 0) == [-1]
    assert slope(tf.ReLU(), 0) == [0]
    assert slope(tf.LeakyReLU(), 0) == [0.01]
    assert slope(tf.ELU(alpha=0.5), 0) == [0.5]
    assert slope(tf.Ramp(), 0, 1) == [0, 1]
    assert slope(tf.Trapezoid(), 0, 1, 2, 3) == [0, 1, 0, -1]


def test_tails_keep_their_relative_accuracy():
    """exp(-700) is not rounded to 0, as a formula with tanh would."""
    net = np.array([[-700.0, -50.0]])
    for function in (tf.Sigmoid(), tf.Softplus()):
        assert function.value(net) == pytest.approx(np.exp(net), rel=1e-12, abs=0)
        assert function.derivative(net, function.value(net)) == pytest.approx(np.exp(net), rel=1e-12, abs=0)


def test_softmax_does_not_mind_a_shift_and_survives_huge_differences():
    """Only differences of net inputs matter, even beyond the largest number."""
    softmax = tf.Softmax()
    assert softmax.value(NET + 1000) == pytest.approx(softmax.value(NET), rel=1e-10)
    assert softmax.value(np.array([[1e308, -1e308, 1e308]])).tolist() == [[0.5, 0, 0.5]]


def test_the_derivative_of_softmax_is_the_diagonal_of_its_jacobian():
    """The elementwise derivative leaves the other entries to backward."""
    net = np.array([[0.3, -1.0, 2.0]])
    output = tf.Softmax().value(net)
    jacobian = [tf.Softmax().backward(net, output, row[np.newaxis])[0] for row in np.eye(3)]
    assert tf.Softmax().derivative(net, output)[0] == pytest.approx(np.diag(jacobian))


def test_what_other_parts_may_know_about_a_function():
    """Ranges and flags, which initializers read."""
    assert tf.Tanh().active_range == (-2, 2)
    assert tf.Sigmoid().active_range == (-4, 4)
    assert tf.Linear().active_range is None
    assert tf.Linear().output_range is None
    assert tf.Step(low=-1, high=3).output_range == (-1, 3)
    assert tf.Ramp(low_y=-2, high_y=2).output_range == (-2, 2)
    rectifiers = {name for name, member in TransferFunction.members().items() if member.rectifier}
    assert rectifiers >= {"relu", "leaky_relu", "elu", "softplus"}
    assert rectifiers.isdisjoint({"tanh", "linear", "softmax", "ramp"})


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: tf.Gaussian(sigma=0), "sigma"),
        (lambda: tf.Gaussian(sigma="wide"), "sigma"),
        (lambda: tf.LeakyReLU(slope=1), "slope"),
        (lambda: tf.ELU(alpha=math.nan), "alpha"),
        (lambda: tf.Step(low=1, high=1), "low < high"),
        (lambda: tf.Ramp(low_x=2), "low_x < high_x"),
        (lambda: tf.Ramp(high_y=-1), "low_y < high_y"),
        (lambda: tf.Trapezoid(left_high=2), "left_low < left_high < right_high < right_low"),
    ],
)
def test_parameters_without_meaning_are_refused(make, problem):
    """The message names the parameter."""
    with pytest.raises(ParameterError, match=problem):
        make()


def test_a_numpy_parameter_does_not_widen_float32():
    """A float64 scalar of NumPy would, were it kept."""
    net = np.ones((2, 2), dtype=np.float32)
    for function in (tf.Gaussian(np.float64(2)), tf.ELU(np.float64(2)), tf.Ramp(np.float64(-1))):
        assert function.value(net).dtype == np.float32
        assert function.derivative(net, function.value(net)).dtype == np.float32
