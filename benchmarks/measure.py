"""Measuring side by side: repeats interleaved, medians with their spread, the machine beside them."""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"

PACKAGES = ("numpy", "scipy", "numba", "numba-cuda", "torch", "jax", "scikit-learn")
VARIABLES = ("OPENBLAS", "OMP_", "MKL_", "NUMBA_", "NPY_", "XLA_")
"""Beginnings of what changes the speed of libraries."""

TURN = 0.02
"""Seconds of one turn, about: long beside the clock's grain, short beside what neighbours do."""


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


@attrs.frozen
class Timing:
    """Seconds that one call takes.

    Attributes
    ----------
    median, iqr : float
        Over rounds, and the distance between the quartiles.
    worst : float
        The slowest round.
    rounds : int
        How often everybody had a turn.

    """

    median: float
    iqr: float
    worst: float
    rounds: int

    @property
    def milliseconds(self) -> str:
        """The median and its spread as tables show them, in three digits."""
        return f"{digits(self.median * 1e3)} ± {digits(self.iqr * 1e3)}"


def turns(
    cases: dict[str, Callable[[], object]], *, seconds: float, least: int = 3, most: int = 40
) -> dict[str, Timing]:
    """Time cases that take turns, until the seconds are used up.

    A turn of a short case is many calls, after one that brings its data back into the caches, as calls
    follow each other in a training; the mean of the calls counts.
    """
    end = time.perf_counter() + seconds
    gc.collect()
    gc.disable()
    calls = {name: calls_a_turn(case) for name, case in cases.items()}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for number in range(most):
        if number >= least and time.perf_counter() > end:
            break
        for name, case in cases.items():
            taken[name].append(turn(case, calls[name]))
    gc.enable()
    return {
        name: Timing(statistics.median(found), spread(found), max(found), len(found))
        for name, found in taken.items()
    }


def calls_a_turn(case: Callable[[], object]) -> int:
    """Return how many calls fill a turn; one that fills it at the first, cold, needs no second look."""
    if turn(case, 1) > TURN:
        return 1
    case()
    return max(1, round(TURN / turn(case, 1)))


def turn(case: Callable[[], object], calls: int) -> float:
    """Return the mean seconds of a number of calls."""
    if calls > 1:
        case()
    started = time.perf_counter()
    for _ in range(calls):
        case()
    return (time.perf_counter() - started) / calls


def digits(value: float) -> str:
    """Return a positive number in three significant digits, never in powers of ten."""
    if value >= 100:
        return f"{value:,.0f}"
    decimals = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{min(decimals, 6)}f}"


def spread(values: list[float]) -> float:
    """Return the distance between the quartiles."""
    low, _, high = statistics.quantiles(values, n=4)
    return high - low


def environment() -> str:
    """Return the machine, its load and the versions, in a line."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return (
        f"{processor()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, numpy {np.__version__} with {blas}"
    )


def machine() -> dict[str, Any]:
    """Return all of the environment that figures depend on."""
    config = np.show_config(mode="dicts")
    return {
        "processor": processor(),
        "processors": os.cpu_count(),
        "instructions": config["SIMD Extensions"].get("found", []),
        "load": os.getloadavg(),
        "Python": platform.python_version(),
        "BLAS": config["Build Dependencies"]["blas"],
        "packages": {name: found for name in PACKAGES if (found := installed(name))},
        "variables": {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)},
    }


def processor() -> str:
    """Return the processor's name with family and model, which tell more than some names do."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    found = dict(map(str.strip, line.split(":", 1)) for line in reversed(lines) if ":" in line)
    return f"{found.get('model name')}, family {found.get('cpu family')}, model {found.get('model')}"


def installed(name: str) -> str | None:
    """Return the version of a package, if it is there."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def keep(name: str, title: str, parts: list[str], data: Any = None) -> None:
    """Print the results and write them below ``benchmarks/results``, figures as JSON if there are any."""
    text = "\n\n".join([f"# {title}", environment(), *parts]) + "\n"
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    if data is not None:
        found = {"environment": machine(), "measured": data}
        (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
