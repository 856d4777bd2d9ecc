"""How a gradient grows with samples, width and depth."""

from __future__ import annotations

from typing import Any

import processes
from cases import Case
from measure import digits, table
from race import race

SERIES = {
    "samples": [Case("", (400, 25, 10), n) for n in (500, 5000, 50_000, 500_000)],
    "width": [Case("", (100, width, 10), 5000) for width in (5, 10, 20, 50, 100, 200, 500, 1000)],
    "depth": [Case("", (100, *[100] * depth, 10), 5000) for depth in (1, 2, 4, 8, 16)],
}
NAMES = ["ours, auto", "bare products", "PyTorch eager", "JAX jit"]


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return a table for each series, and the figures."""
    found = {
        series: processes.call("growth.py", series=series, seconds=seconds / 4, small=small)
        for series in SERIES
    }
    texts = [f"## {series.capitalize()}\n\n{series_table(races)}" for series, races in found.items()]
    return ["One thread, float64; milliseconds.", *texts], found


def main(*, series: str, seconds: float, small: bool) -> list[dict[str, Any]]:
    """Race through one series."""
    cases = SERIES[series][:-1] if small else SERIES[series]
    return [race(case, "float64", 1, seconds, NAMES) for case in cases]


def series_table(races: list[dict[str, Any]]) -> str:
    """Return who took how long, and ours for each weight of each sample, which would not grow."""
    rows = []
    for one in races:
        median = {name: timing["median"] for name, timing in one["seconds"].items()}
        each = median["ours, auto"] / one["weights"] / one["samples"] * 1e12
        shown = (digits(median[name] * 1e3) if name in median else "-" for name in NAMES)
        rows.append([one["name"].removeprefix("() "), *shown, digits(each)])
    return table(["network, samples", *NAMES, "ours: picoseconds a weight and sample"], rows)


if __name__ == "__main__":
    processes.answer(main)
