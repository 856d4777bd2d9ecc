"""A race: everybody computes the same gradient in turns, in one process; started by `kernels.py`."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import processes
from cases import CASES, TOLERANCES, Problem
from measure import turns
from peers import MODULES, invited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cases import Case
    from peers.contestant import Contestant


def main(
    *,
    letters: str,
    dtype: str,
    threads: int,
    seconds: float,
    share: float = 1.0,
    names: list[str] | None = None,
    avx2: bool = False,
    neighbour: bool = False,
) -> list[dict[str, Any]]:
    """Return who took how long in each case.

    Parameters
    ----------
    letters : str
        The cases.
    dtype : {"float64", "float32"}
    threads : int
    seconds : float
        How long one case may take, about.
    share : float
        How many of the samples of large cases are taken.
    names : list of str, optional
        Who takes part, or how their names begin.
    avx2 : bool
        Whether the process is held to AVX2.
    neighbour : bool
        Whether another process is busy on the same processors meanwhile.

    """
    found = []
    for case in CASES:
        if case.letter in letters:
            started = time.perf_counter()
            with busy_neighbour(wanted=neighbour):
                found.append(race(case.shrunk(share), dtype, threads, seconds, names or list(MODULES)))
            found[-1] |= {"avx2": avx2, "neighbour": neighbour}
            took = f"{time.perf_counter() - started:.0f} s"
            print(f"{found[-1]['name']}, {dtype}, {threads} thread(s): {took}", file=sys.stderr, flush=True)
    return found


def race(case: Case, dtype: str, threads: int, seconds: float, names: list[str]) -> dict[str, Any]:
    """Check everybody's answer, then let them take turns."""
    problem = Problem.of(case, dtype, threads)
    with ExitStack() as stack:
        taking_part, missing = invited(problem, stack, names)
        distances: dict[str, float | None] = {}
        for one in taking_part:
            try:
                distances[one.name] = checked(problem, one)
            except Exception as reason:  # noqa: BLE001 - one who fails is named, and the others go on
                missing[one.name] = f"{type(reason).__name__}: {reason}".partition("\n")[0]
        fit = {one.name: one.evaluate for one in taking_part if one.name in distances}
        timings = turns(fit, seconds=seconds)
    return {
        "case": case.letter,
        "name": case.name,
        "samples": case.n_samples,
        "weights": case.n_weights,
        "dtype": dtype,
        "threads": threads,
        "seconds": {name: attrs.asdict(timing) for name, timing in timings.items()},
        "distance": distances,
        "detail": {one.name: one.detail for one in taking_part if one.detail},
        "missing": missing,
    }


def checked(problem: Problem, one: Contestant) -> float | None:
    """Return how far somebody's answer is from the right one.

    Raises
    ------
    ArithmeticError
        If that is too far.

    """
    if one.answer is None:
        return None
    distance = problem.distance(*one.answer(one.evaluate()))
    if not distance <= TOLERANCES[problem.dtype]:
        raise ArithmeticError(f"wrong: off by {distance:.1e}")
    return distance


@contextmanager
def busy_neighbour(*, wanted: bool) -> Iterator[None]:
    """Have a process spin on the processors of this one."""
    if not wanted:
        yield
        return
    spinning = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        spinning.kill()
        spinning.wait()


if __name__ == "__main__":
    processes.answer(main)
