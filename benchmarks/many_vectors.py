"""Many weight vectors in one pass over the data, as sessions, populations and trial steps ask for."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import attrs
import numpy as np
import processes
from cases import CASES, Problem
from measure import digits, table, turns
from peers.contestant import NotTakingPartError
from peers.ours import cpu_kernels, opened
from targets import HEADER, judged

VECTORS = 64
MOST = 20
"""Times the cost of one that `VECTORS` may cost on (a)."""


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the table and the figures."""
    found = processes.call("many_vectors.py", letters="a" if small else "ab", seconds=seconds)
    rows, targets = [], []
    for case in found:
        median = {name: timing["median"] for name, timing in case["seconds"].items()}
        rows.append(
            [case["name"], case["kernel"], *(digits(value * 1e3) for value in median.values()),
             digits(median["many gradients"] / median["one gradient"]),
             digits(median["many errors"] / median["one gradient"])]
        )  # fmt: skip
        if case["case"] == "a":
            what = f"times the cost of one gradient, {VECTORS} vectors by `{case['kernel']}`"
            for asked in ("gradients", "errors"):
                times = median[f"many {asked}"] / median["one gradient"]
                targets.append(judged(f"{what}, {asked}", case["name"], MOST, times, least=False))
    header = [
        "network, samples", "kernel", "one error ms", "one gradient ms", f"{VECTORS} errors ms",
        f"{VECTORS} gradients ms", "gradients: times one", "errors: times one gradient",
    ]  # fmt: skip
    about = "One thread, float64, the objective on an opened data set."
    return [about, table(header, rows), "## Targets", table(HEADER, targets)], found


def main(*, letters: str, seconds: float) -> list[dict[str, Any]]:
    """Return what one and many vectors take."""
    found = []
    for case in CASES:
        for kernel in cpu_kernels() if case.letter in letters else ():
            with suppress(NotTakingPartError):
                found.append(of_case(Problem.of(case), kernel, seconds))
    return found


def of_case(problem: Problem, kernel: str, seconds: float) -> dict[str, Any]:
    """Time one kernel on one case."""
    random = np.random.default_rng(1)
    many = problem.weights + 0.01 * random.standard_normal((VECTORS, len(problem.weights)))
    one = many[:1]
    with opened(problem, kernel) as objective:

        def then_forget(ask: Any, candidates: np.ndarray) -> None:
            ask(candidates)
            objective.evaluation(candidates[0])  # as the driver does; what was seen would pile up

        timings = turns(
            {
                "one error": lambda: then_forget(objective.values, one),
                "one gradient": lambda: then_forget(objective.values_and_gradients, one),
                "many errors": lambda: then_forget(objective.values, many),
                "many gradients": lambda: then_forget(objective.values_and_gradients, many),
            },
            seconds=seconds,
        )
    found = {name: attrs.asdict(timing) for name, timing in timings.items()}
    return {"case": problem.case.letter, "name": problem.case.name, "kernel": kernel, "seconds": found}


if __name__ == "__main__":
    processes.answer(main)
