"""Standing tasks: one Spark job for many jobs, and what becomes of a job when they are lost."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import spark_context, spark_standing, spark_standing_job
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.spark_standing_job import StandingError, StandingJob, hosts_of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def owner():
    """Return an engine whose own session stays open for all tests; its workers have begun."""
    try:
        spark_context.require_pyspark()
        spark_context.require_java()
    except nf.NeuralFrameError as problem:
        pytest.skip(str(problem))
    with nf.SparkEngine("local[2,2]", standing=False) as engine:
        engine.run(gradient_job(), nf.DataSet(np.zeros((2, 4)), np.eye(3)[:2], block_size=1).blocks)
        yield engine


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Have a machine that is busy with other things change nothing."""
    monkeypatch.setattr(spark_standing, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(spark_standing, "LISTED_SECONDS", 10.0)


@pytest.fixture
def session(owner):
    return owner._context


@pytest.fixture
def engine(session):
    """Return an engine in that session whose tasks stay, with what it ran as Spark jobs of their own."""
    with Watched(standing=True) as engine:
        yield engine


@pytest.fixture(scope="module")
def data():
    random = np.random.default_rng(3)
    inputs = random.standard_normal((500, 4)) * 10.0 ** random.integers(-3, 3, (500, 1))
    return nf.DataSet(inputs, np.eye(3)[random.integers(0, 3, 500)], block_size=16)


class Watched(nf.SparkEngine):
    """Counts the jobs that were Spark jobs of their own."""

    own_jobs = 0

    def _collected(self, task, data):
        self.own_jobs += 1
        return super()._collected(task, data)

    @property
    def standing_job(self):
        return self._standing._job


def gradient_job(hidden="tanh", n_hidden=5):
    network = nf.MultilayerPerceptron(4, n_hidden, 3, hidden=hidden, output="softmax", seed=0)
    weights = network.weights + np.arange(2)[:, np.newaxis] / 8
    return ErrorJob(make_kernel("numpy", network.topology), weights, np.array([True, False]))


def bits(found):
    return [(mean.error, mean.gradient is not None and mean.gradient.tobytes()) for mean in found.values()]


def same_as_in_process(engine, job, blocks):
    return bits(engine.run(job, blocks)) == bits(nf.InProcessEngine(1).run(job, blocks))


@pytest.mark.parametrize("partitions", [1, 2])
def test_many_jobs_are_one_spark_job_with_the_same_bits(partitions, kind, session, data):
    """What is to be cached by Spark first is so by a Spark job of its own."""
    blocks = data.blocks
    with Watched(standing=True, partitions=partitions) as engine:
        assert all(same_as_in_process(engine, gradient_job(), blocks) for _ in range(5))
        assert engine.own_jobs == (kind == "cached")
    assert not session.statusTracker().getActiveJobsIds()


def test_tasks_stay_by_default_only_where_the_session_is_the_engines_own(owner, data, jobs):
    assert owner._standing is None
    with nf.SparkEngine() as borrowed:
        assert borrowed._standing is None
    owner.close()
    try:
        with Watched("local[1]") as own:
            assert own.run(jobs.Counting(), data.blocks)[0] == data.n_samples
            assert own.standing_job is not None
            assert own.own_jobs == 0
    finally:
        owner.open()


def test_a_training_keeps_its_tasks_to_the_end(engine, data):
    trained = {}
    for where in (engine, "threads"):
        network = nf.MultilayerPerceptron(4, 5, 3, output="softmax", seed=0)
        network.learn(data, engine=where, validation=0.2, sessions=2, stop=nf.MaxIterations(20), seed=0)
        trained[where] = network.weights.tobytes()
    assert trained[engine] == trained["threads"]
    assert engine.own_jobs == 0


def test_megabytes_go_out_and_come_back(engine, data):
    job, blocks = gradient_job(n_hidden=50_000), data.blocks
    assert job.weights.nbytes > 2**22
    for _ in range(3):
        assert same_as_in_process(engine, job, blocks)
    assert engine.own_jobs == 0


def test_a_worker_killed_between_jobs_costs_a_spark_job(kind, engine, jobs, data):
    blocks, cached = data.blocks, kind == "cached"
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    os.kill(next(iter(engine.run(jobs.Looking(), blocks).values()))["worker"], signal.SIGKILL)
    assert same_as_in_process(engine, gradient_job(), blocks)
    assert engine.own_jobs == 1 + cached
    for _ in range(3):
        assert same_as_in_process(engine, gradient_job(), blocks)
    assert engine.standing_job is not None
    assert engine.own_jobs == 2 + cached


def test_a_worker_killed_in_the_middle_of_a_job_costs_time_only(engine, jobs, data):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    victim = next(iter(engine.run(jobs.Looking(), blocks).values()))["worker"]
    killer = threading.Timer(0.5, os.kill, (victim, signal.SIGKILL))
    killer.start()
    assert engine.run(jobs.Counting(seconds=0.1), blocks)[0] == data.n_samples
    killer.join()
    assert engine.own_jobs == 1


def test_what_fails_once_is_tried_again(engine, jobs, data, tmp_path):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    assert engine.run(jobs.Failing(once=str(tmp_path / "failed")), blocks)[0] == data.n_samples
    assert (tmp_path / "failed").exists()


@pytest.mark.usefixtures("kind")
def test_what_always_fails_tells_its_traceback_and_the_engine_goes_on(engine, jobs, data):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    with pytest.raises(nf.EngineError, match="ZeroDivisionError: block 5 is bad") as caught:
        engine.run(jobs.Failing(), blocks)
    assert "while mapping block 5 of 32 (16 samples)" in "\n".join(caught.value.__notes__)
    assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples


def test_what_would_fail_again_is_not_tried_again_and_the_tasks_stay(engine, jobs, data):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    before = engine.standing_job
    with pytest.raises(nf.ParameterError, match="block 5 is refused"):
        engine.run(jobs.Refusing(), blocks)
    assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
    assert engine.standing_job is before is not None
    assert engine.own_jobs == 0


def test_a_job_that_takes_too_long_is_cancelled_and_the_next_one_runs(session, jobs, data):
    blocks = data.blocks
    with Watched(standing=True, timeout=5) as engine:
        for _ in range(2):
            engine.run(jobs.Counting(), blocks)
        with pytest.raises(
            nf.EngineError, match="job 3 took longer than the timeout of 5 s and was cancelled"
        ):
            engine.run(jobs.Counting(seconds=1), blocks)
        assert engine.own_jobs == 0
    with Watched() as engine:
        assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples


def test_a_worker_that_takes_nothing_in_does_not_keep_the_driver(session, jobs, data):
    """More is sent than fits between them, to a process that has been stopped."""
    blocks = data.blocks
    with Watched(standing=True, timeout=5) as engine:
        for _ in range(2):
            engine.run(jobs.Counting(), blocks)
        stopped = next(iter(engine.run(jobs.Looking(), blocks).values()))["worker"]
        os.kill(stopped, signal.SIGSTOP)
        try:
            with pytest.raises(nf.EngineError, match="longer than the timeout of 5 s"):
                engine.run(gradient_job(n_hidden=200_000), blocks)
        finally:
            os.kill(stopped, signal.SIGCONT)
        assert engine.own_jobs == 0


def test_ctrl_c_leaves_no_answer_behind_for_the_next_job(engine, jobs, data, monkeypatch):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    with monkeypatch.context() as patch:
        patch.setattr(spark_standing_job, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.run(jobs.Counting(), blocks)
    assert engine.standing_job is None
    assert same_as_in_process(engine, gradient_job(), blocks)


def interrupted(*_):
    raise KeyboardInterrupt


def test_idle_tasks_make_room_for_others(session, engine, jobs, data, monkeypatch):
    monkeypatch.setattr(spark_standing, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(spark_context, "n_active_jobs", lambda _: 0)  # nobody is seen waiting
    blocks = data.blocks
    engine.run(jobs.Counting(), blocks)
    assert engine.own_jobs == 0
    assert session.parallelize([1, 2, 3], 2).sum() == 6
    assert engine.standing_job is None
    monkeypatch.setattr(spark_standing, "IDLE_SECONDS", 60.0)
    assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
    assert engine.standing_job is not None


def test_tasks_that_end_leave_their_workers_behind(engine, jobs, data):
    """And so the blocks that these keep."""
    blocks = data.blocks
    seen = []
    for _ in range(6):
        engine.run(jobs.Counting(), blocks)
        seen.append({found["worker"] for found in engine.run(jobs.Looking(), blocks).values()})
        engine._standing.end()
    assert len(set.union(*seen)) < sum(map(len, seen))


def test_code_that_comes_later_reaches_tasks_that_are_new(engine, jobs, data):
    blocks = data.blocks
    for _ in range(2):
        assert same_as_in_process(engine, gradient_job(), blocks)
    before = engine.standing_job
    for _ in range(2):
        assert same_as_in_process(engine, gradient_job(hidden=jobs.Bent()), blocks)
    assert engine.standing_job is not before is not None


def test_other_data_have_other_tasks(engine, jobs, data):
    for blocks in (data.blocks, data.with_block_size(7).blocks):
        for _ in range(3):
            assert same_as_in_process(engine, gradient_job(), blocks)
    assert engine.own_jobs == 0


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"kept_bytes": 0}, "has not kept the blocks"), ({"partitions": 3}, "3 partitions and 2 slots")],
)
def test_where_tasks_cannot_stay_each_job_is_a_spark_job(options, reason, session, data, caplog):
    blocks = data.blocks
    with caplog.at_level(logging.INFO, "neuralframe.mapreduce"), Watched(standing=True, **options) as engine:
        assert all(same_as_in_process(engine, gradient_job(), blocks) for _ in range(5))
        assert engine.own_jobs >= 4
    told = [record for record in caplog.records if "no standing tasks" in record.getMessage()]
    assert [record.levelname for record in told].count("WARNING") == 1
    assert all(reason in record.getMessage() for record in told)


def test_what_is_too_large_for_the_driver_to_send_is_broadcast(engine, data, monkeypatch):
    monkeypatch.setattr(spark_standing, "ASKED_BYTES", 100)
    blocks = data.blocks
    assert all(same_as_in_process(engine, gradient_job(), blocks) for _ in range(3))
    assert engine.own_jobs == 3


def test_a_driver_that_cannot_be_reached_is_told_once(engine, data, monkeypatch, caplog):
    """It listens on 127.0.0.1, and tasks look for it at another address."""
    monkeypatch.setattr(spark_standing_job, "hosts_of", lambda _: ("127.0.0.1", "127.0.0.2"))
    for blocks in (data.blocks, data.blocks):
        assert all(same_as_in_process(engine, gradient_job(), blocks) for _ in range(4))
    assert engine.own_jobs == 8
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "a task cannot connect to the driver at 127.0.0.2:" in told[0]


@pytest.mark.parametrize(
    "broken",
    [
        ("spark_standing_job.hosts_of", lambda _: ("203.0.113.77", "203.0.113.77")),
        ("spark_context.n_slots", lambda _: 1 / 0),
        ("spark_context.executors", lambda _: 1 / 0),
    ],
)
def test_what_cannot_be_started_here_is_done_without(broken, engine, data, monkeypatch, caplog):
    """An address that this machine has not, or something private of Spark's that another version has not."""
    name, failure = broken
    monkeypatch.setattr(f"neuralframe.mapreduce.{name}", failure)
    blocks = data.blocks
    assert all(same_as_in_process(engine, gradient_job(), blocks) for _ in range(3))
    assert engine.own_jobs == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "they cannot be started: " in caplog.text


def test_an_executor_that_is_gone_without_a_word_is_noticed(engine, jobs, data, monkeypatch, caplog):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    monkeypatch.setattr(spark_context, "executors", lambda _: set())
    assert engine.run(jobs.Counting(seconds=0.15), blocks)[0] == data.n_samples
    assert "Spark has lost an executor (" in caplog.text
    assert engine.own_jobs == 1


def test_a_connection_that_the_system_gives_up_is_a_lost_task_and_no_timeout(engine, jobs, data, monkeypatch):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    monkeypatch.setattr(spark_standing_job, "receive_results", gone)
    assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
    assert engine.own_jobs == 1


def gone(_):
    raise TimeoutError(110, "Connection timed out")


def test_jobs_of_others_get_their_turn_while_a_training_goes_on(session, engine, jobs, data):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    assert engine.standing_job is not None
    sums = []
    other = threading.Thread(target=lambda: sums.append(session.parallelize([1, 2, 3], 2).sum()))
    other.start()
    end = time.monotonic() + 30
    while not sums and time.monotonic() < end:
        engine.run(jobs.Counting(), blocks)
    other.join()
    assert sums == [6]
    while engine.standing_job is None and time.monotonic() < end:
        engine.run(jobs.Counting(), blocks)
    assert engine.standing_job is not None


def test_after_a_pause_a_job_is_a_spark_job(engine, jobs, data, monkeypatch):
    """Where one job does not follow the other, starting tasks would not pay."""
    monkeypatch.setattr(spark_standing, "IDLE_SECONDS", 0.5)
    blocks = data.blocks
    for _ in range(3):
        engine.run(jobs.Counting(), blocks)
        time.sleep(1.2)
    assert engine.own_jobs == 2
    engine.run(jobs.Counting(), blocks)
    engine.run(jobs.Counting(), blocks)
    assert engine.own_jobs == 3


def test_a_worker_has_room_for_the_partition_that_stays(session, jobs, data):
    """Whatever it kept before, of which each partition takes more than half."""
    blocks = data.blocks
    n_bytes = sum(block.inputs.nbytes + block.targets.nbytes for block in blocks)
    with Watched(standing=True, kept_bytes=int(0.7 * n_bytes)) as engine:
        for turn in range(1, 7):
            engine.run(jobs.Counting(), blocks)
            assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
            assert engine.run(jobs.Counting(), blocks)[0] == data.n_samples
            assert engine.standing_job is not None, turn
            engine._standing.end()


def test_tasks_that_have_no_room_are_not_waited_for_for_ever(engine, session, data, monkeypatch):
    monkeypatch.setattr(spark_standing_job, "START_SECONDS", 0.5)
    monkeypatch.setattr(spark_context, "n_active_jobs", lambda _: 0)
    blocks = data.blocks
    other = threading.Thread(target=lambda: session.parallelize([3, 3], 2).foreach(time.sleep))
    other.start()
    time.sleep(0.5)
    assert same_as_in_process(engine, gradient_job(), blocks)
    assert engine.own_jobs == 1
    other.join()
    assert same_as_in_process(engine, gradient_job(), blocks)
    assert same_as_in_process(engine, gradient_job(), blocks)
    assert engine.own_jobs == 3  # a start in vain is long: not soon again


def test_strangers_do_not_disturb(engine, jobs, data, caplog):
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    with socket.create_connection(("127.0.0.1", engine.standing_job._meeting.port)) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: somebody else, who says more than is needed here\r\n\r\n")
        assert engine.run(jobs.Counting(seconds=0.02), blocks)[0] == data.n_samples
    assert engine.own_jobs == 0
    assert "no standing task has connected" in caplog.text


class Conf(dict):
    """A configuration, and the context that has it."""

    master = "spark://host:7077"

    def getConf(self):  # noqa: N802
        return self


@pytest.mark.parametrize("setting", spark_standing_job.ENCRYPTION)
def test_where_spark_is_to_encrypt_no_plain_connection_is_made(setting):
    with pytest.raises(StandingError, match=f"{setting} is set") as caught:
        hosts_of(Conf({setting: "true", "spark.driver.host": "host"}))
    assert caught.value.rest_seconds == math.inf


def test_the_driver_listens_where_sparks_does():
    assert hosts_of(Conf({"spark.driver.host": "[fd00::1]"})) == ("fd00::1", "fd00::1")
    conf = Conf({"spark.driver.host": "gateway", "spark.driver.bindAddress": "0.0.0.0"})  # noqa: S104
    assert hosts_of(conf) == ("0.0.0.0", "gateway")  # noqa: S104
    conf.master = "local[8]"
    assert hosts_of(conf) == ("127.0.0.1", "127.0.0.1")


def test_tasks_end_when_they_are_told_even_if_a_connection_stays_open(
    session, engine, jobs, data, monkeypatch
):
    """As it does in a process that was forked meanwhile. And ending twice is no harm."""
    monkeypatch.setattr(type(session), "cancelJobsWithTag", None)
    blocks = data.blocks
    for _ in range(2):
        engine.run(jobs.Counting(), blocks)
    job = engine.standing_job
    assert isinstance(job, StandingJob)
    elsewhere = [os.dup(connection.fileno()) for connection in job._connections.values()]
    engine._standing.end()
    engine._standing.end(cancel=True)
    job.end(cancel=False)
    assert not session.statusTracker().getActiveJobsIds()
    for descriptor in elsewhere:
        os.close(descriptor)
