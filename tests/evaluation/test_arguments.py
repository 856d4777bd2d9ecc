"""What the measures refuse: a text or an odd number is never taken for an answer."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.evaluation.arguments import flags, positions, reals
from neuralframe.evaluation.calibration import brier_score, calibration_curve, log_loss
from neuralframe.evaluation.comparison import mcnemar
from neuralframe.evaluation.ranking import auc_standard_error, roc_auc, roc_curve

EVEN = [[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]]


@pytest.mark.parametrize("given", [[True, False], [1, 0], [1.0, 0.0], np.array([1, 0], np.uint8)])
def test_true_and_false_come_in_many_guises(given):
    assert flags(given, "answers").tolist() == [True, False]


@pytest.mark.parametrize(
    ("given", "first"), [(["M", "B"], "'M'"), ([1, 2], "2"), ([0.0, np.nan], "nan"), ([None, True], "None")]
)
@pytest.mark.parametrize(
    "measure",
    [
        partial(roc_auc, scores=[0.1, 0.2]),
        partial(auc_standard_error, scores=[0.1, 0.2]),
        partial(roc_curve, scores=[0.1, 0.2]),
        partial(calibration_curve, probability=[0.1, 0.2]),
        partial(mcnemar, second_right=[True, False]),
    ],
)
def test_anything_else_is_no_answer(measure, given, first):
    """As an array of bool every text would be True, and so would a class that is numbered 1 or 2."""
    with pytest.raises(nf.DataError, match=f"{first}; expected True and False"):
        measure(given)


@pytest.mark.parametrize("measure", [log_loss, brier_score])
def test_classes_are_positions(measure):
    assert measure([0.0, 1.0, 0.0], EVEN) == measure([0, 1, 0], EVEN)
    for given, first in ((["a", "b", "a"], "'a'"), ([0, 0.5, 1], "0.5"), ([0, np.nan, 1], "nan")):
        with pytest.raises(nf.DataError, match=f"classes: {first}; expected"):
            measure(given, EVEN)


@pytest.mark.parametrize("given", [["a", "b", "c"], [[1], [1, 2]], [1j, 2, 3], ["0.5", "0.5", "1"]])
def test_texts_are_no_numbers(given):
    with pytest.raises(nf.DataError, match="scores must be numbers"):
        roc_auc([0, 1, 1], given)


def test_numbers_of_any_kind_become_float64():
    assert reals([1, 2], "numbers").dtype == np.float64
    assert reals(np.array([1.5, 2], dtype=object), "numbers").tolist() == [1.5, 2]
    assert positions(np.array([1, 0], np.uint8), "classes").dtype == np.intp
    assert reals([], "numbers").shape == (0,)
