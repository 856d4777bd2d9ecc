"""The Spark engine: one Spark session for a whole training, the data kept where they are computed on."""

from __future__ import annotations

import math
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.core.validation import whole
from neuralframe.exceptions import EngineError, ParameterError
from neuralframe.mapreduce import spark_context
from neuralframe.mapreduce.failures import Failure, one_for_all
from neuralframe.mapreduce.job import results_of
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.partial_sum import PartialSum
from neuralframe.mapreduce.shared_engine import SharedEngine
from neuralframe.mapreduce.shipped_job import ShippedJob
from neuralframe.mapreduce.spark_code import SentCode
from neuralframe.mapreduce.spark_data import CachedData, FileData, must_be_cached
from neuralframe.mapreduce.spark_failures import as_own
from neuralframe.mapreduce.spark_standing import StandingTasks
from neuralframe.mapreduce.spark_standing_job import TimeIsUpError
from neuralframe.mapreduce.spark_task import FAILURE, SparkTask
from neuralframe.mapreduce.spark_worker import read_keyed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from neuralframe.data.blocks import Blocks
    from neuralframe.mapreduce.job import Job, KeyedSums
    from neuralframe.mapreduce.spark_data import SparkData
    from neuralframe.mapreduce.spark_task import Result

CLOSURE_BYTES = 2**20
"""Larger jobs are broadcast: each executor then fetches them once, whatever its number of tasks."""

GATHERED_BYTES = 2**28
"""More than this, about, does not come to the driver at once: executors merge groups of partitions first.
Below, that is no gain (32 partitions, 795,010 weights, 200 MB on two cores: 1.6 s flat, 1.8 s merged first);
and a few sums of each partition stay below what Spark lets a driver collect (spark.driver.maxResultSize).
"""

KEPT_BYTES = 2**30
KEPT_BYTES_IN_CONTAINER = 2**28
"""Decoded blocks that each worker keeps by default. YARN and Kubernetes end containers that outgrow their
limit, of which the Python workers get 384 MB in all unless told otherwise (spark.executor.memoryOverhead)."""


class SparkEngine(SharedEngine):
    """Runs each job as one Spark job, in a session that lives through the training.

    Data in memory and packed data on a local disk are read by the workers from files where Spark runs on
    this machine, and packed data on HDFS or S3 by the executors, which cache them; no data pass through the
    driver but those in its memory. Workers keep the blocks they have decoded, so that later jobs send them
    weights only. A lost executor costs time, never a bit of the result.

    Parameters
    ----------
    master : str, optional
        Such as ``"local[4]"``, ``"spark://host:7077"`` or ``"yarn"``. By default the session that runs in
        this process if there is one, else what spark-submit or the environment variable ``SPARK_MASTER``
        says, else ``"local[*]"``.
    session : SparkSession, optional
        A running session to use; it is not stopped, and its configuration stays as it is.
    partitions : int, optional
        Tasks of a job, about; by default one for each slot of the cluster. The result does not depend on it.
    config : mapping of str to str, optional
        Spark's settings for the session that is started.
    app_name : str
    python : str, optional
        The Python of the tasks; by default this one if Spark runs on this machine, else what
        ``PYSPARK_PYTHON`` says.
    timeout : float, optional
        Seconds that a job may take, and the cluster to give its first executor (by default 120).
    ship_package : bool
        Send neuralframe itself along, to executors on which it is not installed (numpy and attrs must be).
        Modules of your own that define parts of the network are always sent along.
    gpus_per_task : int
        GPUs that Spark's resource scheduling gives each task; its workers see no others.
    kept_bytes : int, optional
        Decoded blocks that each worker keeps, at most; by default 1 GiB, and 256 MiB on YARN and Kubernetes.
    progress : bool
        Show Spark's own progress bar for each job that takes long.
    standing : bool, optional
        Whether tasks stay from job to job, so that a job does not cost a Spark job (which takes 25 to 70 ms,
        however little there is to do). They occupy their slots until two seconds after the last job, or
        until other jobs wait for these. By default they stay in a session that this engine has started.

    Raises
    ------
    MissingPackageError
        If pyspark is not installed.
    ParameterError
        If both a master and a session are given, or what only a new session can be given.

    """

    name = "spark"

    def __init__(
        self,
        master: str | None = None,
        *,
        session: Any = None,
        partitions: int | None = None,
        config: Mapping[str, str] | None = None,
        app_name: str = "neuralframe",
        python: str | None = None,
        timeout: float | None = None,
        ship_package: bool = False,
        gpus_per_task: int = 0,
        kept_bytes: int | None = None,
        progress: bool = False,
        standing: bool | None = None,
    ) -> None:
        super().__init__()
        spark_context.require_pyspark()
        if session is not None and (master is not None or config or gpus_per_task):
            raise ParameterError("SparkEngine: a session that runs has its master, config and GPUs already")
        self.master = master
        self.session = session
        self.partitions = None if partitions is None else whole(partitions, "SparkEngine: partitions")
        self.config = dict(config or {})
        self.app_name = app_name
        self.python = python
        self.timeout = timeout
        self.ship_package = ship_package
        self.gpus_per_task = gpus_per_task
        self.kept_bytes = kept_bytes
        self.progress = progress
        self.standing = standing
        self._n_jobs = 0
        self._forget()

    def _forget(self) -> None:
        self._context: Any = None
        self._is_own = False
        self._work: Path | None = None
        self._data: SparkData | None = None
        self._code: Any = None
        self._standing: StandingTasks | None = None

    def parameters(self) -> dict[str, Any] | None:
        if self.session is not None:
            return None  # only its owner can give it
        return {
            "master": self.master,
            "partitions": self.partitions,
            "config": self.config,
            "app_name": self.app_name,
            "python": self.python,
            "timeout": self.timeout,
            "ship_package": self.ship_package,
            "gpus_per_task": self.gpus_per_task,
            "kept_bytes": self.kept_bytes,
            "progress": self.progress,
            "standing": self.standing,
        }

    def _start(self) -> None:
        self._context, self._is_own = self._find_context()
        self._work = Path(tempfile.mkdtemp(prefix="neuralframe-"))
        self._code = SentCode(self._context, self._work)
        if self.ship_package:
            self._code.send_package()
        if self.standing or (self.standing is None and self._is_own):
            self._standing = StandingTasks(self._context, self._lock, were_asked_for=bool(self.standing))

    def _stop(self) -> None:
        try:
            self._close()
        finally:
            self._forget()

    def _close(self) -> None:
        assert self._work is not None
        try:
            if self._standing is not None:
                self._standing.end()
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
            self._leave()

    def _leave(self) -> None:
        if self._is_own:
            self._context.stop()
        elif self._data is not None and spark_context.is_running(self._context):
            self._data.forget()

    def _find_context(self) -> tuple[Any, bool]:
        """Return the SparkContext to use, and whether it is this engine's own."""
        if self.session is not None:
            return spark_context.context_of(self.session), False
        running = spark_context.running_context()
        if running is not None:
            if self.master not in (None, running.master):
                raise EngineError(
                    f"this process runs a Spark session on {running.master} and can have no second one on "
                    f"{self.master}; stop it, or use it: nf.SparkEngine()"
                )
            return running, False
        master = self.master or spark_context.default_master()
        settings = spark_context.settings_for(
            master,
            self.config,
            app_name=self.app_name,
            gpus_per_task=self.gpus_per_task,
            progress=self.progress,
        )
        python = self.python or spark_context.default_python(master)
        return spark_context.start(settings, python=python, timeout=self.timeout), True

    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        # One job at a time: networks that learn in several threads may share an engine.
        with self._lock, self:
            total = self._total(job, blocks)
        return results_of(job, total)

    def _total(self, job: Job, blocks: Blocks) -> KeyedSums:
        """Run the job and return the sums over all blocks."""
        started = time.monotonic()
        self._n_jobs += 1
        data = self._data
        if data is None or data.blocks is not blocks or not self._code.has(job):
            data = self._prepared(job, blocks)
        results = self._asked(job, data)
        if results is None:
            with self._reporting():
                results = self._collected(self._task_of(job, data), data)
        if self._standing is not None:
            self._standing.was_used()
        failures = [Failure.from_packet(packet) for kind, packet in results if kind == FAILURE]
        if failures:
            raise one_for_all(failures)
        log.info("Spark job %d took %.3f s", self._n_jobs, time.monotonic() - started)
        partial = PartialSum(job.combine)
        for _, packet in results:
            partial.add_range(*read_keyed(packet))
        return partial.total(len(blocks))

    def _prepared(self, job: Job, blocks: Blocks) -> SparkData:
        """Bring data and code to where tasks find them; those that stay would not, and be in the way."""
        if self._standing is not None:
            self._standing.end()
        with self._reporting():
            data = self._data_of(blocks)
            self._code.send_for(job)
        return data

    def _asked(self, job: Job, data: SparkData) -> list[Result] | None:
        """Return what standing tasks find, or None if the job is to be a Spark job of its own."""
        if self._standing is None:
            return None
        try:
            return self._standing.results(self._task_of(job, data), data, self.timeout)
        except TimeIsUpError as problem:
            raise self._too_slow() from problem

    def _task_of(self, job: Job, data: SparkData) -> SparkTask:
        packet = ShippedJob(job, data.placements, len(data.blocks)).to_bytes()
        return SparkTask(job=packet, data=data.name, records=data.records, kept_bytes=self._kept_bytes())

    def _collected(self, task: SparkTask, data: SparkData) -> list[Result]:
        """Return what the tasks of a Spark job find."""
        n_bytes = len(task.job)
        groups = groups_for(data.n_partitions, n_bytes)
        if n_bytes <= CLOSURE_BYTES:
            return data.results(task, groups)
        broadcast: Any = self._context.broadcast(task.job)
        try:
            return data.results(attrs.evolve(task, job=broadcast), groups)
        finally:
            if spark_context.is_running(self._context):
                broadcast.destroy()

    def _data_of(self, blocks: Blocks) -> SparkData:
        """Return the blocks as Spark's tasks read them; those of the latest job are there already."""
        if self._data is None or self._data.blocks is not blocks:
            if self._data is not None:
                self._data.forget()
            self._data = self._spread(blocks)
        return self._data

    def _spread(self, blocks: Blocks) -> SparkData:
        n_partitions = self.partitions or self._context.defaultParallelism
        if must_be_cached(blocks, is_local=spark_context.is_local(self._context.master)):
            return CachedData.of(self._context, blocks, n_partitions)
        folder = Path(tempfile.mkdtemp(prefix="data-", dir=self._work))
        return FileData.of(self._context, blocks, folder, n_partitions)

    def _kept_bytes(self) -> int:
        if self.kept_bytes is not None:
            return self.kept_bytes
        in_container = self._context.master.startswith(("yarn", "k8s"))
        return KEPT_BYTES_IN_CONTAINER if in_container else KEPT_BYTES

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Tell failures of Spark's, and of tasks, as neuralframe's own."""
        from py4j.protocol import Py4JError  # noqa: PLC0415
        from pyspark.errors import PySparkException  # noqa: PLC0415

        try:
            with spark_context.watched(self._context, self.timeout) as ran_out:
                yield
        except (Py4JError, PySparkException, ConnectionError) as problem:
            if ran_out.is_set():
                raise self._too_slow() from problem
            raise as_own(problem) from problem

    def _too_slow(self) -> EngineError:
        assert self.timeout is not None
        if not spark_context.n_executors(self._context):
            return EngineError(spark_context.no_executor(self._context.master, self.timeout))
        return EngineError(
            f"Spark job {self._n_jobs} took longer than the timeout of {self.timeout:g} s and was cancelled"
        )


def groups_for(n_partitions: int, packet_bytes: int) -> int:
    """Return in how many groups partitions are merged before the driver sees sums; 0 if they are not.

    The sums of a partition are about as large as the weights that were sent.
    """
    if n_partitions * packet_bytes <= GATHERED_BYTES:
        return 0
    return round(math.sqrt(n_partitions))
