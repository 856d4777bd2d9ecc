"""The connection between Spark's driver and a standing task: who may speak, and in which words.

Both prove that they know a secret that travelled with the task: each answers the other's random challenge
with its HMAC (RFC 2104), so the secret itself is never sent here. What follows are messages of bytes, framed
by `multiprocessing.connection`; nothing that arrives is unpickled.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import time
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neuralframe.mapreduce.spark_task import Result

CONNECT_SECONDS = 5.0
HANDSHAKE_SECONDS = 2.0
"""How long both sides may take to know each other: a stranger keeps the driver from its work meanwhile."""

CHALLENGE_BYTES = 32
NUMBER_BYTES = 8
END = b""
"""What the driver sends instead of a job to end a task."""

TASK, DRIVER = b"task", b"driver"
KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
"""When the operating system asks whether the other machine is still there, and when it believes that not:
seconds of silence, seconds until it asks again, how often, and milliseconds without an acknowledgement."""


class StrangerError(OSError):
    """The other side does not know the secret, or does not keep to the order of things."""


@attrs.frozen
class Meeting:
    """Where a standing task finds its driver.

    Attributes
    ----------
    host : str
    port : int
    secret : bytes

    """

    host: str
    port: int
    secret: bytes = attrs.field(repr=False)

    def join(self, partition: int) -> Connection[bytes, bytes]:
        """Connect a task to its driver.

        Raises
        ------
        OSError
            If the driver cannot be reached, or is none.

        """
        connected = socket.create_connection((self.host, self.port), timeout=CONNECT_SECONDS)
        end = time.monotonic() + CONNECT_SECONDS
        try:
            asked = _exactly(connected, CHALLENGE_BYTES, end)
            own = secrets.token_bytes(CHALLENGE_BYTES)
            number = partition.to_bytes(NUMBER_BYTES, "big")
            connected.sendall(own + number + self._proof(TASK, asked, own, number))
            self._check(_exactly(connected, CHALLENGE_BYTES, end), DRIVER, own, asked)
        except BaseException:
            connected.close()
            raise
        return _as_connection(connected)

    def welcome(self, connected: socket.socket) -> tuple[int, Connection[bytes, bytes]]:
        """Return the partition of a task that has connected to the driver, and the connection.

        Raises
        ------
        OSError
            If it is no task of this driver's.

        """
        connected.settimeout(HANDSHAKE_SECONDS)
        end = time.monotonic() + HANDSHAKE_SECONDS
        try:
            own = secrets.token_bytes(CHALLENGE_BYTES)
            connected.sendall(own)
            asked = _exactly(connected, CHALLENGE_BYTES, end)
            number = _exactly(connected, NUMBER_BYTES, end)
            self._check(_exactly(connected, CHALLENGE_BYTES, end), TASK, own, asked, number)
            connected.sendall(self._proof(DRIVER, asked, own))
        except BaseException:
            connected.close()
            raise
        return int.from_bytes(number, "big"), _as_connection(connected)

    def _proof(self, side: bytes, *challenges: bytes) -> bytes:
        return hmac.digest(self.secret, side + b"".join(challenges), "sha256")

    def _check(self, proof: bytes, side: bytes, *challenges: bytes) -> None:
        if not hmac.compare_digest(proof, self._proof(side, *challenges)):
            raise StrangerError(f"who is at the other end is not the {side.decode()} that was expected")


def send_results(connection: Connection[bytes, bytes], results: Iterable[Result]) -> None:
    """Send what a task found."""
    found = list(results)
    connection.send_bytes(len(found).to_bytes(NUMBER_BYTES, "big"))
    for kind, packet in found:
        connection.send_bytes(kind.encode() + b" " + packet)


def receive_results(connection: Connection[bytes, bytes]) -> list[Result]:
    """Return what `send_results` sent."""
    found = []
    for _ in range(int.from_bytes(connection.recv_bytes(NUMBER_BYTES), "big")):
        kind, _, packet = connection.recv_bytes().partition(b" ")
        found.append((kind.decode(), packet))
    return found


def cut_off(connection: Connection[bytes, bytes]) -> None:
    """Have both ends see a connection as closed, also where another thread sends or receives just now."""
    with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as same:
        same.shutdown(socket.SHUT_RDWR)


def _as_connection(connected: socket.socket) -> Connection[bytes, bytes]:
    connected.settimeout(None)
    # A packet is sent in two pieces; the second shall not wait until the first is acknowledged.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A machine that has lost its power tells nobody.
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEP_ALIVE.items():
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return Connection(connected.detach())


def _exactly(connected: socket.socket, n_bytes: int, end: float) -> bytes:
    """Read so many bytes, until a time of the monotonic clock at most."""
    read = b""
    while len(read) < n_bytes:
        connected.settimeout(max(1e-3, end - time.monotonic()))
        piece = connected.recv(n_bytes - len(read))
        if not piece:
            raise StrangerError("the connection was closed before both sides knew each other")
        read += piece
    return read
