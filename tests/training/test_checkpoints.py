"""The run directory: what is written when, what stays, who may write, and what a failure leaves."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path

import attrs
import numpy as np
import pytest

import neuralframe as nf


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((60, 4))
    return nf.DataSet(x, np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3], block_size=16)


@pytest.fixture
def run_1(tmp_path):
    return tmp_path / "run-1"


def network():
    return nf.MultilayerPerceptron(4, 5, 1, seed=1)


def learn(data, run=None, n=6, **options):
    return network().learn(data, stop=nf.MaxIterations(n), checkpoint=run, seed=3, **options)


def names(run, pattern="checkpoint-*"):
    return sorted(path.name for path in run.glob(pattern))


def numbers(run):
    return [int(name[11:19]) for name in names(run)]


def bits(run):
    return [session.weights.tobytes() for session in run.sessions]


def test_checkpoints_do_not_change_a_bit_of_the_training(data, run_1):
    plain, kept = learn(data, sessions=2), learn(data, run_1, sessions=2)
    assert bits(plain) == bits(kept)
    assert [attrs.evolve(r, seconds=0) for r in plain.history] == [
        attrs.evolve(r, seconds=0) for r in kept.history
    ]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({}, [5, 6, 7]),
        ({"keep": 1}, [7]),
        ({"keep": 100}, list(range(8))),
        ({"every": 3}, [3, 6, 7]),
        ({"every": 100, "keep": 2}, [0, 7]),
    ],
)
def test_the_last_few_checkpoints_stay_and_the_last_iteration_has_one(data, run_1, options, left):
    learn(data, nf.Checkpoints(run_1, **options), n=7)
    assert numbers(run_1) == left
    assert names(run_1, ".*") == []


def test_iteration_0_is_the_first_checkpoint(data, run_1):
    seen = []
    learn(data, run_1, n=2, listeners=[lambda event: seen.append((event.record.iteration, numbers(run_1)))])
    assert seen[:3] == [(0, []), (1, [0]), (2, [0, 1])]


def test_the_history_is_a_line_of_json_for_each_record(data, run_1):
    run = learn(data, run_1, sessions=3, validation=0.25)
    lines = [json.loads(line) for line in (run_1 / "history.jsonl").read_text().splitlines()]
    assert len(lines) == 3 * 7
    for session in run.sessions:
        own = [nf.IterationRecord(**line) for line in lines if line["session"] == session.number]
        assert own == list(session.history)


def test_the_history_is_on_disk_before_the_checkpoint_that_counts_on_it(data, run_1, monkeypatch):
    from neuralframe.training.run_directory import CHECKPOINT, RunDirectory

    write, lengths = RunDirectory.write_checkpoint, []

    def watched(self, number, header, arrays, *, keep):
        lengths.append((run_1 / "history.jsonl").stat().st_size - header["history"]["bytes"])
        write(self, number, header, arrays, keep=keep)

    monkeypatch.setattr(RunDirectory, "write_checkpoint", watched)
    learn(data, run_1)
    assert lengths == [0] * 7
    header = CHECKPOINT.read(run_1 / "checkpoint-00000006.nfc")[0]
    assert header["iteration"] == 6
    assert header["jobs"] == 7


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (3, "name of a directory"),
        (True, "name of a directory"),
    ],
)
def test_bad_options_say_what_would_be_good(data, given, says):
    with pytest.raises(nf.ParameterError, match=says):
        learn(data, given)


@pytest.mark.parametrize(
    "options", [{"keep": 0}, {"every": 0}, {"notes": {"a": {1}}}, {"notes": {"a": np.nan}}]
)
def test_bad_checkpoints_are_refused(options):
    with pytest.raises(nf.ParameterError, match=next(iter(options))):
        nf.Checkpoints("run-1", **options)


def test_a_training_is_not_overwritten(data, run_1):
    learn(data, run_1)
    before = {path.name: path.read_bytes() for path in run_1.iterdir()}
    net = network()
    start = net.weights.copy()
    with pytest.raises(nf.CheckpointError, match=r"holds a training already.*nf\.resume\('.*run-1'\)"):
        net.learn(data, checkpoint=run_1)
    assert {path.name: path.read_bytes() for path in run_1.iterdir()} == before
    np.testing.assert_array_equal(net.weights, start)


def test_a_file_is_no_directory(data, run_1):
    run_1.write_text("mine")
    with pytest.raises(nf.CheckpointError, match="run-1 cannot be written to"):
        learn(data, run_1)
    assert run_1.read_text() == "mine"


def test_a_file_of_the_users_that_is_in_the_way_stays(data, run_1):
    run_1.mkdir()
    (run_1 / "history.jsonl").write_text("mine")
    with pytest.raises(nf.CheckpointError, match="choose another directory"):
        learn(data, run_1)
    assert (run_1 / "history.jsonl").read_text() == "mine"


@contextmanager
def as_nobody():
    """Be a user whom permissions bind, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="permissions are those of POSIX")
def test_a_read_only_directory_is_refused_before_any_work(data):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "closed")
        home.mkdir()
        home.chmod(0o555)
        Path(folder).chmod(0o755)
        for run in (home, home / "run-1"):
            net, heard = network(), []
            with as_nobody(), pytest.raises(nf.CheckpointError, match="Permission denied"):
                net.learn(data, checkpoint=run, listeners=heard.append)
            assert heard == []
        assert list(home.iterdir()) == []


class NotSavable(nf.LearningRule):
    """Carries on what no file can hold."""

    def initial_state(self, weights, gradient):
        return {"seen": {1, 2, 3}}

    def step(self, objective, last):
        raise AssertionError("no step is taken")


def test_a_state_that_cannot_be_kept_is_refused_at_once_and_leaves_no_run(data, run_1):
    with pytest.raises(nf.CheckpointError, match=r"standing\.state\[0\]\[1\] is a set"):
        network().learn(data, rule=NotSavable(), checkpoint=run_1)
    assert learn(data, run_1).iterations == 6


def test_a_training_that_cannot_begin_leaves_no_run(data, run_1):
    net = nf.Adaline(4, seed=0)
    net.weights[:] = 1e200
    with pytest.raises(nf.NonFiniteError):
        net.learn(data, checkpoint=run_1)
    assert learn(data, run_1).iterations == 6


@pytest.mark.parametrize("nth", range(1, 12))
def test_a_full_disk_loses_no_checkpoint_and_nothing_that_was_learnt(data, run_1, monkeypatch, nth):
    """Whichever write fails: of the run, the history, a checkpoint or the directory."""
    whole = learn(data)
    sync, calls = os.fsync, []

    def full(file):
        calls.append(file)
        if len(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    net, heard = network(), []
    start = net.weights.copy()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(
            nf.CheckpointError, match=r"run-1 cannot be written to \(No space left on device\)"
        ):
            net.learn(data, stop=nf.MaxIterations(6), checkpoint=run_1, seed=3, listeners=heard.append)
    if heard:
        error, _ = nf.error_and_gradient(net, data)
        assert error == min(event.record.error for event in heard)
    else:
        np.testing.assert_array_equal(net.weights, start)
    assert names(run_1, ".*") == []
    if nth < 5:  # not even iteration 0 was kept: the run may begin anew
        assert names(run_1, "*.nf*") == []
        assert bits(learn(data, run_1)) == bits(whole)
    else:
        assert numbers(run_1) == list(range((nth - 2) // 3))
        assert bits(nf.resume(run_1, data)) == bits(whole)


SCRIPT = """
import resource, signal, sys
import numpy as np
import neuralframe as nf

x = np.random.default_rng(0).standard_normal((60, 4))
data = nf.DataSet(x, np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3], block_size=16)

def network():
    return nf.MultilayerPerceptron(4, 5, 1, seed=1)

"""


def start(script, *arguments):
    """Start a process of its own that runs a script."""
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT + textwrap.dedent(script), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def script_says(script, *arguments):
    process = start(script, *arguments)
    try:
        output, complaint = process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, complaint
    return output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_file_that_may_not_grow_is_a_full_disk_too(data, run_1):
    """The system itself refuses the write, in the middle of the training."""
    said = script_says(
        """
        def limit(event):
            if event.record.iteration == 3:
                resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))

        try:
            network().learn(data, stop=nf.MaxIterations(6), checkpoint=sys.argv[1], seed=3, listeners=limit)
        except nf.CheckpointError as problem:
            print(problem)
        """,
        run_1,
    )
    assert "run-1 cannot be written to (File too large)" in said
    assert numbers(run_1) == [0, 1, 2]
    assert names(run_1, ".*") == []
    assert bits(nf.resume(run_1, data)) == bits(learn(data))


def test_two_drivers_never_share_a_directory(data, run_1):
    """The second is told which process holds it; SIGKILL ends the lock with its process."""
    process = start(
        """
        print("begun", flush=True)
        def tell(event):
            if event.record.iteration == 2:
                print("learning", flush=True)
        network().learn(data, stop=nf.MaxIterations(10**9), checkpoint=sys.argv[1], seed=3, listeners=tell)
        """,
        run_1,
    )
    try:
        assert [process.stdout.readline(), process.stdout.readline()] == ["begun\n", "learning\n"]
        for second in (lambda: nf.resume(run_1, data), lambda: learn(data, run_1)):
            with pytest.raises(nf.CheckpointError, match=f"in use by process {process.pid} on "):
                second()
    finally:
        process.kill()
        process.communicate()
    last = numbers(run_1)[-1]
    run = nf.resume(run_1, data, stop=nf.MaxIterations(last + 2))
    assert bits(run) == bits(learn(data, n=last + 2))


def test_a_second_driver_in_the_same_process_is_refused_too(data, run_1):
    refused = []

    def listener(event):
        try:
            nf.resume(run_1, data)
        except nf.CheckpointError as problem:
            refused.append(str(problem))

    learn(data, run_1, n=2, listeners=listener)
    assert len(refused) == 4
    assert f"process {os.getpid()}" in refused[0]


HARNESS = """
    # One life after the other: each is killed at its n-th call of any function, and the next goes on.
    import filelock, json, os
    nf.resume  # both imported before the first life, rather than in each
    run, seed = sys.argv[1], int(sys.argv[2])
    OPTIONS = dict(stop=nf.MaxIterations(12), sessions=2, seed=3, validation=0.25)

    def life(fatal):
        left = [fatal]
        def count(frame, event, argument):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(count)
        if os.path.exists(run + "/run.nfr"):
            nf.resume(run, data)
        else:
            network().learn(data, checkpoint=run, **OPTIONS)
        sys.setprofile(None)
        os._exit(0)

    random, lives, kept = np.random.default_rng(seed), 0, []
    status = 1
    while status != 0:
        lives += 1
        fatal = int(random.integers(1, 70_000))  # starting takes about 30,000 calls, an iteration 10,000
        pid = os.fork()
        if pid == 0:
            life(fatal)
        status = os.waitpid(pid, 0)[1]
        assert status in (0, signal.SIGKILL), status
        there = os.listdir(run) if os.path.isdir(run) else []
        names = sorted(name for name in there if name.startswith("checkpoint"))
        assert not kept or names and names[-1] >= kept[-1], (kept, names)
        kept = names
    ended, whole = nf.resume(run), network().learn(data, **OPTIONS)
    pairs = list(zip(ended.sessions, whole.sessions))
    plain = lambda session: [str(record).rpartition(" ")[0].rpartition(" ")[0] for record in session.history]
    print(json.dumps({
        "lives": lives,
        "same bits": all(a.weights.tobytes() == b.weights.tobytes() for a, b in pairs),
        "same history": all(plain(a) == plain(b) for a, b in pairs),
        "left": sorted(os.listdir(run)),
    }))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("seed", [0, 1, 11, 387])  # 11 and 387 leave old checkpoints and halves of files
def test_killed_again_and_again_it_still_comes_to_the_same_bits(run_1, seed):
    """SIGKILL at seeded points of iterations, of writes and of resuming itself."""
    found = json.loads(script_says(HARNESS, run_1, seed))
    assert found["lives"] > 2  # how many calls an iteration takes differs from Python to Python
    assert found["same bits"]
    assert found["same history"]
    checkpoints = [f"checkpoint-000000{n}.nfc" for n in (10, 11, 12)]
    assert [name for name in found["left"] if name != "holder"] == [
        *checkpoints,
        "history.jsonl",
        "lock",
        "run.nfr",
    ]


def test_a_run_can_be_moved_and_copied(data, run_1, tmp_path):
    def stop(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == 2:
            event.control.stop()

    learn(data, run_1, listeners=stop)
    shutil.copytree(run_1, tmp_path / "copy")
    assert bits(nf.resume(run_1, data)) == bits(nf.resume(tmp_path / "copy", data)) == bits(learn(data))
