"""Standing tasks: one Spark job that stays, so that the many jobs of a training cost no Spark job each.

Spark takes 25 to 70 ms to run a job of Python tasks, whatever they do. So tasks are started that keep their
partition and wait: each is handed one job after the other over a connection of its own, and sends its sums
back. What is summed, and in which order, is the same.

They are no more than a faster way. Whenever anything is wrong with them (a task or an executor is lost, a
task fails with what another attempt may mend, blocks do not fit into a worker), what they have found is
thrown away and the job runs again as a Spark job of its own, with Spark's attempts and messages. And they
make room: when jobs do not follow each other any more, and when somebody else's job waits.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.mapreduce import spark_context
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.spark_failures import first_line
from neuralframe.mapreduce.spark_standing_job import StandingError, StandingJob, UnsuitedError

if TYPE_CHECKING:
    from neuralframe.mapreduce.spark_data import SparkData
    from neuralframe.mapreduce.spark_task import Result, SparkTask

IDLE_SECONDS = 2.0
"""Tasks end when no job has come for so long, and start when one comes sooner than that after another."""

WATCH_SECONDS = 0.25
"""How often is looked for jobs of others; those that are there twice running have to wait for our slots."""

LISTED_SECONDS = 0.25
"""How long Spark may take to list a job no more that has ended."""

ASKED_BYTES = 2**26
"""More than this does not go out from the driver for one job; executors pass a broadcast on to each other.
At 10 Gbit/s that takes as long as the Spark job which is saved."""

LONGEST_REST = 32
"""Jobs that run on their own before standing tasks are started again, at most, after some were lost."""


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
    _is_suited: bool = attrs.field(default=True, init=False)
    _rest: int = attrs.field(default=0, init=False)
    _next_rest: int = attrs.field(default=1, init=False)
    _off_until: float = attrs.field(default=0.0, init=False)
    _used: float = attrs.field(default=-math.inf, init=False)
    _told: set[str] = attrs.field(factory=set, init=False)
    _others_wait: bool = attrs.field(default=False, init=False)

    def results(self, task: SparkTask, data: SparkData, timeout: float | None) -> list[Result] | None:
        """Return what tasks found, or None if the job must run on its own.

        So does the first job on data that Spark reads and caches: only then do tasks begin at once.

        Raises
        ------
        TimeIsUpError
            If it takes longer than `timeout` seconds.

        """
        if data is not self._data:
            self.end()
            self._data, self._is_suited, self._next_rest = data, True, 1
            self._rest = 0 if data.is_opened_by_workers else 1
            self.was_used()
        end = None if timeout is None else time.monotonic() + timeout
        try:
            if not self._can_do(task, data):
                self.end()
                return None
            if self._job is None:
                self._start(task, data, end)
            assert self._job is not None
            return self._job.results(task.job, end)
        except StandingError as problem:
            self._give_up(problem)
            return None
        except BaseException:
            self.end(cancel=True)
            raise

    def was_used(self) -> None:
        """Take note that a job is over, whoever did it."""
        self._used = time.monotonic()

    def end(self, *, cancel: bool = False) -> None:
        """End the tasks, if there are any."""
        if self._job is None:
            return
        try:
            self._job.end(cancel=cancel)
        finally:
            self._job = None

    def _can_do(self, task: SparkTask, data: SparkData) -> bool:
        """Return whether to ask tasks that are there, or to start some."""
        if not self._is_suited or len(task.job) * data.n_partitions > ASKED_BYTES:
            return False
        if self._job is not None:
            if self._others_wait:
                raise StandingError("other jobs of this session wait for slots")
            return True
        if time.monotonic() < self._off_until:
            return False
        if self._rest:
            self._rest -= 1
            return False
        return time.monotonic() - self._used < IDLE_SECONDS

    def _start(self, task: SparkTask, data: SparkData, end: float | None) -> None:
        started = time.monotonic()
        try:
            self._require_slots(data.n_partitions)
            self._others_wait = False
            self._job = StandingJob(self.context, data, attrs.evolve(task, job=b""))
            self._job.await_tasks(end)
            threading.Thread(target=self._watch, args=(self._job,), daemon=True).start()
        except StandingError:
            raise
        except Exception as problem:
            # Of what Spark, Java or the network cannot do here, an ordinary job may need nothing.
            raise StandingError(f"they cannot be started: {first_line(problem)}", math.inf) from problem
        log.info("%d standing tasks after %.3f s", data.n_partitions, time.monotonic() - started)

    def _require_slots(self, n_tasks: int) -> None:
        n_slots = spark_context.n_slots(self.context)
        if n_tasks > n_slots:
            raise StandingError(f"there are {n_tasks} partitions and {n_slots} slots")
        end = time.monotonic() + LISTED_SECONDS
        while spark_context.n_active_jobs(self.context):
            if time.monotonic() > end:
                raise StandingError("other jobs run in this session")
            time.sleep(LISTED_SECONDS / 10)

    def _give_up(self, problem: StandingError) -> None:
        self.end(cancel=True)
        self._is_suited = not isinstance(problem, UnsuitedError)
        self._off_until = time.monotonic() + problem.rest_seconds
        self._rest, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
        why = str(problem)
        say = log.warning if self.were_asked_for and why not in self._told else log.info
        self._told.add(why)
        say("no standing tasks; each job is a Spark job of its own for now: %s", why)

    def _watch(self, job: StandingJob) -> None:
        """End the tasks when they are not needed; take note of others who wait for their slots."""
        seen = 0
        while not job.ended.wait(WATCH_SECONDS):
            if time.monotonic() - self._used > IDLE_SECONDS:
                self._end_if_idle(job)
            try:
                others = spark_context.n_active_jobs(self.context) > 1
            except Exception:  # noqa: BLE001 - the session is gone, as the next job will tell
                return
            seen = seen + 1 if others else 0
            if seen > 1:
                self._others_wait = True

    def _end_if_idle(self, job: StandingJob) -> None:
        with self.lock:  # by now a long job may be over
            if job is self._job and time.monotonic() - self._used > IDLE_SECONDS:
                log.info("standing tasks end, having had no job for %g s", IDLE_SECONDS)
                self.end()
