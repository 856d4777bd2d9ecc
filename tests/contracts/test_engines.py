"""Every engine against the same expectations, with jobs that know nothing of networks."""

from __future__ import annotations

import shutil
from importlib import import_module
from importlib.util import find_spec

import attrs
import numpy as np
import pytest

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
        pytest.importorskip("py4j", reason="the warm client needs py4j")
        if shutil.which("hadoop") is None:
            pytest.skip("no Hadoop on the path: . .hadoop/env.sh, see docs/hadoop.md")
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
