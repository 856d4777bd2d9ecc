"""A Java process with Hadoop's classes, kept warm: what a Hadoop command spends its first second on, once."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import IO, Any

from neuralframe.exceptions import EngineError, MissingPackageError

log = logging.getLogger(__name__)
# Java's warnings are for whoever sets up logging, not for the terminal of whoever does not.
log.addHandler(logging.NullHandler())

HOMES = ("HADOOP_HOME", "HADOOP_PREFIX", "HADOOP_INSTALL", "HADOOP_MAPRED_HOME")
"""Environment variables that may name Hadoop's folder, as mrjob looks for them."""

STREAMING_FOLDERS = ("share/hadoop/tools/lib", "jars", "contrib/streaming", ".")
"""Where below its folder a Hadoop keeps its Streaming jar."""

SYSTEM_STREAMING_FOLDERS = ("/usr/lib/hadoop-mapreduce", "/home/hadoop/contrib/streaming")
"""Where Bigtop, EMR and Dataproc keep it."""

OPENED_PACKAGES = (
    "java.lang", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util", "java.util.concurrent",
    "sun.nio.ch",
)  # fmt: skip
JAVA_17_FLAGS = " ".join(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED_PACKAGES)
"""Hadoop 3.4 looks into these packages; Java 8 knows neither the flags nor the variable they go through."""

LOG_LINE = re.compile(r"^(?:\S+ \S+ )?(?:\[[^]]*\] )?(?P<level>DEBUG|INFO|WARN|ERROR|FATAL) ?")
"""How log4j begins a line in Hadoop's layouts."""

EXPECTED = "-jobconf option is deprecated"
"""A warning about how `StreamingRun` hands over settings; no user can do anything about it."""

LEVELS = {"WARN": logging.WARNING, "ERROR": logging.ERROR, "FATAL": logging.CRITICAL, "INFO": logging.INFO}

REMEMBERED_LINES = 40
"""Lines of the process's output that are kept for the error message if it dies."""


def find_hadoop() -> str:
    """Return the path of the ``hadoop`` command.

    Raises
    ------
    EngineError
        If there is none in a Hadoop home or on the PATH.

    """
    for home in filter(None, map(os.environ.get, HOMES)):
        command = Path(home) / "bin" / "hadoop"
        if command.exists():
            return str(command)
    if found := shutil.which("hadoop"):
        return found
    raise EngineError(
        "no Hadoop: there is no 'hadoop' command on the PATH, and HADOOP_HOME does not name a Hadoop. "
        "On one machine, scripts/local_hadoop.py starts a small cluster; see docs/hadoop.md"
    )


def find_streaming_jar(hadoop: str) -> str:
    """Return the path of Hadoop Streaming for a ``hadoop`` command.

    ``HADOOP_STREAMING_JAR`` names it; otherwise it is looked for in the Hadoop homes and where
    distributions put it.

    Raises
    ------
    EngineError
        If it is in none of these places.

    """
    if named := os.environ.get("HADOOP_STREAMING_JAR"):
        return named
    homes = [*filter(None, map(os.environ.get, HOMES)), str(Path(hadoop).resolve().parent.parent)]
    folders = [Path(home) / folder for home in homes for folder in STREAMING_FOLDERS]
    for folder in (*folders, *map(Path, SYSTEM_STREAMING_FOLDERS)):
        found = [jar for jar in folder.glob("hadoop*streaming*.jar") if "sources" not in jar.name]
        if found:
            return str(min(found, key=lambda jar: len(jar.name)))
    raise EngineError("no hadoop-streaming jar was found; set HADOOP_STREAMING_JAR to its path")


class HadoopJvm:
    """The Java process; it listens on 127.0.0.1, asks for a password, and ends with this process.

    Parameters
    ----------
    hadoop : str
        The ``hadoop`` command, which tells the class path.
    streaming_jar : str
        Hadoop Streaming, which distributions keep out of the class path.
    heap : str
        The most memory that Java may take, as for ``-Xmx``.

    Attributes
    ----------
    java : py4j.java_gateway.JVMView
        Java's classes by their full names.

    Raises
    ------
    MissingPackageError
        If py4j is not installed.
    EngineError
        If Java does not start.

    """

    def __init__(self, hadoop: str, streaming_jar: str, *, heap: str = "512m") -> None:
        try:
            from py4j.java_gateway import GatewayParameters, JavaGateway, find_jar_path  # noqa: PLC0415
        except ImportError as problem:
            raise MissingPackageError("py4j", purpose="the warm Hadoop client", extra="hadoop") from problem
        paths = os.pathsep.join([find_jar_path(), told_classpath(hadoop), streaming_jar])
        self._last_lines: deque[str] = deque(maxlen=REMEMBERED_LINES)
        self._process = self._launched(paths, heap)
        port, token = self._address()
        self._follow(self._stream("stdout"))
        parameters = GatewayParameters(port=port, auth_token=token, auto_field=True)
        self.gateway = JavaGateway(gateway_parameters=parameters)
        self.java: Any = self.gateway.jvm

    def array(self, values: list[Any], kind: Any) -> Any:
        """Return a Java array of a class."""
        array = self.gateway.new_array(kind, len(values))
        for i, value in enumerate(values):
            array[i] = value
        return array

    def strings(self, values: list[str]) -> Any:
        """Return a Java array of strings."""
        return self.array(values, self.java.java.lang.String)

    def close(self) -> None:
        """End the process."""
        self.gateway.shutdown()
        self._stream("stdin").close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _launched(self, paths: str, heap: str) -> subprocess.Popen[str]:
        home = os.environ.get("JAVA_HOME")
        java = str(Path(home) / "bin" / "java") if home else "java"
        flags = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true"]
        server = ["py4j.GatewayServer", "--die-on-broken-pipe", "--enable-auth", "0"]
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own Java
                [java, *flags, "-Dhadoop.root.logger=INFO,console", "-cp", paths, *server],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=os.environ | {"JDK_JAVA_OPTIONS": JAVA_17_FLAGS},
                # Ctrl-C is for the driver, which then still needs the client to kill its job.
                start_new_session=True,
            )
        except OSError as problem:
            raise EngineError(
                f"Java does not start: {java!r}: {problem}. Set JAVA_HOME to a Java 17"
            ) from problem
        self._follow(process.stderr)
        return process

    def _address(self) -> tuple[int, str]:
        """Return the port and the password, which the server prints first."""
        lines = self._stream("stdout")
        port, token = lines.readline().strip(), lines.readline().strip()
        if not port.isdigit():
            self._process.kill()
            self._process.wait()
            raise EngineError("Java ended before it was ready:\n" + "\n".join([port, *self._last_lines]))
        return int(port), token

    def _stream(self, name: str) -> IO[str]:
        stream: IO[str] = getattr(self._process, name)
        return stream

    def _follow(self, stream: IO[str] | None) -> None:
        assert stream is not None
        threading.Thread(target=self._log, args=(stream,), daemon=True).start()

    def _log(self, stream: IO[str]) -> None:
        """Hand what Java prints to this module's logger, at the level that Hadoop gave it."""
        with stream:
            for line in map(str.rstrip, stream):
                self._last_lines.append(line)
                log.log(level_of(line), "%s", line)


def level_of(line: str) -> int:
    """Return the level at which Java logged a line; DEBUG for what log4j did not write.

    Examples
    --------
    >>> level_of("26/11/21 04:52:28 WARN hdfs.DFSClient: slow")
    30

    """
    found = LOG_LINE.match(line)
    if found is None or EXPECTED in line:
        return logging.DEBUG
    return LEVELS.get(found["level"], logging.DEBUG)


def told_classpath(hadoop: str) -> str:
    """Return what ``hadoop classpath`` says.

    Raises
    ------
    EngineError
        If the command fails.

    """
    try:
        told = subprocess.run([hadoop, "classpath"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError) as problem:
        details = getattr(problem, "stderr", None) or problem
        raise EngineError(f"the command '{hadoop} classpath' failed: {details}") from problem
    return told.stdout.strip().splitlines()[-1]
