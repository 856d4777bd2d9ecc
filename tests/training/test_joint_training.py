"""Trainings side by side come out as they would one by one, in the jobs of one."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.training.joint_training import train_together


class CountingEngine(nf.InProcessEngine):
    """Counts jobs and remembers which blocks they were about."""

    def __init__(self):
        super().__init__(workers=1)
        self.jobs = 0
        self.seen = []

    def run(self, job, blocks):
        self.jobs += 1
        self.seen.append(blocks)
        return super().run(job, blocks)


def samples(seed, n=60, *, n_inputs=3, block_size=None):
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(n, n_inputs))
    return nf.DataSet(inputs, np.tanh(inputs.sum(axis=1)), block_size=block_size)


def training(data, seed, engine="threads", *, hidden=3, **options):
    """Train a small network; its run."""
    network = nf.MultilayerPerceptron.for_data(data, hidden, seed=seed)
    options = {"stop": nf.MaxIterations(6), "progress": False, "seed": seed} | options
    return network.learn(data, engine=engine, **options)


WAYS = [
    {},
    {"rule": nf.GradientDescent(0.1)},
    {"rule": "adam"},
    {"rule": "lbfgs"},
    {"rule": "levenberg_marquardt"},
    {"rule": "conjugate_gradient"},
    {"rule": nf.GeneticReducer(population=4, local_epochs=1)},
    {"validation": 0.25, "metrics": "root_mean_squared_error"},
    {"sessions": 3, "decay": 0.01},
    {"dtype": "float32"},
    {"noise": [nf.Dropout(0.3), nf.InputNoise(0.1)]},
    {"max_norm": 0.5},
]


@pytest.mark.parametrize("options", WAYS, ids=[next(map(str, way.items()), "default") for way in WAYS])
def test_any_training_gives_the_same_bits_side_by_side(options):
    """Whatever its rule asks of the engine; of different data, sizes and stops."""
    sets = [samples(seed, n) for seed, n in ((0, 40), (1, 55), (2, 70))]
    stops = [nf.MaxIterations(n) for n in (3, 8, 5)]
    alone = [
        training(data, seed, stop=stop, **options)
        for seed, (data, stop) in enumerate(zip(sets, stops, strict=True))
    ]
    together = train_together(
        nf.InProcessEngine(workers=2),
        [
            partial(training, data, seed, stop=stop, **options)
            for seed, (data, stop) in enumerate(zip(sets, stops, strict=True))
        ],
    )
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.network.weights, other.network.weights)
        assert one.jobs == other.jobs
        assert [record.error for record in one.history] == [record.error for record in other.history]


def test_networks_of_different_shapes_train_side_by_side():
    """They have nothing in common but the engine."""
    tasks = [(samples(0), 2), (samples(1, n_inputs=5), 4), (samples(2, n_inputs=1), 1)]
    runs = train_together(
        CountingEngine(), [partial(training, data, 0, hidden=hidden) for data, hidden in tasks]
    )
    for run, (data, hidden) in zip(runs, tasks, strict=True):
        np.testing.assert_array_equal(run.network.weights, training(data, 0, hidden=hidden).network.weights)


def test_there_are_as_many_jobs_as_the_longest_training_has():
    """And one set of blocks, which an engine ships once."""
    engine = CountingEngine()
    runs = train_together(
        engine, [partial(training, samples(n), n, stop=nf.MaxIterations(4 + n)) for n in range(3)]
    )
    assert engine.jobs == max(run.jobs for run in runs) == 7
    assert len({id(blocks) for blocks in engine.seen}) == 1


def test_those_who_learn_from_the_same_samples_share_one_copy():
    """An ensemble's members; their held-out parts differ, and are copies then."""
    data, engine = samples(0), CountingEngine()
    train_together(engine, [partial(training, data, seed) for seed in range(4)])
    assert len(engine.seen[0]) == 1
    engine = CountingEngine()
    train_together(engine, [partial(training, data, seed, validation=0.5) for seed in range(2)])
    assert len(engine.seen[0]) == 4


def test_several_blocks_agree_up_to_rounding():
    """Sums over blocks are grouped by the blocks' numbers among all."""
    sets = [samples(seed, 50, block_size=8) for seed in range(3)]
    runs = train_together(CountingEngine(), [partial(training, data, 0, rule="lbfgs") for data in sets])
    for run, data in zip(runs, sets, strict=True):
        alone = training(data, 0, rule="lbfgs").network.weights
        np.testing.assert_allclose(run.network.weights, alone, rtol=1e-8)


def test_the_job_travels():
    """To tasks that read files; with sums of a rule's own and errors in one job."""
    sets = [samples(seed, 20) for seed in range(2)]
    ways = [{"rule": "adam"}, {"rule": "resilient_propagation"}]
    tasks = [
        partial(training, data, 0, stop=nf.MaxIterations(2), **way)
        for data, way in zip(sets, ways, strict=True)
    ]
    for run, task in zip(train_together(nf.MRJobEngine("inline"), tasks), tasks, strict=True):
        np.testing.assert_array_equal(run.network.weights, task().network.weights)


def test_a_failure_ends_all_and_is_told():
    """Nobody waits for one who will not come."""
    stopped = threading.Event()

    def fails(engine):
        training(samples(0), 0, engine, stop=nf.MaxIterations(2))
        raise ZeroDivisionError("here")

    def goes_on(engine):
        try:
            training(samples(1), 1, engine, stop=nf.MaxIterations(10**6))
        finally:
            stopped.set()

    with pytest.raises(ZeroDivisionError, match="here"):
        train_together(CountingEngine(), [goes_on, fails])
    assert stopped.is_set()


def test_a_failing_engine_is_told_once():
    """Every training sees it; one of them tells."""

    class Broken(CountingEngine):
        def run(self, job, blocks):
            raise nf.EngineError("no power")

    with pytest.raises(nf.EngineError, match="no power"):
        train_together(Broken(), [partial(training, samples(n), n) for n in range(3)])


def test_an_interruption_ends_all(monkeypatch):
    """Ctrl-C, while the caller waits."""
    import neuralframe.training.joint_training as module

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "wait", interrupted)
    forever = nf.MaxIterations(10**6)
    with pytest.raises(KeyboardInterrupt):
        train_together(CountingEngine(), [partial(training, samples(n), n, stop=forever) for n in range(2)])
