"""mrjob's Hadoop runner on a warm client: the same job, without a Java start for each command.

mrjob itself calls the ``hadoop`` command: once to submit a job, and once for each thing that it wants to know
of the file system, half a second each. Here all of that goes through one `HadoopClient`; small files travel
with the submission instead of being uploaded before it.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from mrjob.cat import decompress
from mrjob.fs.base import Filesystem
from mrjob.fs.composite import CompositeFilesystem
from mrjob.fs.local import LocalFilesystem
from mrjob.hadoop import HadoopJobRunner
from mrjob.parse import is_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mrjob.job import MRJob

    from neuralframe.mapreduce.hadoop_client import HadoopClient
    from neuralframe.mapreduce.hadoop_streaming import Progress


class ClientFilesystem(Filesystem):  # type: ignore[misc]  # mrjob has no types
    """A client's file systems as mrjob sees them."""

    def __init__(self, client: HadoopClient) -> None:
        self._client = client

    def can_handle_path(self, path: str) -> bool:
        return bool(is_uri(path))

    def ls(self, path_glob: str) -> Iterator[str]:
        return (status.path for status in self._client.files(path_glob))

    def du(self, path_glob: str) -> int:
        return sum(status.size for status in self._client.files(path_glob))

    def exists(self, path_glob: str) -> bool:
        return bool(self._client.matches(path_glob))

    def mkdir(self, path: str) -> None:
        self._client.mkdirs(path)

    def put(self, src: str, path: str) -> None:
        self._client.put(src, path)

    def rm(self, path_glob: str) -> None:
        for status in self._client.matches(path_glob):
            self._client.delete(status.path)

    def touchz(self, path: str) -> None:
        self._client.write(path, b"")

    def _cat_file(self, path: str) -> Iterator[bytes]:
        if path.endswith((".gz", ".bz2")):
            yield from decompress(BytesIO(self._client.read(path)), path)
        else:
            yield from self._client.chunks(path)


class WarmHadoopRunner(HadoopJobRunner):  # type: ignore[misc]
    """Runs a job's steps through a `HadoopClient`; see `make_hadoop_runner`.

    Attributes
    ----------
    timeout, stall_timeout, on_progress
        As for `HadoopClient.run_streaming`.

    """

    timeout: float | None = None
    stall_timeout: float | None = None
    on_progress: Callable[[Progress], object] | None = None

    def __init__(self, client: HadoopClient, **options: Any) -> None:
        self._client = client
        self._files = CompositeFilesystem()
        self._files.add_fs("hadoop", ClientFilesystem(client))
        self._files.add_fs("local", LocalFilesystem())
        super().__init__(**options)

    @property
    def fs(self) -> CompositeFilesystem:
        return self._files

    def get_hadoop_version(self) -> str:
        return self._client.version

    def get_hadoop_bin(self) -> list[str]:
        return [self._client.hadoop]

    def get_hadoop_streaming_jar(self) -> str:
        return self._client.streaming_jar

    def _wd_mirror(self) -> None:
        """Return no folder: the submission itself uploads the job's own files."""

    def _upload_local_files(self) -> None:
        if self._upload_mgr.path_to_uri():
            super()._upload_local_files()

    def _run_hadoop(
        self, hadoop_args: list[str], env: dict[str, str], record_callback: Callable[[Any], None]
    ) -> tuple[int, dict[str, Any]]:
        del env, record_callback  # the client has its own environment and its own logger
        arguments = hadoop_args[len(self.get_hadoop_bin()) + 2 :]  # after: jar STREAMING.jar
        result = self._client.run_streaming(
            arguments, timeout=self.timeout, stall_timeout=self.stall_timeout, on_progress=self.on_progress
        )
        found = {
            "job_id": result.job_id,
            "application_id": result.application_id,
            "counters": result.counters,
        }
        return 0, found


def make_hadoop_runner(
    job: MRJob,
    client: HadoopClient,
    *,
    timeout: float | None = None,
    stall_timeout: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
) -> WarmHadoopRunner:
    """Return a runner for a job of streaming steps, to be used as ``job.make_runner()``'s.

    ``run()`` raises EngineError where mrjob's own would raise StepFailedException: with the tasks' own words.

    Parameters
    ----------
    job : MRJob
        Made with ``-r hadoop``.
    client : HadoopClient
        Serves many runners; closing it is the caller's business.
    timeout, stall_timeout, on_progress
        As for `HadoopClient.run_streaming`.

    """
    runner = WarmHadoopRunner(client, **job._runner_kwargs())  # noqa: SLF001 - what make_runner itself passes
    runner.timeout, runner.stall_timeout, runner.on_progress = timeout, stall_timeout, on_progress
    return runner
