"""The in-process engine, without networks and with them."""

from __future__ import annotations

import contextlib
import random
import sys
import threading

import numpy as np
import pytest
import threadpoolctl

import neuralframe as nf
from neuralframe.data.blocks import Blocks
from neuralframe.mapreduce import make_engine, pace
from neuralframe.mapreduce.blas import SingleThreadedBlas
from neuralframe.mapreduce.in_process_engine import map_blocks
from neuralframe.mapreduce.job import Job
from neuralframe.mapreduce.partial_sum import PartialSum


class Counting(Job):
    """Counts samples and adds up the inputs; remembers which threads mapped."""

    def __init__(self):
        self.threads = set()

    def map(self, block):
        self.threads.add(threading.get_ident())
        return {0: {"n": np.array([float(block.n_samples)]), "inputs": block.inputs.sum(axis=0)}}

    def reduce(self, key, total):
        return total["n"][0], total["inputs"]


class Failing(Counting):
    def map(self, block):
        if block.number == 5:
            raise ZeroDivisionError("block 5 is bad")
        return super().map(block)


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    inputs = generator.standard_normal((997, 3)) * 10.0 ** generator.integers(-8, 8, (997, 1))
    return nf.DataSet(inputs, inputs[:, :1], block_size=16)


@pytest.fixture
def pool_always(monkeypatch):
    """Hand over to the pool however small the work is."""
    monkeypatch.setattr(pace, "WORTH_A_HAND_OFF", 0.0)
    monkeypatch.setattr(pace, "LEAST_GAIN", 0.0)


@pytest.mark.usefixtures("pool_always")
@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_every_sample_is_counted_once(data, workers):
    n, inputs = nf.InProcessEngine(workers).run(Counting(), data.blocks)[0]
    assert n == data.n_samples
    np.testing.assert_allclose(inputs, data.inputs.sum(axis=0), rtol=1e-9)


@pytest.mark.usefixtures("pool_always")
def test_the_same_bits_in_twenty_runs_with_one_to_sixteen_workers(data):
    """Encog adds its workers' gradients in the order of their arrival."""
    expected = nf.InProcessEngine(1).run(Counting(), data.blocks)[0][1]
    for repeat in range(20):
        found = nf.InProcessEngine(1 + repeat % 16).run(Counting(), data.blocks)[0][1]
        assert found.tobytes() == expected.tobytes()


class Meeting(Counting):
    """Holds each thread at the first block that it takes until all have come; block 0 is timed alone."""

    def __init__(self, n_threads):
        super().__init__()
        self._all_here = threading.Barrier(n_threads, timeout=30)

    def map(self, block):
        if block.number == 0:
            return Counting().map(block)
        if threading.get_ident() not in self.threads:
            self.threads.add(threading.get_ident())
            self._all_here.wait()
        return super().map(block)


@pytest.mark.usefixtures("pool_always")
def test_as_many_threads_map_side_by_side_as_there_are_workers(data):
    """The caller is one of them."""
    job = Meeting(4)
    assert nf.InProcessEngine(4).run(job, data.blocks)[0][0] == data.n_samples
    assert len(job.threads) == 4
    assert threading.get_ident() in job.threads


@pytest.mark.usefixtures("pool_always")
def test_nobody_waits_for_a_pool_that_is_busy(data):
    """The caller maps what the pool does not get to."""
    engine, busy, over = nf.InProcessEngine(2), threading.Event(), threading.Event()

    def other_work():
        busy.set()
        over.wait(10)

    with engine:
        engine.run(Counting(), data.blocks)
        (helper,) = engine._submit(other_work, 1)
        busy.wait(10)
        job = Counting()
        assert engine.run(job, data.blocks)[0][0] == data.n_samples
        assert job.threads == {threading.get_ident()}
        assert helper.running()
        over.set()


def test_work_too_small_for_a_hand_off_stays_in_the_calling_thread(data, monkeypatch):
    monkeypatch.setattr(pace, "WORTH_A_HAND_OFF", 1e6)
    job = Counting()
    nf.InProcessEngine(4).run(job, data.blocks)
    assert job.threads == {threading.get_ident()}


@pytest.mark.usefixtures("pool_always")
@pytest.mark.parametrize("workers", [1, 4])
def test_a_failure_in_a_block_is_raised_and_names_the_block(data, workers):
    with pytest.raises(ZeroDivisionError) as caught:
        nf.InProcessEngine(workers).run(Failing(), data.blocks)
    assert caught.value.__notes__ == ["while mapping block 5 of 63 (16 samples)"]


@pytest.mark.usefixtures("pool_always")
def test_an_engine_works_again_after_a_failure_and_after_it_was_closed(data):
    engine = nf.InProcessEngine(2)
    with engine:
        with pytest.raises(ZeroDivisionError):
            engine.run(Failing(), data.blocks)
        assert engine.run(Counting(), data.blocks)[0][0] == data.n_samples
    assert engine.run(Counting(), data.blocks)[0][0] == data.n_samples


@pytest.mark.usefixtures("pool_always")
def test_several_threads_may_share_an_engine(data):
    engine, found = nf.InProcessEngine(2), []

    def run():
        found.extend(engine.run(Counting(), data.blocks)[0][1].tobytes() for _ in range(20))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert len(set(found)) == 1


def test_parts_cover_the_blocks_in_order_and_stay_within_dyadic_ranges():
    for n_blocks in (1, 2, 7, 64, 1000):
        for workers in (1, 2, 5):
            parts = nf.InProcessEngine(workers).parts(range(1, n_blocks))
            assert [b for part in parts for b in part] == list(range(1, n_blocks))
            length = max((len(part) for part in parts), default=1)
            assert all(part[0] // length == part[-1] // length for part in parts if len(part))


def test_blas_is_held_to_one_thread_while_the_engine_is_open_and_given_back_after():
    from threadpoolctl import threadpool_info

    def threads():
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    before = threads()
    outer, inner = nf.InProcessEngine(2), nf.InProcessEngine(2)
    with outer:
        with inner:
            assert set(threads()) == {1}
        assert set(threads()) == {1}
    assert threads() == before


def test_a_blas_library_that_was_loaded_after_the_first_training_is_held_too(monkeypatch):
    """Libraries are looked for again once there are more modules, and only then."""
    looked = []

    class Controller:
        def __init__(self):
            looked.append(self)

        def limit(self, **limits):
            return contextlib.nullcontext()

    monkeypatch.setattr(threadpoolctl, "ThreadpoolController", Controller)
    monkeypatch.setattr(SingleThreadedBlas, "_loaded", None)
    for expected in (1, 1):
        with nf.InProcessEngine(1):
            assert len(looked) == expected
    monkeypatch.setitem(sys.modules, "a_library_with_blas", sys)
    with nf.InProcessEngine(1):
        assert len(looked) == 2


def test_no_engine_without_workers():
    with pytest.raises(nf.ParameterError, match="workers"):
        nf.InProcessEngine(0)


def test_an_unknown_engine_lists_the_choices():
    with pytest.raises(nf.ChoiceError, match=r"'thread'.*threads"):
        make_engine("thread")


class Shuffling(nf.InProcessEngine):
    """Maps blocks in an order of its own, in shares of its own."""

    def here(self, kind, blocks):
        return None

    def __init__(self, seed):
        super().__init__(1)
        self._random = random.Random(seed)

    def _sum(self, job, blocks):
        order = list(range(len(blocks)))
        self._random.shuffle(order)
        cuts = sorted(self._random.choices(range(len(order)), k=5))
        shares = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
        self._random.shuffle(shares)
        total = PartialSum(job.combine)
        for share in shares:
            total.merge(map_blocks(job, blocks, share))
        return total


@pytest.mark.usefixtures("pool_always")
def test_the_final_weights_of_fifty_iterations_have_the_same_bits_on_any_workers_and_any_order():
    generator = np.random.default_rng(1)
    inputs = generator.standard_normal((777, 5))
    targets = np.eye(3)[generator.integers(0, 3, 777)]
    data = nf.DataSet(inputs, targets, block_size=32)
    engines = [nf.InProcessEngine(workers) for workers in (1, 2, 3, 16)]
    engines += [Shuffling(seed) for seed in range(3)]
    finals = set()
    for engine in engines:
        net = nf.MultilayerPerceptron(5, 9, 3, output="softmax", seed=3)
        net.learn(data, engine=engine, stop=nf.MaxIterations(50), decay=1e-3)
        finals.add(net.weights.tobytes())
    assert len(finals) == 1


def test_unequal_shards_give_the_true_gradient_not_an_average_of_averages():
    """Encog gives 1.696 instead of 0.942 on shards of unequal size; Spark MLlib averages blocks too."""
    generator = np.random.default_rng(2)
    inputs, targets = generator.standard_normal((101, 2)), generator.standard_normal((101, 1))
    net = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    whole = nf.error_and_gradient(net, nf.DataSet(inputs, targets, block_size=101))
    for block_size in (100, 64, 7, 1):
        parts = nf.error_and_gradient(net, nf.DataSet(inputs, targets, block_size=block_size))
        assert parts[0] == pytest.approx(whole[0], rel=1e-12)
        np.testing.assert_allclose(parts[1], whole[1], rtol=1e-10, atol=1e-14)


def test_validation_blocks_are_summed_in_the_same_job_and_apart():
    from neuralframe.kernels import make_kernel
    from neuralframe.mapreduce.evaluator import Evaluator

    generator = np.random.default_rng(3)
    x, y = generator.standard_normal((50, 2)), generator.standard_normal((50, 1))
    net = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    training, validation = nf.DataSet(x[:33], y[:33], block_size=8), nf.DataSet(x[33:], y[33:], block_size=8)
    blocks = Blocks.joined(training.blocks, validation.blocks)
    evaluator = Evaluator(nf.InProcessEngine(2), make_kernel("numpy", net.topology), blocks)
    (found,) = evaluator.evaluate(net.weights[None], np.array([True]))
    assert evaluator.n_jobs == 1
    assert found.error == nf.error_and_gradient(net, training)[0]
    assert found.validation_error == pytest.approx(nf.error_and_gradient(net, validation)[0], rel=1e-14)
    np.testing.assert_array_equal(found.gradient, nf.error_and_gradient(net, training)[1])


def test_a_job_that_lost_samples_is_found_out():
    from neuralframe.kernels import make_kernel
    from neuralframe.mapreduce.evaluator import Evaluator

    class Losing(nf.InProcessEngine):
        def run(self, job, blocks):
            return super().run(job, Blocks(*(blocks._parts[0],)))

    x = np.ones((20, 1))
    net = nf.Adaline(1, seed=0)
    blocks = Blocks.joined(nf.DataSet(x, x).blocks, nf.DataSet(x, x).blocks)
    evaluator = Evaluator(Losing(1), make_kernel("numpy", net.topology), blocks)
    with pytest.raises(nf.EngineError, match="20 samples; the data set has 40"):
        evaluator.evaluate(net.weights[None], np.array([False]))
