"""The mrjob engine over its runners inline, local and Spark; test_hadoop_training.py has Hadoop."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from mrjob.inline import InlineMRJobRunner

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.error_job import ErrorJob

USER_JOBS = Path(__file__).with_name("user_jobs.py")
INLINE_AND_LOCAL = ["inline", pytest.param("local", marks=pytest.mark.slow)]

SCRIPT = '''
import sys

import attrs
import numpy as np

import neuralframe as nf


@attrs.frozen
class Bent(nf.Tanh):
    """Defined in the script that was started."""

    def value(self, net):
        return net + np.tanh(net)

    def derivative(self, net, output):
        return 2 - np.tanh(net) ** 2


if __name__ == "__main__":
    random = np.random.default_rng(0)
    data = nf.DataSet(random.normal(size=(40, 3)), random.normal(size=(40, 1)), block_size=16)
    net = nf.MultilayerPerceptron(3, 4, 1, hidden=Bent(), seed=0)
    here = nf.error_and_gradient(net, data)
    there = nf.error_and_gradient(net, data, engine=sys.argv[1])
    assert here[0] == there[0]
    assert np.array_equal(here[1], there[1])
    print("the same bits")
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a module of the user's own, on the path of this process alone."""
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(USER_JOBS, folder)
    monkeypatch.setenv("NEURALFRAME_TEST_DRIVER", str(os.getpid()))
    monkeypatch.syspath_prepend(folder)
    yield importlib.import_module("user_jobs")
    sys.modules.pop("user_jobs")


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Give the folder in which temporary files are made, the tests' own for once."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def samples(n=300, seed=0):
    random = np.random.default_rng(seed)
    return nf.DataSet(random.normal(size=(n, 5)), np.eye(3)[random.integers(0, 3, n)], block_size=16)


def classes(n=200):
    """Return data of ten classes, of which each block has few: class 9 is in the first block alone."""
    random = np.random.default_rng(0)
    targets = np.sort(random.integers(0, 9, n))
    targets[3] = 9
    return nf.DataSet(random.normal(size=(n, 4)), targets[:, None].astype(float), block_size=16)


def network(hidden="tanh"):
    return nf.MultilayerPerceptron(5, 4, 3, hidden=hidden, output="softmax", seed=1)


def packed(data, folder, parts):
    data.pack(folder / f"{parts}.nfd", parts=parts)
    return nf.DataSet.open(folder / f"{parts}.nfd")


def assert_same_training(engine, training=None, **options):
    """Train here and through an engine, and compare all bits of weights and history."""
    options = {"validation": samples(70, seed=5), "sessions": 3, "seed": 3, "decay": 1e-3} | options
    here, there = network(), network()
    expected = here.learn(samples(), **options)
    run = there.learn(training or samples(), engine=engine, **options)
    np.testing.assert_array_equal(there.weights, here.weights)
    for session, other in zip(run.sessions, expected.sessions, strict=True):
        np.testing.assert_array_equal(session.weights, other.weights)
        for column in ("error", "validation_error", "gradient_norm"):
            np.testing.assert_array_equal(session.history.column(column), other.history.column(column))
    return run


@pytest.mark.parametrize("maps", [1, 2, 5])
def test_a_training_inline_has_the_bits_of_the_in_process_engine(maps):
    """Twenty iterations of RPROP; three sessions and a validation part in the same jobs."""
    engine = nf.MRJobEngine("inline", maps=maps)
    assert_same_training(engine, stop=nf.MaxIterations(20))
    assert len(engine.reports) == 21
    assert {report.attempts for report in engine.reports} == {1}
    assert all(report.counters["neuralframe"]["samples mapped"] == 370 for report in engine.reports)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_a_training_on_packed_data_has_the_same_bits(tmp_path, parts):
    assert_same_training("mrjob:inline", packed(samples(), tmp_path, parts), stop=nf.MaxIterations(5))


@pytest.mark.slow
@pytest.mark.parametrize("maps", [1, 2, 5])
def test_a_training_in_local_processes_has_the_same_bits(maps):
    assert_same_training(nf.MRJobEngine("local", maps=maps), stop=nf.MaxIterations(1))


@pytest.mark.slow
def test_twenty_iterations_in_local_processes_on_packed_data_have_the_same_bits(tmp_path):
    assert_same_training("mrjob:local", packed(samples(), tmp_path, 2), stop=nf.MaxIterations(20))


def test_trial_steps_have_the_same_bits():
    """A rule that searches along a line asks for errors without gradients, too."""
    net, data = network(), samples()
    weights = net.weights * np.linspace(0.5, 2, 5)[:, None]
    job = ErrorJob(make_kernel("numpy", net.topology), weights, np.array([False, True, False, False, True]))
    expected = nf.InProcessEngine(1).run(job, data.blocks)
    found = nf.MRJobEngine("inline", maps=3).run(job, data.blocks)
    for row in range(5):
        assert found[row].error == expected[row].error
        np.testing.assert_array_equal(found[row].gradient, expected[row].gradient)


@pytest.mark.parametrize("runner", INLINE_AND_LOCAL)
def test_sums_that_a_rule_invents_need_no_change_here(own, runner):
    """Under sparse keys of its own; some blocks have nothing under a key."""
    data = classes()
    expected = nf.InProcessEngine(1).run(own.ClassSums(), data.blocks)
    found = nf.MRJobEngine(runner, maps=3).run(own.ClassSums(), data.blocks)
    assert list(found) == list(range(10))
    for key, (mean, n) in found.items():
        rows = data.targets[:, 0] == key
        assert n == rows.sum()
        np.testing.assert_allclose(mean, data.inputs[rows].mean(axis=0), rtol=1e-12)
        np.testing.assert_array_equal(mean, expected[key][0])


@pytest.mark.parametrize("runner", INLINE_AND_LOCAL)
def test_combine_may_be_another_than_the_sum(own, runner):
    data = samples()
    found = nf.MRJobEngine(runner, maps=3).run(own.Largest(), data.blocks)
    largest, block = found[7]
    np.testing.assert_array_equal(largest, data.inputs.max(axis=0))
    np.testing.assert_array_equal(block, data.inputs.argmax(axis=0) // 16)


@pytest.mark.parametrize("runner", INLINE_AND_LOCAL)
def test_a_transfer_function_of_the_users_own_reaches_the_tasks(own, runner):
    net, data = network(own.Bent()), samples(60)
    expected = nf.error_and_gradient(net, data)
    found = nf.error_and_gradient(net, data, engine=nf.MRJobEngine(runner, maps=1))
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.slow
@pytest.mark.parametrize("start", [["train.py"], ["-m", "trainings.train"]], ids=["script", "module"])
@pytest.mark.parametrize("engine", ["mrjob:inline", "mrjob:local"])
def test_a_class_in_the_program_that_was_started_reaches_the_tasks(tmp_path, engine, start):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "trainings").mkdir()
    (tmp_path / "trainings" / "train.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, *start, engine], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the same bits\n"


@pytest.mark.slow
def test_neuralframe_itself_is_sent_along(own, monkeypatch):
    """The tasks' path has nothing of this process's; the archive comes first."""
    engine = nf.MRJobEngine("local", maps=1, ship_package=True)
    assert engine.run(own.ClassSums(), classes(20).blocks)[9][1] == 1


@pytest.mark.parametrize("change", ["lose", "double"])
def test_a_part_file_that_is_lost_or_doubled_is_found_out(tmp_path, monkeypatch, change):
    """As on a cluster whose input listing is wrong; the job itself succeeds."""
    data = packed(samples(), tmp_path, 4)

    def changed(runner):
        files = list(genuine(runner))
        return files[1:] if change == "lose" else [*files, files[0]]

    genuine = InlineMRJobRunner._get_input_paths
    monkeypatch.setattr(InlineMRJobRunner, "_get_input_paths", changed)
    net = network()
    before = net.weights.copy()
    with pytest.raises(nf.EngineError, match=r"covers \d+ block|came twice"):
        net.learn(data, engine="mrjob:inline", stop=nf.MaxIterations(2))
    np.testing.assert_array_equal(net.weights, before)


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["raises", "exits", "is_killed"])
def test_a_mapper_that_dies_once_costs_an_attempt(own, tmp_path, trouble, caplog):
    engine = nf.MRJobEngine("local", maps=2)
    job = own.Troubled(trouble, str(tmp_path / "been_here"))
    with caplog.at_level(logging.WARNING):
        assert engine.run(job, samples().blocks) == {0: 300}
    assert engine.reports[-1].attempts == 2
    assert caplog.text.count("is run again") == 1


@pytest.mark.parametrize("runner", INLINE_AND_LOCAL)
def test_the_traceback_of_a_mapper_that_always_fails_comes_to_the_user(own, runner, temporary):
    engine = nf.MRJobEngine(runner, maps=2)
    with pytest.raises(nf.EngineError, match="a task failed with ZeroDivisionError: as it must") as caught:
        engine.run(own.Troubled("raises"), samples().blocks)
    notes = "\n".join(caught.value.__notes__)
    assert "while mapping block 1 of 19 (16 samples) of " in notes
    assert 'raise ZeroDivisionError("as it must")' in notes
    assert "user_jobs.py" in notes
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("trouble", "reason"), [("exits", "status 3"), ("is_killed", "signal 9")])
def test_a_mapper_that_always_dies_is_named_with_the_reason(own, trouble, reason, temporary):
    engine = nf.MRJobEngine("local", maps=2, attempts=2)
    with pytest.raises(nf.EngineError, match=rf"mapper \d+ ended with {reason}"):
        engine.run(own.Troubled(trouble), samples().blocks)
    assert list(temporary.iterdir()) == []


@pytest.mark.slow
def test_a_job_that_takes_too_long_is_ended(own, temporary):
    started = time.monotonic()
    engine = nf.MRJobEngine("local", maps=1, attempts=1, timeout=2)
    with pytest.raises(nf.EngineError, match="not ended when the job's time was up; it was killed"):
        engine.run(own.Troubled("hangs"), samples().blocks)
    assert time.monotonic() - started < 15
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("runner", INLINE_AND_LOCAL)
def test_a_damaged_record_is_named_and_nothing_is_learnt(tmp_path, runner, caplog):
    samples().pack(tmp_path / "data.nfd", parts=2)
    data = nf.DataSet.open(tmp_path / "data.nfd")
    part = tmp_path / "data.nfd" / "part-00001"
    content = bytearray(part.read_bytes())
    content[-30] ^= 1
    part.write_bytes(content)
    net = network()
    before = net.weights.copy()
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(nf.PackedDataError, match=r"data\.nfd/part-00001, record 3: "),
    ):
        net.learn(data, engine=f"mrjob:{runner}", stop=nf.MaxIterations(3))
    np.testing.assert_array_equal(net.weights, before)
    assert "is run again" not in caplog.text


def test_an_engine_may_be_closed_twice_and_opened_again(temporary):
    net, data = network(), samples(50)
    engine = nf.MRJobEngine("inline")
    with engine:
        first = nf.error_and_gradient(net, data, engine=engine)
    engine.close()
    engine.close()
    assert list(temporary.iterdir()) == []
    with engine, engine:
        again = nf.error_and_gradient(net, data, engine=engine)
        assert len(list(temporary.iterdir())) == 1
    assert list(temporary.iterdir()) == []
    assert first[0] == again[0]


def test_networks_in_two_threads_share_an_engine():
    engine, data = nf.MRJobEngine("inline", maps=2), [samples(80, seed=s) for s in range(2)]
    nets = [network(), network()]

    def learn(number):
        nets[number].learn(data[number], engine=engine, stop=nf.MaxIterations(6))

    with engine:
        threads = [threading.Thread(target=learn, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for number in range(2):
        alone = network()
        alone.learn(data[number], stop=nf.MaxIterations(6))
        np.testing.assert_array_equal(nets[number].weights, alone.weights)


def test_inline_leaves_the_process_as_it_was(monkeypatch):
    before = (Path.cwd(), dict(os.environ), sys.stdin, sys.stdout, sys.stderr, list(sys.path))
    nf.error_and_gradient(network(), samples(40), engine="mrjob:inline")
    assert (Path.cwd(), dict(os.environ), sys.stdin, sys.stdout, sys.stderr, list(sys.path)) == before


def test_the_same_packed_data_cannot_be_both_parts(tmp_path):
    data = packed(samples(), tmp_path, 2)
    with pytest.raises(nf.EngineError, match="training and validation data at once"):
        network().learn(data, validation=data, engine="mrjob:inline")


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(nf.ChoiceError, match=r"mrjob runner 'hadop'.*hadoop"):
        nf.MRJobEngine("hadop")
    for parameters in ({"maps": 0}, {"attempts": 0}, {"timeout": 0}, {"stall_timeout": -1.0}):
        with pytest.raises(nf.ParameterError, match=next(iter(parameters))):
            nf.MRJobEngine("inline", **parameters)
    assert make_engine("mrjob:local").runner == "local"


@pytest.mark.spark
@pytest.mark.slow
class TestSpark:
    """mrjob's own Spark runner: each job is a spark-submit."""

    @pytest.fixture(autouse=True)
    def spark(self):
        pytest.importorskip("pyspark", reason="mrjob's Spark runner needs pyspark")
        if shutil.which("java") is None:
            pytest.skip("Spark needs Java")

    def test_a_gradient_has_the_bits_of_the_in_process_engine(self, own, temporary):
        net, data = network(own.Bent()), samples()
        expected = nf.error_and_gradient(net, data)
        engine = nf.MRJobEngine("spark", maps=2, timeout=120)
        found = nf.error_and_gradient(net, data, engine=engine)
        assert found[0] == expected[0]
        np.testing.assert_array_equal(found[1], expected[1])
        assert engine.reports[-1].counters["neuralframe"]["samples mapped"] == 300
        assert list(temporary.iterdir()) == []

    def test_a_damaged_record_is_named(self, tmp_path):
        data = packed(samples(), tmp_path, 2)
        part = tmp_path / "2.nfd" / "part-00001"
        content = bytearray(part.read_bytes())
        content[-30] ^= 1
        part.write_bytes(content)
        with pytest.raises(nf.PackedDataError, match=r"2\.nfd/part-00001, record 3: "):
            nf.error_and_gradient(network(), data, engine=nf.MRJobEngine("spark", timeout=120))

    def test_a_job_that_takes_too_long_is_ended(self, own):
        engine = nf.MRJobEngine("spark", maps=1, attempts=1, timeout=3)
        with pytest.raises(nf.EngineError, match="was ended: it had not finished after 3 s"):
            engine.run(own.Troubled("hangs"), samples().blocks)
