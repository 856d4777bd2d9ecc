"""The work of a Spark task: records come in, packets of sums go out.

A worker process serves many jobs. So it keeps the blocks that it has decoded, and later jobs need only send
it the weights. What it keeps may be lost at any time, with the worker or its executor; it is read again then.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from neuralframe.mapreduce.failures import Failure
from neuralframe.mapreduce.map_task import MapTask
from neuralframe.mapreduce.packet import read_packet, write_packet
from neuralframe.mapreduce.partial_sum import PartialSum
from neuralframe.mapreduce.shipped_job import ShippedJob
from neuralframe.mapreduce.spark_connection import send_results
from neuralframe.mapreduce.spark_failures import TaskError, first_line
from neuralframe.mapreduce.spark_task import FAILURE, GIVEN_UP, MISSING, SUMS, packet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.data.blocks import Block
    from neuralframe.mapreduce.job import KeyedSums
    from neuralframe.mapreduce.partial_sum import Range
    from neuralframe.mapreduce.spark_task import MergeTask, Result, SparkTask, StandingTask


def results(task: SparkTask, partition: int, elements: Iterator[bytes]) -> Iterator[Result]:
    """Yield the sums over the blocks of a partition.

    What would fail again is yielded as a `FAILURE`; anything else is raised, for Spark to try again.
    """
    try:
        yield from _sums(task, partition, elements)
    except Exception as problem:
        failure = Failure.of(problem)
        if not failure.is_certain:
            raise TaskError(failure) from problem
        yield FAILURE, failure.to_packet()
    finally:
        # Spark gives a worker up that leaves some of its input unread.
        deque(elements, maxlen=0)


def served(standing: StandingTask, partition: int, elements: Iterator[bytes]) -> Iterator[Result]:
    """Answer one job after the other; yield the reason if the driver is not to be found.

    The first job reads the partition; all others are about the blocks that were kept then. When the driver
    is gone, or has had enough, the task ends well: a worker that fails would be started anew.
    """
    try:
        task = standing.task
        KEPT.make_room_for(task.data, partition)
        with standing.meeting.join(partition) as connection, suppress(EOFError, OSError):
            while packet := connection.recv_bytes():
                send_results(connection, _answers(attrs.evolve(task, job=packet), partition, elements))
                task = attrs.evolve(task, peeks=True)
    except OSError as problem:
        where = f"{standing.meeting.host}:{standing.meeting.port}"
        yield GIVEN_UP, f"a task cannot connect to the driver at {where} ({problem})".encode()
    finally:
        deque(elements, maxlen=0)


def _answers(task: SparkTask, partition: int, elements: Iterator[bytes]) -> Iterator[Result]:
    try:
        yield from results(task, partition, elements)
    except TaskError as problem:
        yield GIVEN_UP, first_line(problem.__cause__).encode()


def merged(task: MergeTask, found: Iterator[Result]) -> Iterator[Result]:
    """Yield the sums of several tasks, added up as far as they belong together."""
    partial = PartialSum(ShippedJob.from_bytes(packet_of(task.job)).job.combine)
    for kind, packet in found:
        if kind == SUMS:
            partial.add_range(*read_keyed(packet))
        else:
            yield kind, packet
    yield from _written(partial)


def write_keyed(covered: Range, keyed: KeyedSums) -> bytes:
    """Return the packet of the sums over a range of blocks under all keys."""
    arrays = {f"{key}/{name}": values for key, sums in keyed.items() for name, values in sums.items()}
    return write_packet([covered, list(keyed)], arrays)


def read_keyed(packet: bytes) -> tuple[Range, KeyedSums]:
    """Return what `write_keyed` wrote."""
    ((level, i), keys), arrays = read_packet(packet)
    keyed: KeyedSums = {key: {} for key in keys}
    for name, values in arrays.items():
        key, _, name_of_sum = name.partition("/")
        keyed[int(key)][name_of_sum] = values
    return (level, i), keyed


@attrs.frozen(eq=False)
class KeptBlocks:
    """The decoded blocks of some partitions, kept by a worker from job to job.

    The partitions that come first are kept, as long as they fit: a pass over all of them, again and again,
    would lose the most recent ones before they are needed.
    """

    _partitions: dict[tuple[str, int], list[tuple[Block, str]]] = attrs.field(factory=dict)

    def get(self, data: str, partition: int) -> list[tuple[Block, str]] | None:
        """Return the blocks of a partition, each with where it came from, or None."""
        return self._partitions.get((data, partition))

    def keep(self, data: str, partition: int, blocks: list[tuple[Block, str]]) -> None:
        """Keep the blocks of a partition."""
        self._partitions[data, partition] = blocks

    def make_room_for(self, data: str, partition: int) -> None:
        """Forget everything but one partition, kept or to be kept."""
        for other in [key for key in self._partitions if key != (data, partition)]:
            del self._partitions[other]

    def room_for(self, data: str, limit: int) -> int:
        """Return how many bytes more may be kept; blocks of other data make room."""
        for other in [key for key in self._partitions if key[0] != data]:
            del self._partitions[other]
        return limit - sum(bytes_of(block) for blocks in self._partitions.values() for block, _ in blocks)


# Spark hands a worker one function after the other; what outlives a task can only stand in a module.
KEPT = KeptBlocks()


def bytes_of(block: Block) -> int:
    """Return the size of a block's arrays."""
    arrays = (block.inputs, block.targets, block.sample_weights)
    return sum(array.nbytes for array in arrays if array is not None)


def _sums(task: SparkTask, partition: int, elements: Iterator[bytes]) -> Iterator[Result]:
    kept = KEPT.get(task.data, partition)
    if kept is None and task.peeks:
        yield MISSING, b"%d" % partition
        return
    work = MapTask(ShippedJob.from_bytes(packet_of(task.job)))
    if kept is None:
        _map_and_keep(task, partition, elements, work)
    else:
        for block, where in kept:
            work.map_block(block, where)
    yield from _written(work.sums)


def _map_and_keep(task: SparkTask, partition: int, elements: Iterator[bytes], work: MapTask) -> None:
    """Map the records of a partition, and keep their blocks if all of them fit."""
    blocks: list[tuple[Block, str]] | None = []
    room = KEPT.room_for(task.data, task.kept_bytes)
    for record, where in task.records.read(partition, elements):
        block = work.map_record(record, where)
        room -= bytes_of(block)
        if room < 0:
            blocks = None
        elif blocks is not None:
            blocks.append((block, where))
    if blocks is not None:
        KEPT.keep(task.data, partition, blocks)


def _written(partial: PartialSum) -> Iterator[Result]:
    return ((SUMS, write_keyed(covered, keyed)) for covered, keyed in partial.ranges())
