"""Every learning rule on every engine: a training ends in the same bits wherever its jobs run."""

from __future__ import annotations

import shutil
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

import neuralframe as nf
from tests.contracts.rule_registry import LEARNING_RULES

ITERATIONS = 2

WHERE_JOBS_TAKE_LONG = 1
"""Iterations on engines that start processes for each job."""

OF_EACH_KIND = {type(entry.rule): entry.rule for entry in LEARNING_RULES}
"""One rule of each class: what an engine is asked for depends on the class most of all."""

ON_HADOOP = (
    nf.ResilientPropagation(),
    nf.LevenbergMarquardt(),
    nf.StochasticGradientDescent(0.01, batch_blocks=3),
    nf.GeneticReducer(3, batch_size=8),
)
"""One rule for each kind of job, since a job there takes seconds: errors and gradients, sums of a rule's own,
sums over some blocks only, and a conclusion in the reducer."""


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((90, 3))
    targets = np.sin(inputs[:, :1]) + 0.5 * inputs[:, 1:2] * inputs[:, 2:]
    return nf.DataSet(inputs, targets, block_size=16)


@pytest.fixture(scope="module")
def watched():
    random = np.random.default_rng(1)
    inputs = random.standard_normal((25, 3))
    return nf.DataSet(inputs, np.sin(inputs[:, :1]), block_size=16)


@pytest.fixture(scope="module")
def in_process(data, watched):
    """Return what a rule comes to in one thread; each is trained once."""
    known = {}

    def bits(rule, iterations=ITERATIONS):
        key = str(rule), iterations
        if key not in known:
            known[key] = trained(rule, nf.InProcessEngine(1), data, watched, iterations)
        return known[key]

    return bits


def trained(rule, engine, data, watched, iterations=ITERATIONS):
    """Return the weights of two sessions, and the course of their errors, as bytes."""
    network = nf.MultilayerPerceptron(3, 4, 1, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nf.DivergenceWarning)  # rates that suit other problems
        run = network.learn(
            data,
            rule=rule,
            engine=engine,
            validation=watched,
            decay=0.01,
            sessions=2,
            stop=nf.MaxIterations(iterations),
            seed=3,
        )
    columns = ("error", "validation_error")
    return [
        (session.weights.tobytes(), *(str(session.history.column(name)) for name in columns))
        for session in run.sessions
    ]


@pytest.mark.parametrize("entry", LEARNING_RULES, ids=lambda entry: str(entry.rule))
def test_two_threads_and_mrjob_inline_end_in_the_bits_of_one_thread(entry, in_process, data, watched):
    for engine in (nf.InProcessEngine(2), "mrjob:inline"):
        assert trained(entry.rule, engine, data, watched) == in_process(entry.rule)


@pytest.fixture(scope="module")
def processes():
    with nf.MRJobEngine("local") as engine:
        yield engine


@pytest.mark.slow
@pytest.mark.parametrize("rule", OF_EACH_KIND.values(), ids=lambda rule: type(rule).__name__)
def test_mrjob_local_ends_in_the_same_bits(rule, processes, in_process, data, watched):
    n = WHERE_JOBS_TAKE_LONG
    assert trained(rule, processes, data, watched, n) == in_process(rule, n)


@pytest.fixture(scope="module")
def spark():
    if find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("no Spark: pyspark or Java is not here")
    with nf.SparkEngine("local[2]", partitions=3) as engine:
        yield engine


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize("rule", OF_EACH_KIND.values(), ids=lambda rule: type(rule).__name__)
def test_spark_ends_in_the_same_bits(rule, spark, in_process, data, watched):
    assert trained(rule, spark, data, watched) == in_process(rule)


@pytest.mark.slow
@pytest.mark.hadoop
@pytest.mark.usefixtures("on_cluster")
@pytest.mark.parametrize("rule", ON_HADOOP, ids=lambda rule: type(rule).__name__)
def test_hadoop_ends_in_the_same_bits(rule, in_process, data, watched):
    engine, n = nf.MRJobEngine("hadoop", timeout=300), WHERE_JOBS_TAKE_LONG
    assert trained(rule, engine, data, watched, n) == in_process(rule, n)
