"""What Spark runs: a function of a partition, made of bytes and names only.

It stands apart from the work itself (`neuralframe.mapreduce.spark_worker`), because what a worker process
may use must be settled before that imports numpy or opens a GPU.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neuralframe.mapreduce.spark_connection import Meeting
    from neuralframe.mapreduce.spark_records import Records

Result: TypeAlias = "tuple[str, bytes]"
"""What a task yields: `SUMS` or `FAILURE` with a packet, `MISSING` with the number of its partition, or, if
it stays and cannot, `GIVEN_UP` with the reason."""

SUMS, FAILURE, MISSING, GIVEN_UP = "sums", "failure", "missing", "given-up"
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@attrs.frozen(eq=False, kw_only=True)
class SparkTask:
    """Sums a job over a partition; passed to `mapPartitionsWithIndex`.

    Attributes
    ----------
    job : bytes, or a broadcast variable of bytes
        The `ShippedJob`.
    data : str
        Tells this training's data from all others that workers may keep.
    records : Records
        How elements of a partition become records.
    kept_bytes : int
        How much a worker may keep of what it has decoded.
    peeks : bool
        Whether the partition comes without its elements, so that blocks which are not kept are `MISSING`.

    """

    job: Any
    data: str
    records: Records
    kept_bytes: int
    peeks: bool = False

    def __call__(self, partition: int, elements: Iterable[bytes]) -> Iterator[Result]:
        """Yield the sums over the blocks of a partition, or what went wrong."""
        prepare_process()
        from neuralframe.mapreduce.spark_worker import results  # noqa: PLC0415

        return results(self, partition, iter(elements))


@attrs.frozen(eq=False)
class StandingTask:
    """Sums one job after the other over a partition; passed to `mapPartitionsWithIndex`.

    Attributes
    ----------
    task : SparkTask
        What to do with each job that comes.
    meeting : Meeting
        Where jobs come from.

    """

    task: SparkTask
    meeting: Meeting

    def __call__(self, partition: int, elements: Iterable[bytes]) -> Iterator[Result]:
        """Do what is asked until the driver has no more; yield why not, if something was wrong."""
        prepare_process()
        from neuralframe.mapreduce.spark_worker import served  # noqa: PLC0415

        return served(self, partition, iter(elements))


@attrs.frozen
class GroupTask:
    """Puts what neighbouring partitions found into one group; passed to `mapPartitionsWithIndex`."""

    width: int

    def __call__(self, partition: int, found: Iterable[Result]) -> Iterator[tuple[int, Result]]:
        """Yield the results of a partition with the number of their group."""
        return ((partition // self.width, result) for result in found)


@attrs.frozen(eq=False)
class MergeTask:
    """Adds up what several partitions found; passed to `mapPartitions`."""

    job: Any

    def __call__(self, found: Iterable[tuple[int, Result]]) -> Iterator[Result]:
        """Yield the sums of a group of partitions; what are no sums is handed on."""
        prepare_process()
        from neuralframe.mapreduce.spark_worker import merged  # noqa: PLC0415

        return merged(self, (result for _, result in found))


def packet_of(job: Any) -> bytes:
    """Return the packet of a job that came as bytes or as a broadcast variable."""
    packet: bytes = job if isinstance(job, bytes) else job.value
    return packet


def prepare_process() -> None:
    """Hold BLAS to one thread and tell CUDA which GPU is the task's.

    An executor has as many tasks as cores; and a product that is never split gives the same bits everywhere.
    CUDA shows the GPUs that Spark has given the task. A worker process serves many tasks and stays with the
    one that it took first, where its blocks are. Where Spark gives out none, workers count round.
    """
    from pyspark import TaskContext  # noqa: PLC0415

    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(BLAS_THREADS, "1"))
    context = TaskContext.get()
    gpus = None if context is None else context.resources().get("gpu")
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus.addresses)
    elif context is not None:
        from neuralframe.kernels.cuda.device import DEVICE_VARIABLE  # noqa: PLC0415 - imports numpy

        os.environ.setdefault(DEVICE_VARIABLE, str(context.partitionId()))
