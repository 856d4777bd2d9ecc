"""Several jobs over several data sets, as one job over the blocks of all of them."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from neuralframe.mapreduce.job import Job, KeyedSums, Sums

if TYPE_CHECKING:
    from collections.abc import Hashable

    from neuralframe.data.blocks import Block

Runs: TypeAlias = "tuple[tuple[int, int], ...]"
"""(first block, number of blocks) of each part of a job's data among all blocks, in the job's own order."""


@attrs.frozen(eq=False)
class JointJob(Job):
    """Jobs that know nothing of each other, each over its own blocks, run in one.

    To each job its blocks have the numbers that they would have without the others. Keys are interleaved:
    that of job i, of m, is ``key * m + i`` here.

    Parameters
    ----------
    jobs : tuple of Job
        They combine sums as every job does unless it says otherwise: by adding.
    runs : tuple of Runs
        Where the blocks of each are. Jobs may share them.

    """

    jobs: tuple[Job, ...]
    runs: tuple[Runs, ...]
    _owners: dict[int, list[tuple[int, int]]] = attrs.field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        assert all(type(job).combine is Job.combine for job in self.jobs), "only sums can be added jointly"
        for index, runs in enumerate(self.runs):
            starts = accumulate((length for _, length in runs), initial=0)
            for (first, length), start in zip(runs, starts, strict=False):
                for offset in range(length):
                    self._owners.setdefault(first + offset, []).append((index, start + offset))

    @property
    def kind(self) -> Hashable:
        return type(self), tuple(dict.fromkeys(job.kind for job in self.jobs))

    @property
    def concludes(self) -> bool:
        return any(job.concludes for job in self.jobs)

    def wants(self, number: int) -> bool:
        return any(self.jobs[index].wants(own) for index, own in self._owners.get(number, ()))

    def map(self, block: Block) -> KeyedSums:
        return {
            key * len(self.jobs) + index: sums
            for index, own in self._owners.get(block.number, ())
            if self.jobs[index].wants(own)
            for key, sums in self.jobs[index].map(attrs.evolve(block, number=own)).items()
        }

    def conclude(self, totals: KeyedSums) -> KeyedSums:
        return {
            key * len(self.jobs) + index: sums
            for index, job in enumerate(self.jobs)
            for key, sums in job.conclude(self.of_job(index, totals)).items()
        }

    def reduce(self, key: int, total: Sums) -> Any:
        own, index = divmod(key, len(self.jobs))
        return self.jobs[index].reduce(own, total)

    def of_job(self, index: int, by_key: dict[int, Any]) -> dict[int, Any]:
        """Return what belongs to one job of what stands under the keys of all, under the job's own keys."""
        n_jobs = len(self.jobs)
        return {key // n_jobs: value for key, value in by_key.items() if key % n_jobs == index}
