"""E evaluated in the calling thread: what a job finds, without the job."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data.blocks import Blocks
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import pace
from neuralframe.mapreduce.evaluator import Evaluator
from neuralframe.mapreduce.questions import ErrorQuestion

NETWORK = nf.MultilayerPerceptron(3, 4, 2, seed=0)


class JobsOnly(nf.InProcessEngine):
    """Does not offer to do without jobs."""

    def here(self, kind, blocks):
        return None


class CountingJobs(nf.InProcessEngine):
    """Counts the jobs that it runs after all."""

    n_runs = 0

    def _sum(self, job, blocks):
        self.n_runs += 1
        return super()._sum(job, blocks)


def some_blocks(n_training, n_validation=0, *, weighted=False, block_size=4, seed=0):
    """Return blocks whose sums depend on the order of additions."""
    random = np.random.default_rng(seed)
    parts = []
    for n in (n_training, n_validation):
        if n:
            inputs = random.standard_normal((n, 3)) * 10.0 ** random.integers(-4, 4, (n, 1))
            weights = random.random(n) + 0.1 if weighted else None
            targets = random.standard_normal((n, 2))
            parts.append(nf.DataSet(inputs, targets, weights, block_size=block_size).blocks)
    return Blocks.joined(*parts) if n_validation else parts[0]


def evaluator(engine, blocks, **options):
    return Evaluator(engine, make_kernel("numpy", NETWORK.topology), blocks, **options)


def bits(evaluation):
    gradient = None if evaluation.gradient is None else evaluation.gradient.tobytes()
    return evaluation.error, gradient, evaluation.penalty, evaluation.validation_error, evaluation.metrics


@given(
    n_training=st.integers(1, 150),
    n_validation=st.integers(0, 60),
    weighted=st.booleans(),
    with_gradient=st.booleans(),
)
def test_the_bits_are_those_of_the_job(n_training, n_validation, weighted, with_gradient):
    blocks = some_blocks(n_training, n_validation, weighted=weighted)
    found = []
    for engine in (JobsOnly(1), CountingJobs(1)):
        with engine:
            asked = evaluator(engine, blocks, penalty=0.01)
            (evaluation,) = asked.evaluate(NETWORK.weights[np.newaxis], np.array([with_gradient]))
        found.append(bits(evaluation))
        assert asked.n_jobs == 1
    assert engine.n_runs == 0, "the second engine was to run no job"
    assert found[0] == found[1]


def test_a_training_takes_the_same_course_to_the_bit():
    random = np.random.default_rng(1)
    data = nf.DataSet(random.standard_normal((90, 3)), random.standard_normal((90, 2)), block_size=8)
    finals, jobs = set(), set()
    for engine in (JobsOnly(1), nf.InProcessEngine(1), nf.InProcessEngine(2)):
        net = nf.MultilayerPerceptron(3, 4, 2, seed=0)
        run = net.learn(
            data, rule=nf.LBFGS(), engine=engine, validation=0.2, seed=1, stop=nf.MaxIterations(20)
        )
        finals.add(net.weights.tobytes())
        jobs.add(run.history[-1].jobs)
    assert len(finals) == len(jobs) == 1


def test_the_penalty_is_added_once_and_the_mean_is_that_of_plain_numpy():
    blocks = some_blocks(30, weighted=True)
    with CountingJobs(1) as engine:
        (found,) = evaluator(engine, blocks, penalty=0.5).evaluate(
            NETWORK.weights[np.newaxis], np.array([True])
        )
    inputs, targets, weights = (
        np.concatenate([getattr(block, name) for block in blocks])
        for name in ("inputs", "targets", "sample_weights")
    )
    values = NETWORK.error_function.values(NETWORK.predict(inputs), targets)
    decay = 0.25 * np.sum(np.square(NETWORK.weights[~NETWORK.topology.is_bias]))
    assert found.penalty == pytest.approx(decay, rel=1e-14)
    assert found.error == pytest.approx(np.average(values, weights=weights) + decay, rel=1e-12)


@pytest.mark.parametrize(
    "question",
    [
        ErrorQuestion(np.tile(NETWORK.weights, (2, 1)), with_gradient=True),
        ErrorQuestion(NETWORK.weights[np.newaxis], with_gradient=True, draw=(1, 2)),
    ],
    ids=["two rows", "noise"],
)
def test_what_is_more_than_plain_is_a_job(question):
    with CountingJobs(1) as engine:
        evaluator(engine, some_blocks(20), noise=(nf.Dropout(0.5),)).answer([question])
    assert engine.n_runs == 1


def test_metrics_and_several_questions_are_jobs():
    question = ErrorQuestion(NETWORK.weights[np.newaxis], with_gradient=False)
    with CountingJobs(1) as engine:
        evaluator(engine, some_blocks(20, 8), metrics=(nf.Accuracy(),)).answer([question])
        evaluator(engine, some_blocks(20)).answer([question, question])
    assert engine.n_runs == 2


def test_a_class_with_a_run_of_its_own_is_given_every_job():
    """It may watch or change them."""

    class Watching(nf.InProcessEngine):
        seen = 0

        def run(self, job, blocks):
            self.seen += 1
            return super().run(job, blocks)

    with Watching(1) as engine:
        evaluator(engine, some_blocks(20)).evaluate(NETWORK.weights[np.newaxis], np.array([True]))
    assert engine.seen == 1


def test_an_engine_that_is_closed_runs_a_job():
    """It holds BLAS to one thread only while it is open, and other threads mean other bits."""
    engine = CountingJobs(1)
    asked = evaluator(engine, some_blocks(20))
    asked.evaluate(NETWORK.weights[np.newaxis], np.array([True]))
    assert engine.n_runs == 1
    with engine:
        asked.evaluate(NETWORK.weights[np.newaxis], np.array([True]))
    assert engine.n_runs == 1


def test_work_that_is_worth_sharing_is_a_job_and_what_became_too_small_is_not(monkeypatch):
    monkeypatch.setattr(pace, "BELIEVED_GAIN", np.inf)  # on a busy machine the first block may be slow
    asked = evaluator(CountingJobs(2), some_blocks(20))
    with asked.engine as engine:
        for limit, n_runs in ((0.0, 1), (0.0, 2), (1e6, 2), (0.0, 3)):
            monkeypatch.setattr(pace, "WORTH_A_HAND_OFF", limit)
            asked.evaluate(NETWORK.weights[np.newaxis], np.array([True]))
            assert engine.n_runs == n_runs
    assert asked.n_jobs == 4


def test_costs_are_learnt_as_from_jobs():
    with CountingJobs(1) as engine:
        asked = evaluator(engine, some_blocks(20))
        for with_gradient in (False, True):
            asked.evaluate(NETWORK.weights[np.newaxis], np.array([with_gradient]))
    assert engine.n_runs == 0
    assert asked.costs is not None


def test_lost_samples_are_found_out():
    class Losing(Blocks):
        def __iter__(self):
            return iter([self[0]])

    with CountingJobs(1) as engine:
        asked = evaluator(engine, Losing(*some_blocks(20).parts))
        with pytest.raises(nf.EngineError, match="4 samples; the data set has 20"):
            asked.evaluate(NETWORK.weights[np.newaxis], np.array([True]))


def test_a_failure_names_the_block():
    with CountingJobs(1) as engine:
        asked = evaluator(engine, some_blocks(20))
        asked.kernel.errors = None
        with pytest.raises(TypeError) as caught:
            asked.evaluate(NETWORK.weights[np.newaxis], np.array([False]))
    assert caught.value.__notes__ == ["while mapping block 0 of 5 (4 samples)"]


def test_infinite_errors_are_an_answer():
    blocks = nf.DataSet(np.full((4, 3), 1e200), np.full((4, 2), 1e200)).blocks
    with CountingJobs(1) as engine:
        (found,) = evaluator(engine, blocks).evaluate(NETWORK.weights[np.newaxis], np.array([True]))
    assert found.error == np.inf
