"""Learning rules by what they cost: jobs and propagations to a fixed error, not seconds alone.

    python benchmarks/rules.py            all tables
    python benchmarks/rules.py jobs       jobs to a fixed error on Abalone and on digits
    python benchmarks/rules.py order      which rule wins where, on four small problems
    python benchmarks/rules.py spirals    two spirals: second order against plain back-propagation

A propagation is a pass of the whole training set through the network, forwards; a gradient counts three,
for the way back costs two. The sums of a rule's own are counted by what they compute: J'J of k outputs as
1 + 2k, a product with the Gauss-Newton matrix as 5 and with the Hessian as 6, a mini-batch and local training
by their shares of the blocks.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from typing import TYPE_CHECKING

import attrs
import numpy as np
from measure import keep, table

import neuralframe as nf
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.sample_sum_job import SampleSumJob

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from neuralframe.data.blocks import Blocks
    from neuralframe.mapreduce.job import Job

GRADIENT, GAUSS_NEWTON_PRODUCT, HESSIAN_PRODUCT = 3, 5, 6
SEEDS = range(5)


@attrs.define
class Tally:
    """What a training has cost so far."""

    gradient_jobs: int = 0
    error_jobs: int = 0
    other_jobs: int = 0
    propagations: float = 0.0
    seconds: float = 0.0

    @property
    def jobs(self) -> int:
        """Jobs of any kind."""
        return self.gradient_jobs + self.error_jobs + self.other_jobs


class CountingEngine(nf.Engine):
    """The in-process engine, which counts."""

    name = "counting"

    def __init__(self) -> None:
        self.tally = Tally()
        self._engine = nf.InProcessEngine(1)

    def open(self) -> None:
        self._engine.open()

    def close(self) -> None:
        self._engine.close()

    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        if isinstance(job, ErrorJob):
            self._count_errors(job)
        elif isinstance(job, SampleSumJob):
            self._count_sums(job, blocks)
        started = time.perf_counter()
        found = self._engine.run(job, blocks)
        self.tally.seconds += time.perf_counter() - started
        return found

    def _count_errors(self, job: ErrorJob) -> None:
        n_gradients = int(np.count_nonzero(job.with_gradient))
        if n_gradients:
            self.tally.gradient_jobs += 1
        else:
            self.tally.error_jobs += 1
        self.tally.propagations += len(job.weights) + (GRADIENT - 1) * n_gradients

    def _count_sums(self, job: SampleSumJob, blocks: Blocks) -> None:
        task = job.tasks[0]
        cost = {
            "GaussNewtonSum": 1 + 2 * job.kernel.topology.n_outputs,
            "GaussNewtonProductSum": GAUSS_NEWTON_PRODUCT,
            "HessianProductSum": HESSIAN_PRODUCT,
            "BatchGradient": GRADIENT,
            "LocalTraining": GRADIENT * getattr(task, "epochs", 0),
        }[type(task).__name__]
        if type(task).__name__ in ("BatchGradient", "LocalTraining"):
            self.tally.gradient_jobs += 1
        else:
            self.tally.other_jobs += 1
        wanted = sum(one.wants(row, number) for one, row in job.rows for number in range(len(blocks)))
        self.tally.propagations += cost * wanted / len(blocks)


@attrs.frozen
class Problem:
    """Samples, a network, and the error to be reached."""

    name: str
    data: nf.DataSet
    network: Callable[[int], nf.NeuralNetwork]
    goal: float
    budget: float
    decay: float = 0.0


@attrs.frozen
class Budget(nf.StopCondition):
    """Ends a training that has used up its propagations."""

    engine: CountingEngine
    propagations: float

    def reason(self, history: Any) -> str | None:  # noqa: ARG002 - what counts is the engine's tally
        return "used up its budget" if self.engine.tally.propagations >= self.propagations else None


def to_goal(problem: Problem, rule: nf.LearningRule, seed: int = 0) -> tuple[bool, Tally, float]:
    """Return whether a rule reached the goal, what it cost, and the error it reached."""
    engine = CountingEngine()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nf.DivergenceWarning)
        run = problem.network(seed).learn(
            problem.data,
            rule=rule,
            engine=engine,
            decay=problem.decay,
            stop=[nf.ErrorGoal(problem.goal), Budget(engine, problem.budget), nf.MaxIterations(100_000)],
            seed=seed,
            progress=False,
        )
    return run.error <= problem.goal, engine.tally, run.error


def abalone() -> Problem:
    """Return three classes of abalone."""
    data = in_blocks(nf.datasets.abalone().normalized("standardizer"), 256)
    return Problem("Abalone 10-8-3", data, mlp(data, 8, output="softmax"), goal=0.70, budget=6000, decay=1e-4)


def rings() -> Problem:
    """Return the rings of abalone, a regression."""
    data = nf.datasets.abalone("rings").normalized("standardizer", "standardizer")
    return Problem(
        "Abalone's rings 10-8-1", in_blocks(data, 256), mlp(data, 8), goal=0.21, budget=6000, decay=1e-4
    )


def digits() -> Problem:
    """Return 1,797 handwritten digits."""
    data = in_blocks(nf.datasets.digits().normalized("max_abs_scaler"), 128)
    return Problem(
        "digits 64-25-10", data, mlp(data, 25, output="softmax"), goal=0.05, budget=6000, decay=1e-4
    )


def in_blocks(data: nf.DataSet, block_size: int) -> nf.DataSet:
    """Return the same samples in smaller blocks, from which mini-batches can be drawn."""
    return nf.DataSet(data.inputs, data.targets, block_size=block_size)


def mlp(data: nf.DataSet, *hidden: int, **options: Any) -> Callable[[int], nf.NeuralNetwork]:
    """Return what makes a network for samples from a seed."""
    return lambda seed: nf.MultilayerPerceptron.for_data(data, *hidden, seed=seed, **options)


def rules() -> dict[str, nf.LearningRule]:
    """Return the rules to compare, with the settings that a user would begin with."""
    return {
        "gradient descent": nf.GradientDescent(0.1),
        "with momentum": nf.GradientDescent(0.1, 0.9),
        "Nesterov": nf.GradientDescent(0.1, 0.9, nesterov=True),
        "variable rate": nf.GradientDescent(0.1, 0.9, adaptive="variable_rate"),
        "SuperSAB": nf.GradientDescent(0.1, adaptive="super_sab"),
        "delta-bar-delta": nf.GradientDescent(0.1, adaptive="delta_bar_delta"),
        "Silva-Almeida": nf.GradientDescent(0.1, adaptive="silva_almeida"),
        "Chan-Fallside": nf.GradientDescent(0.1, 0.5, adaptive="chan_fallside"),
        "Darken-Moody": nf.GradientDescent(0.5, 0.5, adaptive=nf.ScheduledRate(nf.InverseTime(500))),
        "Salomon's rate": nf.EvolutionaryRate(),
        "Quickprop": nf.Quickprop(),
        "Manhattan": nf.Manhattan(),
        "Rprop-": nf.ResilientPropagation("rprop-"),
        "Rprop+": nf.ResilientPropagation("rprop+"),
        "iRprop-": nf.ResilientPropagation("irprop-"),
        "iRprop+": nf.ResilientPropagation("irprop+"),
        "SGD, a block at a time": nf.StochasticGradientDescent(0.1),
        "Adam, a block at a time": nf.Adam(0.01),
        "AdamW, a block at a time": nf.AdamW(0.01),
        "RMSprop, a block at a time": nf.RMSprop(),
        "Adagrad, a block at a time": nf.Adagrad(0.1),
        "CG Polak-Ribiere, Brent": nf.ConjugateGradient(line_search="brent"),
        "CG Polak-Ribiere, batched": nf.ConjugateGradient(line_search="batched"),
        "CG Polak-Ribiere, Armijo": nf.ConjugateGradient(line_search="armijo"),
        "CG Polak-Ribiere, Wolfe": nf.ConjugateGradient(),
        "CG Fletcher-Reeves": nf.ConjugateGradient("fletcher_reeves"),
        "CG Hestenes-Stiefel": nf.ConjugateGradient("hestenes_stiefel"),
        "CG Dai-Yuan": nf.ConjugateGradient("dai_yuan"),
        "CG Hager-Zhang, its search": nf.ConjugateGradient("hager_zhang", line_search="hager_zhang"),
        "scaled CG": nf.ScaledConjugateGradient(),
        "BFGS": nf.BFGS(),
        "L-BFGS": nf.LBFGS(),
        "L-BFGS, Brent": nf.LBFGS(line_search="brent"),
        "L-BFGS, batched": nf.LBFGS(line_search="batched"),
        "L-BFGS, batched with gradients": nf.LBFGS(line_search=nf.BatchedLineSearch(gradients=True)),
        "truncated Newton": nf.TruncatedNewton(),
        "truncated Newton, Hessian": nf.TruncatedNewton("hessian"),
        "Levenberg-Marquardt": nf.LevenbergMarquardt(),
        "genetic reducer": nf.GeneticReducer(),
        "simulated annealing": nf.SimulatedAnnealing(),
        "particle swarm": nf.ParticleSwarm(),
    }


def jobs() -> None:
    """Count jobs to a fixed error on two real problems."""
    parts = []
    for problem in (abalone(), rings(), digits()):
        rows = []
        for name, rule in rules().items():
            print(problem.name, name, file=sys.stderr, flush=True)
            rows.append([name, *cost_of(problem, rule)])
        title = f"## {problem.name}, {problem.data.n_samples:,} samples, to an error of {problem.goal:g}"
        parts.append(title + "\n\n" + table(COST_HEADER, rows))
        parts.append(ratio_of_searches(rows))
    keep("rules_jobs", "Jobs to a fixed error", [__doc__.rpartition("\n\n")[2].strip(), SETTINGS, *parts])


COST_HEADER = [
    "rule",
    "gradient jobs",
    "error jobs",
    "other jobs",
    "jobs",
    "propagations",
    "seconds",
    "error",
]
SETTINGS = (
    "One training with seed 0 each, mostly with default settings (`rules` in the script has them), decay "
    "0.0001. A rule that used up its budget, or could go no further, shows the error it got to."
)


def cost_of(problem: Problem, rule: nf.LearningRule) -> list[str]:
    """Return the cells of a row."""
    try:
        reached, tally, error = to_goal(problem, rule)
    except nf.LearningRuleError as problem_of_rule:
        return ["-"] * 6 + [f"refused: {str(problem_of_rule).partition('.')[0]}"]
    counts = (tally.gradient_jobs, tally.error_jobs, tally.other_jobs, tally.jobs, round(tally.propagations))
    mark = "" if reached else ">"
    return [
        *(f"{mark}{count:,}" for count in counts),
        f"{tally.seconds:.2f}",
        "" if reached else f"{error:.4f}",
    ]


def ratio_of_searches(rows: list[list[str]]) -> str:
    """Say how the batched line search compares with Brent's."""
    total = {row[0]: row[4] for row in rows}
    brent, batched = total["CG Polak-Ribiere, Brent"], total["CG Polak-Ribiere, batched"]
    if ">" in brent + batched:
        return f"Jobs with Brent's line search: {brent}; with the batched one: {batched}."
    share = int(batched.replace(",", "")) / int(brent.replace(",", ""))
    return f"The batched line search needs {share:.2f} of the jobs of Brent's."


def small_problems() -> list[Problem]:
    """Return two regressions and two classifications that take seconds."""
    inputs = np.linspace(-1, 1, 100)[:, np.newaxis]
    sine = nf.DataSet(inputs, np.sin(2 * np.pi * inputs))
    chaos = mackey_glass()
    iris = nf.datasets.iris().normalized("standardizer")
    tumours = nf.datasets.wisconsin_diagnostic().normalized("standardizer")
    return [
        Problem("sine 1-8-1", sine, mlp(sine, 8), goal=1e-4, budget=60_000),
        Problem("Mackey-Glass 4-8-1", chaos, mlp(chaos, 8), goal=2e-4, budget=60_000),
        Problem("iris 4-6-3", iris, mlp(iris, 6), goal=0.02, budget=60_000),
        Problem("breast cancer 30-6-1", tumours, mlp(tumours, 6), goal=0.01, budget=60_000),
    ]


def mackey_glass(n: int = 500) -> nf.DataSet:
    """Return x(t+6) from x(t), x(t-6), x(t-12), x(t-18), tau 17, by fourth-order Runge-Kutta steps of 0.1."""
    step, delay, first = 0.1, 170, 118
    series = [1.2] * (delay + 1)

    def slope(now: float, past: float) -> float:
        return 0.2 * past / (1 + past**10) - 0.1 * now

    for _ in range(round((first + n + 30) / step)):
        now, past, next_past = series[-1], series[-1 - delay], series[-delay]
        middle = (past + next_past) / 2
        k1 = slope(now, past)
        k2 = slope(now + step / 2 * k1, middle)
        k3 = slope(now + step / 2 * k2, middle)
        k4 = slope(now + step * k3, next_past)
        series.append(now + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    each = np.array(series[delay :: round(1 / step)])
    times = np.arange(first, first + n)
    return nf.DataSet(np.stack([each[times - back] for back in (0, 6, 12, 18)], axis=1), each[times + 6])


ORDER = (
    "gradient descent",
    "variable rate",
    "iRprop-",
    "scaled CG",
    "CG Hager-Zhang, its search",
    "L-BFGS",
    "Levenberg-Marquardt",
)


def order() -> None:
    """Compare rules on small problems, in propagations; the median of all seeds."""
    problems, known = small_problems(), rules()
    rows = []
    for name in ORDER:
        print(name, file=sys.stderr, flush=True)
        rows.append([name, *(median_propagations(problem, known[name]) for problem in problems)])
    header = ["propagations to the goal", *(f"{problem.name}, {problem.goal:g}" for problem in problems)]
    text = (
        f"Median of the seeds {', '.join(map(str, SEEDS))}; in brackets how many reached the goal within "
        f"{problems[0].budget:,.0f} propagations; the others count as that many."
    )
    keep("rules_order", "Which rule wins where", [text, table(header, rows)])


def median_propagations(problem: Problem, rule: nf.LearningRule) -> str:
    """Return the cell of a table."""
    try:
        ended = [to_goal(problem, rule, seed) for seed in SEEDS]
    except nf.LearningRuleError:
        return "refused"
    reached = sum(good for good, _, _ in ended)
    median = statistics.median(tally.propagations if good else problem.budget for good, tally, _ in ended)
    return f"{median:,.0f} ({reached}/{len(ended)})"


def two_spirals() -> nf.DataSet:
    """Return the 194 points of the two spirals, one wound into the other."""
    i = np.arange(97)
    angle, radius = i * np.pi / 16, 6.5 * (104 - i) / 104
    spiral = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    return nf.DataSet(np.concatenate([spiral, -spiral]) / 6.5, np.repeat([1.0, -1.0], 97))


SPIRAL_BUDGET, SPIRAL_LAYERS, SPIRAL_SEEDS = 2_000, (40, 40), range(10)


def spirals() -> None:
    """Count wrong answers on the two spirals within a budget of propagations."""
    data = two_spirals()
    rows = []
    for name in (
        "gradient descent",
        "with momentum",
        "variable rate",
        "iRprop-",
        "L-BFGS",
        "Levenberg-Marquardt",
    ):
        print(name, file=sys.stderr, flush=True)
        wrong = [spiral_errors(data, rules()[name], seed) for seed in SPIRAL_SEEDS]
        shares = [count / data.n_samples for count in wrong]
        rows.append([name, *(f"{share:.1%}" for share in shares), f"{statistics.median(shares):.1%}"])
    header = ["training error", *(f"seed {seed}" for seed in SPIRAL_SEEDS), "median"]
    layers = "-".join(map(str, SPIRAL_LAYERS))
    text = (
        f"194 points, 2-{layers}-1 with tanh units and a linear output, sum of squares, {SPIRAL_BUDGET:,} "
        "propagations each, or until the error is 0.0001. A tanh output would saturate: points that are "
        "wrong and give no gradient any more stay wrong (with L-BFGS, at 3 of 20 seeds)."
    )
    keep("rules_spirals", "Two spirals", [text, table(header, rows)])


def spiral_errors(data: nf.DataSet, rule: nf.LearningRule, seed: int) -> int:
    """Return how many points have the wrong sign in the end."""
    engine = CountingEngine()
    network = nf.MultilayerPerceptron(2, *SPIRAL_LAYERS, 1, output="linear", seed=seed)
    stop = [nf.ErrorGoal(1e-4), Budget(engine, SPIRAL_BUDGET), nf.MaxIterations(100_000)]
    network.learn(data, rule=rule, engine=engine, stop=stop, seed=seed, progress=False)
    return int(np.sum(np.sign(network(data.inputs)) != np.sign(data.targets)))


if __name__ == "__main__":
    tables = {"jobs": jobs, "order": order, "spirals": spirals}
    for wanted in sys.argv[1:] or tables:
        tables[wanted]()
