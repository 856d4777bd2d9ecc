"""A stand-in for EMR's clusters: runs the streaming steps that were submitted to moto, each command as it is.

moto keeps what the EMR API was asked for and does nothing with it. `StepExecutor` takes each pending step,
copies its files and input from moto's S3, runs the step's own commands for mapper, combiner and reducer as
processes, and writes ``part-00000`` to the step's output address.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

MAP_ATTEMPTS = 2


class StepError(Exception):
    """A command of the step did not succeed."""


class StepExecutor(threading.Thread):
    """Runs pending steps, one after the other, until it is stopped."""

    def __init__(self, backend, s3):
        super().__init__(name="emr-steps", daemon=True)
        self.backend, self.s3 = backend, s3
        self.done = []
        self.hold = False
        self._stopping = threading.Event()

    def stop(self):
        self._stopping.set()
        self.join()

    def run(self):
        while not self._stopping.wait(0.02):
            for step in self._pending() if not self.hold else ():
                self._run(step)

    def _pending(self):
        clusters = [c for c in list(self.backend.clusters.values()) if c.state in ("RUNNING", "WAITING")]
        # moto calls the first step of a cluster running.
        states = ("PENDING", "STARTING", "RUNNING")
        steps = [step for cluster in clusters for step in list(cluster.steps) if step.state in states]
        return [step for step in steps if step not in self.done]

    def _run(self, step):
        step.state = "RUNNING"
        step.start()
        try:
            with TemporaryDirectory() as folder:
                StreamingStep(step.args, self.s3, Path(folder)).run()
        except (Exception, SystemExit) as problem:  # noqa: BLE001 - whatever went wrong is the step's reason
            step.last_state_change_reason = str(problem)
            step.state = "FAILED"
        else:
            step.state = "COMPLETED"
        self.done.append(step)


class StreamingStep:
    """One ``hadoop-streaming`` command line."""

    def __init__(self, arguments, s3, folder):
        self.s3, self.folder = s3, folder
        assert arguments[0] == "hadoop-streaming"
        parser = argparse.ArgumentParser(prefix_chars="-", allow_abbrev=False)
        parser.add_argument("-files", default="")
        parser.add_argument("-D", action="append", default=[])
        parser.add_argument("-cmdenv", action="append", default=[])
        parser.add_argument("-input", action="append")
        for name in ("-archives", "-output", "-mapper", "-combiner", "-reducer"):
            parser.add_argument(name)
        self.given = parser.parse_args(arguments[1:])
        self.settings = dict(setting.split("=", 1) for setting in self.given.D)

    def run(self):
        assert not self.given.archives
        # One map a file is what the driver asked for.
        assert int(self.settings["mapreduce.input.fileinputformat.split.minsize"]) > 2**40
        mapped = [self._map(number, place) for number, place in enumerate(self.given.input)]
        lines = sorted(line for output in mapped for line in output.splitlines(keepends=True))
        reduced = self._command("reducer", b"".join(lines), "r_000000", 0)
        bucket, key = bucket_and_key(self.given.output)
        assert "Contents" not in self.s3.list_objects_v2(Bucket=bucket, Prefix=key), "the output exists"
        self.s3.put_object(Bucket=bucket, Key=f"{key}/part-00000", Body=reduced)

    def _map(self, number, place):
        bucket, key = bucket_and_key(place)
        content = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for attempt in range(MAP_ATTEMPTS):
            try:
                mapped = self._command("mapper", content, f"m_{number:06d}", attempt, place)
                break
            except StepError:
                if attempt == MAP_ATTEMPTS - 1:
                    raise
        lines = sorted(mapped.splitlines(keepends=True))
        return self._command("combiner", b"".join(lines), f"m_{number:06d}", attempt)

    def _command(self, name, content, task, attempt, place=""):
        """Run a command in a folder of its own, as YARN does, and return its output."""
        folder = self.folder / f"{name}-{task}-{attempt}"
        folder.mkdir()
        for source, target in (entry.rsplit("#", 1) for entry in self.given.files.split(",")):
            bucket, key = bucket_and_key(source)
            self.s3.download_file(bucket, key, str(folder / target))
        environment = os.environ | dict(setting.split("=", 1) for setting in self.given.cmdenv)
        environment |= {
            "mapreduce_task_attempt_id": f"attempt_1700000000000_0001_{task}_{attempt}",
            "mapreduce_task_ismap": str(name != "reducer").lower(),
            "mapreduce_map_maxattempts": str(MAP_ATTEMPTS),
            "mapreduce_reduce_maxattempts": "1",
            "mapreduce_map_input_file": place,
        }
        done = subprocess.run(
            shlex.split(getattr(self.given, name)),
            input=content,
            capture_output=True,
            cwd=folder,
            env=environment,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise StepError(f"{name} {task} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout


def bucket_and_key(address):
    """Return the bucket and the key of an address on S3."""
    parts = urlsplit(address)
    assert parts.scheme == "s3", address
    return parts.netloc, parts.path.strip("/")


@contextmanager
def moto_server():
    """Give the address of moto's server on a free port of 127.0.0.1, and stop it in the end."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
