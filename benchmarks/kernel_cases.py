"""Every case against everybody: both dtypes, one thread and two, with AVX2 only, beside a busy neighbour."""

from __future__ import annotations

from typing import Any

import attrs
import processes
from measure import digits, table
from plot import draw_races
from targets import race_targets

LETTERS = "abcdef"
ABOUT = (
    "Ours is the fastest public way: the objective that a rule is given on an opened data set. The last "
    "column is what the bare matrix products alone would reach here: where that is below the target, the "
    "ratio of this machine's BLAS to the peer's own does not allow it."
)
SMALL_SHARE = 0.1


@attrs.frozen
class Setting:
    """One table.

    Attributes
    ----------
    title : str
    arguments : dict
        What `race.main` is called with.

    """

    title: str
    arguments: dict[str, Any]


def settings() -> list[Setting]:
    """Return all tables."""
    everyone = [
        Setting(f"{dtype}, {threads} thread{'s' * (threads > 1)}", {"dtype": dtype, "threads": threads})
        for threads in (1, 2)
        for dtype in ("float64", "float32")
    ]
    few = ["ours, ", "bare products", "PyTorch eager", "JAX"]
    avx2 = [
        Setting(
            f"{dtype}, 1 thread, AVX2 only, a tenth of the samples of (c), (d), (e)",
            {"dtype": dtype, "threads": 1, "avx2": True, "names": few, "share": SMALL_SHARE},
        )
        for dtype in ("float64", "float32")
    ]
    neighbour = Setting(
        "float64, 2 threads beside a process that spins; a tenth of the samples of (c), (d), (e)",
        {"dtype": "float64", "threads": 2, "neighbour": True, "names": few, "share": SMALL_SHARE},
    )
    return [*everyone, *avx2, neighbour]


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the tables and all races."""
    texts, races = [], []
    for setting in settings():
        arguments = {"letters": LETTERS, "seconds": seconds} | setting.arguments
        if small:
            arguments |= {"share": SMALL_SHARE, "seconds": seconds / 10}
        found = processes.call("race.py", **arguments)
        texts.append(f"## {setting.title}\n\nMilliseconds.\n\n{race_table(found)}{absent(found)}")
        races += found
    if not small:
        draw_races(races)
    return [*texts, f"## Targets\n\n{ABOUT}\n\n{race_targets(races)}"], races


def race_table(races: list[dict[str, Any]]) -> str:
    """Return everybody's milliseconds, a column for each case."""
    names = list(dict.fromkeys(name for race in races for name in race["seconds"]))
    rows = [[name, *(cell(race, name) for race in races)] for name in names]
    return table(["", *(race["name"] for race in races)], rows)


def cell(race: dict[str, Any], name: str) -> str:
    """Return median and spread; beside a neighbour the slowest turn too."""
    timing = race["seconds"].get(name)
    if timing is None:
        return "-"
    text = f"{digits(timing['median'] * 1e3)} ± {digits(timing['iqr'] * 1e3)}"
    if race["neighbour"]:
        text += f", at worst {digits(timing['worst'] * 1e3)}"
    detail = race["detail"].get(name)
    return f"{text} ({detail})" if name == "ours, auto" and detail else text


def absent(races: list[dict[str, Any]]) -> str:
    """Say who is missing, and why."""
    reasons: dict[str, list[str]] = {}
    for race in races:
        for name, reason in race["missing"].items():
            reasons.setdefault(f"{name}: {reason}", []).append(f"({race['case']})")
    lines = [f"- {reason}, in {', '.join(letters)}" for reason, letters in reasons.items()]
    return "\n\nNot there:\n\n" + "\n".join(lines) if lines else ""
