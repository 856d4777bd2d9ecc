"""What the example experiments share: options, the engine, progress, and figures with their errors."""

from __future__ import annotations

import argparse
import math
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import track

import neuralframe as nf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Step = TypeVar("Step")


def common_options(description: str, *, output: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all experiments have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=Path(output), help=f"folder for plots ({output})")
    parser.add_argument("--engine", default="threads", help="where jobs run (threads)")
    parser.add_argument("--workers", type=int, help="threads (one for each processor)")
    parser.add_argument("--rule", help="learning rule, such as scaled_conjugate_gradient (iRprop-)")
    parser.add_argument("--folds", type=int, default=10, help="folds of a cross-validation (10)")
    return parser


def engine_of(options: argparse.Namespace) -> str | nf.Engine:
    """Return the engine that was asked for."""
    if options.engine == "threads":
        return nf.InProcessEngine(options.workers)
    engine: str = options.engine
    return engine


def watch(steps: Sequence[Step], doing: str) -> Iterable[Step]:
    """Go through the steps; on a terminal a bar shows how many are left."""
    console = Console(stderr=True)
    return track(steps, doing, console=console, transient=True, disable=not console.is_terminal)


def spread(values: Sequence[float]) -> float:
    """Return the standard deviation of values; NaN of a single one."""
    return statistics.stdev(values) if len(values) > 1 else math.nan


def heading(text: str) -> None:
    """Begin a part of the output."""
    Console().rule(f"[bold]{text}", align="left")


def picture(options: argparse.Namespace, name: str) -> Path:
    """Return the path of a picture in the output folder, which is made if it is not there; say it."""
    options.output.mkdir(parents=True, exist_ok=True)
    path: Path = options.output / f"{name}.png"
    print(f"wrote {path}")
    return path
