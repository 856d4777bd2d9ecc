"""The Spark engine on local[2]: the same bits as in process, and what it does when something goes wrong."""

from __future__ import annotations

import subprocess
import sys

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data.block_record import write_block
from neuralframe.data.blocks import Blocks
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import (
    make_engine,
    spark_context,
    spark_data,
    spark_engine,
    spark_failures,
    spark_worker,
)
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.shipped_job import Placement, ShippedJob
from neuralframe.mapreduce.spark_records import CachedRecords, NamedFiles
from neuralframe.mapreduce.spark_task import SparkTask

pytestmark = pytest.mark.spark


def why_not():
    """Return why Spark cannot run here, or an empty string."""
    try:
        spark_context.require_pyspark()
        spark_context.require_java()
    except nf.NeuralFrameError as problem:
        return str(problem)
    return ""


needs_spark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "Spark is here")


@pytest.fixture(scope="module")
def shared():
    """Return an engine that stays open for all tests; the number after the comma is of attempts at a task."""
    if why_not():
        pytest.skip(why_not())
    with nf.SparkEngine("local[2,2]") as engine:
        yield engine


@pytest.fixture(scope="module")
def network():
    return nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((997, 4)) * 10.0 ** generator.integers(-3, 3, (997, 1))
    return nf.DataSet(inputs, np.eye(3)[generator.integers(0, 3, 997)], block_size=16)


@pytest.fixture(scope="module")
def packed(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "a, b [c]"
    data.pack(path, parts=3)
    return nf.DataSet.open(path)


def error_job(network, n=3):
    weights = network.weights + np.arange(n)[:, np.newaxis] / 8
    return ErrorJob(make_kernel("numpy", network.topology), weights, np.arange(n) % 2 == 0)


def bits(found):
    return {
        key: (mean.error, mean.validation_error, mean.gradient is not None and mean.gradient.tobytes())
        for key, mean in found.items()
    }


@pytest.mark.usefixtures("shared", "kind")
@pytest.mark.parametrize("partitions", [1, 2, 3, 7])
@pytest.mark.parametrize("where", ["in memory", "packed"])
def test_the_same_bits_with_any_number_of_partitions(where, partitions, network, data, packed):
    """Training blocks, validation blocks and three weight vectors, twice: read, and kept by the workers."""
    training, validation = data.split(0.7, seed=1)
    blocks = Blocks.joined(training.blocks, validation.blocks)
    if where == "packed":
        blocks = Blocks.joined(packed.blocks, validation.blocks)
    job = error_job(network)
    expected = bits(nf.InProcessEngine(1).run(job, blocks))
    with nf.SparkEngine(partitions=partitions) as engine:
        assert bits(engine.run(job, blocks)) == expected
        assert bits(engine.run(job, blocks)) == expected
        assert engine._data.n_partitions == partitions or where == "packed"


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("sessions", [1, 3])
def test_twenty_iterations_end_at_the_same_weights(sessions, data):
    trained = {}
    for engine in ("threads", "spark"):
        network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)
        network.learn(
            data,
            rule=nf.ResilientPropagation(),
            engine=engine,
            validation=0.2,
            sessions=sessions,
            stop=nf.MaxIterations(20),
            seed=0,
        )
        trained[engine] = network.weights.tobytes()
    assert trained["spark"] == trained["threads"]


def test_several_sessions_are_one_job(shared, data):
    network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)
    before = shared._n_jobs
    run = network.learn(data, engine=shared, sessions=3, stop=nf.MaxIterations(3), seed=0)
    assert shared._n_jobs - before == run.jobs == 4


def test_a_function_of_the_users_reaches_the_tasks(shared, jobs, data):
    network = nf.MultilayerPerceptron(4, 5, 3, hidden=jobs.Bent(), output="softmax", seed=0)
    blocks, job = data.blocks, error_job(network)
    path = list(sys.path)
    assert bits(shared.run(job, blocks)) == bits(nf.InProcessEngine(1).run(job, blocks))
    assert sys.path == path


def test_a_session_is_an_engine_and_is_not_stopped(shared, data, network):
    from pyspark.sql import SparkSession

    session = SparkSession(shared._context)
    found = nf.error_and_gradient(network, data, engine=session)
    expected = nf.error_and_gradient(network, data)
    assert found[0] == expected[0]
    assert found[1].tobytes() == expected[1].tobytes()
    assert make_engine(session).session is session
    assert session.sparkContext.parallelize([1, 2]).sum() == 3


def test_an_engine_stops_what_it_has_started_and_opens_again(shared, jobs, data):
    shared.close()
    assert spark_context.running_context() is None
    engine = nf.SparkEngine("local[1]")
    for _ in range(2):
        with engine:
            assert engine.run(jobs.Counting(), data.blocks)[0] == data.n_samples
        assert spark_context.running_context() is None
    engine.close()
    shared.open()
    assert shared.run(jobs.Counting(), data.blocks)[0] == data.n_samples


def test_a_second_master_in_one_process_is_refused(shared):
    with pytest.raises(
        nf.EngineError, match=r"runs a Spark session on local\[2,2\] .* second one on local\[1\]"
    ):
        nf.SparkEngine("local[1]").open()


def test_workers_have_one_blas_thread_import_little_and_live_on(shared, jobs, data):
    blocks = data.blocks
    seen = [shared.run(jobs.Looking(), blocks) for _ in range(5)]
    assert {found["threads"] for run in seen for found in run.values()} == {1}
    assert {found["heavy"] for run in seen for found in run.values()} == {0}
    assert len({found["worker"] for run in seen for found in run.values()}) < len(seen)


@pytest.mark.usefixtures("shared", "kind")
def test_a_task_that_fails_once_is_tried_again(jobs, data, tmp_path):
    found = nf.SparkEngine().run(jobs.Failing(once=str(tmp_path / "failed")), data.blocks)
    assert found[0] == data.n_samples
    assert (tmp_path / "failed").exists()


@pytest.mark.usefixtures("kind")
def test_a_task_that_always_fails_tells_its_traceback_and_the_engine_goes_on(shared, jobs, data):
    blocks = data.blocks
    with nf.SparkEngine() as engine:
        with pytest.raises(nf.EngineError, match="ZeroDivisionError: block 5 is bad") as caught:
            engine.run(jobs.Failing(), blocks)
        told = "\n".join(caught.value.__notes__)
        assert "while mapping block 5 of 63 (16 samples)" in told
        assert 'users_jobs_of_test_spark_engine.py", line' in told
        assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
    assert shared._context._jsc is not None


@pytest.mark.usefixtures("shared", "kind")
def test_a_damaged_record_is_named_and_nothing_is_summed(jobs, data, tmp_path):
    data.pack(tmp_path / "packed", parts=3)
    opened = nf.DataSet.open(tmp_path / "packed")
    file = sorted((tmp_path / "packed").glob("[!_]*"))[1]
    content = bytearray(file.read_bytes())
    place = 2 * opened.header.record_bytes + 200
    content[place] = ord("A") if content[place] != ord("A") else ord("B")
    file.write_bytes(content)
    with pytest.raises(nf.DataError, match=f"{file.name}, record 3: .*changed") as caught:
        nf.SparkEngine().run(jobs.Counting(), opened.blocks)
    assert type(caught.value).__name__ == "PackedDataError"


def test_a_job_that_takes_too_long_is_cancelled_and_the_next_one_runs(shared, jobs, data):
    blocks = data.blocks
    with pytest.raises(nf.EngineError, match=r"job 1 took longer than the timeout of 1 s and was cancelled"):
        nf.SparkEngine(timeout=1).run(jobs.Counting(seconds=10), blocks)
    assert shared.run(jobs.Counting(), blocks)[0] == data.n_samples


@pytest.mark.usefixtures("shared")
def test_ctrl_c_cancels_the_spark_job(shared, monkeypatch):
    cancelled = []
    monkeypatch.setattr(type(shared._context), "cancelJobsWithTag", lambda _, tag: cancelled.append(tag))
    with pytest.raises(KeyboardInterrupt), spark_context.watched(shared._context, None):
        raise KeyboardInterrupt
    assert len(cancelled) == 1
    assert not shared._context.getJobTags()


@pytest.mark.usefixtures("shared", "kind")
def test_large_jobs_are_broadcast_and_their_sums_merged_in_the_executors(monkeypatch, network, data):
    monkeypatch.setattr(spark_engine, "CLOSURE_BYTES", 100)
    monkeypatch.setattr(spark_engine, "GATHERED_BYTES", 0)
    blocks, job = data.blocks, error_job(network)
    expected = bits(nf.InProcessEngine(1).run(job, blocks))
    with nf.SparkEngine(partitions=7) as engine:
        assert spark_engine.groups_for(engine.partitions, 1) == 3
        for _ in range(2):
            assert bits(engine.run(job, blocks)) == expected


@pytest.mark.usefixtures("shared", "kind")
@pytest.mark.parametrize("kept_bytes", [0, 20_000])
def test_what_workers_may_not_keep_is_read_again(kept_bytes, network, data):
    blocks, job = data.blocks, error_job(network)
    expected = bits(nf.InProcessEngine(1).run(job, blocks))
    with nf.SparkEngine(partitions=3, kept_bytes=kept_bytes) as engine:
        for _ in range(3):
            assert bits(engine.run(job, blocks)) == expected


@pytest.mark.usefixtures("shared", "kind")
def test_the_same_packed_data_cannot_be_both_parts(packed, jobs):
    with pytest.raises(nf.EngineError, match="training and validation data"):
        nf.SparkEngine().run(jobs.Counting(), Blocks.joined(packed.blocks, packed.blocks))


@pytest.mark.usefixtures("shared")
def test_data_in_memory_that_the_driver_cannot_hold_are_refused_with_advice(shared, monkeypatch, jobs, data):
    monkeypatch.setattr(spark_engine, "must_be_cached", lambda *_, **__: True)
    monkeypatch.setattr(spark_data, "HEAP_SHARE", 1e-9)
    with pytest.raises(nf.EngineError, match="Pack them"):
        shared.run(jobs.Counting(), data.with_block_size(8).blocks)


@pytest.mark.parametrize(("kept_bytes", "kept"), [(2**20, True), (100, False)])
def test_a_worker_keeps_what_it_has_decoded_if_it_fits(kept_bytes, kept, jobs, data):
    records = [write_block(block, b"8 bytes!") for block in data.blocks]
    placements = {b"8 bytes!".hex(): Placement(0, "training")}
    task = SparkTask(
        job=ShippedJob(jobs.Counting(), placements, len(records)).to_bytes(),
        data=f"kept {kept}",
        records=CachedRecords((NamedFiles(0, (0,), ("memory",)),)),
        kept_bytes=kept_bytes,
    )
    peek = attrs.evolve(task, peeks=True)
    assert list(spark_worker.results(peek, 4, iter([]))) == [("missing", b"4")]
    first = list(spark_worker.results(task, 4, iter(records)))
    again = list(spark_worker.results(peek, 4, iter([])))
    assert again == (first if kept else [("missing", b"4")])


def test_a_task_leaves_none_of_its_input_unread():
    """Spark gives up a worker that does."""
    task = SparkTask(job=b"no packet", data="none", records=CachedRecords(()), kept_bytes=0)
    elements = iter([b"one", b"two"])
    with pytest.raises(spark_failures.TaskError) as caught:
        list(spark_worker.results(task, 0, elements))
    assert list(elements) == []
    told = spark_failures.as_own(RuntimeError(f"Spark: {caught.value}\n at org.apache"))
    assert isinstance(told, nf.EngineError)
    assert "packet between driver and tasks" in str(told)


def test_a_task_without_neuralframe_is_told_how_to_have_it_sent():
    problem = RuntimeError("\n  Job aborted: lost task\nModuleNotFoundError: No module named 'neuralframe'\n")
    told = spark_failures.as_own(problem)
    assert str(told) == "Spark could not finish the job: Job aborted: lost task"
    assert "ship_package=True" in told.__notes__[0]


@given(n=st.integers(1, 3000), n_shares=st.integers(1, 40))
def test_shares_cover_all_blocks_and_are_about_equal(n, n_shares):
    found = spark_data.edges(n, n_shares)
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (0, n)
    assert len(found) == min(n, n_shares) + 1
    lengths = np.diff(found)
    assert lengths.max() <= n / n_shares * 1.125 + 1


def test_a_missing_pyspark_is_told_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(spark_context, "find_spec", lambda _: None)
    with pytest.raises(nf.MissingPackageError, match=r"neuralframe\[spark\]"):
        make_engine("spark")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (None, "there is no java on the PATH"),
        ("echo 'openjdk version \"11.0.2\"' >&2", "is Java 11"),
        ("echo 'java version \"1.8.0_292\"' >&2", "is Java 8"),
        ("exit 3", "does not run"),
    ],
)
def test_a_missing_or_old_java_is_told(script, message, tmp_path, monkeypatch):
    if script is not None:
        (tmp_path / "java").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "java").chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}" if script is None else f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(nf.EngineError, match=f"{message}.*Spark needs Java 17 or newer"):
        spark_context.require_java()


@needs_spark
def test_a_session_and_settings_of_another_exclude_each_other():
    with pytest.raises(nf.ParameterError, match="master, config and GPUs already"):
        nf.SparkEngine("local[2]", session=object())


@needs_spark
def test_a_session_without_a_context_is_refused():
    class Remote:
        @property
        def sparkContext(self):  # noqa: N802
            raise NotImplementedError

    with pytest.raises(nf.EngineError, match="not one of Spark Connect"):
        nf.SparkEngine(session=Remote()).open()


def test_the_engine_is_found_without_importing_pyspark():
    code = "import sys, neuralframe as nf; nf.SparkEngine; print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("master", "environment", "expected"),
    [
        (None, {}, "local[*]"),
        (None, {"SPARK_MASTER": "spark://here:7077"}, "spark://here:7077"),
        (None, {"PYSPARK_GATEWAY_PORT": "1"}, None),
    ],
)
def test_the_master_is_what_the_environment_says(master, environment, expected, monkeypatch):
    for name in ("SPARK_MASTER", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert spark_context.default_master() == expected


def test_sessions_on_this_machine_listen_on_loopback_only_and_the_user_has_the_last_word():
    options = {"app_name": "a", "gpus_per_task": 2, "progress": False}
    local = spark_context.settings_for("local[2]", {"spark.ui.enabled": "true"}, **options)
    assert local["spark.driver.bindAddress"] == local["spark.driver.host"] == "127.0.0.1"
    assert local["spark.ui.enabled"] == "true"
    assert local["spark.task.resource.gpu.amount"] == "2"
    assert "spark.driver.host" not in spark_context.settings_for("spark://far:7077", {}, **options)


def test_an_engine_says_what_it_was_made_from_unless_it_holds_a_session():
    """So that a run directory can make it again."""
    pytest.importorskip("pyspark", reason="the Spark engine needs pyspark")
    engine = nf.SparkEngine("local[2]", partitions=3, config={"spark.executor.memory": "1g"})
    assert nf.SparkEngine(**engine.parameters()).parameters() == engine.parameters()
    assert nf.SparkEngine(session=object()).parameters() is None
