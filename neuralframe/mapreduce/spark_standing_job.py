"""The Spark job whose tasks stay, as the driver sees it: started, asked again and again, ended."""

from __future__ import annotations

import contextlib
import math
import secrets
import socket
import threading
import time
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from neuralframe.mapreduce import spark_context
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.spark_connection import END, Meeting, cut_off, receive_results
from neuralframe.mapreduce.spark_failures import first_line
from neuralframe.mapreduce.spark_task import GIVEN_UP, MISSING, StandingTask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from neuralframe.mapreduce.spark_data import SparkData
    from neuralframe.mapreduce.spark_task import Result, SparkTask

START_SECONDS = 20.0
"""How long all tasks may take to be there: workers may have to start, and numpy may lie on a slow disk."""

SLOW_REST_SECONDS = 600.0
"""After a start that took so long in vain no other is tried for this long, which makes it three per cent."""

LOOK_SECONDS = 1.0
"""How often the driver looks whether Spark has lost an executor, while it waits for answers. A machine
without power tells nobody, and Spark may have no other slot in which to try its task again."""

POLL_SECONDS = 0.05
PATIENCE_SECONDS, SHORT_PATIENCE_SECONDS = 5.0, 0.5
"""How long tasks may take to end by themselves."""

SECRET_BYTES = 32
ENCRYPTION = (
    "spark.network.crypto.enabled",
    "spark.authenticate.enableSaslEncryption",
    "spark.ssl.enabled",
    "spark.ssl.rpc.enabled",
)


class StandingError(Exception):
    """Standing tasks cannot do a job; it must run on its own.

    Attributes
    ----------
    rest_seconds : float
        For how long it is no use to start others.

    """

    def __init__(self, why: str, rest_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.rest_seconds = rest_seconds


class UnsuitedError(StandingError):
    """It is no use to start others for the same data."""


class TimeIsUpError(Exception):
    """A job has taken longer than it may."""


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
        self._end_of_tasks = StandingError("the tasks ended before they were asked anything")
        self._executors = spark_context.executors(context)
        own, shown = hosts_of(context)
        family = socket.AF_INET6 if ":" in own else socket.AF_INET
        self._server = socket.create_server((own, 0), family=family, backlog=self._n_tasks + 1)
        try:
            meeting = Meeting(shown, self._server.getsockname()[1], secrets.token_bytes(SECRET_BYTES))
            self._meeting = meeting
            self._tag = f"neuralframe-standing-{secrets.token_hex(8)}"
            self._thread = self._launch(data.source.mapPartitionsWithIndex(StandingTask(task, meeting)))
        except BaseException:
            self._server.close()
            raise

    def await_tasks(self, end: float | None) -> None:
        """Wait until all tasks have connected, until `end` of the monotonic clock at most.

        Raises
        ------
        StandingError
            If they do not.

        """
        started = time.monotonic()
        latest = min(started + START_SECONDS, math.inf if end is None else end)
        while len(self._connections) < self._n_tasks:
            if not self._thread.is_alive():
                raise self._end_of_tasks
            if time.monotonic() > latest:
                raise StandingError(
                    f"{len(self._connections)} of {self._n_tasks} were there after {latest - started:.1f} s",
                    SLOW_REST_SECONDS,
                )
            self._welcome(POLL_SECONDS)

    def results(self, packet: bytes, end: float | None) -> list[Result]:
        """Have every task do a job; return what they found.

        Raises
        ------
        StandingError
            If one cannot.
        TimeIsUpError
            If they have not done it at `end` of the monotonic clock.

        """
        with self._cut_off_at(end) as is_up:
            try:
                for connection in self._connections.values():
                    connection.send_bytes(packet)
                found = self._gathered()
            except (OSError, EOFError, StandingError) as problem:
                if is_up.is_set():
                    raise TimeIsUpError from problem
                if isinstance(problem, StandingError):
                    raise
                raise StandingError(f"one was lost ({type(problem).__name__})") from problem
        for kind, told in found:
            if kind == GIVEN_UP:
                raise StandingError(f"one gave up: {told.decode()}")
            if kind == MISSING:
                raise UnsuitedError(f"a worker has not kept the blocks of partition {told.decode()}")
        return found

    def end(self, *, cancel: bool) -> None:
        """End the tasks; have Spark kill those that do not end by themselves, or at once.

        A task that ends by itself leaves a worker behind, with the blocks that this has kept.
        """
        self.ended.set()
        connections = list(self._connections.values())
        try:
            for connection in [] if cancel else connections:
                with contextlib.suppress(OSError):
                    connection.send_bytes(END)
        finally:
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.close()
            self._server.close()
        self._thread.join(SHORT_PATIENCE_SECONDS if cancel else PATIENCE_SECONDS)
        if self._thread.is_alive() and spark_context.is_running(self._context):
            self._context.cancelJobsWithTag(self._tag)
            self._thread.join(PATIENCE_SECONDS)

    @contextlib.contextmanager
    def _cut_off_at(self, end: float | None) -> Iterator[threading.Event]:
        """Cut the connections at a time of the monotonic clock, whoever sends or waits to receive then.

        Yields an event that is set if that has happened.
        """
        is_up = threading.Event()
        if end is None:
            yield is_up
            return

        def cut() -> None:
            is_up.set()
            for connection in list(self._connections.values()):
                with contextlib.suppress(OSError):
                    cut_off(connection)

        watchdog = threading.Timer(max(0.0, end - time.monotonic()), cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield is_up
        finally:
            watchdog.cancel()
            watchdog.join()  # it must not touch descriptors that are others' by then

    def _gathered(self) -> list[Result]:
        """Return what all tasks send back."""
        found: list[Result] = []
        waiting = set(self._connections.values())
        looked = time.monotonic()
        while waiting:
            for connection in waiting.intersection(wait(list(waiting), POLL_SECONDS)):
                found += receive_results(connection)
                waiting.remove(connection)
                looked = time.monotonic()
            if waiting and time.monotonic() - looked > POLL_SECONDS / 2 and self._welcome(0.0):
                raise StandingError("one was lost, and Spark tries it again")
            if waiting and time.monotonic() - looked > LOOK_SECONDS:
                self._look()
                looked = time.monotonic()
        return found

    def _look(self) -> None:
        """Raise `StandingError` if tasks cannot be alive any more."""
        if not self._thread.is_alive():
            raise self._end_of_tasks
        try:
            lost = self._executors - spark_context.executors(self._context)
        except Exception as problem:
            raise StandingError(f"Spark does not answer: {first_line(problem)}") from problem
        if lost:
            raise StandingError(f"Spark has lost an executor ({', '.join(sorted(lost))})")

    def _welcome(self, seconds: float) -> bool:
        """Return whether a task has connected within so many seconds; strangers are sent away."""
        self._server.settimeout(seconds)
        try:
            connected, _ = self._server.accept()
        except (TimeoutError, BlockingIOError):
            return False
        try:
            partition, connection = self._meeting.welcome(connected)
        except OSError as problem:
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
                told = {packet.decode() for _, packet in tasks.collect()}
                if told:
                    self._end_of_tasks = StandingError("; ".join(sorted(told)), math.inf)
            except Exception as problem:  # noqa: BLE001 - whatever it is, jobs run on their own
                message = first_line(getattr(problem, "java_exception", None) or problem)
                self._end_of_tasks = StandingError(f"their Spark job has ended: {message}")
            finally:
                # Without a Java thread of its own, this one's settings would be others' too.
                with contextlib.suppress(Exception):
                    self._context.removeJobTag(self._tag)
                    self._context.setJobDescription(None)

        thread: threading.Thread = InheritableThread(target=run, daemon=True)
        thread.start()
        return thread


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
            raise StandingError(f"{setting} is set, and connections to tasks are not encrypted", math.inf)
    shown = conf.get("spark.driver.host").strip("[]")
    return conf.get("spark.driver.bindAddress", shown).strip("[]"), shown
