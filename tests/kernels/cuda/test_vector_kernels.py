"""Vector operations of learning rules on a device, emulated, against numpy and the rule itself."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.core.learning_rule import Iterate
from neuralframe.kernels.cuda.vector_kernels import DeviceVectors
from tests.kernels.cuda import compile_gate, kernel_list
from tests.kernels.cuda.emulated_device import EmulatedDevice


def vectors(n, seed=0):
    return np.random.default_rng(seed).normal(size=(2, n))


@pytest.mark.parametrize("n", [1, 31, 257, 1000])
def test_a_dot_product_is_numpys(n):
    x, y = vectors(n)
    assert DeviceVectors(EmulatedDevice(seed=1)).dot(x, y) == pytest.approx(np.dot(x, y), rel=1e-12)


def test_a_dot_product_has_the_same_bits_in_any_order_and_again():
    """Four chunks, of which any may be the last; the ticket is 0 again for the next."""
    x, y = vectors(1000)
    found = {DeviceVectors(EmulatedDevice(seed=seed)).dot(x, y) for seed in range(4)}
    computing = DeviceVectors(EmulatedDevice(watch=True))
    found |= {computing.dot(x, y), computing.dot(x, y)}
    assert len(found) == 1


def test_a_multiple_of_a_vector_is_added_in_place():
    x, y = vectors(300)
    expected = y + 0.3 * x
    DeviceVectors(EmulatedDevice(seed=2)).add(0.3, x, y)
    assert y == pytest.approx(expected, rel=1e-15)


@attrs.frozen
class Slopes:
    """An objective whose gradients are given."""

    gradients: list

    def value_and_gradient(self, weights):
        return 0.0, self.gradients.pop(0)


def test_sign_steps_are_those_of_the_rule():
    """Bit for bit over 30 steps, with derivatives of 0 and signs that turn half of the time."""
    random, rule = np.random.default_rng(3), nf.ResilientPropagation()
    gradients = [random.normal(size=70) * random.integers(0, 2, 70) for _ in range(31)]
    weights = random.normal(size=70)
    w, sizes, signs = weights.copy(), np.full(70, rule.initial_step), np.zeros(70)
    last = Iterate(weights, 0.0, gradients[0], rule.initial_state(weights, gradients[0]))
    objective, computing = Slopes(gradients[1:]), DeviceVectors(EmulatedDevice())
    for gradient in gradients[:-1]:
        last = rule.step(objective, last)
        computing.sign_step(gradient, w, sizes, signs)
        assert np.array_equal(w, last.weights)
        assert np.array_equal(sizes, last.state.sizes)


@pytest.mark.skipif(bool(compile_gate.missing()), reason=compile_gate.missing() or "nothing is missing")
def test_kernels_compile_without_spills():
    for listed in kernel_list.vectors():
        for budget in compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values():
            assert (budget.spills, budget.stack) == (0, 0), listed.name
            assert budget.registers <= 64, listed.name
