"""The blocks of a training where Spark's tasks can read them again and again."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from bisect import bisect_right
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from neuralframe.data.block_record import TOKEN_BYTES, write_block
from neuralframe.data.packed_data_set import PackedSamples
from neuralframe.data.storage import is_remote
from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.block_files import BlockFiles
from neuralframe.mapreduce.shipped_job import Placement
from neuralframe.mapreduce.spark_records import CachedRecords, FileRecords, NamedFiles, Stretch
from neuralframe.mapreduce.spark_task import MISSING, GroupTask, MergeTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from neuralframe.data.blocks import Blocks, BlockSource
    from neuralframe.mapreduce.spark_records import Records
    from neuralframe.mapreduce.spark_task import Result, SparkTask

IN_MEMORY = "the data in memory"
SLICE_BYTES = 2**24
"""Data in memory go out in tasks of about this size; Spark sends none above 128 MB."""

HEAP_SHARE = 0.5
"""How much of its memory Spark's driver can spare for them."""

UNITS_PER_SHARE = 8
"""Partitions begin at multiples of a power of two, about an eighth of a partition: then a partition has few
sums, and none is much longer than another."""


@attrs.define(eq=False)
class SparkData(ABC):
    """The blocks of a training, in partitions.

    Attributes
    ----------
    blocks : Blocks
        What they are.
    placements : mapping of str to Placement
        Where they stand among all, by token.
    records : Records
        How tasks read them.
    name : str
        Tells them from all other data that workers may keep.

    """

    is_opened_by_workers: ClassVar[bool]
    """Whether Spark has nothing to read, so that a task begins at once."""

    blocks: Blocks
    placements: Mapping[str, Placement]
    records: Records
    name: str = attrs.field(factory=lambda: secrets.token_hex(8), init=False)

    @property
    @abstractmethod
    def source(self) -> Any:
        """The RDD of what `records` reads."""

    @cached_property
    def n_partitions(self) -> int:
        """How many tasks a job has."""
        return int(self.source.getNumPartitions())

    @abstractmethod
    def results(self, task: SparkTask, groups: int) -> list[Result]:
        """Return what tasks found, merged in so many groups of partitions before that if it is not 0."""

    def forget(self) -> None:  # noqa: B027 - files need not be forgotten
        """Give the executors' memory back."""


@attrs.define(eq=False)
class FileData(SparkData):
    """Files that every worker opens itself."""

    is_opened_by_workers: ClassVar[bool] = True

    elements: Any

    @classmethod
    def of(cls, context: Any, blocks: Blocks, folder: Path, n_partitions: int) -> FileData:
        """Return a training's blocks as files; what lies in memory is written to `folder`."""
        files = BlockFiles.of(blocks, folder, 1, str)
        pieces = shares(files.addresses, n_partitions)
        elements = context.parallelize([FileRecords.element(piece) for piece in pieces], len(pieces))
        return cls(blocks, files.placements, FileRecords(), elements)

    @property
    def source(self) -> Any:
        return self.elements

    def results(self, task: SparkTask, groups: int) -> list[Result]:
        return collected(self.elements, task, groups)


@attrs.define(eq=False)
class CachedData(SparkData):
    """Records that Spark keeps in its executors' memory, or on their disks.

    A cached partition is still piped to its worker in each job. So a first job only asks the workers, each
    with no elements but where Spark has cached them; only what a worker has not kept is piped.
    """

    is_opened_by_workers: ClassVar[bool] = False

    cached: Any
    _empty: Any
    _was_read: bool = attrs.field(default=False, init=False)

    @classmethod
    def of(cls, context: Any, blocks: Blocks, n_partitions: int) -> CachedData:
        """Return a training's blocks as cached records; those on HDFS or S3 never pass through here."""
        from pyspark import StorageLevel  # noqa: PLC0415

        tokens = [token_of(part) for part in blocks.parts]
        placements = {
            token.hex(): Placement(start, part.part)
            for token, start, part in zip(tokens, blocks.starts, blocks.parts, strict=True)
        }
        if len(placements) < len(tokens):
            raise EngineError("training and validation data are the same packed data; hold out others")
        sources, files, first = [], [], 0
        for source, names in _sources(context, blocks, tokens, n_partitions):
            sources.append(source)
            files.append(attrs.evolve(names, first_partition=first))
            first += source.getNumPartitions()
        cached = sources[0] if len(sources) == 1 else context.union(sources)
        cached.persist(StorageLevel.MEMORY_AND_DISK)
        # The product with nothing has the partitions of what is cached, and their places, but no elements.
        empty = context.parallelize([], 1).cartesian(cached)
        return cls(blocks, placements, CachedRecords(tuple(files)), cached, empty)

    @property
    def source(self) -> Any:
        return self.cached

    def results(self, task: SparkTask, groups: int) -> list[Result]:
        if groups or not self._was_read:
            self._was_read = True
            return collected(self.cached, task, groups)
        found = collected(self._empty, attrs.evolve(task, peeks=True), 0)
        missing = [int(packet) for kind, packet in found if kind == MISSING]
        if missing:
            again = self.cached.mapPartitionsWithIndex(task)
            found += self.cached.context.runJob(again, list, missing)
        return [result for result in found if result[0] != MISSING]

    def forget(self) -> None:
        self.cached.unpersist()


def collected(elements: Any, task: SparkTask, groups: int) -> list[Result]:
    """Run a task over all partitions and return what was found, merged in groups of neighbours or not."""
    found = elements.mapPartitionsWithIndex(task)
    if groups:
        width = -(-elements.getNumPartitions() // groups)
        grouped = found.mapPartitionsWithIndex(GroupTask(width))
        found = grouped.partitionBy(groups, int).mapPartitions(MergeTask(task.job))
    results: list[Result] = found.collect()
    return results


def shares(paths: Sequence[str], n_shares: int) -> list[list[Stretch]]:
    """Share the records of some files out, in order; all records of a file but the last have one length."""
    lengths = [_record_length(path) for path in paths]
    counts = [-(-Path(path).stat().st_size // length) for path, length in zip(paths, lengths, strict=True)]
    pieces = []
    for begin, end in pairwise(edges(sum(counts), n_shares)):
        piece, start = [], 0
        for path, length, count in zip(paths, lengths, counts, strict=True):
            first, last = max(begin - start, 0), min(end - start, count)
            if first < last:
                piece.append(Stretch(path, first * length, first, last - first))
            start += count
        pieces.append(piece)
    return pieces


def edges(n: int, n_shares: int) -> list[int]:
    """Return where about equal shares of n blocks begin, and n.

    Examples
    --------
    >>> edges(100, 3), edges(2, 3)
    ([0, 32, 68, 100], [0, 1, 2])

    """
    unit = 1 << (max(1, n // (n_shares * UNITS_PER_SHARE)).bit_length() - 1)
    begins = {unit * round(n * share / (n_shares * unit)) for share in range(n_shares)}
    return [*sorted(begins - {n}), n]


def portions(counts: Sequence[int], n: int) -> list[int]:
    """Return how many of n partitions each part of the data gets: one at least, and as its blocks count.

    Examples
    --------
    >>> portions([80, 20], 8), portions([99, 1], 4), portions([5, 5, 5], 2)
    ([6, 2], [3, 1], [1, 1, 1])

    """
    given = [1] * len(counts)
    while sum(given) < n:
        given[max(range(len(counts)), key=lambda part: counts[part] / given[part])] += 1
    return given


def token_of(part: BlockSource) -> bytes:
    """Return the token of packed data, or a new one."""
    return part.header.token if isinstance(part, PackedSamples) else secrets.token_bytes(TOKEN_BYTES)


def must_be_cached(blocks: Blocks, *, is_local: bool) -> bool:
    """Return whether workers cannot open the data themselves; `is_local` if they run on this machine."""
    return not all(
        not is_remote(part.reader.address) if isinstance(part, PackedSamples) else is_local
        for part in blocks.parts
    )


def _sources(
    context: Any, blocks: Blocks, tokens: Sequence[bytes], n_partitions: int
) -> Iterator[tuple[Any, NamedFiles]]:
    """Yield RDDs of records and the files they are of: one for each packed part, one for data in memory."""
    all_parts = list(zip(blocks.parts, tokens, strict=True))
    packed = [part for part in blocks.parts if isinstance(part, PackedSamples)]
    in_memory = [(part, token) for part, token in all_parts if not isinstance(part, PackedSamples)]
    counts = [part.n_blocks for part in packed]
    if in_memory:
        counts.append(sum(part.n_blocks for part, _ in in_memory))
    each = portions(counts, n_partitions)
    for part, n in zip(packed, each, strict=False):
        yield _read(context, part, n)
    if in_memory:
        yield _sent(context, in_memory, each[-1]), NamedFiles(0, (0,), (IN_MEMORY,))


def _read(context: Any, part: PackedSamples, n_partitions: int) -> tuple[Any, NamedFiles]:
    """Return an RDD of the records of packed data; Hadoop cuts the files where it likes."""
    addresses = tuple(part.address_of(file) for file in part.part_files)
    read = context.textFile(",".join(map(hadoop_path, addresses)), n_partitions, use_unicode=False)
    if read.getNumPartitions() > n_partitions:
        read = read.coalesce(n_partitions)
    return read, NamedFiles(0, tuple(file.first_block for file in part.part_files), addresses)


def _sent(context: Any, parts: Sequence[tuple[BlockSource, bytes]], n_partitions: int) -> Any:
    """Return an RDD of the records of data in memory.

    A task of `parallelize` carries its elements, in each job anew; after a shuffle they are the executors'.
    """
    records = [
        write_block(part.block(index, index), token)
        for part, token in parts
        for index in range(part.n_blocks)
    ]
    n_bytes = sum(map(len, records))
    _require_room(context, n_bytes)
    begins = edges(len(records), n_partitions)
    numbered = [(bisect_right(begins, number) - 1, record) for number, record in enumerate(records)]
    n_slices = min(len(records), max(n_partitions, -(-n_bytes // SLICE_BYTES)))
    return context.parallelize(numbered, n_slices).partitionBy(len(begins) - 1, int).values()


def _require_room(context: Any, n_bytes: int) -> None:
    heap = context._jvm.java.lang.Runtime.getRuntime().maxMemory()  # noqa: SLF001 - no public way
    if n_bytes > heap * HEAP_SHARE:
        raise EngineError(
            f"the data in memory are {n_bytes / 1e6:,.0f} MB as records; Spark's driver has "
            f"{heap / 1e6:,.0f} MB. Pack them (data.pack, neuralframe pack) where the executors can read "
            "them, on HDFS, S3 or a shared disk, or give it more: config={'spark.driver.memory': '8g'}"
        )


def hadoop_path(address: str) -> str:
    r"""Return an address as Hadoop reads it, in lists of patterns.

    Examples
    --------
    >>> print(hadoop_path("hdfs://name/a,b[1]"))
    hdfs://name/a{\,}b\[1\]

    """
    escaped = "".join(f"\\{sign}" if sign in "\\{}[]*?" else sign for sign in address)
    pattern = escaped.replace(",", "{\\,}")
    return pattern if is_remote(address) else f"file://{pattern}"


def _record_length(path: str) -> int:
    with Path(path).open("rb") as file:
        return len(file.readline())
