"""Every engine against the same expectations, with jobs that know nothing of networks."""

from __future__ import annotations

import shutil
from importlib import import_module
from importlib.util import find_spec

import attrs
import numpy as np
import pytest
import threadpoolctl

import neuralframe as nf
from neuralframe.data.blocks import Blocks
from neuralframe.mapreduce import ENGINES
from neuralframe.mapreduce.job import Job


@attrs.frozen
class Digest(Job):
    """Sums whose last bits depend on the order of additions, under one key for all and one for each third."""

    def map(self, block):
        sums = {
            "inputs": np.sin(block.inputs.astype(float)).sum(axis=0),
            "n": np.array([float(len(block.inputs))]),
        }
        own = {name: values.copy() for name, values in sums.items()}
        return {0: sums, 1 + block.number % 3: own} if block.part == "training" else {9: sums}

    def reduce(self, key, total):
        return int(total["n"][0]), total["inputs"].tobytes()


@attrs.frozen
class Failing(Job):
    """Fails at one block."""

    def map(self, block):
        if block.number == 3:
            raise ZeroDivisionError("block 3 is bad")
        return {0: {"n": np.ones(1)}}

    def reduce(self, key, total):
        return total


@attrs.frozen
class Picky(Job):
    """Wants some blocks only, and is shown no others."""

    def wants(self, number):
        return number in (2, 5)

    def map(self, block):
        assert block.number in (2, 5), block.number
        return {0: {"inputs": block.inputs.sum(axis=0, dtype=np.float64)}}

    def reduce(self, key, total):
        return total["inputs"]


@attrs.frozen
class Compared(Job):
    """Works out, where all sums are together, which key has the larger one."""

    @property
    def concludes(self):
        return True

    def map(self, block):
        return {key: {"n": np.array([float((block.number + key) % 2)])} for key in (0, 1)}

    def conclude(self, totals):
        if 2 in totals or not {0, 1} <= totals.keys():
            return totals
        larger = float(totals[1]["n"][0] > totals[0]["n"][0])
        return {**totals, 2: {"larger": np.array([larger])}}

    def reduce(self, key, total):
        return {name: values.tolist() for name, values in total.items()}


def cases():
    slow = {
        "mrjob:local": [pytest.mark.slow],
        "spark": [pytest.mark.spark, pytest.mark.slow],
        "mrjob:hadoop": [pytest.mark.hadoop, pytest.mark.slow],
    }
    # EMR needs moto, and mrjob on Spark ten seconds a job: tests/mapreduce has them. "mrjob" alone is inline.
    names = [name for name in ENGINES if name not in {"mrjob", "mrjob:emr", "mrjob:spark"}]
    return [pytest.param(name, marks=slow.get(name, ()), id=name) for name in names]


@pytest.fixture(params=cases())
def engine(request):
    name = request.param
    if "spark" in name and (find_spec("pyspark") is None or shutil.which("java") is None):
        pytest.skip("no Spark: pyspark or Java is not here")
    if name == "mrjob:hadoop":
        request.getfixturevalue("on_cluster")
    parameters = {"spark": {"master": "local[2]"}, "mrjob:hadoop": {"timeout": 300}}.get(name, {})
    module, _, cls = ENGINES[name].partition(":")
    with getattr(import_module(module), cls)(*name.split(":")[1:], **parameters) as opened:
        yield opened


@pytest.fixture(scope="module")
def blocks():
    """Blocks of training and of validation; neither part is full."""
    random = np.random.default_rng(0)
    parts = [
        nf.DataSet(random.standard_normal((n, 3)), random.standard_normal((n, 1)), block_size=8)
        for n in (77, 20)
    ]
    return Blocks.joined(*(part.blocks for part in parts))


def test_the_sums_have_the_bits_of_one_block_after_the_other(engine, blocks):
    """And the right values, from numpy alone; twice, since an engine may keep data between jobs."""
    expected = nf.InProcessEngine(1).run(Digest(), blocks)
    assert list(expected) == [0, 1, 2, 3, 9]
    assert expected[0][0] == 77
    assert expected[9][0] == 20
    inputs = np.concatenate([block.inputs for block in blocks if block.part == "training"])
    np.testing.assert_allclose(np.frombuffer(expected[0][1]), np.sin(inputs).sum(axis=0), rtol=1e-12)
    for _ in range(2):
        found = engine.run(Digest(), blocks)
        assert list(found) == list(expected)
        assert found == expected


def test_what_goes_wrong_in_a_block_names_the_block_and_leaves_the_engine_usable(engine, blocks):
    with pytest.raises((nf.EngineError, ZeroDivisionError), match="block 3 is bad") as caught:
        engine.run(Failing(), blocks)
    assert "while mapping block 3 of 13" in "\n".join(caught.value.__notes__)
    assert engine.run(Digest(), blocks)[0][0] == 77


@pytest.mark.usefixtures("engine")
def test_blas_keeps_to_one_thread_while_the_engine_is_open():
    """Rules multiply matrices where the engine was opened, and a product that is split has other bits."""
    pools = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    assert pools
    assert {pool["num_threads"] for pool in pools} == {1}


def test_blocks_that_a_job_does_not_want_are_not_mapped(engine, blocks):
    found = engine.run(Picky(), blocks)
    assert list(found) == [0]
    np.testing.assert_allclose(found[0], blocks[2].inputs.sum(axis=0) + blocks[5].inputs.sum(axis=0))


def test_a_job_may_conclude_from_the_sums_under_all_keys(engine, blocks):
    assert engine.run(Compared(), blocks) == {0: {"n": [6.0]}, 1: {"n": [7.0]}, 2: {"larger": [1.0]}}
