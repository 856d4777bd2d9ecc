"""Commands that are ended when they take too long."""

from __future__ import annotations

import os
import sys
import time

import pytest

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.watched_process import WatchedProcess


def command(program):
    return [sys.executable, "-u", "-c", program]


def ended(process):
    """Read all that a command says, and wait for its end."""
    list(process.lines())
    return process.wait()


def test_lines_of_both_streams_and_the_status_come_back():
    program = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    with WatchedProcess(command(program), os.environ, timeout=30) as process:
        assert list(process.lines()) == [b"out\n", b"err\n"]
        assert process.wait() == 3
        assert process.tail == "out\nerr\n"


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    child = f"import time, pathlib; time.sleep(2); pathlib.Path({str(tmp_path / 'alive')!r}).touch()"
    program = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); "
        "print('begun'); time.sleep(60)"
    )
    started = time.monotonic()
    with (
        pytest.raises(EngineError, match=r"(?s)had not finished after 0\.5 s, its timeout. It said:\nbegun"),
        WatchedProcess(command(program), os.environ, timeout=0.5) as process,
    ):
        ended(process)
    assert time.monotonic() - started < 10
    time.sleep(max(0, started + 3 - time.monotonic()))
    assert not (tmp_path / "alive").exists()


def test_a_command_that_says_nothing_is_ended_and_one_that_does_is_not():
    talking = "import time\nfor _ in range(12): print('.', flush=True); time.sleep(0.1)"
    with WatchedProcess(command(talking), os.environ, stall_timeout=1.0) as process:
        assert len(list(process.lines())) == 12
        assert process.wait() == 0
    with (
        pytest.raises(EngineError, match=r"nothing had moved for 0\.3 s"),
        WatchedProcess(command("import time; time.sleep(60)"), os.environ, stall_timeout=0.3) as process,
    ):
        ended(process)


def test_one_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr("neuralframe.mapreduce.watched_process.GRACE", 0.2)
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)"
    started = time.monotonic()
    with pytest.raises(EngineError), WatchedProcess(command(program), os.environ, timeout=0.5) as process:
        ended(process)
    assert time.monotonic() - started < 10


def test_whatever_ends_the_block_ends_the_command():
    with (
        pytest.raises(KeyboardInterrupt),
        WatchedProcess(command("import time; time.sleep(60)"), os.environ) as process,
    ):
        raise KeyboardInterrupt
    assert process._process.returncode is not None
