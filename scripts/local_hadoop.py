#!/usr/bin/env python3
"""Real Hadoop on one machine: HDFS, YARN and MapReduce as four processes on 127.0.0.1.

::

    python scripts/local_hadoop.py fetch     # the jars, from Maven Central; once
    python scripts/local_hadoop.py start
    . .hadoop/env.sh && hadoop fs -ls /
    python scripts/local_hadoop.py status
    python scripts/local_hadoop.py stop

Needs Python 3.11 and Java 17, for ``fetch`` also Maven; nothing else, not even neuralframe. All that it
writes lies in one folder, ``.hadoop`` or ``--folder``: jars, configuration, logs and HDFS's blocks.
Everything listens on 127.0.0.1, as far as Hadoop lets itself be told: see docs/hadoop.md.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from hadoop_folder import HADOOP_VERSION, Folder, Java, ProblemError, fetch
from hadoop_processes import (
    DAEMONS,
    PORTS,
    await_daemons,
    choose_ports,
    end,
    format_name_table,
    is_ready,
    is_running,
    launch,
)
from hadoop_settings import configure, environment, master_flags, task_flags


def start(folder: Folder, options: argparse.Namespace) -> None:
    """Start the daemons and wait until they have found one another."""
    java = Java.find()
    if not folder.streaming_jar.exists():
        raise ProblemError(
            f"no Hadoop in {folder.jars}. Run first: {sys.argv[0]} fetch --folder {folder.root}"
        )
    state = folder.state()
    if running := [name for name, process in state.get("processes", {}).items() if is_running(process)]:
        raise ProblemError(f"{', '.join(running)} of {folder.root} run already; stop them first")
    chosen = choose_ports(dict(options.port), state.get("ports", {}))
    configure(folder, java, chosen, options.memory)
    state = {"ports": chosen, "jars": str(folder.jars), "processes": {}}
    folder.keep(state)
    if not (folder.data / "name").exists():
        format_name_table(folder, java)
    try:
        for name in DAEMONS:
            if name not in options.without:
                state["processes"][name] = launch(folder, java, name)
                folder.keep(state)
        await_daemons(folder, state, time.monotonic() + options.timeout)
    except BaseException:
        stop(folder)
        raise
    if not (options.without or options.no_class_archives or folder.archive("task").exists()):
        archive_classes(folder, java)
    print(f"Hadoop {HADOOP_VERSION} is up: {', '.join(state['processes'])}")
    print(f"file system       hdfs://127.0.0.1:{chosen['namenode']}")
    print(f"resource manager  http://127.0.0.1:{chosen['resourcemanager-http']}")
    print(f"environment       . {folder.root / 'env.sh'}")


def archive_classes(folder: Folder, java: Java) -> None:
    """Run a small job whose JVMs write down the classes they have loaded, for later JVMs to map."""
    print(
        "archiving the classes that jobs load (once, half a minute; each job then starts 2 s sooner)",
        flush=True,
    )
    hadoop = str(folder.root / "bin" / "hadoop")
    place = f"/tmp/archive-classes-{time.time_ns()}"  # noqa: S108 - a folder of HDFS
    settings = {
        "yarn.app.mapreduce.am.command-opts": master_flags(folder, archive="ArchiveClassesAtExit"),
        "mapreduce.map.java.opts": task_flags(folder, archive="ArchiveClassesAtExit"),
        "mapreduce.job.maps": "1",
        "mapreduce.job.reduces": "1",
    }
    generic = [part for name, value in settings.items() for part in ("-D", f"{name}={value}")]
    # The reducer gives the mapper's JVM the time to write before the job is over.
    streaming = ["-input", f"{place}/in", "-output", f"{place}/out", "-mapper", "cat", "-reducer", "sleep 5"]
    log = folder.logs / "archive.log"
    with log.open("wb") as sink:
        for command in (
            [hadoop, "fs", "-mkdir", "-p", place],
            [hadoop, "fs", "-put", str(folder.root / "env.json"), f"{place}/in"],
            [hadoop, "jar", str(folder.streaming_jar), *generic, *streaming],
            [hadoop, "fs", "-rm", "-r", "-f", "-skipTrash", place],
        ):
            subprocess.run(
                command, stdout=sink, stderr=sink, check=False, env=os.environ | environment(folder, java)
            )
    for name in ("task", "master"):
        if not await_whole(folder.archive(name)):
            print(f"no archive of the {name}'s classes was written (see {log}); jobs work without it")


def await_whole(path: Path, patience: float = 20) -> bool:
    """Wait until a file is there and no longer grows."""
    deadline, size = time.monotonic() + patience, -1
    while time.monotonic() < deadline:
        now = path.stat().st_size if path.exists() else 0
        if now and now == size:
            return True
        size = now
        time.sleep(1)
    path.unlink(missing_ok=True)
    return False


def stop(folder: Folder, *, patience: float = 20) -> None:
    """End the daemons of the folder, gently at first."""
    state = folder.state()
    processes = state.get("processes", {})
    for name in reversed(DAEMONS):
        if name in processes and is_running(processes[name]):
            end(processes[name], patience)
            print(f"stopped the {name}")
    if state:
        folder.keep(state | {"processes": {}})


def status(folder: Folder) -> bool:
    """Print what runs; return whether all four daemons are ready."""
    state = folder.state()
    processes = state.get("processes", {})
    all_ready = True
    for name in DAEMONS:
        process = processes.get(name)
        alive = process is not None and is_running(process)
        ready = alive and is_ready(name, state["ports"])
        all_ready = all_ready and ready
        told = f"ready (process {process['pid']})" if ready else "not ready" if alive else "not running"
        print(f"{name:16} {told}")
    for name, port in state.get("ports", {}).items():
        print(f"{name:26} 127.0.0.1:{port}")
    return all_ready


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["fetch", "start", "status", "stop"])
    parser.add_argument("--folder", type=Path, default=Path(".hadoop"), help="where all of it lies (.hadoop)")
    parser.add_argument("--jars", type=Path, help="jars fetched into another folder (FOLDER/jars)")
    chosen = "; ".join(f"{name} ({port} in other Hadoops)" for name, port in PORTS.items())
    parser.add_argument(
        "--port",
        action="append",
        type=port_option,
        default=[],
        metavar="NAME=PORT",
        help=f"a fixed port in place of a free one; may be repeated. Names: {chosen}",
    )
    memory = 512 * ((os.cpu_count() or 1) + 4)
    parser.add_argument(
        "--memory",
        type=int,
        default=memory,
        help=f"MB for all containers, 512 each ({memory}: by the processors)",
    )
    parser.add_argument(
        "--without",
        action="append",
        choices=list(DAEMONS),
        default=[],
        help="a daemon not to start, for tests",
    )
    parser.add_argument(
        "--no-class-archives",
        action="store_true",
        help="do not spend half a minute, once, on what lets each job start two seconds sooner",
    )
    parser.add_argument("--timeout", type=float, default=90, help="seconds to wait for the daemons (90)")
    return parser.parse_args(arguments)


def port_option(text: str) -> tuple[str, int]:
    """Read ``NAME=PORT``."""
    name, _, port = text.partition("=")
    if name not in PORTS or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PORT with a name among: {', '.join(PORTS)}")
    return name, int(port)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the process's exit status."""
    options = parse(arguments)
    root = options.folder.absolute()
    folder = Folder(root, options.jars.absolute() if options.jars else root / "jars")
    try:
        folder.check()
        match options.command:
            case "fetch":
                fetch(folder)
            case "start":
                start(folder, options)
            case "stop":
                stop(folder)
            case _:
                return 0 if status(folder) else 3
    except ProblemError as problem:
        print(f"local_hadoop: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
