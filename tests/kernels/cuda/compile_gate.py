"""The compile gate: what the assembler makes of a kernel, without a device.

numba writes PTX, ptxas makes machine code of it and says what a thread needs of it.
"""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock

import attrs

from neuralframe.kernels.cuda import shim

ARCHITECTURES = ((8, 0), (9, 0))
"""What kernels are compiled for: A100 and H100, H200."""

REGISTERS = 1 << 16
"""Registers of a processor."""


@attrs.frozen
class Budget:
    """What a kernel needs.

    Attributes
    ----------
    registers : int
        Of each thread.
    stack, spills : int
        Bytes of memory that stand in for registers: a kernel with any is slow.
    shared : int
        Bytes of static shared memory of a block.
    wide : int
        Number of multiplications and the like in float64, each as dear as 2 to 64 in float32. Float32 kernels
        add up in float64, but hardly multiply.

    """

    registers: int
    stack: int
    spills: int
    shared: int
    wide: int


def missing() -> str:
    """Return what is not there to compile kernels with, or an empty string."""
    if find_spec("numba") is None or find_spec("numba_cuda") is None:
        return "numba-cuda is not installed"
    if _ptxas() is None:
        return "ptxas is not installed (nvidia-cuda-nvcc)"
    return "" if find_spec("cuda") is not None else "cuda-bindings are not installed"


def compiled(kernel: Any, signature: tuple[Any, ...], *, threads: int = 256) -> dict[tuple[int, int], Budget]:
    """Compile a kernel and read what it needs on each architecture.

    Parameters
    ----------
    kernel : function
        In plain Python, as a factory returns it; or what numba made of it.
    signature : tuple of numba types
        The types of its arguments.
    threads : int
        The threads of a block, whose registers have to fit a processor.

    """
    ptx = ptx_of(kernel, signature, architecture=ARCHITECTURES[0])  # which the later ones take, too
    budgets = {architecture: budget_of(ptx, architecture) for architecture in ARCHITECTURES}
    for budget in budgets.values():
        if budget.registers * threads > REGISTERS:
            raise AssertionError(f"{threads} threads of {budget.registers} registers do not fit a processor")
    return budgets


def ptx_of(kernel: Any, signature: tuple[Any, ...], *, architecture: tuple[int, int]) -> str:
    """Return the PTX that numba makes of a kernel."""
    cuda, function = shim.numba_cuda(), shim.linked(getattr(kernel, "py_func", kernel))
    # Device functions are compiled for the device at hand, and here there may be none, or another.
    device = SimpleNamespace(compute_capability=architecture)
    with mock.patch.object(cuda.dispatcher, "get_current_device", return_value=device):
        made, _ = cuda.compile(function, signature, device=False, cc=architecture, output="ptx", abi="numba")
    return made if isinstance(made, str) else made.decode()


def budget_of(ptx: str, architecture: tuple[int, int]) -> Budget:
    """Assemble PTX and return what the assembler says of it."""
    major, minor = architecture
    with TemporaryDirectory() as folder:
        source, made = Path(folder, "kernel.ptx"), Path(folder, "kernel.cubin")
        source.write_text(ptx)
        command = [str(_ptxas()), "-v", f"-arch=sm_{major}{minor}", "--output-file", str(made), str(source)]
        done = subprocess.run(command, text=True, capture_output=True, check=False)
    report = done.stderr
    if done.returncode:
        raise AssertionError(f"ptxas refuses the kernel: {report}")
    return Budget(
        registers=_number(r"Used (\d+) registers", report),
        stack=_number(r"(\d+) bytes stack frame", report),
        spills=_number(r"(\d+) bytes spill stores", report) + _number(r"(\d+) bytes spill loads", report),
        shared=_number(r"(\d+) bytes smem", report),
        wide=len(re.findall(r"^\s*(?:mul|fma|div|rcp|sqrt)\.\S*f64", ptx, re.MULTILINE)),
    )


def _number(pattern: str, report: str) -> int:
    return sum(int(found) for found in re.findall(pattern, report))


def _ptxas() -> Path | None:
    """Return the assembler out of the wheel; a toolkit beside it may refuse newer PTX."""
    spec = find_spec("nvidia")
    for folder in spec.submodule_search_locations or () if spec else ():
        found = sorted(Path(folder).glob("c*/bin/ptxas"))
        if found:
            return found[-1]
    return None
