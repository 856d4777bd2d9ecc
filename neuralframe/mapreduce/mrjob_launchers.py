"""Where mrjob runs a job: one launcher for each kind of runner."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from neuralframe.exceptions import EngineError, MissingPackageError, ParameterError
from neuralframe.mapreduce.blas import THREAD_VARIABLES
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.user_code import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.mapreduce.hadoop_client import HadoopClient
    from neuralframe.mapreduce.hadoop_streaming import Progress
    from neuralframe.mapreduce.mrjob_emr_runner import EMRCluster
    from neuralframe.mapreduce.mrjob_engine import MRJobEngine

ONE_MAP_A_FILE = ("-D", f"mapreduce.input.fileinputformat.split.minsize={2**62}")


class Launcher:
    """Makes runners for an engine's jobs, and stores what they read; the base serves inline and local.

    Parameters
    ----------
    engine : MRJobEngine
        Whose parameters count.

    """

    code_option: ClassVar[str] = "--files"
    """mrjob's option that sends an archive of Python modules along."""

    def __init__(self, engine: MRJobEngine) -> None:
        self.engine = engine

    def arguments(self) -> Iterator[str]:
        """Yield arguments of the job that are this kind of runner's own, as on mrjob's command line."""
        # What failed leaves nothing behind either.
        yield from ("--cleanup-on-failure", "TMP")
        if self.engine.runner in {"inline", "local"} and self.engine.conf is None:
            yield "--no-conf"
        if self.engine.runner == "local":
            yield from ("--cmdenv", f"PYTHONPATH={_python_path()}")
            yield from ("--python-bin", self.engine.python or sys.executable)

    def store(self, path: str) -> str:
        """Copy a local file to where the tasks read it, and return its address."""
        return path

    @contextmanager
    def runner(self, job: Any, task: Any) -> Iterator[Any]:
        """Yield a runner of a job; `task` is the same job, made as a task is."""
        from neuralframe.mapreduce.mrjob_runners import InlineRunner, LocalRunner  # noqa: PLC0415 - slow

        kind = InlineRunner if self.engine.runner == "inline" else LocalRunner
        with kind(**job.runner_options()) as runner:
            runner.task = task
            if self.engine.timeout is not None:
                runner.deadline = time.monotonic() + self.engine.timeout
            yield runner

    def close(self) -> None:
        """Remove what was stored, and give back what was started."""


class ClusterLauncher(Launcher):
    """What the launchers for clusters have in common: a folder for what is stored.

    Parameters
    ----------
    engine : MRJobEngine
    folder : str or None
        Where a folder of the launcher's own is made once something is stored; None to read it where it is.

    """

    def __init__(self, engine: MRJobEngine, folder: str | None) -> None:
        super().__init__(engine)
        self._folder = None if folder is None else f"{folder.rstrip('/')}/{uuid4().hex}"
        self._has_stored = False

    @property
    def _files(self) -> Any:
        """A file system of mrjob's that holds the folder."""
        raise NotImplementedError

    def store(self, path: str) -> str:
        if self._folder is None:
            return path
        # Part files of two data sets have the same names.
        place = f"{self._folder}/{uuid4().hex[:8]}-{Path(path).name}"
        if not self._has_stored:
            self._files.mkdir(self._folder)
            self._has_stored = True
        self._files.put(path, place)
        return place

    def close(self) -> None:
        if self._has_stored:
            self._files.rm(self._folder)
            self._has_stored = False


class HadoopLauncher(ClusterLauncher):
    """Runs jobs by Hadoop Streaming: through a warm client where py4j is installed, else by commands."""

    def __init__(self, engine: MRJobEngine) -> None:
        super().__init__(engine, _on_hdfs(engine.folder or "/tmp/neuralframe"))  # noqa: S108 - on HDFS
        self._has_client = find_spec("py4j") is not None
        self._client: HadoopClient | None = None
        if not self._has_client:
            log.warning(
                "each job starts a Java process for each look at a file; with py4j one process serves the "
                "whole training: pip install 'neuralframe[hadoop]'"
            )

    def arguments(self) -> Iterator[str]:
        yield from super().arguments()
        yield from (*ONE_MAP_A_FILE, "--no-check-input-paths")
        yield from ("--python-bin", self.engine.python or sys.executable)

    @property
    def client(self) -> HadoopClient:
        """The Java process that serves all jobs until the engine is closed."""
        if self._client is None:
            from neuralframe.mapreduce.hadoop_client import HadoopClient  # noqa: PLC0415 - py4j is optional

            self._client = HadoopClient()
        return self._client

    @property
    def _files(self) -> Any:
        from mrjob.fs.hadoop import HadoopFilesystem  # noqa: PLC0415 - mrjob is slow to import

        from neuralframe.mapreduce.hadoop_runner import ClientFilesystem  # noqa: PLC0415

        return ClientFilesystem(self.client) if self._has_client else HadoopFilesystem()

    @contextmanager
    def runner(self, job: Any, task: Any) -> Iterator[Any]:
        del task
        with self._runner(job) as runner:
            runner.timeout, runner.stall_timeout = self.engine.timeout, self.engine.stall_timeout
            yield runner

    def _runner(self, job: Any) -> Any:
        from neuralframe.mapreduce.hadoop_runner import make_hadoop_runner  # noqa: PLC0415
        from neuralframe.mapreduce.mrjob_cluster_runners import CommandHadoopRunner  # noqa: PLC0415

        if self._has_client:
            return make_hadoop_runner(job, self.client, on_progress=_log_progress)
        return CommandHadoopRunner(**job.runner_options())

    def close(self) -> None:
        super().close()
        if self._client is not None:
            self._client.close()
            self._client = None


class SparkLauncher(ClusterLauncher):
    """Runs each job by a ``spark-submit`` of its own; see `SparkEngine` for what is faster."""

    code_option = "--py-files"

    def __init__(self, engine: MRJobEngine) -> None:
        super().__init__(engine, engine.folder)

    def arguments(self) -> Iterator[str]:
        yield from super().arguments()
        # Each part file is read whole, with its name, so that a damaged record can be named.
        yield from ("--emulate-map-input-file", "-D", f"spark.sql.files.maxPartitionBytes={2**62}")
        yield from ("--python-bin", self.engine.python or sys.executable)
        yield from ("--cmdenv", f"PYTHONPATH={_python_path()}")
        for variable in THREAD_VARIABLES:
            yield from ("--cmdenv", f"{variable}=1")

    @property
    def _files(self) -> Any:
        from neuralframe.mapreduce.mrjob_cluster_runners import SparkRunner  # noqa: PLC0415

        return SparkRunner(mrjob_cls=None).fs

    @contextmanager
    def runner(self, job: Any, task: Any) -> Iterator[Any]:
        del task
        from neuralframe.mapreduce.mrjob_cluster_runners import SparkRunner  # noqa: PLC0415

        with SparkRunner(**job.runner_options()) as runner:
            runner.timeout = self.engine.timeout
            yield runner


class EMRLauncher(ClusterLauncher):
    """Runs jobs as steps of one cluster on Amazon's Elastic MapReduce.

    Raises
    ------
    MissingPackageError
        If boto3 is not installed.
    ParameterError
        If the engine's folder is not on S3.

    """

    def __init__(self, engine: MRJobEngine) -> None:
        if find_spec("boto3") is None:
            raise MissingPackageError("boto3", purpose="mrjob's EMR runner", extra="aws")
        if engine.folder is not None and not engine.folder.startswith("s3://"):
            raise ParameterError(
                f"MRJobEngine: folder must be on S3 for the emr runner, as in 's3://bucket/prefix'; "
                f"got {engine.folder!r}"
            )
        super().__init__(engine, engine.folder)
        self._cluster: EMRCluster | None = None

    def arguments(self) -> Iterator[str]:
        yield from super().arguments()
        yield from (*ONE_MAP_A_FILE, "--no-check-input-paths")
        if self.engine.folder is not None:
            # Each job has a folder of its own there; logs stay, for whoever looks for a reason.
            yield from ("--cloud-tmp-dir", f"{self.engine.folder.rstrip('/')}/jobs/")
        if self.engine.python is not None:
            yield from ("--python-bin", self.engine.python)

    def store(self, path: str) -> str:
        if self._folder is None:
            raise EngineError(
                "EMR cannot read data in this machine's memory or on its disks. Give a place on S3 for them, "
                'MRJobEngine("emr", folder="s3://bucket/prefix"), or pack the data there: '
                'data.pack("s3://bucket/data.nfd")'
            )
        return super().store(path)

    @property
    def _files(self) -> Any:
        from mrjob.fs.s3 import S3Filesystem  # noqa: PLC0415 - boto3 is optional

        return S3Filesystem()

    @contextmanager
    def runner(self, job: Any, task: Any) -> Iterator[Any]:
        del task
        from neuralframe.mapreduce.mrjob_emr_runner import AWS_ERRORS, EMRCluster, EMRRunner  # noqa: PLC0415

        if self._cluster is None:
            self._cluster = EMRCluster()
        try:
            with EMRRunner(**self._cluster.options(job.runner_options())) as runner:
                runner.timeout = self.engine.timeout
                yield runner
        except AWS_ERRORS as problem:
            raise EngineError(f"AWS: {problem}") from problem

    def close(self) -> None:
        if self._cluster is not None:
            self._cluster.close()
            self._cluster = None
        super().close()


def _on_hdfs(folder: str) -> str:
    return folder if "://" in folder else f"hdfs://{folder}"


def _python_path() -> str:
    """Return where tasks on this machine find neuralframe, and what the user has put on the path."""
    return os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))


def _log_progress(progress: Progress) -> None:
    log.info(
        "%s: maps %.0f %%, reduces %.0f %%", progress.job_id, 100 * progress.maps, 100 * progress.reduces
    )


LAUNCHERS: dict[str, type[Launcher]] = {
    "inline": Launcher,
    "local": Launcher,
    "hadoop": HadoopLauncher,
    "spark": SparkLauncher,
    "emr": EMRLauncher,
}
