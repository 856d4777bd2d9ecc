"""What the kernels are to reach, and whether they did."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from measure import table

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES_FASTER = {
    ("float64", "PyTorch eager"): {"a": 5, "b": 3, "c": 3.2, "d": 2.2, "e": 2, "f": 5},
    ("float64", "JAX jit"): {"a": 2.5, "b": 1.4, "c": 1.8, "d": 1.6, "e": 1.5, "f": 2.5},
    ("float32", "PyTorch eager"): {"a": 5, "b": 2.6, "c": 2.8, "d": 2.7, "e": 2.4, "f": 5},
}
"""On one thread, by dtype, whom, and case."""

TIMES_FASTER_AVX2 = 1.4
"""Than PyTorch eager, where there is AVX2 only; its MKL does not use more on AMD anyway."""

TIMES_BARE_PRODUCTS = {"c": 1.08, "d": 1.08, "e": 1.08}
"""At most, on one thread in float64."""

TWO_THREADS = {"c": 1.85, "d": 1.85, "e": 1.85}
"""Times faster than one thread in float64, at least."""

BESIDE_A_NEIGHBOUR = 3
"""Times the seconds without one, at most: with half of one of two processors gone, a fair share is 2."""

HEADER = ["what", "case", "target", "measured", "reached"]
BOUND = "bare products"
"""Who shows what this machine allows: a target beyond them no kernel can reach here."""


def judged(what: str, case: str, target: float, measured: float, *, least: bool = True) -> list[str]:
    """Return a row of a table of targets."""
    reached = measured >= target if least else measured <= target
    sign = "at least" if least else "at most"
    return [what, case, f"{sign} {target:g}", f"{measured:.2f}", "yes" if reached else "**no**"]


def ours(race: dict[str, Any]) -> tuple[str, float]:
    """Return the fastest public way and its seconds; not a number if none of ours took part."""
    public = [
        (timing["median"], name) for name, timing in race["seconds"].items() if name.startswith("ours, ")
    ]
    seconds, name = min(public, default=(math.nan, "nobody"))
    return name, seconds


def race_targets(races: list[dict[str, Any]]) -> str:
    """Return the table of all targets that the races tell about."""
    rows = [row for race in races if not race["neighbour"] for row in of_one(race)]
    others = [*of_two_threads(races), *of_neighbours(races)]
    return table([*HEADER, f"the {BOUND}"], rows + [[*row, "-"] for row in others])


def of_one(race: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the rows of one race on one thread."""
    if race["threads"] != 1:
        return
    dtype, letter, others = race["dtype"], race["case"], race["seconds"]
    name, seconds = ours(race)
    case = f"{race['name']}, {dtype}, by `{name}`"
    bound = others[BOUND]["median"]
    for peer in ("PyTorch eager", "JAX jit"):
        target = target_beside(peer, dtype, letter, avx2=race["avx2"])
        if target is not None and peer in others:
            theirs, only = others[peer]["median"], ", AVX2 only" * race["avx2"]
            row = judged(f"times faster than {peer}{only}", case, target, theirs / seconds)
            yield [*row, f"{theirs / bound:.2f}"]
    if dtype == "float64" and letter in TIMES_BARE_PRODUCTS and not race["avx2"]:
        limit = TIMES_BARE_PRODUCTS[letter]
        yield [*judged(f"times the {BOUND}", case, limit, seconds / bound, least=False), "1.00"]


def target_beside(peer: str, dtype: str, letter: str, *, avx2: bool) -> float | None:
    """Return how many times faster than somebody ours is to be, if that was said."""
    if avx2:
        return TIMES_FASTER_AVX2 if peer == "PyTorch eager" else None
    return TIMES_FASTER.get((dtype, peer), {}).get(letter)


def of_two_threads(races: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield what a second thread gains."""
    one, two = quiet(races, threads=1), quiet(races, threads=2)
    for letter, target in TWO_THREADS.items():
        if letter in one and letter in two:
            name, seconds = ours(two[letter])
            case = f"{two[letter]['name']}, float64, by `{name}`"
            yield judged("times faster on two threads", case, target, ours(one[letter])[1] / seconds)


def of_neighbours(races: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield what a busy neighbour costs on two threads, sample by sample."""
    alone = quiet(races, threads=2)
    for race in races:
        if race["neighbour"] and race["case"] in alone:
            (name, seconds), (_, before) = ours(race), ours(alone[race["case"]])
            times = (seconds / race["samples"]) / (before / alone[race["case"]]["samples"])
            case = f"{race['name']}, float64, by `{name}`"
            what = "times the seconds without a busy neighbour, two threads"
            yield judged(what, case, BESIDE_A_NEIGHBOUR, times, least=False)


def quiet(races: list[dict[str, Any]], *, threads: int) -> dict[str, dict[str, Any]]:
    """Return the races in float64 with all instructions and no neighbour, by case."""
    return {
        race["case"]: race
        for race in races
        if race["dtype"] == "float64"
        and race["threads"] == threads
        and not race["avx2"]
        and not race["neighbour"]
    }
