"""What the CUDA kernels need of a processor, as the assembler says: no device is asked.

python benchmarks/cuda_compile.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from measure import keep, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.kernels.cuda import compile_gate, kernel_list

HEADER = ["kernel", "network", "type", "threads"] + [
    f"{what}, sm_{major}{minor}"
    for major, minor in compile_gate.ARCHITECTURES
    for what in ("registers", "spills", "stack", "shared")
]


def rows() -> list[list[str]]:
    """Return a row for each kernel."""
    made = []
    for real in (np.float32, np.float64):
        families = [
            *((sizes, kernel_list.weight_stationary(sizes, real)) for sizes in kernel_list.STATIONARY),
            *((sizes, kernel_list.tile(sizes, real)) for sizes in kernel_list.TILES),
            (kernel_list.WIDE, kernel_list.between_products(kernel_list.WIDE, real)),
            ((784,), kernel_list.expanding(real)),
        ]
        if real is np.float64:
            families.append(((), kernel_list.vectors()))
        for sizes, kernels in families:
            made += [row(listed, sizes, real.__name__) for listed in kernels]
    return made


def row(listed: kernel_list.Listed, sizes: tuple[int, ...], real: str) -> list[str]:
    """Return what one kernel needs on each architecture."""
    budgets = compile_gate.compiled(listed.kernel, listed.signature, threads=listed.threads).values()
    needs = [(each.registers, each.spills, each.stack, each.shared) for each in budgets]
    print(listed.name, sizes, real, *needs, flush=True)
    cells = [str(number) for need in needs for number in need]
    return [listed.name, "-".join(map(str, sizes)), real, str(listed.threads), *cells]


def main() -> None:
    """Compile all kernels and write the table."""
    if compile_gate.missing():
        sys.exit(f"{compile_gate.missing()}: pip install 'neuralframe[gpu-check]'")
    legend = (
        "Compiled, not run. Registers are those of a thread; spills and stack are bytes of a thread, shared "
        "memory is that of a block. A thread has 255 registers at most, a processor 65,536."
    )
    keep("cuda_compile", "What the CUDA kernels need of a processor", [legend, table(HEADER, rows())])


if __name__ == "__main__":
    main()
