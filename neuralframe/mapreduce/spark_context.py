"""Spark's side of the engine: starting it, waiting for executors, stopping jobs that take too long."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralframe.exceptions import EngineError, MissingPackageError
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.spark_failures import first_line
from neuralframe.mapreduce.spark_task import BLAS_THREADS
from neuralframe.mapreduce.user_code import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JAVA = 17
"""What Spark 4 needs, at least."""

START_SECONDS = 120.0
"""How long a cluster may take to give the first executor where no timeout is set."""

SETTLED_SECONDS = 1.0
"""Executors come one by one; data that are spread before all are there stay where they are."""

POLL_SECONDS = 0.05
LOOPBACK = re.compile(r"^spark://(127\.0\.0\.1|localhost|\[::1\]):")


def require_pyspark() -> None:
    """Raise `MissingPackageError` if pyspark is not installed."""
    if find_spec("pyspark") is None:
        raise MissingPackageError("pyspark", purpose="the Spark engine", extra="spark")


def require_java() -> None:
    """Raise `EngineError` unless there is a Java that Spark can run on."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    need = f"Spark needs Java {JAVA} or newer; install it (openjdk-{JAVA}-jre-headless) or set JAVA_HOME"
    if java is None:
        raise EngineError(f"there is no java on the PATH. {need}")
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as problem:
        raise EngineError(f"{java} does not run ({problem}). {need}") from problem
    version = re.search(r'version "(?:1\.)?(\d+)', told)
    if version is not None and int(version[1]) < JAVA:
        raise EngineError(f"{java} is Java {version[1]}. {need}")


def running_context() -> Any:
    """Return the SparkContext of this process, or None; there is one at most."""
    from pyspark import SparkContext  # noqa: PLC0415

    return SparkContext._active_spark_context  # noqa: SLF001 - `getOrCreate` does not tell which it did


def context_of(session: Any) -> Any:
    """Return the SparkContext of a SparkSession.

    Raises
    ------
    EngineError
        If it has been stopped, or is one of Spark Connect, which has no RDDs.

    """
    try:
        context = session.sparkContext
    except Exception as problem:
        raise EngineError(
            f"{type(session).__module__}.{type(session).__name__} gives no SparkContext. The Spark engine "
            "needs a session whose driver is this process, as SparkSession.builder.master(...) makes, "
            "not one of Spark Connect"
        ) from problem
    if not is_running(context):
        raise EngineError("the Spark session that was given has been stopped; start another")
    return context


def start(settings: Mapping[str, str], *, python: str | None, timeout: float | None) -> Any:
    """Return a new SparkContext whose executors are there.

    Raises
    ------
    EngineError
        If Java is missing, Spark does not start, or no executor registers.

    """
    require_java()
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415

    launches_java = SparkContext._gateway is None  # noqa: SLF001 - nothing public tells
    try:
        context = SparkContext(conf=SparkConf().setAll(list(settings.items())))
    except Exception as problem:
        raise EngineError(f"Spark does not start: {first_line(problem)}") from problem
    try:
        if launches_java:
            _clear_properties(context, settings)
        if python is not None:
            context.pythonExec = python
        _await_executors(context, timeout or START_SECONDS)
    except BaseException:
        context.stop()
        raise
    return context


def settings_for(
    master: str | None, config: Mapping[str, str], *, app_name: str, gpus_per_task: int, progress: bool
) -> dict[str, str]:
    """Return the configuration of a new SparkContext; `config` has the last word."""
    settings = {
        "spark.app.name": app_name,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(progress).lower(),
        "spark.log.level": "ERROR",
        # Spark 4.1 and newer: a trivial job takes half the time. Older ones do not know it.
        "spark.python.unix.domain.socket.enabled": "true",
        **{f"spark.executorEnv.{name}": "1" for name in BLAS_THREADS},
    }
    if master is not None:
        settings["spark.master"] = master
    if is_local(master):
        settings["spark.executorEnv.PYTHONPATH"] = str(PACKAGE.parent)
    if is_local(master) or LOOPBACK.match(master or ""):
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    if gpus_per_task:
        settings["spark.task.resource.gpu.amount"] = str(gpus_per_task)
        settings["spark.executor.resource.gpu.amount"] = str(gpus_per_task)
    return {**settings, **{name: str(value) for name, value in config.items()}}


def default_master() -> str | None:
    """Return the master to use when none is named; None if spark-submit, which started us, knows."""
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return None
    return os.environ.get("SPARK_MASTER") or "local[*]"


def is_local(master: str | None) -> bool:
    """Return whether tasks run on this machine, in Spark's driver.

    >>> is_local("local[4]"), is_local("local-cluster[2,1,1024]"), is_local("yarn")
    (True, False, False)
    """
    return master is not None and re.fullmatch(r"local(\[.*\])?", master) is not None


def default_python(master: str | None) -> str | None:
    """Return the Python of the tasks: this one on this machine, elsewhere what PYSPARK_PYTHON says."""
    return sys.executable if is_local(master) else None


def n_executors(context: Any) -> int:
    """Return how many executors there are."""
    # The driver is among them; in local mode it is the only one, and maps.
    registered = context._jsc.sc().getExecutorMemoryStatus().size()  # noqa: SLF001 - no public way
    return int(registered) - (not is_local(context.master))


def executors(context: Any) -> set[str]:
    """Return the addresses of the executors, the driver's among them."""
    known = context._jsc.sc().getExecutorMemoryStatus().keySet()  # noqa: SLF001 - no public way
    return set(known.mkString(" ").split())


def n_slots(context: Any) -> int:
    """Return how many tasks can run at a time on the executors that there are."""
    java = context._jsc.sc()  # noqa: SLF001 - no public way
    profile = java.resourceProfileManager().defaultResourceProfile()
    return int(java.maxNumConcurrentTasks(profile))


def n_active_jobs(context: Any) -> int:
    """Return how many Spark jobs run, or wait for slots."""
    return len(context.statusTracker().getActiveJobsIds())


def is_running(context: Any) -> bool:
    """Return whether a SparkContext has not been stopped."""
    return context._jsc is not None and not context._jsc.sc().isStopped()  # noqa: SLF001 - nothing public tells


@contextmanager
def watched(context: Any, timeout: float | None) -> Iterator[threading.Event]:
    """Cancel the Spark jobs that this thread starts once they take too long, or when it is interrupted.

    Yields an event that is set if time ran out.
    """
    tag = f"neuralframe-{threading.get_ident()}"
    ran_out = threading.Event()

    def cancel() -> None:
        ran_out.set()
        context.cancelJobsWithTag(tag)

    watchdog = None if timeout is None else threading.Timer(timeout, cancel)
    context.addJobTag(tag)
    try:
        if watchdog is not None:
            watchdog.daemon = True
            watchdog.start()
        yield ran_out
    except BaseException as problem:
        if not isinstance(problem, Exception):
            context.cancelJobsWithTag(tag)
        raise
    finally:
        if watchdog is not None:
            watchdog.cancel()
        if is_running(context):
            context.removeJobTag(tag)


def no_executor(master: str, seconds: float) -> str:
    """Return what to say of a cluster without executors."""
    return (
        f"no executor of {master} has registered within {seconds:.0f} s. Is the master up, has it workers "
        "with free cores and memory (spark.executor.memory, spark.cores.max), and can they reach this "
        "machine (spark.driver.host)?"
    )


def _clear_properties(context: Any, settings: Mapping[str, str]) -> None:
    """Take settings back from Java, which was launched with them and would give them to the next context."""
    for name in settings:
        context._jvm.java.lang.System.clearProperty(name)  # noqa: SLF001 - no public way


def _await_executors(context: Any, timeout: float) -> None:
    """Wait until executors have registered and no more come."""
    if is_local(context.master) or context.getConf().get("spark.dynamicAllocation.enabled") == "true":
        return
    started = changed = time.monotonic()
    known = 0
    while not known or time.monotonic() - changed < SETTLED_SECONDS:
        if not is_running(context) or time.monotonic() - started > timeout:
            raise EngineError(no_executor(context.master, time.monotonic() - started))
        time.sleep(POLL_SECONDS)
        if (found := n_executors(context)) != known:
            known, changed = found, time.monotonic()
    log.info("%d Spark executor(s) after %.1f s", known, time.monotonic() - started)
