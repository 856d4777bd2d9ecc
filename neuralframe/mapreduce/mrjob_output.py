"""What comes back from a job of mrjob's: sums, failures, and what the job took."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import attrs

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.failures import Failure
from neuralframe.mapreduce.packet import packet_from_text
from neuralframe.mapreduce.partial_sum import PartialSum, Range
from neuralframe.mapreduce.sums_record import read_sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from neuralframe.mapreduce.job import Sums

Counters: TypeAlias = dict[str, dict[str, int]]


@attrs.frozen
class JobReport:
    """What is known of a job that has ended.

    Attributes
    ----------
    number : int
        Counted from 1.
    seconds : float
    attempts : int
        1 unless the job had to be run again.
    counters : dict of str to dict of str to int
        mrjob's and Hadoop's counters, by group.

    """

    number: int
    seconds: float
    attempts: int
    counters: dict[str, dict[str, int]]


@attrs.frozen
class Output:
    """What the tasks of a job wrote.

    Attributes
    ----------
    covered : tuple of (int, int)
        The ranges of blocks that were summed.
    sums : dict of int to dict of str to array
    failures : tuple of Failure

    """

    covered: tuple[Range, ...]
    sums: dict[int, Sums]
    failures: tuple[Failure, ...]

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> Output:
        """Return what the lines of a job's output say."""
        from neuralframe.mapreduce.mrjob_job import BLOCKS, FAILURE, SumsProtocol  # noqa: PLC0415

        covered, failures = [], []
        sums: dict[int, Sums] = {}
        for line in lines:
            key, text = SumsProtocol().read(line.rstrip(b"\n"))
            packet = packet_from_text(text)
            if key == FAILURE:
                failures.append(Failure.from_packet(packet))
            elif key == BLOCKS:
                covered.append(read_sums(packet)[0])
            elif key in sums:
                raise EngineError(f"the job's result has two sums under the key {key}")
            else:
                sums[int(key)] = read_sums(packet)[1]
        return cls(tuple(covered), sums, tuple(failures))

    def total(self, n_blocks: int) -> dict[int, Sums]:
        """Return the sums.

        Raises
        ------
        EngineError
            Unless they are over each block exactly once.

        """
        blocks = PartialSum(lambda left, _: left)
        for covered in self.covered:
            blocks.add_range(covered, {})
        blocks.total(n_blocks)
        return self.sums


def merged_counters(steps: Sequence[Mapping[str, Mapping[str, int]]]) -> Counters:
    """Return the counters of all steps of a job together."""
    merged: Counters = {}
    for step in steps:
        for group, counters in step.items():
            into = merged.setdefault(group, {})
            for name, value in counters.items():
                into[name] = into.get(name, 0) + value
    return merged
