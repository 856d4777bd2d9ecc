"""The values of the error functions, against scipy and by hand."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from scipy import special

from neuralframe.core import error_functions as ef
from neuralframe.core.transfer_functions import Linear, Sigmoid, Softmax, Tanh
from neuralframe.exceptions import DataError, ParameterError, TopologyError

CLASSES = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5]])


def test_values_by_hand():
    """Two samples of two outputs; values are summed over the outputs."""
    outputs, targets = np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([[2.0, 3.0], [2.0, 1.5]])
    assert ef.SumOfSquares().values(outputs, targets).tolist() == [2.5, 0.125]
    assert ef.SumOfSquares().derivative(outputs, targets).tolist() == [[-1, 2], [0, 0.5]]
    assert ef.MeanAbsolute().values(outputs, targets).tolist() == [3, 0.5]
    assert ef.MeanAbsolute().derivative(outputs, targets).tolist() == [[-1, 1], [0, 1]]
    assert ef.Huber().values(outputs, targets).tolist() == [0.5 + 1.5, 0.125]
    assert ef.Huber().derivative(outputs, targets).tolist() == [[-1, 1], [0, 0.5]]


def test_cross_entropies_by_hand():
    """An even chance costs ln 2."""
    halves = np.array([[0.5, 0.5]])
    assert ef.CategoricalCrossEntropy().values(halves, np.array([[0.0, 1.0]])) == pytest.approx(math.log(2))
    assert ef.BinaryCrossEntropy().values(halves, np.array([[0.0, 1.0]])) == pytest.approx(2 * math.log(2))
    assert ef.CategoricalCrossEntropy().derivative(halves, np.array([[0.0, 1.0]])).tolist() == [[0, -2]]
    assert ef.BinaryCrossEntropy().derivative(halves, np.array([[0.0, 1.0]])).tolist() == [[2, -2]]


@pytest.mark.parametrize("delta", [0.1, 1.0, 3.0])
def test_huber_agrees_with_scipy(delta):
    """On both sides of delta."""
    distance = np.linspace(-5, 5, 101)[:, np.newaxis]
    values = ef.Huber(delta=delta).values(distance, np.zeros_like(distance))
    assert values == pytest.approx(special.huber(delta, distance)[:, 0], rel=1e-13, abs=1e-15)


def test_unfused_cross_entropies_agree_with_scipy():
    """Including 0 ln y."""
    outputs = np.random.default_rng(1).random((2, 3))
    categorical = -special.xlogy(CLASSES, outputs).sum(axis=1)
    binary = categorical - special.xlog1py(1 - CLASSES, -outputs).sum(axis=1)
    assert ef.CategoricalCrossEntropy().values(outputs, CLASSES) == pytest.approx(categorical)
    assert ef.BinaryCrossEntropy().values(outputs, CLASSES) == pytest.approx(binary)


@pytest.mark.parametrize("scale", [1, 30, 1e4, 1e307])
def test_fused_cross_entropies_agree_with_scipy_out_to_huge_net_inputs(scale):
    """Values and derivatives, where outputs have long been rounded to 0 and 1."""
    net = scale * np.array([[1.0, -2.0, 0.5], [3.0, 3.0, -1.0]])
    categorical = -(CLASSES * special.log_softmax(net, axis=1)).sum(axis=1)
    binary = -(CLASSES * special.log_expit(net) + (1 - CLASSES) * special.log_expit(-net)).sum(axis=1)
    softmax, sigmoid = Softmax().value(net), Sigmoid().value(net)
    fused = ef.CategoricalCrossEntropy()
    assert fused.net_values(net, softmax, CLASSES) == pytest.approx(categorical, rel=1e-13)
    assert fused.net_derivative(net, softmax, CLASSES) == pytest.approx(special.softmax(net, 1) - CLASSES)
    fused = ef.BinaryCrossEntropy()
    assert fused.net_values(net, sigmoid, CLASSES) == pytest.approx(binary, rel=1e-13)
    assert fused.net_derivative(net, sigmoid, CLASSES) == pytest.approx(special.expit(net) - CLASSES)


def test_the_fused_forms_keep_what_rounding_would_lose():
    """A tiny error is not 0, and a large one is not cut off."""
    net, right = np.array([[50.0]]), np.ones((1, 1))
    fused = ef.BinaryCrossEntropy().net_values(net, Sigmoid().value(net), right)
    assert fused == pytest.approx(math.exp(-50), rel=1e-10, abs=0)
    net, wrong = np.array([[1000.0, 0.0]]), np.array([[0.0, 1.0]])
    assert ef.CategoricalCrossEntropy().net_values(net, Softmax().value(net), wrong).tolist() == [1000]
    net, right = np.array([[1e308, -1e308]]), np.array([[1.0, 0.0]])  # their distance is infinite
    assert ef.CategoricalCrossEntropy().net_values(net, Softmax().value(net), right).tolist() == [0]


def test_a_weighted_target_scales_the_fused_derivative():
    """A row that sums to 3 counts three times."""
    net, targets = np.array([[0.3, -0.2]]), np.array([[0.0, 3.0]])
    derivative = ef.CategoricalCrossEntropy().net_derivative(net, Softmax().value(net), targets)
    assert derivative == pytest.approx(3 * (special.softmax(net) - [[0, 1]]))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_certain_outputs_give_zero_if_right_and_a_finite_error_if_wrong(dtype):
    """0 ln 0 is 0, and ln 0 is that of the smallest normal number."""
    certain, wrong = np.array([[0, 1]], dtype=dtype), np.array([[1, 0]], dtype=dtype)
    largest = -math.log(np.finfo(dtype).tiny)
    for function, factor in ((ef.CategoricalCrossEntropy(), 1), (ef.BinaryCrossEntropy(), 2)):
        assert function.values(certain, certain).tolist() == [0]
        assert function.values(certain, wrong) == pytest.approx(factor * largest, rel=1e-6)
        assert np.isfinite(function.derivative(certain, wrong)).all()


def test_cross_entropy_takes_the_form_of_its_output_layer():
    """Other error functions suit any output layer as they are."""
    assert ef.CrossEntropy().for_output(Softmax()) == ef.CategoricalCrossEntropy()
    assert ef.CrossEntropy().for_output(Sigmoid()) == ef.BinaryCrossEntropy()
    assert ef.SumOfSquares().for_output(None) == ef.SumOfSquares()
    assert ef.BinaryCrossEntropy().for_output(Softmax()) == ef.BinaryCrossEntropy()


@pytest.mark.parametrize("transfer", [Linear(), Tanh(), None])
def test_cross_entropy_refuses_outputs_that_are_no_probabilities(transfer):
    """The message says which outputs would do."""
    with pytest.raises(TopologyError, match="softmax or sigmoid"):
        ef.CrossEntropy().for_output(transfer)


def test_unresolved_cross_entropy_says_what_to_do():
    """There is no silent choice between its two forms."""
    for method in (ef.CrossEntropy().values, ef.CrossEntropy().derivative, ef.CrossEntropy().total):
        with pytest.raises(TopologyError, match="for_output"):
            method(CLASSES, CLASSES)


def test_a_subclass_of_softmax_is_not_fused():
    """It may compute something else."""

    @attrs.frozen
    class Sharper(Softmax):
        def value(self, net):
            return Softmax().value(2 * net)

    assert ef.CrossEntropy().for_output(Sharper()) == ef.CategoricalCrossEntropy()
    assert not ef.CategoricalCrossEntropy().fuses(Sharper())


def test_an_error_without_a_fused_form_says_so():
    """And how to find out beforehand."""
    for method in (ef.SumOfSquares().net_values, ef.SumOfSquares().net_derivative):
        with pytest.raises(TopologyError, match="fuses"):
            method(CLASSES, CLASSES, CLASSES)


@pytest.mark.parametrize(
    "function", [ef.CrossEntropy(), ef.BinaryCrossEntropy(), ef.CategoricalCrossEntropy()]
)
@pytest.mark.parametrize("value", [1.5, -1.0, math.nan])
def test_a_target_outside_the_unit_interval_is_named(function, value):
    """By row, column and value; NaN is outside too."""
    targets = CLASSES.copy()
    targets[1, 2] = value
    with pytest.raises(DataError, match=rf"{value} at row 1, column 2 \(1 such"):
        function.check_targets(targets)


def test_rows_of_categorical_targets_must_sum_to_one():
    """Within the rounding of float32; other errors do not ask for it."""
    ef.CategoricalCrossEntropy().check_targets(np.full((2, 3), 1 / 3, dtype=np.float32))
    with pytest.raises(DataError, match=r"row 1 sums to 0\.75, and 1 row"):
        ef.CategoricalCrossEntropy().check_targets(np.array([[0.0, 1.0], [0.25, 0.5]]))
    ef.BinaryCrossEntropy().check_targets(np.array([[1.0, 1.0]]))
    ef.SumOfSquares().check_targets(np.array([[-7.0, 1e9]]))


def test_huber_needs_a_positive_delta():
    """The message names the parameter."""
    with pytest.raises(ParameterError, match="delta"):
        ef.Huber(delta=-1)


def test_the_documented_names_exist():
    """Programs ask for error functions by these names."""
    assert set(ef.ErrorFunction.members()) >= {
        *("sum_of_squares", "cross_entropy", "categorical_cross_entropy", "binary_cross_entropy"),
        *("mean_absolute", "huber"),
    }
