"""What all tests share: how hypothesis searches, and the Hadoop cluster of tests with the marker ``hadoop``.

NEURALFRAME_HADOOP names the folder of a cluster that runs; with NEURALFRAME_HADOOP_TESTS=1 one is fetched and
started for the tests. Without either they are skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

# Many small tests, on machines that may be busy, the same ones on every run.
settings.register_profile("neuralframe", max_examples=40, deadline=None, derandomize=True)
settings.load_profile("neuralframe")

LOCAL_HADOOP = Path(__file__).parents[1] / "scripts" / "local_hadoop.py"


@dataclass(frozen=True)
class LocalCluster:
    """A cluster that scripts/local_hadoop.py started."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What to add to the environment of a program that shall find the cluster."""
        found: dict[str, str] = json.loads((self.folder / "env.json").read_text())
        return found | {"PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    @property
    def state(self):
        """Ports and processes."""
        return json.loads((self.folder / "state.json").read_text())

    @property
    def hadoop(self) -> str:
        """The ``hadoop`` command."""
        return str(self.folder / "bin" / "hadoop")

    @property
    def streaming_jar(self) -> str:
        """Hadoop Streaming."""
        return self.environment["HADOOP_STREAMING_JAR"]

    @property
    def jars(self) -> str:
        """The folder of Hadoop's jars, for further clusters."""
        return self.state["jars"]

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the script on this cluster."""
        return run_script(command, "--folder", str(self.folder), *options)


def run_script(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run scripts/local_hadoop.py."""
    return subprocess.run(
        [sys.executable, str(LOCAL_HADOOP), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=env,
    )


@pytest.fixture(scope="session")
def hadoop_cluster(tmp_path_factory) -> Iterator[LocalCluster]:
    """Give a cluster with all four daemons."""
    if named := os.environ.get("NEURALFRAME_HADOOP"):
        yield LocalCluster(Path(named))
        return
    if os.environ.get("NEURALFRAME_HADOOP_TESTS") != "1":
        pytest.skip("no Hadoop: set NEURALFRAME_HADOOP to a cluster's folder, or NEURALFRAME_HADOOP_TESTS=1")
    if not (shutil.which("java") and shutil.which("mvn")):
        pytest.skip("no Hadoop: java and mvn are needed to fetch and run it")
    cluster = LocalCluster(tmp_path_factory.mktemp("hadoop"))
    for command in ("fetch", "start"):
        done = cluster.run(command)
        assert done.returncode == 0, done.stdout + done.stderr
    yield cluster
    cluster.run("stop")


@pytest.fixture(scope="session")
def hadoop_client(hadoop_cluster):
    """Give a warm client of that cluster."""
    pytest.importorskip("py4j", reason="the warm client needs py4j")
    from neuralframe.mapreduce.hadoop_client import HadoopClient

    with HadoopClient(hadoop_cluster.hadoop, streaming_jar=hadoop_cluster.streaming_jar) as client:
        yield client


@pytest.fixture
def hdfs_folder(hadoop_client, request) -> Iterator[str]:
    """Give a folder of HDFS that is the test's own."""
    folder = f"/tests/{request.node.name}"
    hadoop_client.delete(folder)
    hadoop_client.mkdirs(folder)
    yield folder
    hadoop_client.delete(folder)


@pytest.fixture
def on_cluster(hadoop_cluster, monkeypatch):
    """Let what the test runs find the cluster."""
    pytest.importorskip("py4j", reason="the warm client needs py4j")
    for name, value in hadoop_cluster.environment.items():
        monkeypatch.setenv(name, value)
    return hadoop_cluster
