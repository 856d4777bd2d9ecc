"""Hadoop from one warm Java process: the file system, and streaming jobs, without a JVM start for each."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.hadoop_jvm import HadoopJvm, find_hadoop, find_streaming_jar
from neuralframe.mapreduce.hadoop_streaming import Progress, StreamingResult, StreamingRun

if TYPE_CHECKING:
    import builtins
    from collections.abc import Callable, Iterator, Sequence

CHUNK = 1 << 20
"""Bytes read at a time; they come through a local socket, as base64."""

PROBLEMS: dict[str, type[OSError]] = {
    "FileNotFoundException": FileNotFoundError,
    "FileAlreadyExistsException": FileExistsError,
    "PathIsNotDirectoryException": NotADirectoryError,
    "ParentNotDirectoryException": NotADirectoryError,
    "AccessControlException": PermissionError,
}
"""Java's exceptions that Python has a name for."""


@attrs.frozen
class FileStatus:
    """A file or folder of a file system.

    Attributes
    ----------
    path : str
        Its full address, such as ``hdfs://127.0.0.1:9000/data/part-0``.
    size : int
        Its bytes; 0 for a folder.
    is_folder : bool
        Whether it is a folder.

    """

    path: str
    size: int
    is_folder: bool


class HadoopClient:
    """A Java process that talks to the cluster named by the Hadoop configuration.

    It is started by the constructor, listens on 127.0.0.1 with a password of its own, and ends with
    `close`, at the end of a ``with`` block, or with this process, however that ends. Paths are addresses
    (``hdfs://``, ``s3a://``, ``file://``) or paths on the cluster's default file system.

    Methods may be called from several threads.

    Parameters
    ----------
    hadoop : str, optional
        The ``hadoop`` command; by default that of HADOOP_HOME, or else the one on the PATH. It gives the
        class path and so the configuration (HADOOP_CONF_DIR).
    streaming_jar : str, optional
        Hadoop Streaming; by default HADOOP_STREAMING_JAR, or else looked for.
    settings : dict, optional
        Settings that go before those of the configuration files, for the file system and for jobs.

    Raises
    ------
    MissingPackageError
        If py4j is not installed.
    EngineError
        If there is no Hadoop, or Java does not start.

    """

    SETTINGS: ClassVar[dict[str, str]] = {
        # A written file is asked for again after 5 ms, not 400, until its last block is known.
        "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": "5",
        "yarn.client.application-client-protocol.poll-interval-ms": "50",
        "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": "100",
    }
    """What makes small jobs quick and harms no cluster."""

    def __init__(
        self,
        hadoop: str | None = None,
        *,
        streaming_jar: str | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self.hadoop = hadoop or find_hadoop()
        self.streaming_jar = streaming_jar or find_streaming_jar(self.hadoop)
        self.settings = self.SETTINGS | (settings or {})
        self._jvm = HadoopJvm(self.hadoop, self.streaming_jar)
        self._java = self._jvm.java
        self._conf = self._java.org.apache.hadoop.conf.Configuration()
        for name, value in self.settings.items():
            self._conf.set(name, value)

    @property
    def version(self) -> str:
        """Hadoop's version, such as ``"3.4.2"``."""
        return str(self._java.org.apache.hadoop.util.VersionInfo.getVersion())

    def close(self) -> None:
        """End the Java process."""
        self._jvm.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------ file system

    def exists(self, path: str) -> bool:
        """Return whether a file or folder is there."""
        with told(path):
            return bool(self._file_system(path).exists(self._path(path)))

    def status(self, path: str) -> FileStatus:
        """Return what a file or folder is.

        Raises
        ------
        FileNotFoundError
            If it is not there.

        """
        with told(path):
            return file_status(self._file_system(path).getFileStatus(self._path(path)))

    def size(self, path: str) -> int:
        """Return the bytes of a file, or of all files in a folder."""
        with told(path):
            return int(self._file_system(path).getContentSummary(self._path(path)).getLength())

    def list(self, path: str) -> list[FileStatus]:
        """Return what lies in a folder, in order of names; for a file, the file itself."""
        with told(path):
            return [file_status(found) for found in self._file_system(path).listStatus(self._path(path))]

    def matches(self, pattern: str) -> builtins.list[FileStatus]:
        """Return the files and folders that match a path with ``*``, ``?``, ``[a-z]`` or ``{a,b}`` in it."""
        with told(pattern):
            found = self._file_system(pattern).globStatus(self._path(pattern))
            return [file_status(match) for match in found or ()]

    def files(self, pattern: str) -> Iterator[FileStatus]:
        """Yield all files that match, and all files in folders that do, however deep."""
        waiting = self.matches(pattern)
        while waiting:
            status = waiting.pop(0)
            if status.is_folder:
                waiting[:0] = self.list(status.path)
            else:
                yield status

    def mkdirs(self, path: str) -> None:
        """Make a folder and those above it; one that is there is left as it is."""
        with told(path):
            self._file_system(path).mkdirs(self._path(path))

    def delete(self, path: str) -> bool:
        """Delete a file, or a folder with all in it, for good; return whether it was there."""
        with told(path):
            return bool(self._file_system(path).delete(self._path(path), True))

    def put(self, source: str | Path, path: str, *, overwrite: bool = False) -> None:
        """Copy a local file to the file system.

        Raises
        ------
        FileExistsError
            If there is a file, and `overwrite` is not given.

        """
        local = self._path(f"file://{Path(source).absolute()}")
        with told(path):
            if not overwrite and self.exists(path):
                raise FileExistsError(f"{path} exists already")
            self._file_system(path).copyFromLocalFile(False, overwrite, local, self._path(path))

    def get(self, path: str, target: str | Path) -> None:
        """Copy a file to a local one; no checksum file is left beside it."""
        local = self._path(f"file://{Path(target).absolute()}")
        with told(path):
            self._file_system(path).copyToLocalFile(False, self._path(path), local, True)

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return b"".join(self.chunks(path))

    def chunks(self, path: str, size: int = CHUNK) -> Iterator[bytes]:
        """Yield what a file holds, `size` bytes at a time, so that it need not fit into memory."""
        with told(path):
            left = self.status(path).size
            stream = self._file_system(path).open(self._path(path))
            try:
                while left:
                    chunk = self._java.org.apache.commons.io.IOUtils.toByteArray(stream, min(left, size))
                    left -= len(chunk)
                    yield chunk
            finally:
                stream.close()

    def write(self, path: str, content: bytes, *, overwrite: bool = False) -> None:
        """Write a file; folders above it are made.

        Raises
        ------
        FileExistsError
            If there is a file, and `overwrite` is not given.

        """
        with told(path):
            stream = self._file_system(path).create(self._path(path), overwrite)
            try:
                stream.write(content)
            finally:
                stream.close()

    # ------------------------------------------------------------------ jobs

    def nodes(self) -> dict[str, str]:
        """Return the nodes that can run containers: each one's name, and where its web pages are."""
        api = self._java.org.apache.hadoop.yarn
        yarn = api.client.api.YarnClient.createYarnClient()
        running = self._jvm.array([api.api.records.NodeState.RUNNING], api.api.records.NodeState)
        with told("the ResourceManager"):
            yarn.init(self._conf)
            yarn.start()
            try:
                reports = yarn.getNodeReports(running)
                return {report.getNodeId().toString(): report.getHttpAddress() for report in reports}
            finally:
                yarn.stop()

    def run_streaming(
        self,
        arguments: Sequence[str],
        *,
        timeout: float | None = None,
        stall_timeout: float | None = None,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> StreamingResult:
        """Run a Hadoop Streaming job and wait for its end.

        Parameters
        ----------
        arguments : sequence of str
            What would follow ``hadoop jar hadoop-streaming.jar``: generic options (-D, -files, -archives,
            -libjars) first, then -input, -output, -mapper and so on.
        timeout : float, optional
            Seconds after which the job is killed.
        stall_timeout : float, optional
            Seconds without any progress after which it is killed, for instance because the cluster has no
            NodeManager. Longer than a mapper takes for its longest record.
        on_progress : callable, optional
            Called with a `Progress` whenever it has changed.

        Raises
        ------
        EngineError
            If the job cannot be submitted, fails or is killed. The message has the job's id, the failed
            attempts' diagnostics and the end of their standard error.

        """
        run = StreamingRun(self._jvm, self.settings, list(arguments), self.nodes)
        return run.wait(timeout=timeout, stall_timeout=stall_timeout, on_progress=on_progress)

    def _path(self, path: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(path)

    def _file_system(self, path: str) -> Any:
        """Return the file system of a path; Hadoop keeps one for each server."""
        return self._path(path).getFileSystem(self._conf)


def file_status(found: Any) -> FileStatus:
    """Return what a Java FileStatus says."""
    return FileStatus(found.getPath().toString(), found.getLen(), found.isDirectory())


@contextmanager
def told(path: str) -> Iterator[None]:
    """Raise Java's exceptions as Python's, in one line that names the path."""
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - optional

    try:
        yield
    except Py4JJavaError as problem:
        name, _, message = problem.java_exception.toString().partition(": ")
        kind = PROBLEMS.get(name.rpartition(".")[2], EngineError)
        raise kind(f"{path}: {message.splitlines()[0] if message else name}") from None
