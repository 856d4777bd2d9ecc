"""The Spark engine: what it adds to a trivial job, beside MLlib's perceptron, as workers and data grow.

python benchmarks/spark.py
"""

from __future__ import annotations

import contextlib
import functools
import json
import sys
import time
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from measure import RESULTS, keep, medians, table
from pyspark.ml.classification import MultilayerPerceptronClassifier
from pyspark.ml.linalg import Vectors
from pyspark.sql import SparkSession

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce.error_job import ErrorJob

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "6g",
    "spark.log.level": "ERROR",
    "spark.python.unix.domain.socket.enabled": "true",
    "spark.sql.shuffle.partitions": "2",
    "spark.pyspark.python": sys.executable,
}
DRAWN_TOGETHER = 500
ROUNDS = 3
RULES = {"L-BFGS": nf.LBFGS(), "RPROP": nf.ResilientPropagation()}


@attrs.frozen
class Case:
    """A network and as many samples, drawn from a seed and labelled by another network of the same shape."""

    name: str
    sizes: tuple[int, int, int]
    n_samples: int
    iterations: tuple[int, int]
    """How long MLlib trains, so that the difference tells what an iteration takes."""

    def portion(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and classes of one portion of the samples; any worker can draw any portion."""
        n = min(DRAWN_TOGETHER, self.n_samples - number * DRAWN_TOGETHER)
        random = np.random.default_rng([1, number])
        teacher = np.random.default_rng(0)
        hidden = teacher.standard_normal((self.sizes[0], self.sizes[1])) * 3 / np.sqrt(self.sizes[0])
        output = teacher.standard_normal((self.sizes[1], self.sizes[2]))
        inputs = random.standard_normal((n, self.sizes[0]))
        noise = 0.3 * random.standard_normal((n, self.sizes[2]))
        return inputs, np.argmax(np.tanh(inputs @ hidden) @ output + noise, axis=1)

    @property
    def portions(self) -> int:
        """How many portions there are."""
        return -(-self.n_samples // DRAWN_TOGETHER)

    def data_set(self) -> nf.DataSet:
        """Return the samples for neuralframe."""
        drawn = [self.portion(number) for number in range(self.portions)]
        classes = np.concatenate([labels for _, labels in drawn])
        return nf.DataSet(np.concatenate([inputs for inputs, _ in drawn]), np.eye(self.sizes[-1])[classes])

    def frame(self, spark: SparkSession, partitions: int) -> Any:
        """Return the same samples as MLlib takes them, cached."""
        numbers = spark.sparkContext.parallelize(range(self.portions), partitions)
        frame = numbers.mapPartitions(functools.partial(rows, self)).toDF(["features", "label"]).cache()
        frame.count()
        return frame

    def network(self) -> nf.MultilayerPerceptron:
        """Return the network that MLlib has, from initial weights of ours."""
        return nf.MultilayerPerceptron(*self.sizes, hidden="sigmoid", output="softmax", seed=0)

    def job(self) -> ErrorJob:
        """Return the job of one gradient."""
        network = self.network()
        return ErrorJob(make_kernel("auto", network.topology), network.weights[np.newaxis], np.array([True]))

    def classifier(self, iterations: int) -> MultilayerPerceptronClassifier:
        """Return MLlib's, with its defaults but for what ends training."""
        return MultilayerPerceptronClassifier(
            layers=list(self.sizes), maxIter=iterations, tol=0.0, seed=0, solver="l-bfgs"
        )


CASES = (
    Case("8-16-3, 4,177", (8, 16, 3), 4177, (20, 80)),
    Case("400-25-10, 5,000", (400, 25, 10), 5000, (20, 80)),
    Case("400-25-10, 100,000", (400, 25, 10), 100_000, (5, 15)),
)


def rows(case: Case, numbers: Iterable[int]) -> Iterator[tuple[Any, float]]:
    """Yield the samples of some portions as MLlib takes them."""
    for number in numbers:
        for inputs, label in zip(*case.portion(number), strict=True):
            yield Vectors.dense(inputs), float(label)


def trivial(_: int, elements: Iterable[bytes]) -> Iterator[int]:
    """Count the elements of a partition."""
    yield sum(1 for _ in elements)


@contextlib.contextmanager
def session(cores: int) -> Iterator[SparkSession]:
    """Yield a session on this machine."""
    builder = SparkSession.builder.master(f"local[{cores}]").appName("neuralframe benchmark")
    spark = builder.config(map=SETTINGS).getOrCreate()
    spark.sparkContext.pythonExec = sys.executable
    yield spark
    spark.stop()


def overhead(spark: SparkSession, measured: dict[str, Any]) -> str:
    """Compare a gradient job with a trivial job over cached records, in one session, in turns.

    Standing tasks keep the slots that other jobs would need; so they take no turns with these.
    """
    records = spark.sparkContext.parallelize([b"x" * 1000] * 2, 2).persist()
    made = []
    for case in CASES[:2]:
        blocks, job = case.data_set().blocks, case.job()
        with nf.SparkEngine(session=spark) as engine, nf.InProcessEngine(2) as threads:
            found = medians(
                {
                    "trivial": lambda: records.mapPartitionsWithIndex(trivial).collect(),
                    "engine": lambda: engine.run(job, blocks),
                    "in process": lambda: threads.run(job, blocks),
                },
                100,
            )
        with nf.SparkEngine(session=spark, standing=True) as engine:
            for _ in range(5):
                engine.run(job, blocks)
            found["standing"] = medians({"standing": lambda: engine.run(job, blocks)}, 300)["standing"]
        ratios = {name: found[name][0] / found["trivial"][0] for name in ("engine", "standing")}
        measured[f"overhead, {case.name}"] = found | {"ratios": ratios}
        made.append(
            [
                case.name,
                *(
                    f"{median * 1e3:.1f} ± {iqr * 1e3:.1f}"
                    for median, iqr in map(found.__getitem__, ("trivial", "engine", "standing", "in process"))
                ),
                *(f"{ratio:.2f}" for ratio in ratios.values()),
            ]
        )
    header = [
        "network, samples", "trivial job ms", "a Spark job a gradient ms", "standing tasks ms",
        "in process, 2 threads ms", "Spark job / trivial", "standing / trivial",
    ]  # fmt: skip
    return "## A gradient job against a trivial one, local[2]\n\n" + table(header, made)


def fit(spark: SparkSession, case: Case, frame: Any, iterations: int) -> tuple[float, int, Any]:
    """Train MLlib's; return the seconds, the Spark jobs, and the model."""
    context, group = spark.sparkContext, f"{case.name} {iterations} {time.time()}"
    context.setJobGroup(group, group)
    started = time.perf_counter()
    model = case.classifier(iterations).fit(frame)
    seconds = time.perf_counter() - started
    jobs = len(context.statusTracker().getJobIdsForGroup(group))
    context.setLocalProperty("spark.jobGroup.id", None)
    return seconds, jobs, model


def beside_mllib(spark: SparkSession, measured: dict[str, Any]) -> str:
    """Compare seconds a gradient and seconds to a training error with MLlib's, round by round."""
    made = []
    for case in CASES:
        frame, data = case.frame(spark, 2), case.data_set()
        few, many = case.iterations
        kinds = {"ours": True, "a job each": False}
        each: dict[str, list[float]] = {"iteration": [], "evaluation": [], "total": []}
        each |= {name: [] for name in kinds}
        fit(spark, case, frame, 2)
        for _ in range(ROUNDS):
            first, second = fit(spark, case, frame, few), fit(spark, case, frame, many)
            history = second[2].summary().objectiveHistory
            each["iteration"].append((second[0] - first[0]) / (many - few))
            each["evaluation"].append((second[0] - first[0]) / (second[1] - first[1]))
            each["total"].append(second[0])
            for name, standing in kinds.items():
                each[name].append(a_gradient(spark, case, data, many - few, standing=standing))
        with nf.SparkEngine(session=spark, standing=True) as engine:
            ours = {
                name: to_the_same_error(case, data, engine, history[-1], rule) for name, rule in RULES.items()
            }
        frame.unpersist()
        print(case.name, each, ours, flush=True)
        found = {name: float(np.median(values)) for name, values in each.items()}
        ratio = found["evaluation"] / found["ours"]
        measured[f"mllib, {case.name}"] = (
            found | {"to the error": ours} | {"error": history[-1], "ratio": ratio, "rounds": each}
        )
        made.append(
            [
                case.name,
                f"{found['iteration'] * 1e3:.1f}",
                f"{(second[1] - first[1]) / (many - few):.2f}",
                f"{found['evaluation'] * 1e3:.1f}",
                f"{found['ours'] * 1e3:.1f}",
                f"{ratio:.1f}",
                f"{found['a job each'] * 1e3:.1f}",
                f"{history[-1]:.4f}",
                f"{found['total']:.1f} ({many})",
                *(f"{one['seconds']:.1f} ({one['jobs']}, {one['stopped by']})" for one in ours.values()),
            ]
        )
    header = [
        "network, samples", "MLlib ms an iteration", "evaluations an iteration", "MLlib ms an evaluation",
        "ours ms a gradient", "ratio", "ours, a Spark job each", "training error",
        "MLlib s to it (iterations)",
        *(f"ours s to it, {name} (jobs)" for name in RULES),
    ]  # fmt: skip
    return (
        "## Beside MLlib's MultilayerPerceptronClassifier, local[2]\n\n"
        + table(header, made)
        + "\n\nBoth on the same samples in two partitions, sigmoid hidden, softmax outputs, mean "
        "cross-entropy, float64. Every evaluation of MLlib's L-BFGS is a Spark job of its own; so they are "
        "counted as the jobs of its job group. What an iteration and an evaluation take is the difference of "
        "a long and a short training, without the preparation of either. MLlib has its arithmetic from Java "
        "(the pip package brings no native BLAS). Seconds to the error: MLlib finds its data cached; ours "
        "are packed and read first, which is most of what 100,000 samples take."
    )


def a_gradient(spark: SparkSession, case: Case, data: nf.DataSet, n: int, *, standing: bool) -> float:
    """Return the seconds that one of n gradients takes; the slots are MLlib's again then."""
    blocks, job = data.blocks, case.job()
    with nf.SparkEngine(session=spark, standing=standing) as engine:
        for _ in range(5):
            engine.run(job, blocks)
        started = time.perf_counter()
        for _ in range(n):
            engine.run(job, blocks)
        return (time.perf_counter() - started) / n


def to_the_same_error(
    case: Case, data: nf.DataSet, engine: nf.Engine, error: float, rule: nf.LearningRule
) -> dict[str, Any]:
    """Train until the training error that MLlib came to."""
    started = time.perf_counter()
    run = case.network().learn(
        data,
        rule=rule,
        engine=engine,
        stop=[nf.ErrorGoal(error), nf.MaxIterations(1000), nf.MaxSeconds(90)],
        progress=False,
    )
    seconds = time.perf_counter() - started
    reached = "reached" if run.error <= error else f"at {run.error:.4f}"
    return {"seconds": seconds, "jobs": run.history[-1].jobs, "stopped by": reached}


def partitions(spark: SparkSession, measured: dict[str, Any]) -> str:
    """Train with several numbers of partitions; compare the weights with those of one."""
    case, made = CASES[0], []
    data = case.data_set()
    one: dict[str, np.ndarray] = {}
    for n in (1, 2, 3, 7):
        frame = case.frame(spark, n)
        _, _, model = fit(spark, case, frame, 100)
        frame.unpersist()
        network = case.network()
        with nf.SparkEngine(session=spark, partitions=n, standing=True) as engine:
            run = network.learn(data, engine=engine, stop=nf.MaxIterations(100), progress=False)
        weights = {"MLlib": model.weights.toArray(), "ours": network.weights.copy()}
        one = one or weights
        apart = {name: float(np.abs(weights[name] - one[name]).max()) for name in weights}
        measured[f"partitions, {n}"] = apart
        error = model.summary().objectiveHistory[-1]
        made.append(
            [str(n), f"{error:.15f}", f"{apart['MLlib']:.2g}", f"{run.error:.15f}", f"{apart['ours']:.2g}"]
        )
    header = [
        "partitions", "MLlib's error", "largest difference of a weight to one partition", "our error",
        "largest difference",
    ]  # fmt: skip
    return f"## The same training on several partitions, 100 iterations, {case.name}\n\n" + table(
        header, made
    )


def scaling(measured: dict[str, Any]) -> str:
    """Time a gradient with one and two workers while samples grow a hundredfold."""
    made: dict[int, list[str]] = {}
    base: dict[int, float] = {}
    for cores in (1, 2):
        with session(cores) as spark:
            for n in (1000, 10_000, 100_000):
                case = Case("", (400, 25, 10), n, (0, 0))
                blocks, job = case.data_set().blocks, case.job()
                with nf.SparkEngine(session=spark, standing=True) as engine:
                    for _ in range(5):
                        engine.run(job, blocks)
                    median, iqr = medians({"engine": lambda: engine.run(job, blocks)}, 15)["engine"]
                measured[f"scaling, {n} samples, {cores} worker(s)"] = median
                row = made.setdefault(n, [f"{n:,}"])
                row.append(f"{median * 1e3:.1f} ± {iqr * 1e3:.1f}")
                if cores == 2:
                    row.append(f"{base[n] / median:.2f}")
                base[n] = median
    header = ["samples, 400-25-10", "local[1] ms", "local[2] ms", "gain"]
    return "## One and two workers, samples a hundredfold\n\n" + table(header, list(made.values()))


def main() -> None:
    """Measure everything and keep it."""
    measured: dict[str, Any] = {}
    with session(2) as spark:
        parts = [overhead(spark, measured), beside_mllib(spark, measured), partitions(spark, measured)]
    parts.append(scaling(measured))
    keep("spark", "The Spark engine", parts)
    (RESULTS / "spark.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
