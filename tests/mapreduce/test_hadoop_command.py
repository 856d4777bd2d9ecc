"""Jobs on a real cluster without py4j: by the ``hadoop`` command alone."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.mapreduce import mrjob_launchers

pytestmark = [pytest.mark.hadoop, pytest.mark.slow]


@pytest.fixture
def hadoop(hadoop_cluster, monkeypatch):
    """Give the ``hadoop`` command, found by the environment, where py4j is not installed."""
    for name, value in hadoop_cluster.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(mrjob_launchers, "find_spec", lambda name: None if name == "py4j" else object())

    def run(*arguments):
        command = [hadoop_cluster.hadoop, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    return run


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a module of the user's own, on the path of this process alone."""
    shutil.copy(Path(__file__).with_name("user_jobs.py"), tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("user_jobs")
    sys.modules.pop("user_jobs")


def samples():
    random = np.random.default_rng(0)
    return nf.DataSet(random.normal(size=(200, 4)), random.normal(size=(200, 1)), block_size=32)


def test_a_gradient_has_the_same_bits_and_leaves_nothing_behind(hadoop, own, caplog):
    net, data = nf.MultilayerPerceptron(4, 3, 1, hidden=own.Bent(), seed=0), samples()
    expected = nf.error_and_gradient(net, data)
    folder = "/tests/by-command"
    engine = nf.MRJobEngine("hadoop", maps=2, timeout=300, folder=folder)
    found = nf.error_and_gradient(net, data, engine=engine)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])
    assert engine.reports[-1].counters["neuralframe"]["samples mapped"] == 200
    assert "pip install 'neuralframe[hadoop]'" in caplog.text
    assert hadoop("fs", "-ls", "-R", folder) == ""


def test_a_job_that_takes_too_long_is_killed_on_the_cluster_too(hadoop, own):
    engine = nf.MRJobEngine("hadoop", maps=1, attempts=1, timeout=15)
    with pytest.raises(nf.EngineError, match="was ended: it had not finished after 15 s, its timeout"):
        engine.run(own.Troubled("hangs"), samples().blocks)
    running = [line for line in hadoop("job", "-list").splitlines() if "mrjob_script" in line]
    assert running == []
