"""Handwritten digits: the genetic reducer against simpler ways to spend the same number of gradients.

The setting is that of the blog which made the genetic reducer known: 400 inputs, 25 tanh units, a softmax of
10; cross-entropy, weight decay 0.01, initial weights from N(0, 1); local training at the rate 0.01 in
mini-batches of 50. scikit-learn's digits have 8 x 8 pixels: they are enlarged to 20 x 20.

Each contender may take the gradient of each training sample equally often (`--passes`), however it likes:

- the genetic reducer: K individuals, each trained on its own K-th of the samples, bred after every pass;
  for all passes, or for half of them, iRprop- going on from the best
- gradient descent at the same rate, and iRprop-, on all samples at once
- the same mini-batches as in local training, but of all samples in turn: a job for each, nothing in parallel
- K restarts of iRprop-, each with a K-th of the passes; the one with the lowest training error counts
- averaging: K copies of one network trained apart and averaged, at the end or after every pass

Errors of samples, which cost about a third of a gradient each, are free, and are counted: only the genetic
reducer takes many. Every seed draws its own split into 80 % and 20 % held out, and its own weights; no seed
is left out, and held-out samples decide nothing. Run it with ``pip install 'neuralframe[examples]'``::

    python examples/digits_genetic.py
    python examples/digits_genetic.py --decay 0.0002 --rate 0.3
    python examples/digits_genetic.py --seeds 1 --passes 16 --engine mrjob:local
"""

from __future__ import annotations

import argparse
import statistics
from typing import TYPE_CHECKING

import attrs
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import neuralframe as nf
from neuralframe.learning.local_training import LocalTraining

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector

SIDE, SMALL_SIDE = 20, 8
HIDDEN = 25
BATCH = 50


@attrs.frozen
class Averaging(nf.LearningRule):
    """Trains copies of the weights apart, each on its own split, and goes on from their mean.

    McDonald, Hall and Mann (2010). Distributed training strategies for the structured perceptron. NAACL,
    456-464.
    """

    copies: int
    epochs: int
    rate: float

    def start(self, objective: nf.Objective, weights: Vector) -> nf.Iterate:
        """Evaluate the initial weights."""
        return nf.Iterate(weights, objective.value(weights), state=0)

    def step(self, objective: nf.Objective, last: nf.Iterate) -> nf.Iterate:
        """Train the copies and average them."""
        training = LocalTraining(
            individuals=self.copies,
            blocks=objective.n_blocks,
            epochs=self.epochs,
            rate=self.rate,
            batch_size=BATCH,
            decay=objective.penalty_curvature(),
            seed=0,
            generation=last.state,
        )
        found = objective.totals(training, np.tile(last.weights, (self.copies, 1)))
        weights = sum(sums["weights"] for sums in found) / sum(sums["samples"][1] for sums in found)
        return nf.Iterate(weights, objective.value(weights), state=last.state + 1)


@attrs.frozen
class Contender:
    """A way to spend the passes: one rule, or one after the other, each for so many iterations.

    `errors` tells how often the error of each sample is taken, apart from gradients. The samples come in as
    many blocks as there are individuals, unless `block_size` says otherwise.
    """

    name: str
    stages: tuple[tuple[nf.LearningRule, int], ...]
    sessions: int = 1
    errors: int = 0
    block_size: int | None = None


@attrs.frozen
class Result:
    """What a contender came to with one seed."""

    error: float
    mean_error: float
    accuracy: float
    jobs: int
    seconds: float


def main() -> None:
    """Let all contenders run with all seeds, and print what came out."""
    options = parse_options()
    runs = [(contender, seed) for contender in contenders(options) for seed in range(options.seeds)]
    results = {}
    for contender, seed in track(runs, "training", console=Console(stderr=True)):
        results.setdefault(contender, []).append(train(contender, seed, options))
    Console().print(table_of_seeds(results))
    Console().print(table_of_means(results, options))


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--passes", type=int, default=64, help="gradients of each sample (64)")
    parser.add_argument("--population", type=int, default=8, help="individuals, restarts, copies: K (8)")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 (3)")
    parser.add_argument("--rate", type=float, default=0.01, help="learning rate (0.01, the blog's)")
    parser.add_argument("--decay", type=float, default=0.01, help="weight decay (0.01, the blog's)")
    parser.add_argument("--crossover", default="by_neuron", help="how parents are crossed (by_neuron)")
    parser.add_argument("--engine", default="threads", help="where jobs run (threads)")
    options = parser.parse_args()
    if options.passes % options.population or options.passes < 2 * options.population:
        parser.error(f"--passes must be a multiple of --population, at least {2 * options.population}")
    return options


def contenders(options: argparse.Namespace) -> list[Contender]:
    """Return all ways to spend the passes; where a rule starts with a gradient, that is one of them."""
    passes, k, rate = options.passes, options.population, options.rate
    half, rprop = passes // 2, nf.ResilientPropagation()
    bred = nf.GeneticReducer(k, local_rate=rate, batch_size=BATCH, crossover=options.crossover)
    in_turn = nf.StochasticGradientDescent(rate)
    return [
        Contender("genetic reducer", ((bred, passes),), errors=1 + passes * (k + 1)),
        Contender("genetic, then iRprop-", ((bred, half), (rprop, half - 1)), errors=1 + half * (k + 1)),
        Contender("gradient descent", ((nf.GradientDescent(rate), passes - 1),)),
        Contender("mini-batches in turn", ((in_turn, passes),), errors=1 + passes, block_size=BATCH),
        Contender("iRprop-", ((rprop, passes - 1),)),
        Contender(f"{k} restarts of iRprop-", ((rprop, passes // k - 1),), sessions=k),
        Contender("averaged at the end", ((Averaging(k, passes, rate), 1),), errors=2),
        Contender("averaged every pass", ((Averaging(k, 1, rate), passes),), errors=1 + passes),
    ]


def digits(seed: int, n_blocks: int, block_size: int | None) -> tuple[nf.DataSet, nf.DataSet]:
    """Return 80 % of the digits in so many blocks, and the rest, enlarged to 20 x 20 pixels from 0 to 1.

    Between the pixels is interpolated, in both directions.
    """
    data = nf.datasets.digits()
    at = np.linspace(0, SMALL_SIDE - 1, SIDE)
    weights = np.maximum(0, 1 - np.abs(at[:, np.newaxis] - np.arange(SMALL_SIDE)))
    images = weights @ data.inputs.reshape(-1, SMALL_SIDE, SMALL_SIDE) @ weights.T / 16
    order = np.random.default_rng(seed).permutation(len(images))
    inputs, targets = images.reshape(-1, SIDE * SIDE)[order], data.targets[order]
    n = len(order) * 4 // 5
    size = block_size or -(-n // n_blocks)
    return nf.DataSet(inputs[:n], targets[:n], block_size=size), nf.DataSet(inputs[n:], targets[n:])


def network(seed: int) -> nf.MultilayerPerceptron:
    """Return the blog's network."""
    return nf.MultilayerPerceptron(
        SIDE * SIDE, HIDDEN, 10, hidden="tanh", output="softmax", initializer=nf.Normal(), seed=seed
    )


def train(contender: Contender, seed: int, options: argparse.Namespace) -> Result:
    """Train one network by one contender."""
    training, held_out = digits(seed, options.population, contender.block_size)
    learner = network(seed)
    runs = [
        learner.learn(
            training,
            rule=rule,
            engine=options.engine,
            stop=nf.MaxIterations(iterations),
            decay=options.decay,
            sessions=contender.sessions,
            seed=seed,
            progress=False,
        )
        for rule, iterations in contender.stages
    ]
    return Result(
        error=runs[-1].error,
        mean_error=runs[-1].error - runs[-1].history[-1].penalty,
        accuracy=learner.evaluate(held_out).accuracy,
        jobs=sum(run.jobs for run in runs),
        seconds=sum(run.seconds for run in runs),
    )


def table_of_seeds(results: dict[Contender, list[Result]]) -> Table:
    """Return every run."""
    table = Table(title="every seed: E, and accuracy on the samples held out")
    table.add_column("", no_wrap=True)
    for seed in range(len(next(iter(results.values())))):
        table.add_column(f"seed {seed}", justify="right")
    for contender, found in results.items():
        table.add_row(contender.name, *(f"{one.error:6.3f} {one.accuracy:6.1%}" for one in found))
    return table


def table_of_means(results: dict[Contender, list[Result]], options: argparse.Namespace) -> Table:
    """Return the contenders with the means of their seeds, the lowest E first."""
    table = Table(title=f"means of {options.seeds} seed(s); {options.passes} gradients of each sample")
    table.add_column("", no_wrap=True)
    for heading in ("E", "without decay", "held out", "errors of a sample", "jobs", "seconds"):
        table.add_column(heading, justify="right")
    for contender, found in sorted(results.items(), key=lambda item: mean(item[1], "error")):
        table.add_row(
            contender.name,
            f"{mean(found, 'error'):.3f}",
            f"{mean(found, 'mean_error'):.3f}",
            f"{mean(found, 'accuracy'):.1%}",
            str(contender.errors),
            f"{mean(found, 'jobs'):.0f}",
            f"{mean(found, 'seconds'):.1f}",
        )
    return table


def mean(results: list[Result], name: str) -> float:
    """Return the mean of a figure over the seeds."""
    return statistics.fmean(getattr(result, name) for result in results)


if __name__ == "__main__":
    main()
