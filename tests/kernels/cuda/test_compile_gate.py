"""The compile gate itself: it has to see what would make a kernel slow."""

from __future__ import annotations

import pytest

from tests.kernels.cuda import compile_gate

pytestmark = pytest.mark.skipif(bool(compile_gate.missing()), reason=compile_gate.missing() or "nothing")


def scaling(*, in_float64=False, n_kept=1):
    """Return a kernel that scales numbers through a local array of the given size."""
    from numba import cuda, float32, float64, uint64

    factor = float64 if in_float64 else float32

    def kernel(numbers, results):
        t = uint64(cuda.grid(1))
        kept = cuda.local.array(n_kept, float32)
        for i in range(n_kept):
            kept[i] = numbers[t + uint64(i)] * factor(1.1)
        total = float32(0)
        for i in range(n_kept):
            total += kept[(uint64(i) + uint64(numbers[t])) % uint64(n_kept)]
        results[t] = total

    return kernel, (float32[::1], float32[::1])


def test_a_plain_kernel_passes():
    budgets = compile_gate.compiled(*scaling())
    assert list(budgets) == [(8, 0), (9, 0)]
    for budget in budgets.values():
        assert 0 < budget.registers < 40
        assert (budget.stack, budget.spills, budget.shared, budget.wide) == (0, 0, 0, 0)


def test_a_local_array_that_does_not_fit_the_registers_is_seen():
    assert compile_gate.compiled(*scaling(n_kept=64))[8, 0].stack >= 256


def test_float64_that_slips_into_a_float32_kernel_is_seen():
    assert compile_gate.compiled(*scaling(in_float64=True))[8, 0].wide > 0


def test_what_the_assembler_refuses_fails():
    with pytest.raises(AssertionError, match="ptxas refuses"):
        compile_gate.budget_of(".version 9.0\n.target sm_80\nnonsense\n", (8, 0))


def test_blocks_that_do_not_fit_a_processor_fail():
    with pytest.raises(AssertionError, match="do not fit a processor"):
        compile_gate.compiled(*scaling(), threads=1 << 16)
