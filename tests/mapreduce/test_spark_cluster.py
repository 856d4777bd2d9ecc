"""The Spark engine on a standalone master with two workers, of which executors are killed."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data.blocks import Blocks
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import spark_context
from neuralframe.mapreduce.error_job import ErrorJob

pytestmark = pytest.mark.spark

HERE = Path(__file__).parent


def _cluster_class():
    spec = importlib.util.spec_from_file_location(
        "neuralframe_tests_spark_cluster", HERE / "spark_cluster.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    try:
        spark_context.require_pyspark()
        spark_context.require_java()
    except nf.NeuralFrameError as problem:
        pytest.skip(str(problem))
    cluster = _cluster_class()(tmp_path_factory.mktemp("cluster"), n_workers=2)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def engine(cluster):
    with cluster_engine(cluster, gpus_per_task=1, ship_package=True) as engine:
        yield engine


def cluster_engine(cluster, memory="512m", timeout=120, **options):
    config = {"spark.executor.memory": memory, "spark.task.maxFailures": "2"}
    return nf.SparkEngine(cluster.url, python=sys.executable, config=config, timeout=timeout, **options)


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((997, 4)) * 10.0 ** generator.integers(-3, 3, (997, 1))
    return nf.DataSet(inputs, np.eye(3)[generator.integers(0, 3, 997)], block_size=16)


@pytest.fixture(scope="module", params=["in memory", "packed"])
def blocks(request, data, tmp_path_factory):
    training, validation = data.split(0.7, seed=1)
    if request.param == "packed":
        path = tmp_path_factory.mktemp("packed") / "data"
        training.pack(path, parts=3)
        training = nf.DataSet.open(path)
    return Blocks.joined(training.blocks, validation.blocks)


@pytest.fixture(scope="module")
def job():
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)
    weights = network.weights + np.arange(3)[:, np.newaxis] / 8
    return ErrorJob(make_kernel("numpy", network.topology), weights, np.arange(3) % 2 == 0)


def bits(found):
    return {
        key: (mean.error, mean.validation_error, mean.gradient is not None and mean.gradient.tobytes())
        for key, mean in found.items()
    }


def test_the_same_bits_also_after_an_executor_was_killed_between_jobs(engine, cluster, job, blocks):
    expected = bits(nf.InProcessEngine(1).run(job, blocks))
    for _ in range(3):
        assert bits(engine.run(job, blocks)) == expected
    victim = cluster.kill_an_executor()
    for _ in range(3):
        assert bits(engine.run(job, blocks)) == expected
    assert victim not in cluster.executors()


def test_an_executor_killed_in_the_middle_of_a_job_costs_time_only(engine, cluster, jobs, data):
    """Each block takes 0.1 s, so that the job is in its first third when the executor dies."""
    wait_for_two_executors(cluster)
    blocks, victims = data.blocks, []
    assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
    killer = threading.Timer(1.0, lambda: victims.append(cluster.kill_an_executor()))
    killer.start()
    assert engine.run(jobs.Counting(seconds=0.1), blocks)[0] == data.n_samples
    killer.join()
    assert victims
    assert not set(victims) & set(cluster.executors())


def test_training_on_the_cluster_ends_at_the_same_weights(engine, data):
    trained = {}
    for where in ("threads", engine):
        network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)
        network.learn(data, engine=where, validation=0.2, stop=nf.MaxIterations(20), seed=0)
        trained[where] = network.weights.tobytes()
    assert trained[engine] == trained["threads"]


def test_tasks_see_their_own_gpu_and_the_neuralframe_that_was_sent(engine, cluster, jobs, data):
    wait_for_two_executors(cluster)
    found = engine.run(jobs.Looking(), data.blocks).values()
    assert {seen["gpu"] for seen in found} <= {3, 4}
    assert all(seen["zipped"] for seen in found)
    assert all(seen["threads"] == 1 and not seen["heavy"] for seen in found)


def test_a_cluster_that_gives_no_executor_is_told(engine, cluster):
    engine.close()
    starved = cluster_engine(cluster, memory="64g", timeout=3)
    with pytest.raises(nf.EngineError, match=r"no executor of spark://.* has registered within 3 s"):
        starved.open()
    assert spark_context.running_context() is None


def test_settings_of_a_session_that_was_stopped_do_not_live_on(cluster, engine, data, jobs):
    """Java outlives the session; here no task would ever get the GPU that the session before asked for."""
    engine.close()
    assert nf.SparkEngine("local[1]", timeout=30).run(jobs.Counting(), data.blocks)[0] == data.n_samples


def wait_for_two_executors(cluster):
    end = time.monotonic() + 30
    while len(cluster.executors()) < 2 and time.monotonic() < end:
        time.sleep(0.1)
