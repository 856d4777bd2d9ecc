"""mrjob's Hadoop and Spark runners, whose commands are ended when they take too long.

mrjob forks the calling process under a terminal of its own, which is not safe where this has threads, and
waits for ever.
"""

from __future__ import annotations

import logging
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrjob.hadoop import HadoopJobRunner
from mrjob.logs.spark import _parse_spark_log
from mrjob.logs.step import _interpret_hadoop_jar_command_stderr
from mrjob.spark.runner import SparkMRJobRunner

from neuralframe.exceptions import EngineError, MissingPackageError
from neuralframe.mapreduce.watched_process import WatchedProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Found = tuple[int, dict[str, Any]]

log = logging.getLogger(__name__)

BATCH_SETTINGS = {"spark.ui.enabled": "false"}
"""A job of seconds has no use for a web server."""

LOOPBACK_SETTINGS = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
"""Without a cluster nobody else needs to reach the driver."""

JOB_ID = re.compile(r"Running job: (job_\d+_\d+)")


class CommandHadoopRunner(HadoopJobRunner):  # type: ignore[misc]  # mrjob has no types
    """Runs jobs by the ``hadoop`` command.

    Attributes
    ----------
    timeout, stall_timeout : float or None
        Seconds that a job may take, and for which nothing may move.

    """

    timeout: float | None = None
    stall_timeout: float | None = None

    def _run_hadoop(
        self, hadoop_args: list[str], env: Mapping[str, str], record_callback: Callable[[Any], None]
    ) -> Found:
        job_ids: list[str] = []

        def see(record: dict[str, Any]) -> None:
            job_ids.extend(JOB_ID.findall(record["message"]))
            record_callback(record)

        limits = {"timeout": self.timeout, "stall_timeout": self.stall_timeout}
        with WatchedProcess(hadoop_args, env, **limits) as process:
            try:
                found = _interpret_hadoop_jar_command_stderr(process.lines(), record_callback=see)
                status = process.wait()
            except BaseException:
                self._kill(job_ids, env)
                raise
            if status:
                raise EngineError(f"`hadoop jar` ended with status {status}; it said:\n{process.tail}")
        return status, found

    def _kill(self, job_ids: list[str], env: Mapping[str, str]) -> None:
        """Kill the job on the cluster, which outlives the command that submitted it."""
        for job_id in job_ids:
            command = [*self.get_hadoop_bin(), "job", "-kill", job_id]
            killed = subprocess.run(command, env=dict(env), capture_output=True, check=False)  # noqa: S603
            if killed.returncode:
                log.warning("%s could not be killed: %s", job_id, killed.stderr.decode(errors="replace"))


class SparkRunner(SparkMRJobRunner):  # type: ignore[misc]
    """Runs each job by a ``spark-submit`` of its own.

    Attributes
    ----------
    timeout : float or None
        Seconds that a job may take.

    """

    timeout: float | None = None

    def _get_steps(self) -> list[dict[str, Any]]:
        # mrjob's harness calls a combiner for two values at a time, each time with a job read anew. The
        # mapper has merged what a part file holds already.
        steps = super()._get_steps()
        return [{name: part for name, part in step.items() if name != "combiner"} for step in steps]

    def _spark_submit_args(self, step_num: int) -> list[str]:
        settings = dict(BATCH_SETTINGS)
        if self._spark_master().startswith("local"):
            settings |= LOOPBACK_SETTINGS
        quiet = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        return quiet + list(super()._spark_submit_args(step_num))

    def _cleanup_hadoop_tmp(self) -> None:
        # mrjob makes this folder and forgets it.
        self.fs.rm(self._spark_tmp_dir)

    def _spark_harness_path(self) -> str:
        if find_spec("pyspark") is None:
            raise MissingPackageError("pyspark", purpose="mrjob's Spark runner", extra="spark")
        found = find_spec("mrjob.spark")
        assert found is not None
        assert found.origin is not None
        return str(Path(found.origin).with_name("harness.py"))

    def _run_spark_submit(
        self, spark_submit_args: list[str], env: Mapping[str, str], record_callback: Callable[[Any], None]
    ) -> Found:
        with WatchedProcess(spark_submit_args, env, timeout=self.timeout) as process:
            found = _parse_spark_log(process.lines(), record_callback=record_callback)
            status = process.wait()
            if status:
                raise EngineError(f"spark-submit ended with status {status}; it said:\n{process.tail}")
        return status, found
