"""A real Spark cluster on this machine, from the pip package: a standalone master and its workers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

SECONDS_TO_COME_UP = 60
EXECUTOR = b"CoarseGrainedExecutorBackend"


class Cluster:
    """A master, and workers of one core each that report one made-up GPU each.

    Only the processes that it has started, and their children, are ever signalled.
    """

    def __init__(self, folder, n_workers):
        import pyspark

        self.home = Path(pyspark.__file__).parent
        self.folder = folder
        self.url = f"spark://127.0.0.1:{free_port()}"
        self.workers = []
        self.master = self._launch("master", "master.Master", "--port", self.url.rpartition(":")[2])
        try:
            await_port(int(self.url.rpartition(":")[2]), self.master)
            for number in range(n_workers):
                self.workers.append(self._start_worker(number))
        except BaseException:
            self.stop()
            raise

    def executors(self):
        """Return the ids of the executors' processes."""
        return [child for worker in self.workers for child in children(worker.pid) if is_executor(child)]

    def kill_an_executor(self):
        """Kill one executor as a machine that fails would, and return its id."""
        victim = self.executors()[0]
        os.kill(victim, signal.SIGKILL)
        return victim

    def stop(self):
        """End everything."""
        started = [*self.workers, self.master]
        below = [child for process in started for child in children(process.pid)]
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in below:
            if is_executor(child):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)

    def _start_worker(self, number):
        script = self.folder / f"gpus-{number}.sh"
        found = json.dumps({"name": "gpu", "addresses": [str(3 + number)]})
        script.write_text(f"#!/bin/sh\necho '{found}'\n")
        script.chmod(0o755)
        properties = self.folder / f"worker-{number}.conf"
        properties.write_text(
            f"spark.worker.resource.gpu.amount 1\nspark.worker.resource.gpu.discoveryScript {script}\n"
        )
        return self._launch(
            f"worker-{number}", "worker.Worker", "--cores", "1", "--memory", "1g",
            "--work-dir", str(self.folder / f"work-{number}"), "--properties-file", str(properties), self.url,
        )  # fmt: skip

    def _launch(self, name, cls, *arguments):
        command = [
            str(self.home / "bin" / "spark-class"), f"org.apache.spark.deploy.{cls}",
            "--host", "127.0.0.1", "--webui-port", "0", *arguments,
        ]  # fmt: skip
        environment = os.environ | {
            "SPARK_HOME": str(self.home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(self.folder), "SPARK_CONF_DIR": str(self.folder),
        }  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def await_port(port, process):
    """Wait until a process listens on a port."""
    end = time.monotonic() + SECONDS_TO_COME_UP
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the process that should listen on port {port} has ended")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens on port {port} after {SECONDS_TO_COME_UP} s")


def children(pid):
    """Return the processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(path.parent.name))
    return found


def is_executor(pid):
    """Return whether a process is an executor."""
    try:
        return EXECUTOR in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
