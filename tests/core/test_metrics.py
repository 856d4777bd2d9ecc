"""Metrics of the validation part, from the same jobs as the gradient."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf

METRICS = ("accuracy", "root_mean_squared_error", "mean_absolute_error")


def data(n, n_classes=3, seed=0, weighted=False):
    rng = np.random.default_rng(seed)
    targets = (
        np.eye(n_classes)[rng.integers(0, n_classes, n)] if n_classes > 1 else rng.integers(0, 2, (n, 1))
    )
    weights = rng.uniform(0.5, 2, n) if weighted else None
    return nf.DataSet(rng.normal(size=(n, 4)), targets, weights, block_size=32)


@pytest.mark.parametrize("n_classes", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("engine", ["threads", "mrjob:inline"])
def test_metrics_of_every_iteration_are_those_of_the_whole_validation_set(n_classes, weighted, engine):
    """The oracle computes them in one piece, and by scikit-learn where it is installed."""
    watched = data(100, n_classes, seed=1, weighted=weighted)
    net = nf.MultilayerPerceptron(4, 5, n_classes, output="sigmoid" if n_classes == 1 else "softmax", seed=0)
    run = net.learn(
        data(300, n_classes), validation=watched, metrics=METRICS, engine=engine, stop=nf.MaxIterations(3)
    )
    outputs, weights = net(watched.inputs), watched.sample_weights
    weights = np.ones(100) if weights is None else weights
    if n_classes == 1:
        right = (outputs > 0.5)[:, 0] == (watched.targets > 0.5)[:, 0]
    else:
        right = outputs.argmax(axis=1) == watched.targets.argmax(axis=1)
    misses = outputs - watched.targets
    found = run.history[-1].metrics
    assert found["accuracy"] == pytest.approx(np.average(right, weights=weights), rel=1e-12)
    expected = np.sqrt(np.average((misses**2).mean(axis=1), weights=weights))
    assert found["root_mean_squared_error"] == pytest.approx(expected, rel=1e-12)
    expected = np.average(np.abs(misses).mean(axis=1), weights=weights)
    assert found["mean_absolute_error"] == pytest.approx(expected, rel=1e-12)
    try:
        from sklearn.metrics import accuracy_score
    except ImportError:
        return
    truth = watched.targets[:, 0] if n_classes == 1 else watched.targets.argmax(axis=1)
    answer = (outputs > 0.5)[:, 0] if n_classes == 1 else outputs.argmax(axis=1)
    expected = accuracy_score(truth, answer, sample_weight=weights)
    assert found["accuracy"] == pytest.approx(expected, rel=1e-12)


def test_metrics_change_no_bit_of_what_is_learnt():
    with_metrics, without = (nf.MultilayerPerceptron(4, 5, 3, seed=0) for _ in range(2))
    with_metrics.learn(data(200), validation=0.3, metrics=METRICS, stop=nf.MaxIterations(5), seed=1)
    without.learn(data(200), validation=0.3, stop=nf.MaxIterations(5), seed=1)
    np.testing.assert_array_equal(with_metrics.weights, without.weights)


def test_the_history_has_a_column_for_each_metric(tmp_path):
    net = nf.MultilayerPerceptron(4, 5, 3, seed=0)
    run = net.learn(data(200), validation=0.3, metrics="accuracy", stop=nf.MaxIterations(4), seed=1)
    assert run.history.column("accuracy").shape == (5,)
    assert "accuracy" in str(run.history[-1])
    run.history.to_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0].endswith("seconds,accuracy")
    assert float(lines[-1].split(",")[-1]) == run.history[-1].metrics["accuracy"]


def test_a_resumed_training_has_the_metrics_of_an_undisturbed_one(tmp_path):
    undisturbed, net = (nf.MultilayerPerceptron(4, 5, 3, seed=0) for _ in range(2))
    options = {"validation": 0.3, "metrics": "accuracy", "seed": 1}
    expected = undisturbed.learn(data(200), stop=nf.MaxIterations(9), **options)
    net.learn(data(200), stop=nf.MaxIterations(4), checkpoint=tmp_path / "run", **options)
    run = nf.resume(tmp_path / "run", data(200), stop=nf.MaxIterations(9))
    np.testing.assert_array_equal(run.history.column("accuracy"), expected.history.column("accuracy"))


def test_a_metric_of_the_users_own_is_summed_like_any_other():
    @attrs.frozen
    class Bias(nf.Metric):
        def sums(self, outputs, targets, sample_weights):
            return np.array([sample_weights @ (outputs - targets)[:, 0], sample_weights.sum()])

        def value(self, total):
            return total[0] / total[1]

    watched = data(100, seed=2)
    net = nf.MultilayerPerceptron(4, 5, 3, seed=0)
    run = net.learn(data(200), validation=watched, metrics=Bias(), stop=nf.MaxIterations(2))
    expected = (net(watched.inputs) - watched.targets)[:, 0].mean()
    assert run.history[-1].metrics["bias"] == pytest.approx(expected, rel=1e-12)


def test_the_same_metric_twice_and_unknown_ones_are_refused():
    net = nf.MultilayerPerceptron(4, 5, 3, seed=0)
    with pytest.raises(nf.ParameterError, match="each may be given once"):
        net.learn(data(50), metrics=["accuracy", nf.Accuracy()])
    with pytest.raises(nf.ChoiceError, match="Did you mean 'accuracy'"):
        net.learn(data(50), metrics="acuracy")


def test_without_a_validation_part_there_are_no_metrics():
    net = nf.MultilayerPerceptron(4, 5, 3, seed=0)
    assert net.learn(data(50), metrics="accuracy", stop=nf.MaxIterations(1)).history[-1].metrics == {}
