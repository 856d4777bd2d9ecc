"""Compact inputs: codes on the device stand for what they stand for on the host."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels.cuda.compact import Compact
from tests.kernels.cuda import compile_gate, kernel_list
from tests.kernels.cuda.emulated_device import EmulatedDevice


def numbers(n=37, n_columns=5):
    array = np.random.default_rng(0).normal(size=(n, n_columns)) * [1, 10, 1e-3, 5, 0] + [0, 3, 1, 0, 7]
    array[:, 3] = np.round(array[:, 3])
    return array


def test_bytes_are_off_by_half_a_step_at_most():
    array = numbers()
    compact = Compact.of(array)
    assert compact.codes.dtype == np.uint8
    assert (np.abs(compact.values() - array) <= compact.scales * 0.5001).all()
    assert np.array_equal(compact.values()[:, 4], array[:, 4])


def test_pixels_lose_nothing():
    pixels = np.arange(256.0).reshape(64, 4)
    pixels[0], pixels[-1] = 0, 255
    assert np.array_equal(Compact.of(pixels).values(), pixels)


def test_halves_keep_three_digits_of_a_columns_range():
    array = numbers()
    compact = Compact.of(array, "float16")
    assert compact.codes.dtype == np.float16
    assert (np.abs(compact.values() - array) <= 2.0**-11 * np.maximum(compact.scales, 1e-300)).all()


@pytest.mark.parametrize("kind", ["uint8", "float16"])
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_a_device_expands_codes_to_the_same_numbers(kind, real):
    compact = Compact.of(numbers(), kind)
    device = EmulatedDevice(seed=1)
    on_device, result = compact.carried(device), device.empty(30 * 5, real)
    on_device.expand(4, 30, result, real)
    assert np.array_equal(result.reshape(30, 5), compact.values()[4:34].astype(real))
    assert on_device.codes.nbytes == 37 * 5 * (1 if kind == "uint8" else 2)


def test_all_halves_are_read_from_their_bits():
    """All 63,488 finite ones, of both signs, subnormal ones among them."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = halves[np.isfinite(halves)]
    codes, device = Compact(finite[:, np.newaxis], np.ones(1), np.zeros(1)), EmulatedDevice()
    result = device.empty(len(finite), np.float64)
    codes.carried(device).expand(0, len(finite), result, np.float64)
    assert np.array_equal(result, finite.astype(np.float64))


@pytest.mark.parametrize("kind", ["uint8", "float16"])
def test_what_is_not_finite_is_refused(kind):
    with pytest.raises(nf.DataError, match="finite"):
        Compact.of(np.array([[1.0], [np.nan]]), kind)


@pytest.mark.skipif(bool(compile_gate.missing()), reason=compile_gate.missing() or "nothing is missing")
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_kernels_compile_without_spills(real):
    for listed in kernel_list.expanding(real):
        for budget in compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values():
            assert (budget.spills, budget.stack) == (0, 0), listed.name
            assert budget.registers <= 64, listed.name
