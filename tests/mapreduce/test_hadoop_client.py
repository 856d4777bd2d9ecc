"""The warm Hadoop client on a real cluster: HDFS, streaming jobs, and what goes wrong with them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from neuralframe.exceptions import EngineError

pytestmark = pytest.mark.hadoop

WAIT = 90


def streaming(source: str, target: str, mapper: str, *options: str, reducer: str = "wc -l") -> list[str]:
    """Return a job's arguments as mrjob would write them."""
    generic = ["-D", "mapreduce.job.maps=1", "-D", "mapreduce.job.reduces=1", *options]
    return [*generic, "-input", source, "-output", target, "-mapper", mapper, "-reducer", reducer]


def processes_with(*texts: str) -> list[int]:
    """Return the processes whose command lines have all the texts in them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if all(text in line for text in texts):
            found.append(int(path.parent.name))
    return found


class TestFileSystem:
    def test_what_is_written_is_read(self, hadoop_client, hdfs_folder):
        content = bytes(range(256)) * 9000
        hadoop_client.write(f"{hdfs_folder}/deep/er/file", content)
        assert hadoop_client.read(f"{hdfs_folder}/deep/er/file") == content
        assert [len(chunk) for chunk in hadoop_client.chunks(f"{hdfs_folder}/deep/er/file", 1_000_000)] == [
            1_000_000, 1_000_000, 304_000,
        ]  # fmt: skip
        assert hadoop_client.size(hdfs_folder) == len(content)

    def test_an_empty_file_is_read_as_nothing(self, hadoop_client, hdfs_folder):
        hadoop_client.write(f"{hdfs_folder}/empty", b"")
        assert hadoop_client.read(f"{hdfs_folder}/empty") == b""

    def test_local_files_go_there_and_back(self, hadoop_client, hdfs_folder, tmp_path):
        (tmp_path / "a file").write_bytes(b"\0\xff content")
        hadoop_client.put(tmp_path / "a file", f"{hdfs_folder}/file")
        hadoop_client.get(f"{hdfs_folder}/file", tmp_path / "back")
        assert (tmp_path / "back").read_bytes() == b"\0\xff content"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "back"]

    def test_the_hadoop_command_sees_the_same_files(self, hadoop_client, hadoop_cluster, hdfs_folder):
        hadoop_client.write(f"{hdfs_folder}/file", b"seen by both\n")
        seen = subprocess.run(
            [hadoop_cluster.hadoop, "fs", "-cat", f"{hdfs_folder}/file"], capture_output=True, check=True
        )
        assert seen.stdout == b"seen by both\n"
        assert seen.stderr == b""

    def test_folders_are_listed_in_order_and_searched_by_pattern(self, hadoop_client, hdfs_folder):
        for name in ("b", "a/deep/2", "a/1", "[x]"):
            hadoop_client.write(f"{hdfs_folder}/{name}", b"..")
        names = [(Path(status.path).name, status.is_folder) for status in hadoop_client.list(hdfs_folder)]
        assert names == [("[x]", False), ("a", True), ("b", False)]
        files = [status.path.partition(hdfs_folder)[2] for status in hadoop_client.files(f"{hdfs_folder}/*")]
        assert files == ["/[x]", "/a/1", "/a/deep/2", "/b"]
        assert list(hadoop_client.files(f"{hdfs_folder}/nothing*")) == []

    def test_deleting_says_whether_there_was_anything(self, hadoop_client, hdfs_folder):
        assert hadoop_client.delete(hdfs_folder)
        assert not hadoop_client.delete(hdfs_folder)
        assert not hadoop_client.exists(hdfs_folder)

    def test_nothing_is_overwritten_unasked(self, hadoop_client, hdfs_folder, tmp_path):
        path = f"{hdfs_folder}/file"
        (tmp_path / "local").write_bytes(b"newest")
        hadoop_client.write(path, b"first")
        with pytest.raises(FileExistsError, match="file"):
            hadoop_client.write(path, b"second")
        with pytest.raises(FileExistsError, match="file"):
            hadoop_client.put(tmp_path / "local", path)
        assert hadoop_client.read(path) == b"first"
        hadoop_client.put(tmp_path / "local", path, overwrite=True)
        assert hadoop_client.read(path) == b"newest"
        hadoop_client.write(path, b"last", overwrite=True)
        assert hadoop_client.read(path) == b"last"

    def test_what_is_missing_is_named(self, hadoop_client, hdfs_folder):
        for missing in (hadoop_client.read, hadoop_client.list, hadoop_client.size, hadoop_client.status):
            with pytest.raises(FileNotFoundError, match=f"{hdfs_folder}/none"):
                missing(f"{hdfs_folder}/none")

    def test_an_unknown_file_system_is_an_engine_error(self, hadoop_client):
        with pytest.raises(EngineError, match="nothing"):
            hadoop_client.exists("nothing://there/at/all")


class TestJobs:
    @pytest.fixture
    def lines(self, hadoop_client, hdfs_folder):
        hadoop_client.write(f"{hdfs_folder}/lines", b"".join(b"%d\n" % i for i in range(1000)))
        return f"{hdfs_folder}/lines"

    def test_a_job_gives_its_output_its_counters_and_its_progress(self, hadoop_client, hdfs_folder, lines):
        seen = []
        out = f"{hdfs_folder}/out"
        result = hadoop_client.run_streaming(
            streaming(lines, out, "cat"), timeout=WAIT, stall_timeout=WAIT, on_progress=seen.append
        )
        assert hadoop_client.read(f"{out}/part-00000").split() == [b"1000"]
        assert result.job_id.startswith("job_")
        assert result.application_id == "application" + result.job_id.removeprefix("job")
        assert result.counters["Map-Reduce Framework"]["Map input records"] == 1000
        assert result.counters["Map-Reduce Framework"]["Reduce input records"] == 1000
        assert {progress.job_id for progress in seen} == {result.job_id}
        assert [progress.maps for progress in seen] == sorted(progress.maps for progress in seen)

    def test_generic_options_reach_the_job(self, hadoop_client, hdfs_folder, lines, tmp_path):
        (tmp_path / "count.sh").write_text('echo "$greeting $mapreduce_job_name $(wc -l)"\n')
        options = ["-files", f"{tmp_path}/count.sh#renamed.sh", "-D", "mapreduce.job.name=a=b,c"]
        arguments = streaming(lines, f"{hdfs_folder}/out", "sh renamed.sh", *options, reducer="cat")
        hadoop_client.run_streaming([*arguments, "-cmdenv", "greeting=hello"], timeout=WAIT)
        assert hadoop_client.read(f"{hdfs_folder}/out/part-00000").strip() == b"hello a=b,c 1000"

    def test_an_output_that_exists_is_left_alone(self, hadoop_client, hdfs_folder, lines):
        hadoop_client.write(f"{hdfs_folder}/out/precious", b"data")
        with pytest.raises(EngineError, match=r"not submitted: .*already exists"):
            hadoop_client.run_streaming(streaming(lines, f"{hdfs_folder}/out", "cat"), timeout=WAIT)
        assert hadoop_client.read(f"{hdfs_folder}/out/precious") == b"data"

    def test_an_input_that_is_missing_is_named(self, hadoop_client, hdfs_folder):
        with pytest.raises(EngineError, match=r"not submitted: .*/nowhere"):
            hadoop_client.run_streaming(streaming("/nowhere", f"{hdfs_folder}/out", "cat"), timeout=WAIT)

    def test_a_job_that_always_fails_tells_its_last_words(self, hadoop_client, hdfs_folder, lines):
        mapper = f"{sys.executable} -c 'raise ArithmeticError(6*7)'"
        arguments = streaming(lines, f"{hdfs_folder}/out", mapper, "-D", "mapreduce.map.maxattempts=2")
        with pytest.raises(EngineError) as caught:
            hadoop_client.run_streaming(arguments, timeout=WAIT)
        message = str(caught.value)
        assert message.startswith("job_")
        assert "ArithmeticError: 42" in message
        assert "subprocess failed with code 1" in message
        assert "attempt_" in message
        assert "_m_000000_1" in message

    def test_a_map_attempt_that_is_killed_is_made_up_for(self, hadoop_client, hdfs_folder, lines):
        """SIGKILL to the attempt's Java process and to nothing else; the next attempt's result counts."""
        killed = []

        def kill_first(job_id: str) -> None:
            attempt = f"attempt{job_id.removeprefix('job')}_m_000000_0"
            deadline = time.monotonic() + WAIT
            while not killed and time.monotonic() < deadline:
                for process in processes_with("org.apache.hadoop.mapred.YarnChild", attempt):
                    if "java" in Path(f"/proc/{process}/exe").readlink().name:
                        os.kill(process, signal.SIGKILL)
                        killed.append(process)
                time.sleep(0.05)

        killer: list[threading.Thread] = []

        def on_progress(progress) -> None:
            if not killer:
                killer.append(threading.Thread(target=kill_first, args=(progress.job_id,)))
                killer[0].start()

        out = f"{hdfs_folder}/out"
        result = hadoop_client.run_streaming(
            streaming(lines, out, "sh -c 'sleep 1; cat'"), timeout=WAIT, on_progress=on_progress
        )
        killer[0].join()
        assert killed
        assert hadoop_client.read(f"{out}/part-00000").split() == [b"1000"]
        assert result.counters["Job Counters "]["Launched map tasks"] >= 2

    def test_a_job_is_killed_when_its_time_is_up(self, hadoop_client, hadoop_cluster, hdfs_folder, lines):
        arguments = streaming(lines, f"{hdfs_folder}/out", "sleep 600", "-D", "mapreduce.job.name=sleeper")
        seen = []
        with pytest.raises(
            EngineError, match=r"job_\d+_\d+ was killed after 6 s, its timeout.*1 active node"
        ):
            hadoop_client.run_streaming(arguments, timeout=6, on_progress=seen.append)
        application = seen[0].job_id.replace("job", "application")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and processes_with(application, "YarnChild"):
            time.sleep(0.2)
        assert not processes_with(application, "YarnChild")


class TestProcess:
    def test_it_ends_with_its_parent(self, hadoop_cluster):
        """Even when the parent is killed with SIGKILL and can clean up nothing."""
        program = (
            "import sys, time\n"
            "from neuralframe.mapreduce.hadoop_client import HadoopClient\n"
            "client = HadoopClient(*sys.argv[1:2], streaming_jar=sys.argv[2])\n"
            "print(client._jvm._process.pid, flush=True)\n"
            "time.sleep(600)\n"
        )
        command = [sys.executable, "-c", program, hadoop_cluster.hadoop, hadoop_cluster.streaming_jar]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            java = int(parent.stdout.readline())
            assert Path(f"/proc/{java}").exists()
            parent.kill()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and java in processes_with("py4j.GatewayServer"):
            time.sleep(0.05)
        assert java not in processes_with("py4j.GatewayServer")

    def test_nobody_without_the_password_is_served(self, hadoop_client):
        from py4j.java_gateway import GatewayParameters, JavaGateway
        from py4j.protocol import Py4JError

        port = hadoop_client._jvm.gateway.gateway_parameters.port
        stranger = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token="guessed"))  # noqa: S106
        with pytest.raises(Py4JError):
            stranger.jvm.java.lang.System.currentTimeMillis()
        stranger.close()

    def test_what_java_says_goes_to_the_logger(self, hadoop_client, caplog, capfd):
        with caplog.at_level(logging.DEBUG, "neuralframe.mapreduce.hadoop_jvm"):
            hadoop_client._java.System.err.println("26/11/21 04:52:28 WARN some.Class: a warning")
            deadline = time.monotonic() + 5
            while not caplog.records and time.monotonic() < deadline:
                time.sleep(0.01)
        assert [(record.levelname, record.message) for record in caplog.records] == [
            ("WARNING", "26/11/21 04:52:28 WARN some.Class: a warning")
        ]
        assert capfd.readouterr() == ("", "")

    def test_a_closed_client_leaves_no_process(self, hadoop_cluster):
        from neuralframe.mapreduce.hadoop_client import HadoopClient

        with HadoopClient(hadoop_cluster.hadoop, streaming_jar=hadoop_cluster.streaming_jar) as client:
            java = client._jvm._process
        assert java.returncode is not None


def test_without_a_node_manager_the_watchdog_says_so(hadoop_cluster, hadoop_client, tmp_path_factory):
    """A cluster of its own, without the daemon that runs containers: the job would wait for ever."""
    from neuralframe.mapreduce.hadoop_client import HadoopClient

    lame = type(hadoop_cluster)(tmp_path_factory.mktemp("lame"))
    options = ("--jars", hadoop_cluster.jars)
    started = lame.run("start", "--without", "nodemanager", *options)
    assert started.returncode == 0, started.stderr
    try:
        with HadoopClient(lame.hadoop, streaming_jar=hadoop_cluster.streaming_jar) as client:
            client.write("/lines", b"1\n2\n")
            begun = time.monotonic()
            with pytest.raises(
                EngineError, match=r"nothing had moved for 2 s\. The cluster has no active node"
            ):
                client.run_streaming(streaming("/lines", "/out", "cat"), stall_timeout=2)
            assert time.monotonic() - begun < 15
    finally:
        lame.run("stop", *options)
