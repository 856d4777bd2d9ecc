"""Conclusions: worked out in the reducer where there is one, and the same everywhere."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from importlib.util import find_spec

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.job import Job, results_of

RULE = nf.GeneticReducer(4, local_rate=0.3, mutation=0.2, elite=2)
USER_MODULE = '''
import os

import attrs
import numpy as np

import neuralframe as nf


@attrs.frozen
class Witness(nf.Conclusion):
    """Tells where it was drawn, and what it saw."""

    scale: float = 1.0

    def conclude(self, errors, candidates):
        best = self.scale * candidates[np.argmin(errors)]
        return {"process": np.array([float(os.getpid())]), "errors": errors, "best": best}


@attrs.frozen
class Broken(nf.Conclusion):
    """Fails."""

    def conclude(self, errors, candidates):
        raise ZeroDivisionError("as it must")
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Give a module of the user's own, on the path of this process alone."""
    (tmp_path / "witness.py").write_text(USER_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("witness")
    sys.modules.pop("witness")


def data():
    random = np.random.default_rng(0)
    return nf.DataSet(random.standard_normal((75, 3)), random.standard_normal((75, 2)), block_size=16)


def network():
    return nf.MultilayerPerceptron(3, 4, 2, seed=0)


def job(*conclusions, free=None):
    """Return a job of five weight vectors: a conclusion about the first two, and one about the others."""
    kernel = make_kernel("numpy", network().topology)
    weights = np.random.default_rng(1).standard_normal((5, len(network().weights)))
    spans = ((0, 2), (2, 5))[: len(conclusions)]
    penalties = np.arange(5.0)
    return ErrorJob(kernel, weights, np.zeros(5, bool), (), conclusions, spans, penalties, free)


def errors_of(run):
    return np.array([run[key].error for key in range(5)]) + np.arange(5)


@attrs.frozen
class Largest(Job):
    """A job with a conclusion of its own: which key has the largest sum."""

    def map(self, block):
        return {key: {"sum": np.array([float(np.sum(block.inputs) * key)])} for key in (1, 2, 3)}

    @property
    def concludes(self):
        return True

    def conclude(self, totals):
        if 9 in totals or not {1, 2, 3} <= totals.keys():
            return totals
        return totals | {9: {"largest": np.array([float(max(totals, key=lambda key: totals[key]["sum"]))])}}

    def reduce(self, key, total):
        return {name: values.tobytes() for name, values in total.items()}


def test_what_is_concluded_stands_under_keys_of_its_own(own):
    found = nf.InProcessEngine(1).run(job(own.Witness(), own.Witness(2.0)), data().blocks)
    assert sorted(found) == list(range(7))
    errors = errors_of(found)
    assert np.array_equal(found[5]["errors"], errors[:2])
    assert np.array_equal(found[6]["errors"], errors[2:])
    weights = job().weights
    assert np.array_equal(found[5]["best"], weights[np.argmin(errors[:2])])
    assert np.array_equal(found[6]["best"], 2 * weights[2 + np.argmin(errors[2:])])


def test_a_conclusion_sees_the_free_weights_only(own):
    free = np.array([0, 3, 25])
    found = nf.InProcessEngine(1).run(job(own.Witness(), free=free), data().blocks)
    assert np.array_equal(found[5]["best"], job().weights[np.argmin(found[5]["errors"])][free])


def test_nothing_is_concluded_twice_or_from_a_part():
    """A reducer that sees some keys hands them on; where a conclusion came along, it stays."""
    totals = {key: {"sum": np.array([float(key)])} for key in (1, 2, 3)}
    assert Largest().conclude({1: totals[1]}) == {1: totals[1]}
    concluded = totals | {9: {"largest": np.array([2.0])}}
    assert results_of(Largest(), concluded)[9] == {"largest": np.array([2.0]).tobytes()}


def test_an_error_job_concludes_where_it_has_all_rows(own):
    once = job(own.Witness())
    totals = {key: {"training": np.array([key + 1.0, 2.0, 2.0])} for key in range(5)}
    assert once.conclude({0: totals[0], 2: totals[2]}).keys() == {0, 2}
    assert once.conclude({0: totals[0], 1: totals[1]}).keys() == {0, 1, 5}
    marked = totals | {5: {"best": np.zeros(3)}}
    assert once.conclude(marked)[5] is marked[5]


@pytest.mark.parametrize("maps", [1, 3])
def test_inline_concludes_in_the_reducer(own, maps, monkeypatch):
    """Once, and not by the driver, which gets the conclusion with the totals."""
    from neuralframe.mapreduce.mrjob_job import SumJob

    in_reducer, final = [], SumJob.reducer_final

    def recorded(task):
        in_reducer.extend(final(task))
        return iter(in_reducer)

    monkeypatch.setattr(SumJob, "reducer_final", recorded)
    expected = nf.InProcessEngine(1).run(job(own.Witness(), own.Witness()), data().blocks)
    found = nf.MRJobEngine("inline", maps=maps).run(job(own.Witness(), own.Witness()), data().blocks)
    assert [key for key, _ in in_reducer] == list(range(7))
    assert_alike(found, expected)


def assert_alike(found, expected):
    assert found.keys() == expected.keys()
    assert np.array_equal(errors_of(found), errors_of(expected))
    for key in (5, 6):
        for name in ("errors", "best"):
            assert np.array_equal(found[key][name], expected[key][name])


@pytest.mark.slow
@pytest.mark.parametrize("maps", [1, 3])
def test_local_concludes_in_the_process_of_a_reducer(own, maps):
    expected = nf.InProcessEngine(1).run(job(own.Witness(), own.Witness()), data().blocks)
    found = nf.MRJobEngine("local", maps=maps).run(job(own.Witness(), own.Witness()), data().blocks)
    assert_alike(found, expected)
    assert found[5]["process"] == found[6]["process"] != os.getpid()


@pytest.mark.slow
@pytest.mark.hadoop
@pytest.mark.usefixtures("on_cluster")
def test_hadoop_concludes_in_the_process_of_a_reducer(own):
    with nf.MRJobEngine("hadoop", timeout=300) as engine:
        expected = nf.InProcessEngine(1).run(job(own.Witness(), own.Witness()), data().blocks)
        found = engine.run(job(own.Witness(), own.Witness()), data().blocks)
    assert_alike(found, expected)
    assert found[5]["process"] == found[6]["process"] != os.getpid()


@pytest.mark.slow
@pytest.mark.hadoop
@pytest.mark.usefixtures("on_cluster")
def test_hadoop_with_several_reducers_lets_the_driver_conclude(own):
    """No reducer sees all keys then; the result is the same."""
    with nf.MRJobEngine("hadoop", timeout=300, jobconf={"mapreduce.job.reduces": "3"}) as engine:
        expected = nf.InProcessEngine(1).run(job(own.Witness(), own.Witness()), data().blocks)
        assert_alike(engine.run(job(own.Witness(), own.Witness()), data().blocks), expected)


@pytest.mark.parametrize("runner", ["inline", pytest.param("local", marks=pytest.mark.slow)])
def test_a_job_of_any_kind_may_conclude(runner):
    expected = nf.InProcessEngine(1).run(Largest(), data().blocks)
    assert expected.keys() == {1, 2, 3, 9}
    assert nf.MRJobEngine(runner, maps=2).run(Largest(), data().blocks) == expected


@pytest.mark.parametrize(
    "engine", ["threads", "mrjob:inline", pytest.param("mrjob:local", marks=pytest.mark.slow)]
)
def test_what_fails_in_a_conclusion_is_told(own, engine):
    with pytest.raises((ZeroDivisionError, nf.EngineError), match="as it must"):
        make_engine(engine).run(job(own.Broken()), data().blocks)


def bred_on(engine):
    """Return the weights and errors of two sessions of the genetic reducer, and what was bred last."""
    run = network().learn(
        data(), rule=RULE, engine=engine, decay=0.01, sessions=2, stop=nf.MaxIterations(1), seed=1
    )
    return [
        (
            session.weights.tobytes(),
            session.standing.state.individuals.tobytes(),
            tuple(session.history.column("error")),
        )
        for session in run.sessions
    ]


@pytest.mark.parametrize(
    "engine",
    [
        nf.InProcessEngine(2),
        nf.MRJobEngine("inline", maps=1),
        nf.MRJobEngine("inline", maps=3),
        pytest.param(nf.MRJobEngine("local", maps=2), marks=pytest.mark.slow),
    ],
    ids=["two threads", "inline, one map", "inline, three maps", "local"],
)
def test_the_genetic_reducer_has_the_same_bits(engine):
    """Local training in mappers, breeding in a reducer, two sessions in the same jobs."""
    assert bred_on(engine) == bred_on(nf.InProcessEngine(1))


@pytest.mark.slow
@pytest.mark.spark
def test_the_genetic_reducer_has_the_same_bits_on_spark():
    if find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("no Spark: pyspark or Java is not here")
    with nf.SparkEngine("local[2]", partitions=3) as engine:
        assert bred_on(engine) == bred_on(nf.InProcessEngine(1))


@pytest.mark.slow
@pytest.mark.hadoop
@pytest.mark.usefixtures("on_cluster")
def test_the_genetic_reducer_has_the_same_bits_on_hadoop():
    with nf.MRJobEngine("hadoop", timeout=300) as engine:
        assert bred_on(engine) == bred_on(nf.InProcessEngine(1))
