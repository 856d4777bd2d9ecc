"""Mini-batches: every block once in a pass, the gradient of exactly its samples, the same bits everywhere."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data.blocks import Samples
from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.learning.batch_gradient import BatchGradient, batch_gradient, batches
from neuralframe.mapreduce.sample_sum_job import SampleSumJob

N_BLOCKS = 5


class Ridge(nf.Objective):
    """Least squares on 23 samples in five blocks, with a penalty, by numpy alone."""

    n_weights, n_blocks, decay = 3, N_BLOCKS, 0.1

    def __init__(self):
        self.random = np.random.default_rng(7)
        self.start = np.array([0.5, -1.0, 2.0])
        random = np.random.default_rng(0)
        self.x, self.y = random.standard_normal((23, 3)), random.standard_normal(23)
        self.counts = np.ones(23)

    def rows(self, blocks):
        return np.concatenate([np.arange(5 * block, min(5 * block + 5, 23)) for block in blocks])

    def mean_gradient(self, weights, blocks):
        x, y, counts = (values[self.rows(blocks)] for values in (self.x, self.y, self.counts))
        return x.T @ (counts * (x @ weights - y)) / counts.sum() + self.decay * weights

    def value_and_gradient(self, weights):
        return self.value(weights), self.mean_gradient(weights, range(N_BLOCKS))

    def values(self, candidates):
        off = candidates @ self.x.T - self.y
        penalties = self.decay / 2 * np.sum(candidates**2, axis=1)
        return (off**2 @ self.counts) / (2 * self.counts.sum()) + penalties

    def totals(self, task, candidates):
        rows = self.rows([number for number in range(N_BLOCKS) if task.wants(0, number)])
        x, counts = self.x[rows], self.counts[rows]
        gradient = x.T @ (counts * (x @ candidates[0] - self.y[rows]))
        return [{"gradient": gradient, "samples": np.array([counts.sum(), len(rows)])}]

    def penalised(self, weights, error, gradient=None):
        return error + self.decay / 2 * weights @ weights, gradient + self.decay * weights

    def project(self, weights):
        return np.clip(weights, -1.5, 1.5)


@pytest.mark.parametrize("batch_blocks", [1, 2, 5, 9])
def test_a_pass_is_a_plain_loop_over_shuffled_blocks(batch_blocks):
    """Written down without jobs: means, the penalty in full, one rate a pass, projected after each update."""
    objective, weights, order = Ridge(), Ridge().start, np.random.default_rng(7)
    rule = nf.StochasticGradientDescent(0.1, batch_blocks=batch_blocks, schedule=nf.InverseTime(2))
    last = rule.start(objective, weights)
    for rate in (0.1, 0.1 / 1.5, 0.05):
        shuffled = order.permutation(N_BLOCKS)
        for first in range(0, N_BLOCKS, batch_blocks):
            batch = shuffled[first : first + batch_blocks]
            weights = objective.project(weights - rate * objective.mean_gradient(weights, batch))
        last = rule.step(objective, last)
    np.testing.assert_allclose(last.weights, weights, rtol=1e-13)
    assert last.error == objective.value(last.weights)
    updates = 3 * -(-N_BLOCKS // batch_blocks)
    assert (last.gradient, last.state.iterations, last.state.updates) == (None, 3, updates)


def test_the_mean_of_the_batches_is_the_whole_gradient():
    """Weighted by their samples, since the last block is smaller."""
    objective = Ridge()
    parts = [batch_gradient(objective, objective.start, (block,)) for block in range(N_BLOCKS)]
    mean = np.average(parts, axis=0, weights=[5, 5, 5, 5, 3])
    np.testing.assert_allclose(mean, objective.value_and_gradient(objective.start)[1], rtol=1e-13)


def test_a_batch_in_which_no_sample_counts_pulls_by_the_penalty_alone():
    """And makes no NaN."""
    objective = Ridge()
    objective.counts[5:10] = 0.0
    gradient = batch_gradient(objective, objective.start, (1,))
    np.testing.assert_allclose(gradient, 0.1 * objective.start)


@pytest.mark.parametrize("batch_blocks", [1, 2, 3, 7])
def test_each_pass_has_every_block_once_in_an_order_of_its_own(batch_blocks):
    """All batches but the last are of one size."""
    objective = Ridge()
    orders = [list(batches(objective, batch_blocks)) for _ in range(4)]
    for order in orders:
        assert sorted(number for batch in order for number in batch) == list(range(N_BLOCKS))
        assert all(len(batch) == min(batch_blocks, N_BLOCKS) for batch in order[:-1])
    assert len({str(order) for order in orders}) > 1


@attrs.frozen
class Recording(nf.MiniBatchRule):
    """Remembers where it took which gradient."""

    rate: float = 0.5

    def direction(self, weights, gradient, memory, update):
        return gradient, (*memory, weights, gradient)


def network():
    net = nf.MultilayerPerceptron(4, 5, 2, output="softmax", seed=1)
    net.layers[1].neurons[2].inputs[1].weight.frozen = True
    return net


@pytest.fixture
def data():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((74, 4))
    targets = np.eye(2)[(inputs[:, 0] * inputs[:, 1] > 0).astype(int)]
    return nf.DataSet(inputs, targets, sample_weights=random.uniform(0.1, 2.0, 74), block_size=16)


def learn(data, rule, n=3, **options):
    return network().learn(data, rule=rule, stop=nf.MaxIterations(n), seed=5, **options)


def test_the_gradient_of_a_batch_is_that_of_its_samples(data):
    """As found on each block alone, with the weights of samples, the penalty and a frozen weight."""
    run = learn(data, Recording(), n=2, decay=0.03)
    net, memory = network(), run.best.standing.state.memory
    free = net.parameters.free()
    found = []
    for weights, gradient in zip(memory[::2], memory[1::2], strict=True):
        net.weights[free] = weights
        for number in range(N_BLOCKS):
            rows = slice(16 * number, 16 * number + 16)
            part = nf.DataSet(data.inputs[rows], data.targets[rows], sample_weights=data.sample_weights[rows])
            expected = nf.error_and_gradient(net, part, decay=0.03)[1][free]
            if np.allclose(gradient, expected, rtol=1e-10, atol=1e-13):
                found.append(number)
    assert len(found) == 2 * N_BLOCKS
    assert sorted(found[:N_BLOCKS]) == sorted(found[N_BLOCKS:]) == list(range(N_BLOCKS))


RULES = [
    nf.StochasticGradientDescent(0.3, 0.9, nesterov=True, schedule=nf.InverseTime(2)),
    nf.Adam(0.02, batch_blocks=2),
    nf.AdamW(0.02),
    nf.RMSprop(0.01, momentum=0.5),
    nf.Adagrad(0.1, batch_blocks=3),
]


@pytest.mark.parametrize("rule", RULES[:3], ids=str)
@pytest.mark.parametrize("engine", [nf.InProcessEngine(2), "mrjob:inline"], ids=["two threads", "inline"])
def test_the_same_bits_on_any_engine_and_beside_another_session(data, rule, engine):
    validation = nf.DataSet(data.inputs[:20], data.targets[:20])
    alone = learn(data, rule, engine=nf.InProcessEngine(1), validation=validation)
    together = learn(data, rule, engine=engine, validation=validation, sessions=2)
    first = together.sessions[0]
    assert first.weights.tobytes() == alone.best.weights.tobytes()
    for one, other in zip(first.history, alone.history, strict=True):
        assert (one.error, one.validation_error) == (other.error, other.validation_error)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_goes_on_exactly_in_the_middle(data, rule, tmp_path):
    """With the same blocks in the same order as if nothing had happened."""
    whole = learn(data, rule, n=6)

    def interrupt(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == 2:
            event.control.stop("interrupted")

    learn(data, rule, n=6, checkpoint=tmp_path / "run", listeners=interrupt)
    resumed = nf.resume(tmp_path / "run", data)
    assert resumed.network.weights.tobytes() == whole.network.weights.tobytes()
    assert [record.error for record in resumed.history] == [record.error for record in whole.history]


def test_only_the_blocks_of_the_batch_are_read(data, monkeypatch):
    """In a pass each block is read once for its batch and once for the error at the end."""
    read = []
    block = Samples.block

    def reading(self, index, number):
        read.append(number)
        return block(self, index, number)

    monkeypatch.setattr(Samples, "block", reading)
    run = learn(data, nf.Adam(), n=2)
    by_pass = np.array(read[-4 * N_BLOCKS :]).reshape(4, N_BLOCKS)
    assert [sorted(row) for row in by_pass.tolist()] == [list(range(N_BLOCKS))] * 4
    assert run.jobs == 1 + 2 * (N_BLOCKS + 1)


def test_a_job_wants_the_blocks_of_all_its_batches():
    """Two sessions with batches of their own: each is mapped on its blocks alone."""
    net, weights = network(), np.zeros((2, len(network().weights)))
    tasks = BatchGradient((1, 3)), BatchGradient(np.array([3]))
    job = SampleSumJob(NumpyKernel(net.topology), tasks, (1, 1), weights)
    assert [number for number in range(N_BLOCKS) if job.wants(number)] == [1, 3]
    inputs = np.zeros((4, 4))
    blocks = nf.DataSet(inputs, np.eye(2)[[0, 1, 0, 1]], block_size=1).blocks
    assert [sorted(job.map(block)) for block in blocks] == [[], [0], [], [0, 1]]


def test_all_blocks_at_once_is_plain_gradient_descent(data):
    """The same bits as `GradientDescent`, and a job for each iteration."""
    one = learn(data, nf.StochasticGradientDescent(0.3, batch_blocks=None), n=5)
    other = learn(data, nf.GradientDescent(0.3), n=5)
    assert one.network.weights.tobytes() == other.network.weights.tobytes()
    assert one.jobs == other.jobs == 6
    assert [a.gradient_norm for a in one.history] == [a.gradient_norm for a in other.history]


def longest(weights):
    """Return the largest norm of the weights that lead into a neuron, frozen ones not counted."""
    net = network()
    net.weights[net.parameters.free()] = weights
    fan_ins = [
        [link.weight for link in neuron.inputs] for layer in net.layers[1:] for neuron in layer.neurons
    ]
    return max(np.linalg.norm([one.value for one in fan_in if not one.frozen]) for fan_in in fan_ins)


def test_one_block_is_said_to_be_no_mini_batch():
    """Only then, and not where the whole set was asked for."""
    inputs = np.random.default_rng(0).standard_normal((20, 4))
    for block_size, batch_blocks, said in ((64, 1, True), (64, None, False), (10, 1, False)):
        data = nf.DataSet(inputs, np.eye(2)[[0, 1] * 10], block_size=block_size)
        run = learn(data, nf.Adam(batch_blocks=batch_blocks), n=1)
        assert [note.partition(":")[0] for note in run.notes] == ["mini-batches"] * said


def test_weights_are_kept_inside_the_limit_after_every_update(data):
    """Max-norm: no gradient is taken, and nothing returned, where a neuron's weights are too long."""
    last = learn(data, Recording(2.0), max_norm=1.7).best.standing
    assert max(map(longest, [*last.state.memory[2::2], last.weights])) <= 1.7 + 1e-12
    unlimited = learn(data, Recording(2.0)).best.standing
    assert longest(unlimited.state.memory[2]) > 1.7, "the first update is long enough to need the limit"


@pytest.mark.filterwarnings("ignore:training diverged")
def test_a_wild_rate_ends_as_divergence(data):
    """Without warnings on the way, and with the weights as they stood before."""
    run = learn(data, nf.StochasticGradientDescent(1e200, 0.9), decay=1.0)
    assert run.best.diverged
    assert np.isfinite(run.network.weights).all()


def test_mini_batches_learn_more_in_a_pass():
    """On 2000 samples in 40 blocks: ten passes by mini-batches lead further than ten by whole gradients."""
    random = np.random.default_rng(2)
    inputs = random.standard_normal((2000, 4))
    targets = np.eye(2)[(inputs[:, 0] * inputs[:, 1] > 0).astype(int)]
    data = nf.DataSet(inputs, targets, block_size=50)
    errors = {
        batch_blocks: [
            learn(data, rule(batch_blocks=batch_blocks), n=10).error
            for rule in (
                lambda **by: nf.StochasticGradientDescent(0.3, 0.9, **by),
                lambda **by: nf.Adam(0.01, **by),
                lambda **by: nf.RMSprop(0.01, **by),
                lambda **by: nf.Adagrad(0.1, **by),
            )
        ]
        for batch_blocks in (1, None)
    }
    assert (np.array(errors[1]) < 0.7 * np.array(errors[None])).all()
