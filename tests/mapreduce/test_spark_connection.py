"""Who may speak with Spark's driver: tasks that know the secret, and nobody else."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from neuralframe.mapreduce import spark_connection
from neuralframe.mapreduce.spark_connection import END, Meeting, receive_results, send_results


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


@pytest.fixture
def meeting(server):
    return Meeting("127.0.0.1", server.getsockname()[1], b"s" * 32)


class Background(threading.Thread):
    """Runs a function; `result` returns what it returned or raises what it raised."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._call, self._returned, self._raised = (function, arguments), None, None
        self.start()

    def run(self):
        function, arguments = self._call
        try:
            self._returned = function(*arguments)
        except OSError as problem:
            self._raised = problem

    def result(self):
        self.join(10)
        assert not self.is_alive()
        if self._raised is not None:
            raise self._raised
        return self._returned


def test_a_task_and_its_driver_know_each_other_and_talk(server, meeting):
    task = Background(meeting.join, 2**40 + 3)
    partition, driver = meeting.welcome(server.accept()[0])
    assert partition == 2**40 + 3
    large = bytes(range(256)) * 40_000
    with driver, task.result() as task:
        sent = Background(driver.send_bytes, large)
        assert task.recv_bytes() == large
        sent.result()
        results = [("sums", large), ("missing", b"7"), ("failure", b"a b\nc")]
        sent = Background(send_results, task, iter(results))
        assert receive_results(driver) == results
        sent.result()
        send_results(task, [])
        assert receive_results(driver) == []
        driver.send_bytes(END)
        assert task.recv_bytes() == END


def test_a_task_with_another_secret_is_sent_away(server, meeting):
    task = Background(Meeting(meeting.host, meeting.port, b"t" * 32).join, 0)
    with pytest.raises(spark_connection.StrangerError, match="not the task"):
        meeting.welcome(server.accept()[0])
    with pytest.raises(OSError, match=r"closed|reset"):
        task.result()


def test_a_task_trusts_no_other_driver(server, meeting):
    """One that lets everybody in, as it does not know the secret: it may send back what it was sent."""

    def impostor():
        connected = server.accept()[0]
        with connected:
            connected.sendall(b"c" * 32)
            told = received(connected, 32 + 8 + 32)
            connected.sendall(told[-32:])

    other = Background(impostor)
    with pytest.raises(spark_connection.StrangerError, match="not the driver"):
        meeting.join(0)
    other.result()


def test_a_proof_is_of_one_conversation_only(server, meeting):
    """What was overheard does not open the door again."""
    task = Background(meeting.join, 5)
    own = socket.create_connection(("127.0.0.1", server.getsockname()[1]))
    connections = [server.accept()[0], server.accept()[0]]
    task_at = next(c for c in connections if c.getpeername() != own.getsockname())
    own_at = next(c for c in connections if c is not task_at)
    task_at.sendall(b"c" * 32)
    overheard = received(task_at, 72)
    task_at.close()
    with pytest.raises(OSError, match=r"closed|reset"):
        task.result()
    with own:
        own.sendall(overheard)
        with pytest.raises(spark_connection.StrangerError, match="not the task"):
            meeting.welcome(own_at)


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_stranger_who_says_little_does_not_keep_the_driver(said, server, meeting, monkeypatch):
    monkeypatch.setattr(spark_connection, "HANDSHAKE_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", server.getsockname()[1])) as stranger:
        stranger.sendall(said)
        with pytest.raises(TimeoutError):
            meeting.welcome(server.accept()[0])


def test_a_stranger_who_says_one_thing_after_the_other_does_not_either(server, meeting, monkeypatch):
    monkeypatch.setattr(spark_connection, "HANDSHAKE_SECONDS", 0.3)
    enough = threading.Event()

    def drip(stranger):
        while not enough.wait(0.05):
            stranger.sendall(b"x")

    with socket.create_connection(("127.0.0.1", server.getsockname()[1])) as stranger:
        dripping = Background(drip, stranger)
        with pytest.raises(TimeoutError):
            meeting.welcome(server.accept()[0])
        enough.set()
        with contextlib.suppress(OSError):
            dripping.result()


def received(connected, n_bytes):
    return spark_connection._exactly(connected, n_bytes, time.monotonic() + 10)


def test_nobody_there_is_told(server, meeting):
    server.close()
    with pytest.raises(OSError, match="refused"):
        meeting.join(0)


def test_the_secret_is_not_shown(meeting):
    assert "sss" not in repr(meeting)
