"""The age of abalones, by a small network: in three classes, and as the number of rings.

Two protocols. The split of the literature: the first 3133 of the 4177 samples are for training, the last
1044 for the test, with ten networks from the seeds 0 to 9, each by itself and all ten averaged. And
cross-validation in ten folds. Inputs (and rings) are standardized by training samples; the network has one
layer of tanh units; training is iRprop- with weight decay. No seed is left out, and no test sample decides
anything: the settings in `TASKS` were chosen on the 3133 training samples alone, which ``--choose`` repeats.

docs/abalone.md has the results. Run it from a clone with ``pip install '.[examples]'``::

    python examples/abalone.py
    python examples/abalone.py --task rings --seeds 3 --rule scaled_conjugate_gradient
    python examples/abalone.py --choose
"""

from __future__ import annotations

import math
import statistics
import time
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np
import plots
from experiment import common_options, engine_of, heading, picture, spread, watch
from rich.console import Console
from rich.table import Table

import neuralframe as nf

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy.typing as npt

    from neuralframe.evaluation.reports import Report

TRAINING_SAMPLES = 3133
HIDDEN = (4, 8, 16)
DECAYS = (1e-4, 1e-3, 1e-2)
ITERATIONS = (100, 200, 400)
SPLITS = 5


@attrs.frozen
class Task:
    """What is to be told, and the settings that were chosen for it."""

    target: Literal["classes", "rings"]
    score: str
    metric: str
    hidden: int
    decay: float
    iterations: int
    target_normalizer: str | None = None

    def data(self) -> nf.DataSet:
        """Return all samples."""
        return nf.datasets.abalone(self.target)

    def normalized(self, training: nf.DataSet) -> nf.DataSet:
        """Return training samples, normalized by themselves."""
        return training.normalized("standardizer", self.target_normalizer)

    def network(self, training: nf.DataSet, seed: int) -> nf.NeuralNetwork:
        """Return a new network."""
        return nf.MultilayerPerceptron.for_data(training, self.hidden, seed=seed)

    def in_words(self, score: float) -> str:
        """Return a score as it is printed."""
        return f"{score:.2%}" if self.score == "accuracy" else f"{score:.4f}"


TASKS = {
    "classes": Task("classes", "accuracy", "accuracy", hidden=8, decay=1e-3, iterations=400),
    "rings": Task(
        "rings",
        "RMSE",
        "root_mean_squared_error",
        hidden=4,
        decay=1e-3,
        iterations=400,
        target_normalizer="standardizer",
    ),
}


def main() -> None:
    """Run the protocols, or the choice of the settings."""
    options = parse_options()
    for task in tasks(options):
        if options.choose:
            choose(task, options)
        else:
            on_the_split(task, options)
            in_folds(task, options)


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = common_options(__doc__, output="abalone-results")
    parser.add_argument("--task", choices=("both", *TASKS), default="both", help="what to tell (both)")
    parser.add_argument("--hidden", type=int, help="units of the hidden layer (as chosen for the task)")
    parser.add_argument("--decay", type=float, help="weight decay (as chosen)")
    parser.add_argument("--iterations", type=int, help="iterations of the rule (as chosen)")
    parser.add_argument("--seeds", type=int, default=10, help="networks on the split, seeds from 0 (10)")
    parser.add_argument("--repeats", type=int, default=3, help="how often folds are drawn anew (3)")
    parser.add_argument("--choose", action="store_true", help="compare settings on training samples instead")
    return parser.parse_args()


def tasks(options: argparse.Namespace) -> list[Task]:
    """Return the tasks that were asked for, with the settings that were asked for."""
    given = {name: getattr(options, name) for name in ("hidden", "decay", "iterations")}
    changes = {name: value for name, value in given.items() if value is not None}
    names = TASKS if options.task == "both" else [options.task]
    return [attrs.evolve(TASKS[name], **changes) for name in names]


def on_the_split(task: Task, options: argparse.Namespace) -> None:
    """Train with every seed on the literature's split, test once each, and show all of it."""
    heading(f"{task.target}: {TRAINING_SAMPLES} to learn from, the rest to test")
    known, test = task.data().split(first=TRAINING_SAMPLES)
    training = task.normalized(known)
    runs = [train(task, training, test, seed, options) for seed in watch(range(options.seeds), "seeds")]
    reports = [run.network.evaluate(test) for run in runs]
    together = nf.evaluate([run.network for run in runs], test)
    show_split(task, runs, reports, together)
    path = picture(options, f"{task.target}_error_curves")
    plots.error_curves(path, runs, title=f"Abalone {task.target}")
    print(together)
    title = f"Abalone {task.target}: {len(runs)} networks averaged, test samples"
    if isinstance(together, nf.ClassificationReport):
        plots.confusion(picture(options, "classes_confusion"), together.confusion, title=title)
        return
    answers = np.mean([run.network.predict(test) for run in runs], axis=0)
    show_how_sure(known, test, answers)
    path = picture(options, "rings_predicted")
    plots.predicted_against_true(path, test.targets, answers, title=title, unit="rings")


def train(
    task: Task, training: nf.DataSet, watched: nf.DataSet, seed: int, options: argparse.Namespace
) -> nf.TrainingRun:
    """Train one network; the error on the watched samples is recorded and decides nothing."""
    return task.network(training, seed).learn(
        training,
        rule=options.rule,
        engine=engine_of(options),
        stop=nf.MaxIterations(task.iterations),
        decay=task.decay,
        validation=watched,
        metrics=task.metric,
        seed=seed,
        progress=False,
    )


def show_split(
    task: Task, runs: Sequence[nf.TrainingRun], reports: Sequence[Report], together: Report
) -> None:
    """Print every seed, their mean, and what their average answer reaches."""
    table = Table("seed", f"test {task.score}", "training error", "iterations", "seconds")
    for seed, (run, report) in enumerate(zip(runs, reports, strict=True)):
        score = task.in_words(report.scores[task.score])
        table.add_row(str(seed), score, f"{run.error:.4f}", str(run.iterations), f"{run.seconds:.2f}")
    table.add_section()
    table.add_row("all, averaged", task.in_words(together.scores[task.score]))
    Console().print(table)
    scores = [report.scores[task.score] for report in reports]
    print(
        f"one network, mean of {len(scores)} seed(s): {task.in_words(statistics.fmean(scores))} "
        f"± {task.in_words(spread(scores))} (standard deviation between seeds)"
    )


def show_how_sure(known: nf.DataSet, test: nf.DataSet, answers: npt.NDArray[np.float64]) -> None:
    """Print how sure one test set makes the RMSE of answers, and what the mean alone would reach."""
    squares = np.square(answers - test.targets)
    uncertain = squares.std(ddof=1) / math.sqrt(len(test)) / (2 * math.sqrt(squares.mean()))
    print(f"standard error of the RMSE of one test set of {len(test)}: {uncertain:.4f}")
    constant = math.sqrt(np.square(known.targets.mean() - test.targets).mean())
    print(f"always the mean of the {len(known)}: {constant:.4f}")


def in_folds(task: Task, options: argparse.Namespace) -> None:
    """Cross-validate one network a fold on all samples, and show it."""
    heading(f"{task.target}: all samples, in folds")
    started = time.perf_counter()
    found = nf.cross_validate(
        task.network,
        task.data(),
        folds=options.folds,
        repeats=options.repeats,
        target_normalizer=task.target_normalizer,
        rule=options.rule,
        engine=engine_of(options),
        stop=nf.MaxIterations(task.iterations),
        decay=task.decay,
    )
    print(found)
    print(f"{len(found.seeds)} networks in {time.perf_counter() - started:.0f} s; their seeds:", *found.seeds)


def choose(task: Task, options: argparse.Namespace) -> None:
    """Compare sizes, decays and iterations on parts of the training samples."""
    heading(f"{task.target}: {task.score} on quarters of the training samples, mean of {SPLITS} splits")
    training, _ = task.data().split(first=TRAINING_SAMPLES)
    table = Table("hidden", "decay", *(f"{iterations} iterations" for iterations in ITERATIONS))
    cells = [(hidden, decay) for hidden in HIDDEN for decay in DECAYS]
    for hidden, decay in watch(cells, "settings"):
        tried = attrs.evolve(task, hidden=hidden, decay=decay, iterations=max(ITERATIONS))
        scores = np.mean([watched_scores(tried, training, seed, options) for seed in range(SPLITS)], axis=0)
        table.add_row(str(hidden), f"{decay:g}", *map(task.in_words, scores))
    Console().print(table)


def watched_scores(
    task: Task, training: nf.DataSet, seed: int, options: argparse.Namespace
) -> npt.NDArray[np.float64]:
    """Return the score, after each of `ITERATIONS`, on a quarter of the samples that was not learnt from."""
    learnt, watched = training.split(0.75, seed=seed)
    learnt = task.normalized(learnt)
    scores = train(task, learnt, watched, seed, options).history.column(task.metric)[list(ITERATIONS)]
    scaling = learnt.encoding.target_normalizer
    return scores if scaling is None else scores * scaling.scale


if __name__ == "__main__":
    main()
