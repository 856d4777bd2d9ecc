"""Normalizers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neuralframe.core.components import from_json, to_json
from neuralframe.data.normalizers import MaxAbsScaler, MinMaxScaler, Normalizer, RobustScaler, Standardizer
from neuralframe.exceptions import (
    ChoiceError,
    DataError,
    ModelFileError,
    NonFiniteError,
    ParameterError,
    ShapeError,
)

ALL = [Standardizer(), MinMaxScaler(), MinMaxScaler(0.0, 1.0), MaxAbsScaler(), RobustScaler()]
TABLES = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


def peer(normalizer):
    """Return scikit-learn's counterpart."""
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    return {
        "standardizer": preprocessing.StandardScaler,
        "min_max_scaler": lambda: preprocessing.MinMaxScaler((normalizer.low, normalizer.high)),
        "max_abs_scaler": preprocessing.MaxAbsScaler,
        "robust_scaler": preprocessing.RobustScaler,
    }[normalizer.name]()


def test_every_member_of_the_family_is_tested():
    """No normalizer is missing from the list above."""
    assert {type(normalizer) for normalizer in ALL} == set(Normalizer.members().values())


@pytest.mark.parametrize("normalizer", ALL, ids=repr)
def test_agrees_with_scikit_learn(normalizer):
    """On columns that vary, the two give the same numbers."""
    x = np.random.default_rng(0).normal([0, 100, -5], [1, 20, 0.01], (57, 3))
    new = np.random.default_rng(1).normal(size=(5, 3))
    expected = peer(normalizer).fit(x)
    fitted = normalizer.fit(x)
    np.testing.assert_allclose(fitted.transform(x), expected.transform(x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(fitted.inverse(new), expected.inverse_transform(new), rtol=1e-11)


@pytest.mark.parametrize(
    ("normalizer", "by_hand"),
    [
        (Standardizer(), [-1.5, -0.5, -0.5, -0.5, 0, 0, 1, 2]),
        (MinMaxScaler(), np.array([-7, -3, -3, -3, -1, -1, 3, 7]) / 7),
        (MinMaxScaler(0.0, 1.0), np.array([0, 2, 2, 2, 3, 3, 5, 7]) / 7),
        (MaxAbsScaler(), np.array([2, 4, 4, 4, 5, 5, 7, 9]) / 9),
        (RobustScaler(), np.array([-2.5, -0.5, -0.5, -0.5, 0.5, 0.5, 2.5, 4.5]) / 1.5),
    ],
    ids=repr,
)
def test_agrees_with_numbers_by_hand(normalizer, by_hand):
    """2, 4, 4, 4, 5, 5, 7, 9 has mean 5, deviation 2, median 4.5 and quartiles 4 and 5.5."""
    x = np.array([[2.0], [4], [4], [4], [5], [5], [7], [9]])
    np.testing.assert_allclose(normalizer.fit(x).transform(x)[:, 0], by_hand, rtol=1e-14)


@pytest.mark.parametrize("normalizer", ALL, ids=repr)
@given(x=TABLES)
def test_inverse_undoes_transform(normalizer, x):
    """To rounding, relative to the size of the column."""
    fitted = normalizer.fit(x)
    size = np.abs(x).max(axis=0) + fitted.scale
    assert (np.abs(fitted.inverse(fitted.transform(x)) - x) <= 1e-12 * size).all()


@pytest.mark.parametrize("normalizer", ALL, ids=repr)
@given(x=TABLES)
def test_survives_json_bit_for_bit(normalizer, x):
    """What is read back gives the very same numbers."""
    fitted = normalizer.fit(x)
    again = from_json(json.loads(json.dumps(to_json(fitted))))
    assert type(again) is type(fitted)
    assert again.transform(x).tobytes() == fitted.transform(x).tobytes()


@pytest.mark.parametrize("normalizer", [Standardizer(), MinMaxScaler(0.0, 1.0), RobustScaler()], ids=repr)
def test_a_constant_column_goes_to_the_middle_and_back(normalizer):
    """The mean of 0.1, 0.1, 0.1 is not 0.1 after rounding; that must not be taken for a spread."""
    x = np.full((3, 1), 0.1)
    fitted = normalizer.fit(x)
    np.testing.assert_allclose(fitted.transform(x), normalizer.middle, atol=1e-15)
    np.testing.assert_allclose(fitted.inverse(fitted.transform(x)), x, rtol=1e-15)


@pytest.mark.parametrize("normalizer", ALL, ids=repr)
def test_float32_stays_float32(normalizer):
    """The type of the data is kept; the parameters are float64."""
    x = np.array([[1], [2], [4]], dtype=np.float32)
    fitted = normalizer.fit(x)
    assert fitted.transform(x).dtype == fitted.inverse(x).dtype == np.float32
    assert fitted.center.dtype == np.float64


@pytest.mark.parametrize("normalizer", ALL, ids=repr)
def test_fit_leaves_the_normalizer_as_it_was(normalizer):
    """A normalizer is a value; fit returns another."""
    assert normalizer.fit([[1.0], [2.0]]).fitted
    assert not normalizer.fitted
    with pytest.raises(DataError, match="not fitted yet"):
        normalizer.transform([[1.0]])


def test_bad_data_and_parameters_are_refused():
    """With the reason."""
    with pytest.raises(NonFiniteError, match="row 1, column 0"):
        Standardizer().fit([[1.0], [np.nan]])
    for normalizer in (Standardizer(), MinMaxScaler(), RobustScaler()):
        with pytest.raises(NonFiniteError, match=r"column 1 are too large.*Scale them down") as caught:
            normalizer.fit([[1, 1.7e308], [1, -1.7e308], [1, 1.7e308]])
        assert "Impute" not in str(caught.value)
    with pytest.raises(DataError, match="no samples"):
        Standardizer().fit(np.empty((0, 2)))
    with pytest.raises(ShapeError, match="1 column"):
        Standardizer().fit([[1.0], [2.0]]).transform([[1.0, 2.0]])
    with pytest.raises(ParameterError, match="high must be above low"):
        MinMaxScaler(1.0, 1.0)
    with pytest.raises(ChoiceError, match="min_max_scaler"):
        Normalizer.of("minmax")


@pytest.mark.parametrize(
    "parameters",
    [
        {"center": [0.0], "scale": None},
        {"center": [0.0], "scale": [0.0]},
        {"center": [0.0], "scale": [1.0, 2.0]},
        {"center": ["a"], "scale": [1.0]},
        {"center": [float("nan")], "scale": [1.0]},
        {"surprise": 1},
    ],
)
def test_a_damaged_description_is_a_model_file_error(parameters):
    """Nothing else comes out of a bad file."""
    with pytest.raises(ModelFileError):
        from_json({"family": "normalizer", "type": "standardizer", "parameters": parameters})
