"""mrjob's inline and local runners, with one map for each input file, one reduce and nothing copied.

mrjob's own split every input anew for each job, copying it, and mind nobody's part files; its local runner
forks the calling process, which is not safe where this has threads.
"""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mrjob.inline import InlineMRJobRunner
from mrjob.local import LocalMRJobRunner

from neuralframe.exceptions import EngineError
from neuralframe.kernels.cuda.device import DEVICE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class OneMapAFile:
    """What both runners have in common; for runners that simulate Hadoop.

    There is one reduce task, as on Hadoop unless it is told otherwise: so it sees the totals under all keys,
    and a job can conclude there.
    """

    def _split_mapper_input(self: Any, input_paths: Iterable[str], step_num: int) -> list[dict[str, Any]]:
        splits = []
        for number, path in enumerate(input_paths):
            place = Path(self._task_input_path("mapper", step_num, number))
            place.parent.mkdir(parents=True)
            place.symlink_to(Path(path).resolve())
            splits.append({"file": path, "start": 0, "length": Path(path).stat().st_size})
        return splits

    def _split_reducer_input(self: Any, step_num: int) -> int:
        place = Path(self._task_input_path("reducer", step_num, 0))
        place.parent.mkdir(parents=True)
        place.symlink_to(self._sorted_reducer_input_path(step_num))
        return 1


class InlineRunner(OneMapAFile, InlineMRJobRunner):  # type: ignore[misc]  # mrjob has no types
    """Runs every task in this thread, by one and the same job object.

    Unlike mrjob's, it leaves the process's working folder, environment and standard streams alone: a task's
    own are handed to the job.

    Attributes
    ----------
    task : SumJob
        The job that runs the tasks; set by the engine.

    """

    task: Any = None

    def _invoke_task_func(self, task_type: str, step_num: int, _: int) -> Callable[..., None]:
        def invoke(stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes], _: str, env: Any) -> None:
            job = self.task
            job.sandbox(stdin=stdin, stdout=stdout, stderr=stderr)
            job.environment = env
            getattr(job, f"run_{task_type}")(step_num)

        return invoke

    def _env_for_task(self, task_type: str, _: int, __: int, map_split: Any = None) -> Mapping[str, str]:
        # The job reads these only; the whole environment takes mrjob milliseconds to put together.
        jobconf = {"mapreduce.task.ismap": str(task_type == "mapper").lower()}
        if map_split:
            jobconf["mapreduce.map.input.file"] = map_split["file"]
        return {name.replace(".", "_"): value for name, value in jobconf.items()}


class LocalRunner(OneMapAFile, LocalMRJobRunner):  # type: ignore[misc]
    """Runs every task in a process of its own, from threads, and ends them when time is up.

    Attributes
    ----------
    deadline : float or None
        When the job must have ended, by `time.monotonic`.

    """

    deadline: float | None = None

    def _env_for_task(
        self, task_type: str, step_num: int, task_num: int, map_split: Any = None
    ) -> dict[str, str]:
        # Tasks that run side by side take different graphics processors, where there are several.
        found = super()._env_for_task(task_type, step_num, task_num, map_split)
        return {DEVICE_VARIABLE: str(task_num), **found}

    def _run_multiple(self, funcs: Iterable[Callable[[], None]], num_processes: int | None = None) -> None:
        with ThreadPoolExecutor(num_processes or self._num_cores(), thread_name_prefix="mrjob") as pool:
            tasks = [pool.submit(func) for func in funcs]
            try:
                done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
            finally:
                for task in tasks:
                    task.cancel()
            for task in done:
                task.result()

    def _invoke_task_func(self, task_type: str, step_num: int, task_num: int) -> Callable[..., None]:
        return partial(
            _run_task, f"{task_type} {task_num}", self._substep_args(step_num, task_type), self.deadline
        )


def _run_task(  # noqa: PLR0917 - mrjob passes the last five
    name: str,
    args: list[str],
    deadline: float | None,
    stdin: IO[bytes],
    stdout: IO[bytes],
    stderr: IO[bytes],
    wd: str,
    env: Mapping[str, str],
) -> None:
    """Run a task's process; say what it wrote to its log if it fails."""
    left = None if deadline is None else max(0.0, deadline - time.monotonic())
    try:
        status = subprocess.run(  # noqa: S603 - the job's own script
            args, stdin=stdin, stdout=stdout, stderr=stderr, cwd=wd, env=dict(env), timeout=left, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        raise EngineError(f"{name} had not ended when the job's time was up; it was killed") from None
    if status:
        log = Path(stderr.name).read_text(encoding="utf-8", errors="replace")
        reason = f"status {status}" if status > 0 else f"signal {-status}"
        raise EngineError(f"{name} ended with {reason}; the end of its log:\n{log[-4000:]}")
