"""The processes of a local Hadoop: ports, starting, waiting, stopping."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hadoop_folder import ProblemError
from hadoop_settings import JAVA_FLAGS, environment

if TYPE_CHECKING:
    from hadoop_folder import Folder, Java

DAEMONS: Final = {
    "namenode": "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "datanode": "org.apache.hadoop.hdfs.server.datanode.DataNode",
    "resourcemanager": "org.apache.hadoop.yarn.server.resourcemanager.ResourceManager",
    "nodemanager": "org.apache.hadoop.yarn.server.nodemanager.NodeManager",
}
"""The processes, in the order in which they are started; they are stopped in the opposite order."""

PORTS: Final = {
    "namenode": 9000,
    "namenode-http": 9870,
    "datanode": 9866,
    "datanode-http": 9864,
    "datanode-ipc": 9867,
    "resourcemanager": 8032,
    "resourcemanager-scheduler": 8030,
    "resourcemanager-tracker": 8031,
    "resourcemanager-admin": 8033,
    "resourcemanager-http": 8088,
    "nodemanager": 8041,
    "nodemanager-localizer": 8040,
    "nodemanager-http": 8042,
    "shuffle": 13562,
}
"""What listens, and where Hadoop's own default is."""

CHOSEN_PORTS: Final = range(20_000, 32_000)
"""Free ports are chosen here: below the range from which systems number outgoing connections."""


def choose_ports(wanted: dict[str, int], kept: dict[str, int]) -> dict[str, int]:
    """Return a port for everything that listens: as asked for, as last time, or a free one."""
    ports = kept | wanted
    for name, port in ports.items():
        if not is_free(port):
            raise ProblemError(
                f"port {port} ({name}) is taken by another program. Choose another: start --port {name}=PORT"
            )
    for name in PORTS:
        while name not in ports:
            port = random.choice(CHOSEN_PORTS)  # noqa: S311 - any free one will do
            if port not in ports.values() and is_free(port):
                ports[name] = port
    return ports


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port."""
    with socket.socket() as probe:
        # As the daemons do, so that the last run's closed connections are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def java_command(folder: Folder, java: Java, *, heap: str) -> list[str]:
    """Return the beginning of a daemon's command line."""
    return [java.command, f"-Xmx{heap}", *JAVA_FLAGS, "-cp", folder.classpath]


def format_name_table(folder: Folder, java: Java) -> None:
    """Make an empty HDFS."""
    command = [*java_command(folder, java, heap="256m"), DAEMONS["namenode"], "-format", "-nonInteractive"]
    log = folder.logs / "format.log"
    with log.open("wb") as sink:
        done = subprocess.run(command, stdout=sink, stderr=sink, check=False)
    if done.returncode:
        raise ProblemError(f"the NameNode could not be formatted; the end of {log}:\n{tail(log)}")


def launch(folder: Folder, java: Java, name: str) -> dict[str, Any]:
    """Start a daemon and return how to find it again."""
    with (folder.logs / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*java_command(folder, java, heap="512m"), DAEMONS[name]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            env=os.environ | environment(folder, java),
            # Ctrl-C in the terminal is not for the daemons.
            start_new_session=True,
        )
    return {"pid": process.pid, "started": start_time(process.pid)}


def await_daemons(folder: Folder, state: dict[str, Any], deadline: float) -> None:
    """Wait until the DataNode and the NodeManager are registered and HDFS can be written."""
    waiting = list(state["processes"])
    while waiting:
        for name, process in state["processes"].items():
            if not is_running(process):
                log = folder.logs / f"{name}.log"
                raise ProblemError(f"the {name} did not come up; the end of {log}:\n{tail(log)}")
        if time.monotonic() > deadline:
            logs = "\n".join(f"--- {name}\n{tail(folder.logs / f'{name}.log', 8)}" for name in waiting)
            raise ProblemError(
                f"{', '.join(waiting)} did not register in time (--timeout); their logs end:\n{logs}"
            )
        waiting = [name for name in waiting if not is_ready(name, state["ports"])]
        time.sleep(0.1)


def is_ready(name: str, ports: dict[str, int]) -> bool:
    """Return whether a daemon does its work."""
    name_node = f"http://127.0.0.1:{ports['namenode-http']}/jmx?qry=Hadoop:service=NameNode,name="
    cluster = f"http://127.0.0.1:{ports['resourcemanager-http']}/ws/v1/cluster/"
    try:
        match name:
            case "namenode":
                return bool(answer(name_node + "NameNodeInfo")["beans"])
            case "datanode":
                (bean,) = answer(name_node + "FSNamesystemState")["beans"]
                return bool(bean["NumLiveDataNodes"] and bean["FSState"] == "Operational")
            case "resourcemanager":
                return bool(answer(cluster + "info")["clusterInfo"]["state"] == "STARTED")
            case _:
                return bool(answer(cluster + "metrics")["clusterMetrics"]["activeNodes"])
    except (OSError, ValueError, KeyError):
        return False


def answer(url: str) -> dict[str, Any]:
    """Return the JSON that a daemon answers."""
    # A proxy of the user's is for the outside world.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as response:
        found: dict[str, Any] = json.load(response)
    return found


def end(process: dict[str, Any], patience: float) -> None:
    """Ask a process to end; kill it if it does not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if is_running(process):
            os.kill(process["pid"], number)
        deadline = time.monotonic() + patience
        while is_running(process) and time.monotonic() < deadline:
            time.sleep(0.05)


def is_running(process: dict[str, Any]) -> bool:
    """Return whether a process lives, and is the one that was started, not a later one of the same number."""
    return bool(process["started"]) and start_time(process["pid"]) == process["started"]


def start_time(pid: int) -> str | None:
    """Return when a process was started, as the system tells it; None if there is none or it has ended."""
    with contextlib.suppress(OSError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that has ended stays in the table until it is asked for
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else fields[19]
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or None


def tail(log: Path, lines: int = 25) -> str:
    """Return the end of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"
