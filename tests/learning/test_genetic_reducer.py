"""The genetic reducer on networks: local training against a loop written out, and what it promises."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.learning.local_training import LocalTraining
from tests.contracts.problems import Rosenbrock, steps

EXAMPLE = Path(nf.__file__).parents[1] / "examples" / "digits_genetic.py"


def data(n=60, block_size=15, *, weighted=False):
    random = np.random.default_rng(0)
    weights = random.integers(0, 3, n).astype(float) if weighted else None
    return nf.DataSet(
        random.standard_normal((n, 3)), np.eye(2)[random.integers(0, 2, n)], weights, block_size=block_size
    )


def network(seed=0):
    return nf.MultilayerPerceptron(3, 4, 2, output="softmax", seed=seed)


def training(n_weights, **changes):
    plain = {"individuals": 2, "blocks": 4, "epochs": 2, "rate": 0.3, "batch_size": 4, "seed": 5}
    return LocalTraining(**(plain | {"generation": 1, "decay": np.zeros(n_weights)} | changes))


def trained_by_hand(net, block, task, decay, frozen=()):
    """Train a copy of a network by asking for one gradient after another, as a user would."""
    copy = network()
    copy.weights[:] = net.weights
    kept = copy.weights[list(frozen)].copy()
    for epoch in range(task.epochs):
        order = np.random.default_rng((task.seed, task.generation, epoch, block.number)).permutation(
            block.n_samples
        )
        for start in range(0, len(order), task.batch_size):
            rows = order[start : start + task.batch_size]
            weights = None if block.sample_weights is None else block.sample_weights[rows]
            if weights is not None and not weights.any():
                continue
            batch = nf.DataSet(block.inputs[rows], block.targets[rows], weights)
            _, gradient = nf.error_and_gradient(copy, batch, decay=decay)
            copy.weights[:] -= task.rate * gradient
            copy.weights[list(frozen)] = kept
    return copy.weights


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_local_training_is_plain_mini_batch_descent(weighted, decay):
    """Mean gradients of weighted samples, weight decay on all but biases, epochs shuffled by themselves."""
    net, blocks = network(), data(weighted=weighted).blocks
    curvature = nf.ElasticNet(decay).curvature(net.weights, net.topology.is_bias)
    task = training(len(net.weights), decay=curvature)
    kernel = make_kernel("numpy", net.topology)
    found = task.terms(kernel, net.weights, blocks[2], row=0, free=None)["weights"] / blocks[2].n_samples
    np.testing.assert_allclose(found, trained_by_hand(net, blocks[2], task, decay), rtol=1e-12, atol=1e-14)


def test_local_training_leaves_frozen_weights_alone():
    net, block = network(), data().blocks[0]
    frozen = [0, 5, 20]
    free = np.setdiff1d(np.arange(len(net.weights)), frozen)
    task = training(len(free))
    kernel = make_kernel("numpy", net.topology)
    found = task.terms(kernel, net.weights, block, row=1, free=free)["weights"] / block.n_samples
    expected = trained_by_hand(net, block, task, 0.0, frozen)
    np.testing.assert_allclose(found, expected[free], rtol=1e-12, atol=1e-14)


def test_the_given_weights_are_not_changed():
    net, block = network(), data().blocks[0]
    before = net.weights.copy()
    training(len(before)).terms(make_kernel("numpy", net.topology), net.weights, block, row=0, free=None)
    assert np.array_equal(net.weights, before)


@pytest.mark.parametrize(("individuals", "blocks"), [(1, 5), (2, 5), (3, 7), (5, 5), (8, 5), (32, 3)])
def test_splits(individuals, blocks):
    """Each individual has a run of neighbouring blocks, none is empty, and all blocks are used."""
    task = training(1, individuals=individuals, blocks=blocks)
    splits = [[b for b in range(blocks) if task.wants(row, b)] for row in range(individuals)]
    assert all(split == list(range(split[0], split[-1] + 1)) for split in splits)
    assert sorted({b for split in splits for b in split}) == list(range(blocks))
    if individuals <= blocks:
        assert sum(map(len, splits)) == blocks


@pytest.mark.parametrize("weighted", [False, True])
def test_an_individual_is_the_mean_of_its_blocks(monkeypatch, weighted):
    """Six blocks, three individuals: each is trained on two blocks apart, and averaged by their samples.

    By their number, whatever their weights.
    """
    seen, candidates = [], nf.GeneticReducer._candidates

    def recorded(rule, objective, population):
        seen.append((population.individuals, candidates(rule, objective, population)))
        return seen[-1][1]

    monkeypatch.setattr(nf.GeneticReducer, "_candidates", recorded)
    rule = nf.GeneticReducer(3, local_rate=0.3, batch_size=7)
    samples = data(85, weighted=weighted)
    run = network().learn(samples, rule=rule, stop=nf.MaxIterations(1), seed=0)
    ((individuals, (elite, *trained)),) = seen
    assert np.array_equal(elite, network().weights)
    seed = run.best.standing.state.seed
    task = training(len(elite), individuals=3, blocks=6, epochs=1, batch_size=7, generation=0, seed=seed)
    for k, sizes in enumerate([(15, 15), (15, 15), (15, 10)]):
        net = network()
        net.weights[:] = individuals[k]
        copies = [trained_by_hand(net, samples.blocks[number], task, 0.0) for number in (2 * k, 2 * k + 1)]
        np.testing.assert_allclose(
            trained[k], np.average(copies, axis=0, weights=sizes), rtol=1e-12, atol=1e-14
        )


@pytest.mark.parametrize("crossover", nf.Crossover.members())
def test_the_error_never_rises_and_is_what_it_is_said_to_be(crossover):
    net = network()
    rule = nf.GeneticReducer(crossover=crossover, local_rate=0.5, mutation=0.5)
    run = net.learn(data(), rule=rule, decay=0.01, stop=nf.MaxIterations(12), seed=3)
    errors = [record.error for record in run.history]
    assert all(np.diff(errors) <= 0)
    assert errors[-1] < errors[0]
    assert nf.error_and_gradient(net, data(), decay=0.01)[0] == errors[-1]


def test_generations_count_on_and_mutation_anneals(monkeypatch):
    """Each generation draws by its own number, and changes children less than the one before."""
    seen = []

    def concluded(objective, candidates, conclusion):
        seen.append(conclusion)
        return np.ones(len(candidates)), {"population": candidates}

    objective = Rosenbrock()
    monkeypatch.setattr(Rosenbrock, "concluded", concluded)
    steps(nf.GeneticReducer(4, local_epochs=0, mutation=0.8, annealing=0.5, survivors=0.7), objective, 3)
    assert [one.generation for one in seen] == [0, 1, 2]
    assert [one.mutation for one in seen] == [0.8, 0.4, 0.2]
    assert len({one.seed for one in seen}) == 1
    assert {(one.size, one.elite, one.survivors) for one in seen} == {(4, 1, 3)}


def test_a_generation_is_two_jobs_or_one_without_local_training():
    for epochs, jobs in ((2, 11), (0, 6)):
        rule = nf.GeneticReducer(local_epochs=epochs)
        assert network().learn(data(), rule=rule, stop=nf.MaxIterations(5), seed=0).jobs == jobs


def test_several_sessions_share_jobs_and_do_not_disturb_each_other():
    """The first session of three is the same as alone."""
    rule = nf.GeneticReducer(local_rate=0.2)
    runs = [network().learn(data(), rule=rule, stop=nf.MaxIterations(4), sessions=n, seed=7) for n in (1, 3)]
    assert runs[1].jobs == runs[0].jobs == 9
    assert np.array_equal(runs[0].sessions[0].weights, runs[1].sessions[0].weights)
    assert len({session.weights.tobytes() for session in runs[1].sessions}) == 3


def test_frozen_weights_stay():
    net = network()
    net.layers[1].freeze()
    before = net.weights.copy()
    rule = nf.GeneticReducer(local_rate=0.5, mutation=0.5, mutation_share=1.0)
    run = net.learn(data(), rule=rule, stop=nf.MaxIterations(5), seed=2)
    changed = net.weights != before
    assert not changed[:16].any()
    assert changed[16:].all()
    assert run.error < run.history[0].error


def test_the_population_is_as_large_as_the_data_has_blocks():
    """But from 4 to 32."""
    for n, expected in ((75, 5), (15, 4), (600, 32)):
        run = network().learn(data(n), rule="genetic_reducer", stop=nf.MaxIterations(0), seed=0)
        assert len(run.best.standing.state.individuals) == expected


def test_a_training_that_was_interrupted_goes_on_in_the_same_bits(tmp_path):
    rule = nf.GeneticReducer(local_rate=0.3)
    whole, halves = network(), network()
    whole.learn(data(), rule=rule, stop=nf.MaxIterations(6), seed=4)
    stopping = nf.TrainingControl()

    def interrupt(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == 3:
            stopping.stop()

    halves.learn(
        data(),
        rule=rule,
        stop=nf.MaxIterations(6),
        seed=4,
        checkpoint=tmp_path / "run",
        control=stopping,
        listeners=interrupt,
    )
    resumed = nf.resume(tmp_path / "run", data=data())
    assert resumed.iterations == 6
    assert np.array_equal(resumed.network.weights, whole.weights)


@pytest.mark.parametrize("population", [2, 4])
@pytest.mark.parametrize("rate", [1e250, 1e307])
def test_wild_individuals_die_out(population, rate):
    """At an absurd rate trained weights overflow; the elite carries on, and the error stays finite."""
    net = network()
    rule = nf.GeneticReducer(population, local_rate=rate, batch_size=2)
    run = net.learn(data(), rule=rule, stop=nf.MaxIterations(5), seed=0)
    assert np.isfinite([record.error for record in run.history]).all()
    assert np.isfinite(net.weights).all()


def test_it_keeps_to_max_norm():
    """What feeds a neuron never grows beyond it, in the best and in the whole population."""
    net = network()
    rule = nf.GeneticReducer(local_rate=3.0, mutation=1.0, mutation_share=1.0)
    run = net.learn(data(), rule=rule, max_norm=0.7, stop=nf.MaxIterations(4), seed=0)
    for weights in (net.weights, *run.best.standing.state.individuals):
        assert np.linalg.norm(weights[:12].reshape(4, 3), axis=1).max() <= 0.7 + 1e-12
    wild = nf.GeneticReducer(local_rate=1e307)
    assert np.isfinite(
        network().learn(data(), rule=wild, max_norm=0.7, stop=nf.MaxIterations(2), seed=0).error
    )


def test_it_needs_an_objective_with_samples():
    objective = Rosenbrock()
    rule = nf.GeneticReducer()
    with pytest.raises(nf.LearningRuleError, match="Rosenbrock"):
        rule.step(objective, rule.start(objective, objective.start))


@pytest.mark.parametrize(
    "bad",
    [
        {"population": 1}, {"population": 3, "elite": 3}, {"elite": 0}, {"local_epochs": -1},
        {"local_rate": 0}, {"batch_size": 0}, {"mutation": -1}, {"mutation_share": 1.1}, {"annealing": 0},
        {"annealing": 1.1}, {"survivors": 0}, {"crossover": "none"},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(bad):
    with pytest.raises((nf.ParameterError, nf.ChoiceError)):
        nf.GeneticReducer(**bad)


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the examples are not beside the package")
def test_the_example_runs(monkeypatch, capsys):
    """Two individuals, four passes, one seed: every contender appears in both tables."""
    for package in ("sklearn", "rich"):
        pytest.importorskip(package)
    monkeypatch.setattr(sys, "argv", ["digits_genetic.py", "--seeds=1", "--passes=4", "--population=2"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    printed = capsys.readouterr().out
    for name in ("genetic reducer", "gradient descent", "2 restarts of iRprop-", "averaged every pass"):
        assert printed.count(name) == 2


def test_two_parents_at_least_even_where_the_data_are_one_block():
    """A parent alone would have clones only."""
    data = nf.DataSet(np.eye(6), np.eye(6)[:, :1], block_size=6)
    rule = nf.GeneticReducer(survivors=0.1, mutation_share=0)
    kinds = set()
    for seed in range(10):
        run = nf.MultilayerPerceptron(6, 2, 1, seed=0).learn(
            data, rule=rule, stop=nf.MaxIterations(1), seed=seed
        )
        individuals = run.sessions[0].standing.state.individuals
        assert len(individuals) == 4
        kinds.add(len(np.unique(individuals, axis=0)))
    assert max(kinds) == 4
