"""scripts/local_hadoop.py: a cluster on one machine, and what it says when it cannot be had."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def parts():
    """Give the script's modules, which are no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        import hadoop_folder
        import hadoop_processes
        import hadoop_settings

        yield {"folder": hadoop_folder, "processes": hadoop_processes, "settings": hadoop_settings}


def script(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script with exactly this environment."""
    command = [sys.executable, str(SCRIPTS / "local_hadoop.py"), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment | {"LC_ALL": "C.UTF-8"},
    )


def program(path: Path, text: str) -> Path:
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def fake_java(folder: Path, version: str) -> None:
    """Write a ``java`` that says it is of the given version."""
    settings = f"    java.home = {folder}\n    java.specification.version = {version}\n"
    program(folder / "bin" / "java", f"printf '%s' '{settings}' >&2")


class TestWhatIsMissing:
    def test_java(self, tmp_path):
        done = script("fetch", "--folder", str(tmp_path / "h"), PATH=str(tmp_path))
        assert done.returncode == 1
        assert "no Java" in done.stderr
        assert "JAVA_HOME" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("version", ["1.8", "11", "25"])
    def test_a_java_that_fits(self, tmp_path, version):
        fake_java(tmp_path, version)
        done = script("start", "--folder", str(tmp_path / "h"), JAVA_HOME=str(tmp_path), PATH="/nowhere")
        assert done.returncode == 1
        assert f"is Java {version}" in done.stderr
        assert "needs Java 17" in done.stderr

    def test_maven(self, tmp_path):
        fake_java(tmp_path, "17")
        done = script("fetch", "--folder", str(tmp_path / "h"), JAVA_HOME=str(tmp_path), PATH="/nowhere")
        assert done.returncode == 1
        assert "no Maven" in done.stderr
        assert "'fetch' only" in done.stderr

    def test_the_jars(self, tmp_path):
        fake_java(tmp_path, "17")
        done = script("start", "--folder", str(tmp_path / "h"), JAVA_HOME=str(tmp_path), PATH="/nowhere")
        assert done.returncode == 1
        assert "fetch" in done.stderr

    def test_a_download_that_fails_leaves_the_old_jars(self, tmp_path):
        fake_java(tmp_path, "17")
        program(tmp_path / "path" / "mvn", "echo not now; exit 1")
        old = tmp_path / "h" / "jars" / "old.jar"
        old.parent.mkdir(parents=True)
        old.write_text("jar")
        paths = f"{tmp_path / 'path'}:/usr/bin:/bin"
        done = script("fetch", "--folder", str(tmp_path / "h"), JAVA_HOME=str(tmp_path), PATH=paths)
        assert done.returncode == 1
        assert "Maven could not fetch" in done.stderr
        assert old.read_text() == "jar"

    def test_a_folder_that_java_can_name(self, tmp_path):
        done = script("status", "--folder", str(tmp_path / "a b"))
        assert done.returncode == 1
        assert "without spaces" in done.stderr


class TestPorts:
    def test_chosen_ports_are_free_and_different(self, parts):
        chosen = parts["processes"].choose_ports({}, {})
        assert chosen.keys() == parts["processes"].PORTS.keys()
        assert len(set(chosen.values())) == len(chosen)

    def test_ports_are_kept_from_start_to_start_unless_asked_otherwise(self, parts):
        choose = parts["processes"].choose_ports
        first = choose({}, {})
        assert choose({}, first) == first
        other = choose({}, {})["namenode"]
        assert choose({"namenode": other}, first) == first | {"namenode": other}

    def test_a_port_that_is_taken_is_named(self, parts):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen()
            port = server.getsockname()[1]
            with pytest.raises(parts["folder"].ProblemError, match=rf"{port} \(shuffle\) is taken"):
                parts["processes"].choose_ports({"shuffle": port}, {})

    def test_a_port_of_an_unknown_name_is_refused_with_the_names(self, tmp_path):
        done = script("start", "--folder", str(tmp_path), "--port", "webserver=80")
        assert done.returncode == 2
        assert "namenode-http" in done.stderr


class TestProcesses:
    @pytest.fixture
    def sleeper(self):
        """Give a process that sleeps for a minute."""
        with subprocess.Popen(["sleep", "60"]) as process:
            yield process
            process.kill()

    def test_only_the_process_that_was_started_is_ended(self, parts, sleeper):
        """A later process with the same number belongs to somebody else."""
        processes = parts["processes"]
        other = {"pid": sleeper.pid, "started": "another time"}
        processes.end(other, patience=5)
        assert sleeper.poll() is None
        own = {"pid": sleeper.pid, "started": processes.start_time(sleeper.pid)}
        assert processes.is_running(own)
        processes.end(own, patience=5)
        assert not processes.is_running(own)

    def test_a_process_that_does_not_listen_is_killed(self, parts):
        processes = parts["processes"]
        command = [
            sys.executable,
            "-c",
            "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as deaf:
            deaf.stdout.readline()
            process = {"pid": deaf.pid, "started": processes.start_time(deaf.pid)}
            processes.end(process, patience=0.2)
            running = processes.is_running(process)
            deaf.kill()
        assert not running

    def test_a_process_that_has_ended_is_not_running(self, parts):
        assert parts["processes"].start_time(2**22 + 1) is None
        assert not parts["processes"].is_running({"pid": os.getpid(), "started": None})


def test_every_address_of_the_configuration_is_the_loopback(parts, tmp_path):
    settings = parts["settings"]
    folder = parts["folder"].Folder(tmp_path, tmp_path / "jars")
    ports = dict(parts["processes"].PORTS)
    told = (
        settings.core_site(folder, ports)
        | settings.hdfs_site(folder, ports)
        | settings.yarn_site(folder, ports, 4096)
    )
    addresses = {
        name: value for name, value in told.items() if name.endswith(("address", "hostname", "-host", "FS"))
    }
    assert len(addresses) > 15
    assert {str(value).removeprefix("hdfs://").partition(":")[0] for value in addresses.values()} == {
        "127.0.0.1"
    }


def test_settings_are_written_as_xml_may_have_them(parts):
    root = ET.fromstring(parts["settings"].as_xml({"a": "<&>", "b": 3}))  # noqa: S314 - our own
    assert {entry.findtext("name"): entry.findtext("value") for entry in root} == {"a": "<&>", "b": "3"}


def listening(process: int) -> set[tuple[str, int]]:
    """Return the addresses and ports on which a process listens, from the system's own table."""
    sockets = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(str(link.readlink()))
        except OSError:
            continue
    found = set()
    for table, loopback in (("tcp", "0100007F"), ("tcp6", "00000000000000000000000001000000")):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[1].split(":")
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(("loopback" if address == loopback else address, int(port, 16)))
    return found


@pytest.mark.hadoop
class TestCluster:
    def test_it_says_that_it_is_ready(self, hadoop_cluster):
        done = hadoop_cluster.run("status")
        assert done.returncode == 0
        assert done.stdout.count("ready (process") == 4

    def test_it_is_not_started_twice(self, hadoop_cluster):
        before = hadoop_cluster.state
        done = hadoop_cluster.run("start")
        assert done.returncode == 1
        assert "run already" in done.stderr
        assert hadoop_cluster.state == before

    def test_all_but_the_shuffle_listen_on_the_loopback_only(self, hadoop_cluster):
        """Hadoop has no setting for the shuffle's address; it serves only who signs with a job's key."""
        state = hadoop_cluster.state
        found = set().union(*(listening(process["pid"]) for process in state["processes"].values()))
        assert {port for address, port in found if address != "loopback"} <= {state["ports"]["shuffle"]}
        expected = {port for name, port in state["ports"].items() if name != "shuffle"}
        assert {port for address, port in found if address == "loopback"} >= expected

    def test_the_launcher_knows_what_mrjob_calls(self, hadoop_cluster):
        version = subprocess.run(
            [hadoop_cluster.hadoop, "version"], capture_output=True, text=True, check=True
        )
        assert version.stdout.startswith("Hadoop 3.")
        wrong = subprocess.run(
            [hadoop_cluster.hadoop, "balancer"], capture_output=True, text=True, check=False
        )
        assert wrong.returncode == 2
        assert "balancer" in wrong.stderr

    def test_a_variable_of_the_shell_leads_clients_to_it(self, hadoop_cluster, tmp_path):
        script = f". {hadoop_cluster.folder / 'env.sh'} && hadoop fs -ls / && test -f $HADOOP_STREAMING_JAR"
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr


@pytest.mark.hadoop
def test_what_is_in_hdfs_outlives_a_restart(hadoop_cluster, tmp_path, parts):
    """A cluster of its own with HDFS alone: started, written, stopped, started, read, stopped."""
    cluster = type(hadoop_cluster)(tmp_path / "cluster")
    options = ("--jars", hadoop_cluster.jars, "--without", "resourcemanager", "--without", "nodemanager")
    try:
        started = cluster.run("start", *options)
        assert started.returncode == 0, started.stderr
        ports = cluster.state["ports"]
        put = [cluster.hadoop, "fs", "-put", str(cluster.folder / "env.json"), "/kept"]
        subprocess.run(put, check=True, capture_output=True)
        processes = list(cluster.state["processes"].values())
        assert all(map(parts["processes"].is_running, processes))
        assert cluster.run("stop").returncode == 0
        assert not any(map(parts["processes"].is_running, processes))
        assert cluster.run("status").returncode == 3
        assert cluster.run("start", *options).returncode == 0
        assert cluster.state["ports"] == ports
        kept = subprocess.run(
            [cluster.hadoop, "fs", "-cat", "/kept"], check=True, capture_output=True, text=True
        )
        assert kept.stdout == (cluster.folder / "env.json").read_text()
    finally:
        cluster.run("stop")


@pytest.mark.hadoop
def test_a_daemon_that_does_not_come_up_is_shown_with_its_log(hadoop_cluster, tmp_path):
    """HDFS's table is damaged; nothing may be left running."""
    cluster = type(hadoop_cluster)(tmp_path / "cluster")
    options = ("--jars", hadoop_cluster.jars, "--without", "resourcemanager", "--without", "nodemanager")
    name_table = cluster.folder / "data" / "name"
    name_table.mkdir(parents=True)
    started = cluster.run("start", *options)
    assert started.returncode == 1
    assert "the namenode did not come up" in started.stderr
    assert "NameNode is not formatted" in started.stderr
    assert cluster.state["processes"] == {}
    shutil.rmtree(cluster.folder)
