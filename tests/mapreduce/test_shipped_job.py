"""Jobs as they travel to tasks."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.job import Job
from neuralframe.mapreduce.shipped_job import Placement, ShippedJob, module_name, modules_of


@attrs.frozen
class Unsendable(Job):
    """Holds what no task can be told."""

    what: object

    def map(self, block):
        return {}

    def reduce(self, key, total):
        return None


def error_job(n_vectors=2):
    network = nf.MultilayerPerceptron(3, 4, 2, hidden="tanh", output="softmax", seed=0)
    weights = np.stack([network.weights + row for row in range(n_vectors)])
    return ErrorJob(make_kernel("numpy", network.topology), weights, np.arange(n_vectors) % 2 == 0)


def test_a_job_comes_back_with_all_bits_and_computes_the_same():
    job = error_job()
    shipped = ShippedJob(job, {"ab": Placement(0, "training"), "cd": Placement(7, "validation")}, 9)
    found = ShippedJob.from_bytes(shipped.to_bytes())
    assert found.placements == shipped.placements
    assert found.n_blocks == 9
    np.testing.assert_array_equal(found.job.weights, job.weights)
    data = nf.DataSet(np.ones((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]])
    (block,) = data.blocks
    for key, sums in job.map(block).items():
        for name, values in sums.items():
            np.testing.assert_array_equal(found.job.map(block)[key][name], values)


def test_nothing_is_pickled():
    packet = ShippedJob(error_job(), {}, 1).to_bytes()
    assert packet.startswith(b"NFPK")
    assert b"numpy.core" not in packet
    assert b"cnumpy" not in packet


def test_what_cannot_be_told_is_refused_where_the_job_is_sent():
    with pytest.raises(nf.EngineError, match="Unsendable cannot be sent to other machines"):
        ShippedJob(Unsendable(object()), {}, 1).to_bytes()


def test_a_module_that_is_not_there_is_named(tmp_path, monkeypatch):
    (tmp_path / "soon_gone.py").write_text(
        "import attrs\nfrom neuralframe.mapreduce.job import Job\n\n\n"
        "@attrs.frozen\nclass Mine(Job):\n"
        "    def map(self, block):\n        return {}\n\n"
        "    def reduce(self, key, total):\n        return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    mine = importlib.import_module("soon_gone").Mine()
    assert "soon_gone" in [module.__name__ for module in modules_of(mine)]
    packet = ShippedJob(mine, {}, 1).to_bytes()
    assert type(ShippedJob.from_bytes(packet).job).__name__ == "Mine"
    monkeypatch.setattr("neuralframe.mapreduce.shipped_job.PROCESS", "another")
    assert type(ShippedJob.from_bytes(packet).job).__name__ == "Mine"
    sys.modules.pop("soon_gone")
    (tmp_path / "soon_gone.py").unlink()
    importlib.invalidate_caches()
    with pytest.raises(nf.EngineError, match=r"a task cannot import the module 'soon_gone'"):
        ShippedJob.from_bytes(packet)


def test_an_interactive_session_cannot_be_imported():
    session = ModuleType("__main__")
    session.__spec__ = None
    with pytest.raises(nf.EngineError, match="interactive session"):
        module_name(session)


def test_a_script_and_a_module_that_was_started_have_names_that_tasks_can_import():
    script = ModuleType("__main__")
    script.__spec__, script.__file__ = None, "train.py"
    assert module_name(script) == "neuralframe_user_main"
    module = ModuleType("__main__")
    module.__spec__ = importlib.machinery.ModuleSpec("training.main", None)
    assert module_name(module) == "training.main"


def test_a_task_imports_nothing_heavy():
    """Imports are most of what a short task takes: scipy 0.46 s, numba 0.32 s."""
    program = (
        "import sys\n"
        "import neuralframe.mapreduce.mrjob_script\n"
        "heavy = {'scipy', 'numba', 'typer', 'rich', 'sklearn', 'boto3', 'pyspark', 'threadpoolctl'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
