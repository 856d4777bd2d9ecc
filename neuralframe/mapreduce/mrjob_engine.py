"""The mrjob engine: each job is a MapReduce job of mrjob, here, on Hadoop, on Spark or on EMR."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import deque
from pathlib import Path
from subprocess import SubprocessError
from typing import TYPE_CHECKING, Any

from neuralframe.core.validation import whole
from neuralframe.exceptions import ChoiceError, EngineError, ParameterError
from neuralframe.mapreduce.block_files import BlockFiles
from neuralframe.mapreduce.failures import Failure, one_for_all
from neuralframe.mapreduce.in_process_engine import usable_processors
from neuralframe.mapreduce.job import results_of
from neuralframe.mapreduce.log import log
from neuralframe.mapreduce.mrjob_launchers import LAUNCHERS, Launcher
from neuralframe.mapreduce.mrjob_output import Counters, JobReport, Output, merged_counters
from neuralframe.mapreduce.shared_engine import SharedEngine
from neuralframe.mapreduce.shipped_job import ShippedJob
from neuralframe.mapreduce.user_code import own_modules, write_package, write_user_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuralframe.data.blocks import Blocks
    from neuralframe.mapreduce.job import Job, Sums

JOB_FILE = "job.packet"
FAILURES = (EngineError, OSError, SubprocessError)
"""What a job may fail with by chance, beside what its tasks report."""


class MRJobEngine(SharedEngine):
    """Runs jobs through mrjob: a mapper for each part file, a combiner, a reducer.

    What a job is goes to the tasks in a file; the sums come back as the job's output. Packed data are read
    where they lie; data in memory are packed once, into a temporary folder.

    Parameters
    ----------
    runner : {"inline", "local", "hadoop", "spark", "emr"}
        ``"inline"`` runs every task in this thread, ``"local"`` each in a process of its own; the others as
        in mrjob.
    maps : int, optional
        Part files, about, into which data in memory are packed, one map each. By default one inline, and
        otherwise one for each processor here.
    attempts : int
        How often a job is run before it is given up, each time with fresh paths. What is certain to fail
        again, such as a damaged record, is not run again.
    timeout : float, optional
        Seconds that a job may take; inline jobs cannot be stopped.
    stall_timeout : float, optional
        Seconds for which nothing may move on Hadoop, as when there is no NodeManager. Longer than a task
        needs for its longest record.
    python : str, optional
        The Python of the tasks. By default the one that runs here; on a cluster its path must be the same on
        every machine.
    conf : str or path, optional
        A configuration file of mrjob's. By default mrjob looks for one (``MRJOB_CONF``, ``~/.mrjob.conf``),
        except for inline and local.
    jobconf : mapping of str to str, optional
        Properties of Hadoop or Spark.
    options : sequence of str
        Further options of mrjob's, as on its command line.
    ship_package : bool
        Send neuralframe itself along, to machines on which it is not installed (numpy, attrs and mrjob must
        be). Modules of your own that define parts of the network are always sent along.
    folder : str, optional
        Where data in memory and other files go on the cluster's file system; by default mrjob decides.

    Attributes
    ----------
    reports : list of JobReport
        What the latest jobs (at most 1000) took, and their counters.

    Raises
    ------
    ChoiceError
        If there is no such runner.

    """

    def __init__(
        self,
        runner: str = "inline",
        *,
        maps: int | None = None,
        attempts: int = 2,
        timeout: float | None = None,
        stall_timeout: float | None = 120.0,
        python: str | None = None,
        conf: str | Path | None = None,
        jobconf: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        ship_package: bool = False,
        folder: str | None = None,
    ) -> None:
        super().__init__()
        if runner not in LAUNCHERS:
            raise ChoiceError("mrjob runner", runner, LAUNCHERS)
        if maps is None:
            maps = 1 if runner == "inline" else usable_processors()
        self.name = f"mrjob:{runner}"
        self.runner = runner
        self.computes_here = runner == "inline"
        self.maps = whole(maps, "MRJobEngine: maps")
        self.attempts = whole(attempts, "MRJobEngine: attempts")
        self.timeout = _seconds(timeout, "timeout")
        self.stall_timeout = _seconds(stall_timeout, "stall_timeout")
        self.python = python
        self.conf = conf
        self.jobconf = dict(jobconf or {})
        self.options = tuple(options)
        self.ship_package = ship_package
        self.folder = folder
        self.reports: deque[JobReport] = deque(maxlen=1000)
        self._n_jobs = 0
        self._work: Path | None = None
        self._files: tuple[Blocks, BlockFiles] | None = None
        self._jobs: tuple[Any, Any] | None = None
        self._sent: frozenset[str] = frozenset()
        self._launcher: Launcher | None = None

    def parameters(self) -> dict[str, Any]:
        return {
            "maps": self.maps,
            "attempts": self.attempts,
            "timeout": self.timeout,
            "stall_timeout": self.stall_timeout,
            "python": self.python,
            "conf": None if self.conf is None else str(self.conf),
            "jobconf": self.jobconf,
            "options": self.options,
            "ship_package": self.ship_package,
            "folder": self.folder,
        }

    def _start(self) -> None:
        self._work = Path(tempfile.mkdtemp(prefix="neuralframe-"))
        self._launcher = LAUNCHERS[self.runner](self)

    def _stop(self) -> None:
        assert self._work is not None
        assert self._launcher is not None
        try:
            self._launcher.close()
        finally:
            shutil.rmtree(self._work, ignore_errors=True)
            self._work = self._files = self._jobs = self._launcher = None

    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        # One job at a time: networks that learn in several threads may share an engine.
        with self._lock, self:
            files = self._files_of(blocks)
            total = self._total(ShippedJob(job, files.placements, len(blocks), files.files), files)
        return results_of(job, total)

    def _files_of(self, blocks: Blocks) -> BlockFiles:
        """Return the files of the blocks; those of the latest job are not written again."""
        if self._files is None or self._files[0] is not blocks:
            assert self._work is not None
            folder = Path(tempfile.mkdtemp(prefix="data-", dir=self._work))
            assert self._launcher is not None
            self._files = blocks, BlockFiles.of(blocks, folder, self.maps, self._launcher.store)
            self._jobs = None
        return self._files[1]

    def _total(self, shipped: ShippedJob, files: BlockFiles) -> dict[int, Sums]:
        """Run the job, again if it fails by chance, and return the sums."""
        assert self._work is not None
        (self._work / JOB_FILE).write_bytes(shipped.to_bytes())
        self._n_jobs += 1
        started = time.monotonic()
        failures: list[Failure] = []
        for attempt in range(1, self.attempts + 1):
            output, counters = self._attempt(shipped, files)
            if not output.failures:
                seconds = time.monotonic() - started
                self.reports.append(JobReport(self._n_jobs, seconds, attempt, counters))
                log.info("job %d took %.2f s; counters: %s", self._n_jobs, seconds, counters)
                return output.total(shipped.n_blocks)
            failures.extend(output.failures)
            if attempt == self.attempts or any(failure.is_certain for failure in failures):
                break
            log.warning("job %d failed and is run again: %s", self._n_jobs, output.failures[0].message)
        raise one_for_all(failures)

    def _attempt(self, shipped: ShippedJob, files: BlockFiles) -> tuple[Output, Counters]:
        """Return what a job wrote, or why there is nothing."""
        try:
            lines, counters = self._output(shipped, files)
            return Output.of(lines), counters
        except FAILURES as problem:
            return Output((), {}, (Failure.of(problem),)), {}

    def _output(self, shipped: ShippedJob, files: BlockFiles) -> tuple[list[bytes], Counters]:
        """Run one attempt of a job and return the lines of its output."""
        from mrjob.step import StepFailedException  # noqa: PLC0415 - mrjob takes 0.2 s to import
        from mrjob.util import to_lines  # noqa: PLC0415

        needed = frozenset[str]() if self.runner == "inline" else own_modules(shipped.job)
        if self._jobs is None or not needed <= self._sent:
            self._jobs, self._sent = self._make_jobs(files, needed), needed
        assert self._launcher is not None
        try:
            with self._launcher.runner(*self._jobs) as runner:
                runner.run()
                return list(to_lines(runner.cat_output())), merged_counters(runner.counters())
        except StepFailedException as problem:
            raise EngineError(f"mrjob's {self.runner} runner: {problem}") from problem

    def _make_jobs(self, files: BlockFiles, modules: frozenset[str]) -> tuple[Any, Any]:
        """Return the job that makes runners, and the one that runs tasks inline: made once, as it is slow."""
        from neuralframe.mapreduce.mrjob_job import SumJob  # noqa: PLC0415

        assert self._work is not None
        what = ("--job-file", str(self._work / JOB_FILE))
        return SumJob([*what, *self._arguments(files, modules)]), SumJob(list(what))

    def _arguments(self, files: BlockFiles, modules: frozenset[str]) -> Iterator[str]:
        """Yield the arguments of the job, as on mrjob's command line."""
        assert self._launcher is not None
        yield from ("--runner", self.runner)
        if self.conf is not None:
            yield from ("--conf-path", str(self.conf))
        yield from self._launcher.arguments()
        for name, value in self.jobconf.items():
            yield from ("-D", f"{name}={value}")
        if self.runner != "inline":
            yield from self._code(modules)
        yield from (*self.options, *files.addresses)

    def _code(self, modules: frozenset[str]) -> Iterator[str]:
        """Yield what sends code along to the tasks."""
        assert self._work is not None
        assert self._launcher is not None
        if modules:
            write_user_code(self._work / "neuralframe_user.zip")
            yield from (self._launcher.code_option, str(self._work / "neuralframe_user.zip"))
        if self.ship_package:
            write_package(self._work / "neuralframe_package.zip")
            yield from (self._launcher.code_option, str(self._work / "neuralframe_package.zip"))
        else:
            yield "--no-bootstrap-mrjob"


def _seconds(value: float | None, what: str) -> float | None:
    if value is not None and not value > 0:
        raise ParameterError(
            f"MRJobEngine: {what} must be a number of seconds above 0, or None; got {value!r}"
        )
    return value
