"""The MRJob: every job of neuralframe, as a mapper, a combiner and a reducer of mrjob.

It knows nothing of gradients. What is summed comes in a file, the `ShippedJob`, and what comes out are sums
under their keys. Between the stages travel lines of ``key TAB base64``.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from mrjob.job import MRJob

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.failures import Failure
from neuralframe.mapreduce.map_task import MapTask
from neuralframe.mapreduce.packet import packet_from_text, packet_to_text
from neuralframe.mapreduce.partial_sum import PartialSum
from neuralframe.mapreduce.shipped_job import ShippedJob
from neuralframe.mapreduce.sums_record import keyed_packets, read_sums, write_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from neuralframe.mapreduce.job import KeyedSums, Sums

BLOCKS, FAILURE = "blocks", "failure"
"""Keys beside those of the job: which blocks were summed, and why a task failed."""

COUNTERS = "neuralframe"
MAX_ATTEMPTS = 4
"""Attempts that Hadoop gives a task unless its configuration says otherwise."""
CHECKSUM_DIGITS = 8


class LineProtocol:
    """Hands a line on as it is: it is decoded where an error can be told."""

    def read(self, line: bytes) -> tuple[None, bytes]:
        """Return the line as the value."""
        return None, line


class SumsProtocol:
    """``key TAB checksum base64``: the checksum, of the key, in eight hexadecimal digits.

    A packet has its own. Keys of a job are numbers in twenty digits, so that they sort as such.
    """

    def read(self, line: bytes) -> tuple[int | str, bytes]:
        """Return the key, and the packet still in base64.

        Raises
        ------
        EngineError
            If the key is damaged: what is under it would be added elsewhere.

        """
        name, _, rest = line.partition(b"\t")
        if rest[:CHECKSUM_DIGITS] != _checksum(name):
            raise EngineError(f"a line between driver and tasks has a damaged key ({name[:40]!r})")
        key = name.decode("ascii")
        return (key if key in (BLOCKS, FAILURE) else int(key)), rest[CHECKSUM_DIGITS:]

    def write(self, key: int | str, packet: bytes) -> bytes:
        """Return the line."""
        name = key.encode("ascii") if isinstance(key, str) else b"%020d" % key
        return b"".join([name, b"\t", _checksum(name), packet_to_text(packet)])


class SumJob(MRJob):  # type: ignore[misc]  # mrjob has no types
    """Sums of a `ShippedJob` over the blocks that come in."""

    INPUT_PROTOCOL = LineProtocol
    INTERNAL_PROTOCOL = SumsProtocol
    OUTPUT_PROTOCOL = SumsProtocol

    _runner_options: dict[str, Any] | None = None
    _shipped_once: ShippedJob | None = None

    @classmethod
    def mr_job_script(cls) -> str:
        return str(Path(__file__).with_name("mrjob_script.py"))

    def runner_options(self) -> dict[str, Any]:
        """Return what runners of this job are made with."""
        if self._runner_options is None:
            self._runner_options = dict(self._runner_kwargs())
        return self._runner_options

    def configure_args(self) -> None:
        super().configure_args()
        self.add_file_arg("--job-file", help="what is to be computed: a packet")

    def load_args(self, args: list[str]) -> None:
        super().load_args(args)
        self.environment: Mapping[str, str] = os.environ

    def mapper_init(self) -> None:
        self._n_records = 0
        self._copy: IO[bytes] | None = None
        with self._reporting() as self._failures:
            shipped = self._shipped()
            self._file = shipped.file(self.environment.get("mapreduce_map_input_file", "standard input"))
            self._task = MapTask(shipped)
            if self._file.text is not None:
                self._copy = NamedTemporaryFile(prefix="neuralframe-")  # noqa: SIM115 - closed at the end

    def mapper(self, _: None, line: bytes) -> Iterator[tuple[int | str, bytes]]:
        """Map a record; of text, whose records may span lines, all are gathered first."""
        if self._copy is not None:
            self._copy.write(line + b"\n")
        elif not self._failures:
            self._n_records += 1
            with self._reporting() as self._failures:
                self._task.map_record(line, f"{self._file.name}, record {self._n_records}")
        return iter(())

    def mapper_final(self) -> Iterator[tuple[int | str, bytes]]:
        if self._copy is not None:
            with self._copy, self._reporting() as self._failures:
                self._copy.flush()
                self._task.map_text(self._copy.name, self._file)
        if self._failures:
            yield FAILURE, self._failures[0]
            return
        for covered, _ in self._task.sums.ranges():
            yield BLOCKS, write_sums(covered, {})
        yield from keyed_packets(self._task.sums)
        self.increment_counter(COUNTERS, "blocks mapped", self._task.n_blocks)
        self.increment_counter(COUNTERS, "samples mapped", self._task.n_samples)

    def combiner_init(self) -> None:
        self._shipped_once = None

    def combiner(self, key: int | str, texts: Iterator[bytes]) -> Iterator[tuple[int | str, bytes]]:
        """Merge what belongs together; what does not yet is handed on."""
        return self._merged(key, texts, whole=False)

    def reducer_init(self) -> None:
        # Inline, one object runs the tasks of many jobs.
        self._shipped_once = None
        self._held: KeyedSums = {}

    def reducer(self, key: int | str, texts: Iterator[bytes]) -> Iterator[tuple[int | str, bytes]]:
        """Merge everything under a key; the totals of a job that concludes are held until all have come."""
        return self._merged(key, texts, whole=True)

    def reducer_final(self) -> Iterator[tuple[int | str, bytes]]:
        """Conclude, of a job that does."""
        if not self._held:
            return
        assert self._shipped_once is not None
        job, covered = self._shipped_once.job, (self._shipped_once.n_blocks.bit_length(), 0)
        with self._reporting() as failures:
            found = [(key, write_sums(covered, sums)) for key, sums in job.conclude(self._held).items()]
        yield from ((FAILURE, failure) for failure in failures)
        if not failures:
            yield from found

    def _merged(
        self, key: int | str, texts: Iterator[bytes], *, whole: bool
    ) -> Iterator[tuple[int | str, bytes]]:
        packets = map(packet_from_text, texts)
        if key == FAILURE:
            yield from ((FAILURE, packet) for packet in packets)
            return
        with self._reporting() as failures:
            found = list(self._sums(key, packets, whole=whole))
        yield from ((FAILURE, failure) for failure in failures)
        if not failures:
            yield from found

    def _sums(
        self, key: int | str, packets: Iterator[bytes], *, whole: bool
    ) -> Iterator[tuple[int | str, bytes]]:
        if self._shipped_once is None:
            self._shipped_once = self._shipped()
        job, n_blocks = self._shipped_once.job, self._shipped_once.n_blocks
        partial = PartialSum(_nothing if key == BLOCKS else job.combine)
        for packet in packets:
            covered, sums = read_sums(packet)
            partial.add_range(covered, {0: sums})
        if whole and key != BLOCKS:
            total = partial.sparse_total(n_blocks)[0]
            if job.concludes:
                self._held[int(key)] = total
            else:
                yield key, write_sums((n_blocks.bit_length(), 0), total)
        else:
            yield from ((key, write_sums(covered, keyed[0])) for covered, keyed in partial.ranges())

    def _shipped(self) -> ShippedJob:
        return ShippedJob.from_bytes(Path(self.options.job_file).read_bytes())

    def _reporting(self) -> Reporting:
        return Reporting(self.stderr, is_last_attempt=self._is_last_attempt())

    def _is_last_attempt(self) -> bool:
        attempt = self.environment.get("mapreduce_task_attempt_id", "")
        stage = "map" if self.environment.get("mapreduce_task_ismap") == "true" else "reduce"
        attempts = int(self.environment.get(f"mapreduce_{stage}_maxattempts", MAX_ATTEMPTS))
        retried = attempt.startswith("attempt_") and attempt.split("_")[1].isdigit()
        return not retried or int(attempt.rsplit("_", 1)[1]) >= attempts - 1


class Reporting:
    """Turns a failure into a record, so that its traceback comes to who called.

    What would fail again is reported at once. Anything else is raised for another attempt, and reported
    once there is none left.
    """

    def __init__(self, log: IO[bytes], *, is_last_attempt: bool) -> None:
        self._log = log
        self._is_last_attempt = is_last_attempt
        self._failures: list[bytes] = []

    def __enter__(self) -> list[bytes]:
        return self._failures

    def __exit__(self, _: object, problem: BaseException | None, __: object) -> bool:
        if not isinstance(problem, Exception):
            return False
        failure = Failure.of(problem)
        if not (failure.is_certain or self._is_last_attempt):
            return False
        self._log.write(failure.traceback.encode())
        self._failures.append(failure.to_packet())
        return True


def _checksum(name: bytes) -> bytes:
    return b"%08x" % zlib.crc32(name)


def _nothing(left: Sums, right: Sums) -> Sums:  # noqa: ARG001
    """Combine the sums of records that only tell which blocks they cover."""
    return left
