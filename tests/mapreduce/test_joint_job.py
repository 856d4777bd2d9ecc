"""Jobs that are run in one see their own blocks under their own numbers, and nothing of each other."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.mapreduce.job import Job
from neuralframe.mapreduce.joint_job import JointJob
from neuralframe.mapreduce.shipped_job import ShippedJob


@attrs.frozen
class Picking(Job):
    """Adds up the inputs of the blocks of some numbers, under two keys, and concludes a third."""

    chosen: tuple[int, ...] = attrs.field(converter=tuple)
    ends: bool = False

    @property
    def concludes(self):
        return self.ends

    def wants(self, number):
        return number in self.chosen

    def map(self, block):
        total = block.inputs.sum(axis=0).astype(np.float64)
        return {0: {"sum": total}, 1: {"sum": np.array([float(block.number)])}}

    def conclude(self, totals):
        return totals | {2: {"sum": -totals[0]["sum"]}} if self.ends else totals

    def reduce(self, key, total):
        return key, total["sum"].tolist()


@pytest.fixture
def data():
    """Return ten samples, 0 to 9, in blocks of two."""
    return nf.DataSet(np.arange(10.0)[:, np.newaxis], np.zeros(10), block_size=2)


def alone(job, data, rows):
    return nf.InProcessEngine(1).run(job, data.rows(rows).blocks)


def test_each_job_finds_what_it_finds_alone(data):
    """One over all five blocks, one over the last and the second, which it knows as its first two."""
    jobs = Picking([0, 3]), Picking([0, 1], ends=True)
    joint = JointJob(jobs, (((0, 5),), ((4, 1), (1, 1))))
    found = nf.InProcessEngine(2).run(joint, data.blocks)
    assert joint.of_job(0, found) == alone(jobs[0], data, np.arange(10))
    assert joint.of_job(1, found)[2] == (2, [-22.0])
    assert joint.of_job(1, found) == alone(jobs[1], data, [8, 9, 2, 3])


def test_blocks_that_nobody_wants_are_not_read(data):
    """Whoever else wants the others."""
    joint = JointJob((Picking([1]), Picking([0])), (((0, 5),), ((3, 2),)))
    assert [joint.wants(number) for number in range(5)] == [False, True, False, True, False]


def test_it_concludes_if_any_of_its_jobs_does(data):
    """A reducer then waits for all keys."""
    assert not JointJob((Picking([0]), Picking([1])), (((0, 1),), ((0, 1),))).concludes
    assert JointJob((Picking([0]), Picking([1], ends=True)), (((0, 1),), ((0, 1),))).concludes


def test_jobs_of_the_same_kinds_are_of_one_kind():
    """An engine paces itself by it, however many take part."""
    few, many = (JointJob((Picking([0]),) * n, (((0, 1),),) * n) for n in (2, 5))
    assert few.kind == many.kind
    assert hash(few.kind) == hash(many.kind)


def test_it_travels(data):
    """As a packet, without its table of owners, which is made anew."""
    joint = JointJob((Picking([0, 3]), Picking([1], ends=True)), (((0, 5),), ((1, 2),)))
    back = ShippedJob.from_bytes(ShippedJob(joint, {}, 5).to_bytes()).job
    assert isinstance(back, JointJob)
    engine = nf.InProcessEngine(1)
    assert engine.run(back, data.blocks) == engine.run(joint, data.blocks)


class Choosing(Picking):
    """Combines in a way of its own."""

    def combine(self, left, right):
        return left


def test_jobs_that_do_not_add_cannot_be_joined():
    """Of two sums under one key nobody would know whose way to combine them holds."""
    with pytest.raises(AssertionError, match="only sums"):
        JointJob((Choosing([0]),), (((0, 1),),))
