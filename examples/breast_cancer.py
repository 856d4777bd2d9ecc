"""Breast cancer after surgery, by a small network: whether it recurs in 24 months, whether at all, and when.

The Wisconsin Prognostic data have 198 cases of 32 measurements, of which 47 recurred while the patients were
followed. So few allow no split: all is cross-validation, and everything that is learnt from samples is learnt
inside the fold. That includes what stands in for the four missing numbers of lymph nodes, the scales of the
measurements, and the settings: in each fold, those of `prognosis.SETTINGS` are compared by a cross-validation
of the fold's own training samples (nested cross-validation), and the best is trained from ten seeds, whose
answers are averaged. No seed is left out, and no test sample decides anything.

No measurement is negative and all are skewed to the right, as areas and counts are, so their cube roots are
standardized (`prognosis.CubeRootStandardizer`); ``--normalizer standardizer`` shows what that is worth.

docs/breast_cancer.md has the results. Run it from a clone with ``pip install '.[examples]'``::

    python examples/breast_cancer.py
    python examples/breast_cancer.py --endpoint time
    python examples/breast_cancer.py --repeats 2 --normalizer standardizer
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import plots
from experiment import common_options, engine_of, heading, picture, watch
from prognosis import ENDPOINTS, SETTINGS, CubeRootStandardizer
from rich.console import Console
from rich.table import Table

import neuralframe as nf
from neuralframe.evaluation.scores import Score

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from prognosis import Array, Endpoint, Rows, Setting

INNER_FOLDS = 5
NORMALIZERS = ("cube_root_standardizer", "standardizer")
EVENT = "R"


@attrs.frozen(eq=False)
class Repeat:
    """Answers to all cases, each by networks that have not seen it.

    Attributes
    ----------
    folds : sequence of (m,) int64
        The test cases of each fold.
    settings : list of Setting
        What was chosen in each fold.
    runs : list of TrainingRun
        The training of the first network of each fold.
    outputs, constant : (n, k) float64
        What the networks of the fold answered on average, and what a constant answer would be.

    """

    folds: Sequence[Rows]
    settings: list[Setting]
    runs: list[nf.TrainingRun]
    outputs: Array
    constant: Array


def main() -> None:
    """Run the protocol for each endpoint."""
    options = parse_options()
    for name in ENDPOINTS if options.endpoint == "all" else [options.endpoint]:
        run_endpoint(ENDPOINTS[name], options)


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = common_options(__doc__, output="breast-cancer-results")
    parser.add_argument("--endpoint", choices=("all", *ENDPOINTS), default="all", help="what to tell (all)")
    parser.add_argument("--repeats", type=int, default=10, help="how often folds are drawn anew (10)")
    parser.add_argument("--ensemble", type=int, default=10, help="networks averaged in each fold (10)")
    parser.add_argument("--iterations", type=int, default=100, help="iterations of the rule (100)")
    # The cases are one block: a second thread would have nothing to do.
    parser.set_defaults(workers=1)
    parser.add_argument("--normalizer", choices=NORMALIZERS, default=NORMALIZERS[0], help="of the inputs")
    return parser.parse_args()


def run_endpoint(endpoint: Endpoint, options: argparse.Namespace) -> None:
    """Cross-validate an endpoint as often as asked for, and show what came out."""
    data, started = endpoint.data(), time.perf_counter()
    n_repeats = 1 if endpoint.is_time else options.repeats
    heading(f"{endpoint.name}: {data!r}")
    repeats = [cross_validated(endpoint, data, seed, options) for seed in range(n_repeats)]
    show_repeats(endpoint, data, repeats)
    show_scores(endpoint, data, repeats)
    show_settings(repeats, options)
    print(f"{time.perf_counter() - started:.0f} s")
    draw(endpoint, data, repeats, options)


def cross_validated(endpoint: Endpoint, data: nf.DataSet, seed: int, options: argparse.Namespace) -> Repeat:
    """Let networks answer to each case that have not seen it."""
    folds = endpoint.folds(data, options.folds, seed)
    settings, runs = [], []
    outputs, constant = np.empty(data.targets.shape), np.empty(data.targets.shape)
    for rows in watch(folds, f"{endpoint.name}, folds from seed {seed}"):
        training = data.rows(np.setdiff1d(np.arange(len(data)), rows)).refilled()
        test = data.rows(rows).refilled(like=training)
        settings.append(chosen(endpoint, training, options))
        trained = train(endpoint, settings[-1], training, test, options)
        runs.append(trained[0])
        outputs[rows] = np.mean([endpoint.answers(run.network, test) for run in trained], axis=0)
        constant[rows] = endpoint.constant_answer(training)
    return Repeat(folds, settings, runs, outputs, constant)


def chosen(endpoint: Endpoint, training: nf.DataSet, options: argparse.Namespace) -> Setting:
    """Return the setting that does best in a cross-validation of a fold's training cases."""

    def loss(setting: Setting) -> float:
        found = nf.cross_validate(
            lambda learnt, seed: endpoint.network(setting, learnt, seed),
            training,
            folds=INNER_FOLDS,
            normalizer=options.normalizer,
            target_normalizer=target_normalizer(endpoint),
            progress=False,
            **learning(setting, options),
        )
        return found.score(endpoint.chosen_by).pooled_mean

    return min(SETTINGS, key=loss)


def train(
    endpoint: Endpoint,
    setting: Setting,
    training: nf.DataSet,
    test: nf.DataSet,
    options: argparse.Namespace,
) -> list[nf.TrainingRun]:
    """Train the networks of a fold; the error on its test cases is recorded and decides nothing."""
    learnt = training.normalized(options.normalizer, target_normalizer(endpoint))
    return [
        endpoint.network(setting, learnt, seed).learn(
            learnt, validation=test, seed=seed, progress=False, **learning(setting, options)
        )
        for seed in range(options.ensemble)
    ]


def target_normalizer(endpoint: Endpoint) -> str | None:
    """Return what brings months to the scale of the weights."""
    return CubeRootStandardizer.name if endpoint.is_time else None


def learning(setting: Setting, options: argparse.Namespace) -> dict[str, Any]:
    """Return how every network is trained."""
    return {
        "rule": options.rule,
        "engine": engine_of(options),
        "stop": nf.MaxIterations(options.iterations),
        "decay": setting.decay,
    }


def score(endpoint: Endpoint, data: nf.DataSet, repeats: Sequence[Repeat], name: str, of: str) -> Score:
    """Return a figure of merit of the answers, or of the constant ones, by fold and by repeat."""
    by_fold = [
        endpoint.report(data.rows(rows), getattr(repeat, of)[rows]).scores[name]
        for repeat in repeats
        for rows in repeat.folds
    ]
    pooled = [endpoint.report(data, getattr(repeat, of)).scores[name] for repeat in repeats]
    n_folds = len(repeats[0].folds)
    return Score(name, np.array(by_fold), np.array(pooled), 1 / (n_folds - 1))


def show_repeats(endpoint: Endpoint, data: nf.DataSet, repeats: Sequence[Repeat]) -> None:
    """Print the figures of each repeat, by its seed."""
    table = Table("folds from seed", *endpoint.scores, title="means of the folds")
    for seed, repeat in enumerate(repeats):
        means = [score(endpoint, data, [repeat], name, "outputs").mean for name in endpoint.scores]
        table.add_row(str(seed), *(f"{mean:.4f}" for mean in means))
    Console().print(table)


def show_scores(endpoint: Endpoint, data: nf.DataSet, repeats: Sequence[Repeat]) -> None:
    """Print all figures with their standard errors, beside those of the constant answer."""
    table = Table("", "mean of folds", "standard error", "pooled", "constant answer", "pooled constant")
    for name in endpoint.scores:
        found = score(endpoint, data, repeats, name, "outputs")
        constant = score(endpoint, data, repeats, name, "constant")
        figures = found.mean, found.standard_error, found.pooled_mean, constant.mean, constant.pooled_mean
        table.add_row(name, *(f"{figure:.4f}" for figure in figures))
    Console().print(table)
    if endpoint.is_time:
        show_difference(data, repeats[0])


def show_difference(data: nf.DataSet, repeat: Repeat) -> None:
    """Print how much further from the truth the networks are than the median, case by case."""
    distances = [np.ravel(np.abs(answers - data.targets)) for answers in (repeat.outputs, repeat.constant)]
    test = nf.paired_t(*distances)
    print(
        f"networks minus median: {test.difference:+.2f} ± {test.standard_error:.2f} months, "
        f"p = {test.p_value:.3f} (paired t-test)"
    )


def show_settings(repeats: Sequence[Repeat], options: argparse.Namespace) -> None:
    """Print what was chosen in how many folds, and all seeds."""
    counts = Counter(setting for repeat in repeats for setting in repeat.settings)
    chosen_in = ", ".join(f"{setting}: {count}" for setting, count in counts.most_common())
    print(f"settings chosen in how many folds: {chosen_in}")
    print("seeds of the folds:", *range(len(repeats)))
    print("seeds of the networks in each fold:", *range(options.ensemble))


def draw(
    endpoint: Endpoint, data: nf.DataSet, repeats: Sequence[Repeat], options: argparse.Namespace
) -> None:
    """Draw the trainings and the answers of the first repeat, and the ROC curves of all."""
    name, first = endpoint.name.replace(" ", "_"), repeats[0]
    path = picture(options, f"{name}_error_curves")
    plots.error_curves(path, first.runs, title=f"{endpoint.name}: the first network of each fold")
    report = endpoint.report(data, first.outputs)
    title = f"{endpoint.name}: folds from seed 0"
    if isinstance(report, nf.ClassificationReport):
        plots.confusion(picture(options, f"{name}_confusion"), report.confusion, title=title)
        curve = report.probabilities.calibration(EVENT, bins=5, by="count")
        plots.calibration(picture(options, f"{name}_calibration"), curve, title=title, event=EVENT)
        draw_roc(endpoint, data, repeats, options)
    else:
        path = picture(options, f"{name}_predicted")
        plots.predicted_against_true(path, data.targets, first.outputs, title=title, unit="months")


def draw_roc(
    endpoint: Endpoint, data: nf.DataSet, repeats: Sequence[Repeat], options: argparse.Namespace
) -> None:
    """Draw the ROC curve of each repeat, its folds pooled."""
    reports = [endpoint.report(data, repeat.outputs) for repeat in repeats]
    curves = [report.probabilities.roc(EVENT) for report in reports]
    path = picture(options, f"{endpoint.name.replace(' ', '_')}_roc")
    plots.roc(path, curves, title=f"{endpoint.name}: {len(curves)} times {options.folds} folds, pooled")


if __name__ == "__main__":
    main()
