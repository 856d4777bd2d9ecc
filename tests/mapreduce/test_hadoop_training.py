"""Networks trained on a real cluster: HDFS, YARN, MapReduce and Hadoop Streaming."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf

pytestmark = pytest.mark.hadoop

STORED = "/tmp/neuralframe"  # noqa: S108 - on HDFS

SLOW_MODULE = '''
import os
import time

import attrs

import neuralframe as nf


@attrs.frozen
class SlowTanh(nf.Tanh):
    """Takes its time in the first attempt at a task, so that it can be killed."""

    def value(self, net):
        if os.environ.get("mapreduce_task_attempt_id", "").endswith("_m_000000_0"):
            time.sleep(2)
        return super().value(net)


@attrs.frozen
class BrokenTanh(nf.Tanh):
    """Fails in tasks."""

    def value(self, net):
        if "mapreduce_task_attempt_id" in os.environ:
            raise ZeroDivisionError("as it must")
        return super().value(net)


@attrs.frozen
class OnceBrokenTanh(nf.Tanh):
    """Fails in the first attempt at a task."""

    def value(self, net):
        if os.environ.get("mapreduce_task_attempt_id", "").endswith("_0"):
            raise OSError("a disk that comes and goes")
        return super().value(net)
'''


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """Give a module of the user's own, on the path here and nowhere else."""
    (tmp_path / "slow_functions.py").write_text(SLOW_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("slow_functions", None)
    yield importlib.import_module("slow_functions")
    sys.modules.pop("slow_functions", None)


def samples(n=700, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 5))
    return nf.DataSet(inputs, np.eye(3)[rng.integers(0, 3, n)], block_size=64)


def network(hidden="tanh"):
    return nf.MultilayerPerceptron(5, 6, 3, hidden=hidden, output="softmax", seed=1)


def test_twenty_iterations_on_hdfs_data_give_the_bits_of_the_in_process_engine(on_cluster, hdfs_folder):
    """Two sessions and a validation part in the same jobs; the data are packed on HDFS."""
    training, validation = samples(), samples(150, seed=5)
    training.pack(f"hdfs://{hdfs_folder}/training.nfd", parts=3)
    packed = nf.DataSet.open(f"hdfs://{hdfs_folder}/training.nfd")
    options = {
        "validation": validation,
        "sessions": 2,
        "stop": nf.MaxIterations(20),
        "seed": 3,
        "decay": 1e-3,
    }
    here, there = network(), network()
    expected = here.learn(training, **options)
    engine = nf.MRJobEngine("hadoop", timeout=300)
    run = there.learn(packed, engine=engine, **options)
    np.testing.assert_array_equal(there.weights, here.weights)
    for session, other in zip(run.sessions, expected.sessions, strict=True):
        for column in ("error", "validation_error", "gradient_norm"):
            np.testing.assert_array_equal(session.history.column(column), other.history.column(column))
    assert len(engine.reports) == 21
    assert all(report.counters["Job Counters "]["Launched map tasks"] >= 4 for report in engine.reports)
    assert all(report.counters["neuralframe"]["samples mapped"] == 850 for report in engine.reports)


def test_a_killed_map_attempt_is_tried_again_and_the_bits_are_the_same(on_cluster, slow):
    """The attempt's Java process is killed with SIGKILL while the mapper works."""
    data = samples(300)
    net = network(slow.SlowTanh())
    expected = nf.error_and_gradient(network(), data)
    killed = []
    watcher = threading.Thread(target=kill_first_map_attempt, args=(killed,))
    watcher.start()
    engine = nf.MRJobEngine("hadoop", maps=2, timeout=300)
    found = nf.error_and_gradient(net, data, engine=engine)
    watcher.join()
    assert killed
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    counters = engine.reports[-1].counters["Job Counters "]
    assert counters["Launched map tasks"] >= 3  # a machine under load may launch one more on suspicion
    assert counters["Failed map tasks"] >= 1
    assert engine.reports[-1].attempts == 1


def test_a_mapper_that_fails_once_is_retried_by_hadoop(on_cluster, slow):
    data = samples(200)
    expected = nf.error_and_gradient(network(), data)
    engine = nf.MRJobEngine("hadoop", maps=1, timeout=300)
    found = nf.error_and_gradient(network(slow.OnceBrokenTanh()), data, engine=engine)
    np.testing.assert_array_equal(found[1], expected[1])
    assert engine.reports[-1].counters["Job Counters "]["Failed map tasks"] == 1


def test_the_traceback_of_a_mapper_that_always_fails_comes_to_the_user(on_cluster, slow):
    engine = nf.MRJobEngine(
        "hadoop", maps=1, attempts=1, timeout=300, jobconf={"mapreduce.map.maxattempts": "2"}
    )
    with pytest.raises(nf.EngineError, match="ZeroDivisionError: as it must") as caught:
        nf.error_and_gradient(network(slow.BrokenTanh()), samples(100), engine=engine)
    notes = "\n".join(caught.value.__notes__)
    assert "while mapping block 0 of 2" in notes
    assert 'raise ZeroDivisionError("as it must")' in notes


def test_a_damaged_record_is_named_and_nothing_is_learnt(on_cluster, hadoop_client, hdfs_folder, tmp_path):
    data = samples(300)
    data.pack(tmp_path / "data.nfd", parts=2)
    part = tmp_path / "data.nfd" / "part-00001"
    content = bytearray(part.read_bytes())
    content[len(content) // 3] ^= 1
    part.write_bytes(content)
    hadoop_client.mkdirs(f"{hdfs_folder}/data.nfd")
    for file in (tmp_path / "data.nfd").iterdir():
        hadoop_client.put(file, f"{hdfs_folder}/data.nfd/{file.name}")
    net = network()
    before = net.weights.copy()
    with pytest.raises(nf.PackedDataError, match=r"data\.nfd/part-00001, record 1: "):
        net.learn(
            nf.DataSet.open(f"hdfs://{hdfs_folder}/data.nfd"),
            engine=nf.MRJobEngine("hadoop", timeout=300),
            stop=nf.MaxIterations(3),
        )
    np.testing.assert_array_equal(net.weights, before)


def test_what_was_stored_on_hdfs_for_the_time_is_gone_afterwards(on_cluster, hadoop_client):
    with nf.MRJobEngine("hadoop", maps=2, timeout=300) as engine:
        nf.error_and_gradient(network(), samples(100), engine=engine)
        assert hadoop_client.files(STORED)
    assert not list(hadoop_client.files(STORED))


def kill_first_map_attempt(killed, seconds=60):
    """Kill the process of the first attempt at the first map task, once its mapper runs."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up and not killed:
        found = [pid for pid in processes() if "_m_000000_0" in command_of(pid)]
        java = [pid for pid in found if "org.apache.hadoop.mapred.YarnChild" in command_of(pid)]
        if java and any("mrjob_script" in command_of(pid) for pid in processes()):
            time.sleep(0.5)
            for pid in java:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        time.sleep(0.05)


def processes():
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
