"""Kernels in every engine: the same bits, who gets which device, and what happens where there is none."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from mrjob.local import LocalMRJobRunner

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.kernels.cuda.device import DEVICE_VARIABLE
from neuralframe.mapreduce import spark_context, spark_task
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.mrjob_runners import LocalRunner
from neuralframe.mapreduce.shipped_job import ShippedJob

PROGRAM = """
import sys
import numpy as np
import neuralframe as nf
from neuralframe.mapreduce import make_engine

random = np.random.default_rng(0)
data = nf.DataSet(random.normal(size=(90, 4)), random.normal(size=(90, 2)), block_size=16)
weights = {}
with make_engine(sys.argv[1]) as engine:
    for kernel in ("numpy", "cuda"):
        network = nf.MultilayerPerceptron(4, 5, 2, seed=0)
        network.learn(data, engine=engine, kernel=kernel, stop=nf.MaxIterations(1), progress=False)
        weights[kernel] = network.weights.tobytes()
print("same bits" if weights["numpy"] == weights["cuda"] else "other bits")
"""


def require_spark():
    """Skip a test, with the reason, where Spark cannot run."""
    try:
        spark_context.require_pyspark()
        spark_context.require_java()
    except nf.NeuralFrameError as problem:
        pytest.skip(str(problem))


def trained_without_a_device(engine):
    """Return what a fresh process says that learns with and without CUDA, where CUDA sees no device."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, engine],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "SPARK_MASTER": "local[2]"},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def trained(engine, kernel):
    random = np.random.default_rng(0)
    data = nf.DataSet(random.normal(size=(90, 4)), random.normal(size=(90, 2)), block_size=16)
    network = nf.MultilayerPerceptron(4, 5, 2, seed=0)
    network.learn(data, engine=engine, kernel=kernel, stop=nf.MaxIterations(1), progress=False)
    return network.weights


@pytest.mark.parametrize(
    "engine", ["mrjob:inline", "mrjob:local", pytest.param("spark", marks=pytest.mark.spark)]
)
def test_compiled_code_travels_by_its_name_and_gives_the_same_bits(engine):
    """Machine code is not sent: a task compiles, or finds on its disk, what was compiled before."""
    pytest.importorskip("numba")
    if engine == "spark":
        require_spark()
        engine = nf.SparkEngine("local[2]")
    weights = trained("threads", "numba")
    np.testing.assert_array_equal(trained(engine, "numba"), weights)
    np.testing.assert_allclose(trained("threads", "numpy"), weights, rtol=1e-12)


@pytest.mark.parametrize(("engine", "n_warnings"), [("threads", 1), ("mrjob:inline", 1), ("mrjob:local", 0)])
def test_without_a_device_the_processor_computes_and_one_warning_says_so(engine, n_warnings):
    """The bits are numpy's, job after job; processes of mrjob's warn in their own logs."""
    done = trained_without_a_device(engine)
    assert done.stdout.strip() == "same bits"
    assert done.stderr.count("DeviceWarning") == n_warnings, done.stderr


@pytest.mark.spark
def test_sparks_workers_fall_back_each_for_itself():
    """Two workers serve all jobs of the training, and each warns once."""
    require_spark()
    done = trained_without_a_device("spark")
    assert done.stdout.strip() == "same bits"
    assert 1 <= done.stderr.count("DeviceWarning") <= 2, done.stderr


@pytest.mark.parametrize("kernel", ["numpy", "numba", "cuda"])
def test_a_task_imports_a_compiler_only_for_compiled_code(kernel, tmp_path):
    """With numpy's kernel it imports numpy and attrs; CUDA's looks for a device, and here finds none."""
    if kernel == "numba":
        pytest.importorskip("numba")
    network = nf.MultilayerPerceptron(4, 5, 2, seed=0)
    job = ErrorJob(make_kernel(kernel, network.topology), network.weights[np.newaxis], np.array([True]))
    (tmp_path / "job").write_bytes(ShippedJob(job, {}, 1).to_bytes())
    code = (
        "import sys, warnings, pathlib, numpy as np\n"
        "from neuralframe.data.blocks import Block\n"
        "from neuralframe.mapreduce.shipped_job import ShippedJob\n"
        "job = ShippedJob.from_bytes(pathlib.Path(sys.argv[1]).read_bytes()).job\n"
        "warnings.simplefilter('ignore')\n"
        "job.map(Block(0, np.zeros((3, 4)), np.zeros((3, 2))))\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "job"],
        env=os.environ | {"CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = {"numba", "scipy", "mrjob", "threadpoolctl", "typer", "sklearn"} & set(done.stdout.split())
    assert heavy - {"scipy"} == {"numba"} if kernel == "numba" else not heavy  # numba imports scipy itself


def test_local_maps_count_round_the_devices(monkeypatch):
    """Unless the caller has said which; `choose_device` knows how many there are."""
    given = {"PATH": "/bin"}
    monkeypatch.setattr(LocalMRJobRunner, "_env_for_task", lambda *_: given)
    runner = object.__new__(LocalRunner)
    assert runner._env_for_task("mapper", 0, 1) == {"PATH": "/bin", DEVICE_VARIABLE: "1"}
    given[DEVICE_VARIABLE] = "5"
    assert runner._env_for_task("mapper", 0, 1)[DEVICE_VARIABLE] == "5"


@pytest.fixture
def task(monkeypatch):
    """Stand in for Spark's task, and keep what it does to the environment in this test."""
    pyspark = pytest.importorskip("pyspark", reason="the Spark engine needs pyspark")
    for name in ("CUDA_VISIBLE_DEVICES", DEVICE_VARIABLE):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def begin(partition, addresses=None):
        found = {} if addresses is None else {"gpu": SimpleNamespace(addresses=addresses)}
        context = SimpleNamespace(resources=lambda: found, partitionId=lambda: partition)
        monkeypatch.setattr(pyspark.TaskContext, "get", lambda: context)
        spark_task.prepare_process()

    return begin


def test_a_spark_task_sees_the_device_that_it_was_given(task):
    """And no other, by CUDA's own variable."""
    task(3, ["1"])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "1"
    assert DEVICE_VARIABLE not in os.environ


def test_a_spark_worker_stays_with_its_first_device(task):
    """Where Spark gives out none: the blocks that a worker has carried there are kept for later tasks."""
    task(3)
    task(0)
    assert os.environ[DEVICE_VARIABLE] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
