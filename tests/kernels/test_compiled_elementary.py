"""The compiled exponentials and logarithms, against numpy's in a wider type."""

from __future__ import annotations

import platform

import numpy as np
import pytest

pytest.importorskip("numba", reason="these functions are compiled by numba")

from neuralframe.kernels.compiled import elementary
from neuralframe.kernels.compiled.compiling import compiled

RANGES = {
    "exp": (np.exp, -700, 700),
    "expm1": (np.expm1, -60, 0),
    "tanh": (np.tanh, -25, 25),
    "logistic": (lambda x: 1 / (1 + np.exp(-x)), -700, 700),
    "log1p": (np.log1p, 0, 1e30),
}
SINGLE = {"exp": 86, "logistic": 86}
"""Where the ends of the ranges lie in float32, which has fewer."""


def over_arrays(name):
    """Return a compiled function applied to each number of an array."""
    function = getattr(elementary, name)

    @compiled
    def apply(numbers, results):
        for j in range(numbers.shape[0]):
            results[j] = function(numbers[j])

    return apply


LOOPS = {name: over_arrays(name) for name in RANGES}
every_function = pytest.mark.parametrize("name", RANGES)
both_types = pytest.mark.parametrize("dtype", ["float64", "float32"])


def computed(name, numbers):
    """Return a function of numbers, in their type."""
    results = np.empty_like(numbers)
    LOOPS[name](numbers, results)
    return results


@every_function
@both_types
@pytest.mark.parametrize("scale", [1, 1e-2, 1e-8])
def test_results_are_right_to_the_last_bits(name, dtype, scale):
    """To three units in the last place, relative to the result: also next to 0."""
    exact, low, high = RANGES[name]
    if dtype == "float32" and name in SINGLE:
        low, high = -SINGLE[name], SINGLE[name]
    numbers = (scale * np.linspace(low, high, 20_001)).astype(dtype)
    numbers = numbers[numbers != 0]
    wide = exact(numbers.astype(np.longdouble))
    error = np.abs((computed(name, numbers) - wide) / wide).max()
    assert error <= 3 * np.finfo(dtype).eps


@both_types
def test_the_ends_of_the_line(dtype):
    """Infinities, NaN and zeros give what numpy gives, up to the smallest numbers."""
    ends = np.array([-np.inf, -1e38, -0.0, 0.0, 1e38, np.inf, np.nan], dtype)
    for name, expected in {
        "exp": [0, 0, 1, 1, np.inf, np.inf, np.nan],
        "tanh": [-1, -1, 0, 0, 1, 1, np.nan],
        "logistic": [0, 0, 0.5, 0.5, 1, 1, np.nan],
    }.items():
        assert computed(name, ends) == pytest.approx(expected, rel=0, abs=1e-37, nan_ok=True)
    assert computed("expm1", ends[:3]).tolist() == [-1, -1, 0]
    assert computed("log1p", ends[3:]) == pytest.approx([0, np.log(1e38), np.inf, np.nan], nan_ok=True)
    assert np.signbit(computed("tanh", ends[2:4])).tolist() == [True, False]


@both_types
def test_what_is_too_small_is_0(dtype):
    """Below the bound of exp, the logistic function is 0 as it is; at the bound neither is."""
    lowest = {"float64": elementary.LOWEST, "float32": elementary.LOWEST_32}[dtype]
    numbers = np.array([lowest, np.nextafter(np.array(lowest, dtype), -np.inf), 2 * lowest, -np.inf], dtype)
    for name in ("exp", "logistic"):
        results = computed(name, numbers)
        assert results[0] == pytest.approx(np.exp(float(lowest)), rel=1e-5)
        assert results[1:].tolist() == [0, 0, 0]


@pytest.mark.skipif(
    platform.machine().lower() not in {"x86_64", "amd64"}, reason="other processors have other instructions"
)
@every_function
@both_types
def test_loops_are_vectorised(name, dtype):
    """The machine code computes with whole vectors; a division alone shows it on every processor."""
    numbers = np.ones(8, dtype)
    computed(name, numbers)
    suffix = {"float64": "pd", "float32": "ps"}[dtype]
    codes = [code for kinds, code in LOOPS[name].inspect_asm().items() if kinds[0].dtype.name == dtype]
    assert f"div{suffix}" in codes[0]
