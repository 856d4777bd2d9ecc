"""One Hadoop Streaming job, watched from its submission to its end."""

from __future__ import annotations

import logging
import re
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.exceptions import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuralframe.mapreduce.hadoop_jvm import HadoopJvm

log = logging.getLogger(__name__)

POLL_INTERVAL = 0.05
"""Seconds between two looks at a job; each costs about 2 ms of the application master's time."""

GENERIC_FILES = ("tmpfiles", "tmparchives", "tmpjars")
"""Where Hadoop's option parser leaves -files, -archives and -libjars."""

SHOWN_FAILURES = 3
"""Failed attempts that an error message shows; the others mostly say the same."""

SHOWN_BYTES = 4096
"""How much of an attempt's standard error it shows."""

FAILED_STATUSES = ("FAILED", "TIPFAILED")
SUCCEEDED, PREPARING = 2, 4  # org.apache.hadoop.mapred.JobStatus

COUNTER_GROUP = re.compile(r"\{\((?:\\.|[^()\\])*\)\(((?:\\.|[^()\\])*)\)((?:\[(?:\\.|[^\]\\])*\])*)\}")
COUNTER = re.compile(r"\[\((?:\\.|[^()\\])*\)\(((?:\\.|[^()\\])*)\)\((\d+)\)\]")
"""Hadoop's compact form of counters: ``{(group)(its title)[(counter)(its title)(value)]...}...``."""


@attrs.frozen
class Progress:
    """How far a job is.

    Attributes
    ----------
    job_id : str
        Such as ``"job_1700000000000_0001"``.
    maps, reduces : float
        Shares done, 0 to 1.
    state : int
        Hadoop's `JobStatus`: 4 while it waits for the cluster, 1 while it runs.

    """

    job_id: str
    maps: float
    reduces: float
    state: int


@attrs.frozen
class StreamingResult:
    """A job that succeeded.

    Attributes
    ----------
    job_id : str
        Such as ``"job_1700000000000_0001"``.
    counters : dict of dict
        Amounts by group and counter, under the titles that the ``hadoop`` command prints; empty if the
        cluster no longer had them.
    seconds : float
        From the submission to the end.

    """

    job_id: str
    counters: dict[str, dict[str, int]]
    seconds: float

    @property
    def application_id(self) -> str:
        """The YARN application's id."""
        return self.job_id.replace("job_", "application_", 1)


class StreamingRun:
    """Submits a streaming job and waits for it; see `HadoopClient.run_streaming`."""

    def __init__(
        self,
        jvm: HadoopJvm,
        settings: dict[str, str],
        arguments: list[str],
        nodes: Callable[[], dict[str, str]],
    ) -> None:
        from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - optional

        self._jvm = jvm
        self._nodes = nodes
        self._started = time.monotonic()
        try:
            conf = self._job_conf(settings, arguments)
            self._client = jvm.java.org.apache.hadoop.mapred.JobClient(conf)
            self._job = self._client.submitJob(conf)
        except Py4JJavaError as problem:
            raise EngineError(f"the job was not submitted: {problem.java_exception}") from None
        self.job_id = str(self._job.getID())
        log.info("submitted %s: %s", self.job_id, self._job.getTrackingURL())

    def wait(
        self,
        *,
        timeout: float | None,
        stall_timeout: float | None,
        on_progress: Callable[[Progress], object] | None,
    ) -> StreamingResult:
        """Wait for the end of the job; whatever interrupts the waiting kills it."""
        try:
            self._watch(timeout, stall_timeout, on_progress)
        except BaseException:
            self._kill()
            raise
        if self._job.getJobState() != SUCCEEDED:
            raise EngineError("\n".join(self._failure()))
        return StreamingResult(self.job_id, self._counters(), time.monotonic() - self._started)

    def _job_conf(self, settings: dict[str, str], arguments: list[str]) -> Any:
        """Return the job that the ``hadoop`` command would submit.

        Streaming looks at its settings while it reads its options, so the generic ones are handed to it as
        options of its own.
        """
        packages = self._jvm.java.org.apache.hadoop
        parser = packages.util.GenericOptionsParser(self._jvm.strings(arguments))
        conf = parser.getConfiguration()
        definitions = ["mapreduce.client.genericoptionsparser.used=true"]
        definitions += [f"{name}={value}" for name, value in settings.items()]
        definitions += parser.getCommandLine().getOptionValues("D") or ()
        definitions += [f"{name}={value}" for name in GENERIC_FILES if (value := conf.get(name))]
        options = [part for definition in definitions for part in ("-jobconf", definition)]
        rest = self._jvm.strings(options + list(parser.getRemainingArgs()))
        return packages.streaming.StreamJob.createJob(rest)

    def _watch(
        self,
        timeout: float | None,
        stall_timeout: float | None,
        on_progress: Callable[[Progress], object] | None,
    ) -> None:
        last, moved = None, time.monotonic()
        while not self._job.isComplete():
            now = time.monotonic()
            progress = self._progress()
            if progress != last:
                last, moved = progress, now
                if on_progress is not None:
                    on_progress(progress)
            if timeout is not None and now - self._started > timeout:
                raise EngineError(
                    f"{self.job_id} was killed after {timeout:g} s, its timeout. {self._situation()}"
                )
            if stall_timeout is not None and now - moved > stall_timeout:
                raise EngineError(
                    f"{self.job_id} was killed: nothing had moved for {stall_timeout:g} s. "
                    + self._situation()
                )
            time.sleep(POLL_INTERVAL)

    def _progress(self) -> Progress:
        job = self._job
        return Progress(self.job_id, job.mapProgress(), job.reduceProgress(), job.getJobState())

    def _kill(self) -> None:
        from py4j.protocol import Py4JError  # noqa: PLC0415 - optional

        try:
            self._job.killJob()
        except Py4JError as problem:
            log.warning("%s could not be killed: %s", self.job_id, problem)

    def _situation(self) -> str:
        """Return what keeps the job from going on, as far as the cluster tells."""
        nodes = len(self._nodes())
        if not nodes:
            return "The cluster has no active node: start a NodeManager, or look why it is unhealthy."
        progress = self._progress()
        told = f"The cluster has {nodes} active node{'s' if nodes > 1 else ''}; "
        if progress.state == PREPARING:
            return told + (
                "none has given the job's application master a container: the queue is full, or the "
                "containers asked for are larger than the nodes (yarn.nodemanager.resource.memory-mb)."
            )
        return told + f"maps {progress.maps:.0%}, reduces {progress.reduces:.0%} done."

    def _counters(self) -> dict[str, dict[str, int]]:
        from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - optional

        try:
            counters = self._job.getCounters()
        except Py4JJavaError as problem:
            log.warning("%s: no counters: %s", self.job_id, problem.java_exception)
            return {}
        return {} if counters is None else read_counters(counters.makeEscapedCompactString())

    # ------------------------------------------------------------------ failures

    def _failure(self) -> Iterator[str]:
        """Yield the paragraphs of the message about a failed job."""
        yield f"{self.job_id} failed: {self._job.getFailureInfo() or 'Hadoop gives no reason'}"
        failed = [event for event in self._events() if str(event.getTaskStatus()) in FAILED_STATUSES]
        for event in failed[-SHOWN_FAILURES:]:
            attempt = event.getTaskAttemptId()
            node, container = self._place(attempt)
            yield f"--- {attempt} on {node or 'a node that is not known any more'}:"
            yield without_stack("\n".join(self._job.getTaskDiagnostics(attempt) or ()))
            if stderr := self._stderr(node, container):
                yield f"--- the end of its standard error:\n{stderr}"
        application = self.job_id.replace("job_", "application_", 1)
        yield f"All of it, where the cluster collects logs: yarn logs -applicationId {application}"

    def _events(self) -> list[Any]:
        events: list[Any] = []
        while more := list(self._job.getTaskCompletionEvents(len(events))):
            events += more
        return events

    def _place(self, attempt: Any) -> tuple[str, str]:
        """Return the node and the container in which an attempt ran; empty if nobody knows any more."""
        from py4j.protocol import Py4JError  # noqa: PLC0415 - optional

        try:
            place = self._client.getClusterHandle().getLogParams(self._job.getID(), attempt)
            return str(place.getNodeId()), str(place.getContainerId())
        except Py4JError as problem:
            log.debug("no place of %s: %s", attempt, problem)
            return "", ""

    def _stderr(self, node: str, container: str) -> str:
        """Return the end of a container's standard error from the node that ran it; empty if it is gone."""
        address = self._nodes().get(node)
        if address is None:
            return ""
        url = f"http://{address}/ws/v1/node/containers/{container}/logs/stderr?size=-{SHOWN_BYTES}"
        # The nodes of a cluster are not beyond the user's proxy.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(url, timeout=5) as response:
                return log_contents(response.read().decode(errors="replace"))
        except (OSError, ValueError) as problem:
            log.debug("no standard error at %s: %s", url, problem)
            return ""


def without_stack(diagnostics: str) -> str:
    """Return a Java exception without the places that it passed through."""
    return "\n".join(line for line in diagnostics.strip().splitlines() if not line.startswith("\tat "))


def log_contents(page: str) -> str:
    """Return a log file without what the NodeManager writes around it."""
    contents = page.partition("LogContents:\n")[2] or page
    return contents.partition("\nEnd of LogType:")[0].strip()


def read_counters(compact: str) -> dict[str, dict[str, int]]:
    r"""Return counters from Hadoop's compact form.

    Examples
    --------
    >>> read_counters(r"{(TaskCounter)(Map\-Reduce)[(IN)(Records in)(8192)][(OUT)(Records out)(2)]}")
    {'Map-Reduce': {'Records in': 8192, 'Records out': 2}}

    """
    return {
        unescaped(group): {unescaped(name): int(value) for name, value in COUNTER.findall(counters)}
        for group, counters in COUNTER_GROUP.findall(compact)
    }


def unescaped(text: str) -> str:
    """Return text without the backslashes that escape its letters."""
    return re.sub(r"\\(.)", r"\1", text)
