"""What tests of the Spark engine share."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest

from neuralframe.mapreduce import spark_engine


@pytest.fixture(scope="module")
def jobs(request, tmp_path_factory):
    """Return the user's module of jobs, imported from where no task would find it."""
    folder = tmp_path_factory.mktemp("user")
    name = f"users_jobs_of_{request.module.__name__.rpartition('.')[2]}"
    shutil.copy(Path(__file__).with_name("spark_jobs.py"), folder / f"{name}.py")
    sys.path.insert(0, str(folder))
    yield importlib.import_module(name)
    sys.path.remove(str(folder))
    del sys.modules[name]


@pytest.fixture(params=["files", "cached"])
def kind(request, monkeypatch):
    """Have workers read files, as on one machine, or what Spark has cached, as on a cluster."""
    monkeypatch.setattr(spark_engine, "must_be_cached", lambda *_, **__: request.param == "cached")
    return request.param
