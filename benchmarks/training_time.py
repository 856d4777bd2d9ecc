"""Time to a fixed loss by L-BFGS: ours through `NeuralNetwork.learn`, PyTorch's and scikit-learn's.

Everyone begins at the same weights and ends at the first evaluation whose mean cross-entropy is no more than
the goal, without weight decay. Training only, from arrays that lie ready; and as a process of its own, from
its start to its end, imports and the reading of the arrays included.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import processes
from measure import digits, medians, table, turns
from targets import HEADER, judged
from trainers import TRAINERS, Task

import neuralframe as nf

if TYPE_CHECKING:
    from collections.abc import Callable

INITIAL_WEIGHTS = 5
"""Trainings in a turn, so that one lucky line search decides nothing."""

FRESH_REPEATS = 7
FRESH_SECONDS = 0.6
NEEDS = {"ours, numba": "numba", "PyTorch": "torch", "scikit-learn": "sklearn"}


@attrs.frozen
class Lesson:
    """Data, a network for them, the loss to come to, and the share of PyTorch's time that ours may take."""

    data: Callable[[], nf.DataSet]
    n_hidden: int
    goal: float
    share: float


LESSONS = {
    "Abalone": Lesson(nf.datasets.abalone, 16, 0.69, 0.2),
    "digits": Lesson(nf.datasets.digits, 32, 1e-3, 0.5),
}


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the tables and the figures."""
    found: dict[str, Any] = {}
    parts, targets = [], []
    with tempfile.TemporaryDirectory() as folder:
        for name, lesson in LESSONS.items():
            try:
                title, path = write(name, lesson, folder)
            except Exception as reason:  # noqa: BLE001 - no data, for whatever reason, is said and passed over
                parts.append(f"## {name}\n\nNot measured: {reason}")
                continue
            training = processes.call("training_time.py", path=path, seconds=seconds / (10 if small else 1))
            fresh = fresh_processes(path, 3 if small else FRESH_REPEATS)
            found[name] = {"training": training, "fresh": fresh}
            parts.append(f"## {title}\n\n{lesson_table(training, fresh)}")
            targets += judgement(name, training, fresh)
    return [__doc__.partition("\n\n")[2].strip(), *parts, "## Targets", table(HEADER, targets)], found


def write(name: str, lesson: Lesson, folder: str) -> tuple[str, str]:
    """Write what is to be trained into a file; return a title and its path."""
    data = lesson.data().normalized("standardizer")
    sizes = (data.n_inputs, lesson.n_hidden, data.n_targets)
    starts = [
        nf.MultilayerPerceptron(*sizes, output="softmax", seed=seed).weights
        for seed in range(INITIAL_WEIGHTS)
    ]
    path = str(Path(folder, f"{name}.npz"))
    np.savez(
        path,
        inputs=data.inputs,
        classes=data.classes,
        sizes=sizes,
        goal=lesson.goal,
        weights=np.array(starts),
    )
    title = f"{name}: {'-'.join(map(str, sizes))}, {len(data):,} samples, to a loss of {lesson.goal:g}"
    return title, path


def main(*, path: str, seconds: float) -> dict[str, Any]:
    """Return the seconds of one training of everybody who is there; trainings take turns."""
    task = Task(path)
    trains = {who: TRAINERS[who](task) for who in present()}
    losses: dict[str, list[float]] = {who: [] for who in trains}

    def all_of(who: str) -> None:
        losses[who] = [trains[who](weights) for weights in task.weights]

    timings = turns({who: lambda who=who: all_of(who) for who in trains}, seconds=seconds)
    return {
        who: {"seconds": timing.median / INITIAL_WEIGHTS, "iqr": timing.iqr / INITIAL_WEIGHTS,
              "reached": max(losses[who]) <= task.goal}
        for who, timing in timings.items()
    }  # fmt: skip


def present() -> list[str]:
    """Return who can train here."""
    return [who for who in TRAINERS if who not in NEEDS or find_spec(NEEDS[who])]


def fresh_processes(path: str, repeats: int) -> dict[str, tuple[float, float]]:
    """Return median and spread of the seconds that whole processes take, in turns."""
    here, environment = Path(__file__).parent, processes.variables(1, avx2=False)

    def run(who: str) -> None:
        subprocess.run(  # noqa: S603 - our own script
            [sys.executable, here / "trainers.py", who, path],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    with processes.processors(1):
        return medians({who: lambda who=who: run(who) for who in present()}, repeats)


def lesson_table(training: dict[str, Any], fresh: dict[str, tuple[float, float]]) -> str:
    """Return the table of one lesson."""
    rows = [
        [who, f"{digits(found['seconds'] * 1e3)} ± {digits(found['iqr'] * 1e3)}",
         "yes" if found["reached"] else "**no**", f"{fresh[who][0]:.2f} ± {fresh[who][1]:.2f}"]
        for who, found in training.items()
    ]  # fmt: skip
    header = [
        f"one thread, mean of {INITIAL_WEIGHTS} trainings", "training ms", "all came to the loss",
        "fresh process s",
    ]  # fmt: skip
    return table(header, rows)


def judgement(name: str, training: dict[str, Any], fresh: dict[str, tuple[float, float]]) -> list[list[str]]:
    """Return the rows of the targets of one lesson."""
    ours = [who for who in training if who.startswith("ours")]
    fastest = min(ours, key=lambda who: training[who]["seconds"])
    quickest = min(ours, key=lambda who: fresh[who][0])
    rows = []
    if "PyTorch" in training:
        share = training[fastest]["seconds"] / training["PyTorch"]["seconds"]
        what = f"share of PyTorch's time, by `{fastest}`"
        rows.append(judged(what, name, LESSONS[name].share, share, least=False))
    what = f"seconds of a fresh process, by `{quickest}`"
    rows.append(judged(what, name, FRESH_SECONDS, fresh[quickest][0], least=False))
    return rows


if __name__ == "__main__":
    processes.answer(main)
