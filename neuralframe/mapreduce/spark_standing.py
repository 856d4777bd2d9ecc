"""Standing tasks: one Spark job that stays, so that the many jobs of a training cost no Spark job each.

Spark takes 25 to 70 ms to run a job of Python tasks, whatever they do. So from the second job on the same
data, tasks are started that keep their partition and wait: each is handed one job after the other over a
connection of its own, and sends its sums back. What is summed, and in which order, is the same.

They are no more than a faster way. Whenever anything is wrong with them (a task or an executor is lost, a
task fails with what another attempt may mend, blocks do not fit into a worker), what they have found is
thrown away and the job runs again as a Spark job of its own, with Spark's attempts and messages.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.mapreduce import spark_context
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.spark_connection import END, Meeting, receive_results
from neuralframe.mapreduce.spark_failures import first_line
from neuralframe.mapreduce.spark_task import GIVEN_UP, MISSING, StandingTask

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from neuralframe.mapreduce.spark_data import SparkData
    from neuralframe.mapreduce.spark_task import Result, SparkTask

START_SECONDS = 10.0
"""How long all tasks may take to be there; by then some are waiting for room that others have."""

IDLE_SECONDS = 2.0
"""After so long without a job the tasks end: whatever else runs in the session may want their place."""

ASKED_BYTES = 2**26
"""More than this does not go out from the driver for one job; executors pass a broadcast on to each other.
At 10 Gbit/s that takes as long as the Spark job which is saved."""

LONGEST_REST = 32
"""Jobs that run on their own before standing tasks are started again, at most, after some were lost."""

POLL_SECONDS = 0.05
PATIENCE_SECONDS, SHORT_PATIENCE_SECONDS = 5.0, 0.5
"""How long tasks may take to end by themselves."""

SECRET_BYTES = 32
ENCRYPTION = ("spark.network.crypto.enabled", "spark.ssl.enabled", "spark.ssl.rpc.enabled")


class StandingError(Exception):
    """Standing tasks cannot do a job; it must run on its own.

    Attributes
    ----------
    for_good : bool
        Whether it is no use to start others.

    """

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


@attrs.define(eq=False)
class StandingTasks:
    """The standing tasks of an engine, which come and go.

    Attributes
    ----------
    context : SparkContext
    lock : threading.RLock
        The engine's, held while it runs a job.
    were_asked_for : bool
        By the user, to whom it is worth a warning then if there are none.

    """

    context: Any
    lock: Any
    were_asked_for: bool = False
    _job: StandingJob | None = attrs.field(default=None, init=False)
    _data: SparkData | None = attrs.field(default=None, init=False)
    _rest: int = attrs.field(default=0, init=False)
    _next_rest: int = attrs.field(default=1, init=False)
    _used: float = attrs.field(default=0.0, init=False)
    _are_off: bool = attrs.field(default=False, init=False)

    def results(self, task: SparkTask, data: SparkData, timeout: float | None) -> list[Result] | None:
        """Return what tasks found, or None if the job must run on its own.

        The first job on any data must have run so: it reads them, and fails if they are bad.

        Raises
        ------
        TimeoutError
            If it takes longer than `timeout` seconds.

        """
        if data is not self._data:
            self.end()
            self._data, self._rest, self._next_rest, self._are_off = data, 0, 1, False
        if self._are_off or len(task.job) * data.n_partitions > ASKED_BYTES:
            self.end()
            return None
        if self._job is None and self._rest:
            self._rest -= 1
            return None
        try:
            if self._job is None:
                self._start(task, data)
            assert self._job is not None
            found = self._job.results(task.job, timeout)
        except StandingError as problem:
            self._give_up(problem)
            return None
        except BaseException:
            self.end(cancel=True)
            raise
        self._used = time.monotonic()
        return found

    def end(self, *, cancel: bool = False) -> None:
        """End the tasks, if there are any."""
        job, self._job = self._job, None
        if job is not None:
            job.end(cancel=cancel)

    def _start(self, task: SparkTask, data: SparkData) -> None:
        n_slots = slots_of(self.context)
        if data.n_partitions > n_slots:
            raise StandingError(
                f"there are {data.n_partitions} partitions and {n_slots} slots", for_good=True
            )
        started = time.monotonic()
        self._job = StandingJob(self.context, data, attrs.evolve(task, job=b""))
        self._job.await_tasks()
        self._used = time.monotonic()
        threading.Thread(target=self._end_when_idle, args=(self._job,), daemon=True).start()
        log.info("%d standing tasks after %.3f s", data.n_partitions, time.monotonic() - started)

    def _give_up(self, problem: StandingError) -> None:
        self.end(cancel=True)
        self._are_off = problem.for_good
        self._rest, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
        say = log.warning if self.were_asked_for and problem.for_good else log.info
        say("each job is a Spark job of its own%s: %s", "" if problem.for_good else " for now", problem)

    def _end_when_idle(self, job: StandingJob) -> None:
        while not job.ended.wait(IDLE_SECONDS / 4):
            with self.lock:
                if job is self._job and time.monotonic() - self._used > IDLE_SECONDS:
                    log.info("standing tasks end, having had no job for %g s", IDLE_SECONDS)
                    self.end()


class StandingJob:
    """One Spark job, a task of which stays with each partition of the data.

    Parameters
    ----------
    context : SparkContext
    data : SparkData
    task : SparkTask
        What to do; its job comes later.

    """

    def __init__(self, context: Any, data: SparkData, task: SparkTask) -> None:
        self.ended = threading.Event()
        self._context = context
        self._n_tasks = data.n_partitions
        self._connections: dict[int, Connection[bytes, bytes]] = {}
        self._why = "the tasks ended before they were asked anything"
        own, shown = hosts_of(context)
        family = socket.AF_INET6 if ":" in own else socket.AF_INET
        self._server = socket.create_server((own, 0), family=family, backlog=self._n_tasks + 1)
        self._server.settimeout(POLL_SECONDS)
        port = self._server.getsockname()[1]
        self._meeting = Meeting(shown, port, secrets.token_bytes(SECRET_BYTES))
        self._tag = f"neuralframe-standing-{secrets.token_hex(8)}"
        self._thread = self._launch(data.source.mapPartitionsWithIndex(StandingTask(task, self._meeting)))

    def await_tasks(self) -> None:
        """Wait until all tasks have connected.

        Raises
        ------
        StandingError
            If they do not.

        """
        end = time.monotonic() + START_SECONDS
        while len(self._connections) < self._n_tasks:
            if not self._thread.is_alive():
                raise StandingError(self._why, for_good=True)
            if time.monotonic() > end:
                raise StandingError(
                    f"{len(self._connections)} of {self._n_tasks} standing tasks were there after "
                    f"{START_SECONDS:g} s",
                    for_good=True,
                )
            self._welcome()

    def results(self, packet: bytes, timeout: float | None) -> list[Result]:
        """Have every task do a job; return what they found.

        Raises
        ------
        StandingError
            If one cannot.
        TimeoutError
            If it takes longer than so many seconds.

        """
        end = None if timeout is None else time.monotonic() + timeout
        try:
            for connection in self._connections.values():
                connection.send_bytes(packet)
            found = self._gathered(end)
        except (OSError, EOFError) as problem:
            if isinstance(problem, TimeoutError):
                raise
            raise StandingError(f"a standing task was lost ({type(problem).__name__})") from problem
        for kind, told in found:
            if kind == GIVEN_UP:
                raise StandingError(f"a standing task gave up: {told.decode()}")
            if kind == MISSING:
                raise StandingError(
                    f"the blocks of partition {told.decode()} are more than a worker keeps", for_good=True
                )
        return found

    def end(self, *, cancel: bool) -> None:
        """End the tasks; have Spark kill those that do not end by themselves, or at once.

        A task that ends by itself leaves a worker behind, with the blocks that this has kept.
        """
        self.ended.set()
        for connection in self._connections.values():
            with contextlib.suppress(OSError):
                if not cancel:
                    connection.send_bytes(END)
                connection.close()
        self._server.close()
        self._thread.join(SHORT_PATIENCE_SECONDS if cancel else PATIENCE_SECONDS)
        if self._thread.is_alive() and spark_context.is_running(self._context):
            self._context.cancelJobsWithTag(self._tag)
            self._thread.join(PATIENCE_SECONDS)

    def _gathered(self, end: float | None) -> list[Result]:
        """Return what all tasks send back."""
        found: list[Result] = []
        waiting = set(self._connections.values())
        while waiting:
            left = POLL_SECONDS if end is None else min(POLL_SECONDS, end - time.monotonic())
            if left <= 0:
                raise TimeoutError
            ready = wait([*waiting, self._server], left)
            if self._server in ready and self._welcome():
                raise StandingError("a standing task was lost, and Spark tries it again")
            if not ready and not self._thread.is_alive():
                raise StandingError(f"the standing tasks have ended ({self._why})")
            for connection in waiting.intersection(ready):
                found += receive_results(connection)
                waiting.remove(connection)
        return found

    def _welcome(self) -> bool:
        """Return whether a task has connected; strangers are sent away."""
        try:
            connected, _ = self._server.accept()
            partition, connection = self._meeting.welcome(connected)
        except OSError as problem:
            if not isinstance(problem, TimeoutError):
                log.warning("someone who is no standing task has connected: %s", problem)
            return False
        if (before := self._connections.pop(partition, None)) is not None:
            before.close()
        self._connections[partition] = connection
        return True

    def _launch(self, tasks: Any) -> threading.Thread:
        """Run the Spark job in a thread of its own."""
        from pyspark import InheritableThread  # noqa: PLC0415

        def run() -> None:
            try:
                self._context.addJobTag(self._tag)
                self._context.setJobDescription("neuralframe's standing tasks")
                told = [packet.decode() for _, packet in tasks.collect()]
                self._why = "; ".join(told) or self._why
            except Exception as problem:  # noqa: BLE001 - whatever it is, jobs run on their own
                self._why = first_line(getattr(problem, "java_exception", None) or problem)

        thread: threading.Thread = InheritableThread(target=run, daemon=True)
        thread.start()
        return thread


def slots_of(context: Any) -> int:
    """Return how many tasks can run at a time."""
    java = context._jsc.sc()  # noqa: SLF001 - no public way
    profile = java.resourceProfileManager().defaultResourceProfile()
    return int(java.maxNumConcurrentTasks(profile))


def hosts_of(context: Any) -> tuple[str, str]:
    """Return the address to listen on, and the one that tasks find it by: those of Spark's driver.

    Raises
    ------
    StandingError
        If what travels in this session is to be encrypted.

    """
    if spark_context.is_local(context.master):
        return "127.0.0.1", "127.0.0.1"
    conf = context.getConf()
    for setting in ENCRYPTION:
        if conf.get(setting, "false").lower() == "true":
            raise StandingError(
                f"{setting} is set, and connections to tasks are not encrypted", for_good=True
            )
    shown = conf.get("spark.driver.host").strip("[]")
    return conf.get("spark.driver.bindAddress", shown).strip("[]"), shown
