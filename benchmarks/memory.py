"""Memory that a gradient takes above the data, each contestant in a process of its own."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import processes
from attrs import evolve
from cases import CASES, Problem
from measure import digits, table
from peers import MODULES, invited
from targets import HEADER, judged

MEGABYTE = 1e6
MOST = 80
"""Megabytes that ours may take on (c) and (d)."""

STATUS = Path("/proc/self/status")
EVALUATIONS = 3
FEW = 500
"""Samples that everybody has evaluated before the count begins."""


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the table and the figures."""
    del seconds
    if not STATUS.exists():
        return ["Not measured: the peak of a process's memory is read from Linux's /proc."], None
    names = ["ours, auto", "numpy, whole batch", "PyTorch eager", "PyTorch chunked", "JAX jit"]
    share, threads = (0.1 if small else 1.0), (1, 2)
    found = [
        processes.call("memory.py", letter=letter, name=name, threads=n, share=share)
        for letter in "cd"
        for name in names
        for n in threads
    ]
    rows = [
        [one["name"], one["who"], str(one["threads"]), one["missing"] or digits(one["bytes"] / MEGABYTE),
         digits(one["data"] / MEGABYTE)]
        for one in found
    ]  # fmt: skip
    targets = [
        judged(f"MB above the data, {one['threads']} thread(s)", one["name"], MOST,
               one["bytes"] / MEGABYTE, least=False)
        for one in found if one["who"] == "ours, auto"
    ]  # fmt: skip
    about = (
        "float64. The peak of the resident memory while a contestant is prepared and evaluated "
        f"{EVALUATIONS} times, less what is resident before: by then libraries are loaded, everybody has "
        f"evaluated {FEW} samples once, and the data lie in numpy arrays."
    )
    header = ["network, samples", "who", "threads", "MB above the data", "the data, MB"]
    return [about, table(header, rows), "## Targets", table(HEADER, targets)], found


def main(*, letter: str, name: str, threads: int, share: float) -> dict[str, Any]:
    """Return the bytes above the data that one contestant takes on one case."""
    case = next(case for case in CASES if case.letter == letter).shrunk(share)
    family = next(family for family in MODULES if name.startswith(family))
    found = {"name": case.name, "who": name, "threads": threads, "bytes": 0, "data": 0, "missing": ""}
    try:
        import_module(MODULES[family])
    except ImportError as reason:
        return found | {"missing": f"not installed ({reason})"}
    load_libraries(Problem.of(evolve(case, n_samples=FEW), threads=threads), family, name)
    problem = Problem.of(case, threads=threads)
    gc.collect()
    before = resident()
    forget_the_peak()
    with ExitStack() as stack:
        taking_part, missing = invited(problem, stack, [name])
        for _ in range(EVALUATIONS):
            for one in taking_part:
                one.evaluate()
        peak = status("VmHWM")
    return found | {
        "bytes": peak - before,
        "data": problem.inputs.nbytes + problem.targets.nbytes,
        "missing": missing.get(name, ""),
    }


def load_libraries(problem: Problem, family: str, name: str) -> None:
    """Evaluate a few samples, so that libraries, and what they keep for good, are in memory before the count.

    Of ours all do so: with few samples "auto" is numpy, and does not import what it takes with many.
    """
    with ExitStack() as stack:
        for one in invited(problem, stack, [family if family == "ours" else name])[0]:
            one.evaluate()


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return status("VmRSS")


def forget_the_peak() -> None:
    """Let the kernel note the peak of the resident memory anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def status(field: str) -> int:
    """Return a figure of this process, which Linux gives in kilobytes."""
    lines = STATUS.read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:"))) * 1024


if __name__ == "__main__":
    processes.answer(main)
