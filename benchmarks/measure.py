"""Measuring side by side: repeats interleaved, medians with their spread, the machine beside them."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"


def medians(cases: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """Return the median and the interquartile range of each case's seconds; cases take turns."""
    for case in cases.values():
        case()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    gc.disable()
    for _ in range(repeats):
        for name, case in cases.items():
            started = time.perf_counter()
            case()
            seconds[name].append(time.perf_counter() - started)
    gc.enable()
    return {name: (statistics.median(taken), spread(taken)) for name, taken in seconds.items()}


def spread(values: list[float]) -> float:
    """Return the distance between the quartiles."""
    low, _, high = statistics.quantiles(values, n=4)
    return high - low


def environment() -> str:
    """Return the machine, its load and the versions, in a line."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return (
        f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, numpy {np.__version__} with {blas}"
    )


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def keep(name: str, title: str, parts: list[str]) -> None:
    """Print the results and write them below ``benchmarks/results``."""
    text = "\n\n".join([f"# {title}", environment(), *parts]) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
