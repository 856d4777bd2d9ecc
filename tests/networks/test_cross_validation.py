"""Cross-validation: nothing of a fold is known to its networks, and the figures are those of other hands."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.data.normalizers import Standardizer
from neuralframe.networks.cross_validation import cross_validate

SHORT = {"stop": nf.MaxIterations(12)}


def make(training, seed):
    return nf.MultilayerPerceptron.for_data(training, 3, seed=seed)


@pytest.fixture
def classes():
    """Return 60 samples of three classes of different sizes, in units far from 1."""
    random = np.random.default_rng(0)
    which = random.permutation(np.repeat([0, 1, 2], [30, 18, 12]))
    inputs = random.normal(50.0, 10.0, size=(60, 3)) + 12 * np.eye(3)[which]
    return nf.DataSet(inputs, np.array(["a", "b", "c"])[which])


@pytest.fixture
def numbers():
    """Return 40 samples of one number, in units far from 1."""
    random = np.random.default_rng(1)
    inputs = random.normal(50.0, 10.0, size=(40, 2))
    return nf.DataSet(inputs, 1000 + 20 * inputs[:, 0] + random.normal(size=40))


def test_a_fold_is_what_one_would_do_by_hand(classes):
    """Rows, normalizer, network, training and answers; in every fold of every repeat."""
    found = cross_validate(make, classes, folds=4, repeats=2, **SHORT)
    for fold in found.folds:
        training = classes.rows(fold.training_rows).normalized("standardizer")
        network = make(training, fold.seeds[0])
        network.learn(training, seed=fold.seeds[0], progress=False, **SHORT)
        test = classes.rows(fold.test_rows)
        answers = network.probabilities(test)
        np.testing.assert_array_equal(fold.networks[0].weights, network.weights)
        np.testing.assert_array_equal(found.probabilities[fold.repeat][fold.test_rows], answers)
        np.testing.assert_array_equal(found.predictions[fold.repeat][fold.test_rows], network.predict(test))
        assert fold.report.error == pytest.approx(nf.evaluate(network, test).error)


def test_every_sample_is_tested_once_in_each_repeat(classes):
    """By networks that learned from all the others, and from it not."""
    found = cross_validate(make, classes, folds=7, repeats=2, **SHORT)
    for repeat in range(2):
        folds = [fold for fold in found.folds if fold.repeat == repeat]
        assert [fold.number for fold in folds] == list(range(7))
        assert sorted(np.concatenate([fold.test_rows for fold in folds])) == list(range(60))
    for fold in found.folds:
        assert sorted(np.concatenate([fold.training_rows, fold.test_rows])) == list(range(60))
    assert not np.array_equal(found.folds[0].test_rows, found.folds[7].test_rows)


def test_normalizers_are_fitted_inside_the_fold(classes):
    """They are those of the fold's training samples, which all samples together would change."""
    found = cross_validate(make, classes, folds=3, **SHORT)
    outside = Standardizer().fit(classes.inputs)
    for fold in found.folds:
        used = fold.networks[0].encoding.input_normalizer
        inside = Standardizer().fit(classes.inputs[fold.training_rows])
        np.testing.assert_array_equal(used.center, inside.center)
        np.testing.assert_array_equal(used.scale, inside.scale)
        assert not np.allclose(used.center, outside.center, rtol=1e-4)


@pytest.mark.parametrize("together", [True, False])
def test_no_number_of_a_test_sample_reaches_the_networks_that_are_tested_on_it(numbers, together):
    """However wild it is: had a normalizer seen it, their weights would be others."""
    options = {"folds": 4, "target_normalizer": "standardizer", "together": together, **SHORT}
    before = cross_validate(make, numbers, **options)
    inputs, targets = numbers.inputs.copy(), numbers.targets.copy()
    inputs[5], targets[5] = 1e6, -1e7
    after = cross_validate(make, nf.DataSet(inputs, targets), **options)
    for fold, other in zip(before.folds, after.folds, strict=True):
        same = np.array_equal(fold.networks[0].weights, other.networks[0].weights)
        assert same == (5 in fold.test_rows)


def test_gaps_are_filled_inside_the_fold(tmp_path):
    """From the training samples; the whole file's median would be another."""
    random = np.random.default_rng(0)
    rows = [f"{x if i % 6 else '?'},{i % 2}" for i, x in enumerate(random.exponential(size=36))]
    path = tmp_path / "gaps.csv"
    path.write_text("\n".join(["x,kind", *rows]) + "\n", encoding="utf-8")
    data = nf.DataSet.from_csv(path, "kind", task="classification", missing="median")
    found = cross_validate(make, data, folds=4, **SHORT)
    fills = set()
    for fold in found.folds:
        known = [float(rows[row].split(",")[0]) for row in fold.training_rows if row % 6]
        (column,) = fold.networks[0].encoding.columns
        assert column.fill == np.median(known)
        asked = nf.DataSet.from_csv(path, encoding=fold.networks[0].encoding).rows(fold.test_rows)
        answers = fold.networks[0].probabilities(asked)
        np.testing.assert_allclose(found.probabilities[0][fold.test_rows], answers)
        fills.add(column.fill)
    assert len(fills) > 1
    data.pack(tmp_path / "packed.nfd")
    with pytest.raises(nf.DataError, match="do not tell which they are"):
        cross_validate(make, nf.DataSet.open(tmp_path / "packed.nfd"), folds=4, **SHORT)


@pytest.mark.parametrize(
    "options",
    [{}, {"ensemble": 3}, {"validation": 0.2}, {"sessions": 2, "rule": "scaled_conjugate_gradient"}],
)
def test_side_by_side_gives_the_same_bits(classes, options):
    """As one by one: each fold's training samples are one block."""
    first, second = (
        cross_validate(make, classes, folds=3, together=together, **options, **SHORT)
        for together in (False, True)
    )
    np.testing.assert_array_equal(first.outputs, second.outputs)
    assert str(first) == str(second)


def test_an_engine_of_expensive_jobs_runs_as_few_as_one_training(classes):
    """Unless told otherwise."""

    class Expensive(nf.InProcessEngine):
        name = "expensive"
        jobs = 0

        def run(self, job, blocks):
            self.jobs += 1
            return super().run(job, blocks)

    engines = Expensive(1), Expensive(1)
    found = cross_validate(make, classes, folds=5, engine=engines[0], **SHORT)
    cross_validate(make, classes, folds=5, engine=engines[1], together=False, **SHORT)
    assert engines[0].jobs == max(run.jobs for fold in found.folds for run in fold.runs) == 13
    assert engines[1].jobs == 5 * 13


def test_large_data_are_not_copied_for_every_fold_on_threads(classes, monkeypatch):
    """Folds are then prepared and trained one after the other."""
    import neuralframe.networks.cross_validation as module

    expected = cross_validate(make, classes, folds=3, **SHORT)
    monkeypatch.setattr(module, "train_together", None)
    monkeypatch.setattr(module, "MOST_COPIED", classes.inputs.nbytes)
    np.testing.assert_array_equal(cross_validate(make, classes, folds=3, **SHORT).outputs, expected.outputs)


def test_many_networks_are_trained_some_at_a_time(classes, monkeypatch):
    """Each has a thread."""
    import neuralframe.networks.cross_validation as module

    expected = cross_validate(make, classes, folds=5, ensemble=2, **SHORT)
    monkeypatch.setattr(module, "MOST_AT_ONCE", 4)
    found = cross_validate(make, classes, folds=5, ensemble=2, **SHORT)
    np.testing.assert_array_equal(found.outputs, expected.outputs)


def test_everything_repeats_from_the_seed(classes):
    """Folds, weights, answers; another seed changes all of them."""
    first, again, other = (cross_validate(make, classes, folds=3, seed=seed, **SHORT) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.outputs, again.outputs)
    assert first.seeds == again.seeds
    assert len({*first.seeds, *other.seeds}) == 6
    assert not np.array_equal(first.folds[0].test_rows, other.folds[0].test_rows)


def test_folds_are_stratified_where_there_are_classes(classes, numbers):
    """Each has its share, to one sample."""
    found = cross_validate(make, classes, folds=4, **SHORT)
    counts = [np.bincount(classes.classes[rows], minlength=3) for rows in found.test_rows]
    assert found.stratified
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert not cross_validate(make, numbers, folds=4, **SHORT).stratified
    assert not cross_validate(make, classes, folds=4, stratified=False, **SHORT).stratified


def test_a_rare_class_is_named(classes):
    """Before anything is trained."""
    with pytest.raises(nf.DataError, match=r"class 'c' has 12 sample.* too few for 13 folds"):
        cross_validate(make, classes, folds=13)


def test_one_is_left_out(numbers):
    """As many folds as samples; what means nothing for one sample is NaN there and pooled all the same."""
    found = cross_validate(make, numbers, folds="leave-one-out", target_normalizer="standardizer", **SHORT)
    assert found.n_folds == 40
    assert np.isnan(found.score("R2").mean)
    errors = found.outputs[0, :, 0] - numbers.targets[:, 0]
    assert found.score("RMSE").pooled_mean == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert found.score("MAE").mean == pytest.approx(np.abs(errors).mean())


def test_an_ensemble_answers_with_the_mean(classes, numbers):
    """Of probabilities, or of numbers in their own units."""
    for data, options in ((classes, {}), (numbers, {"target_normalizer": "min_max_scaler"})):
        found = cross_validate(make, data, folds=3, ensemble=3, **options, **SHORT)
        fold = found.folds[1]
        test = data.rows(fold.test_rows)
        outputs = [
            network.probabilities(test) if data is classes else network.predict(test)
            for network in fold.networks
        ]
        assert len({*fold.seeds}) == 3
        np.testing.assert_allclose(found.outputs[0][fold.test_rows], np.mean(outputs, axis=0))
        together = nf.evaluate(fold.networks, test)
        assert together.scores == fold.report.scores
        assert together.error == pytest.approx(
            np.mean([nf.evaluate(net, test).error for net in fold.networks])
        )


def test_scores_are_those_of_scikit_learn(classes):
    """Over all samples at once, and by fold."""
    metrics = pytest.importorskip("sklearn.metrics")
    found = cross_validate(make, classes, folds=5, repeats=2, **SHORT)
    true = np.array(classes.class_labels)[classes.classes]
    for repeat in range(2):
        report, given = found.reports[repeat], found.probabilities[repeat]
        assert report.accuracy == pytest.approx(metrics.accuracy_score(true, found.predictions[repeat]))
        assert report.auc == pytest.approx(metrics.roc_auc_score(true, given, multi_class="ovr"))
        assert report.scores["log loss"] == pytest.approx(metrics.log_loss(true, given))
        assert report.error == pytest.approx(report.scores["log loss"])
    accuracy = found.score("accuracy")
    by_fold = [metrics.accuracy_score(true[fold.test_rows], found.predictions[fold.repeat][fold.test_rows])
               for fold in found.folds]  # fmt: skip
    np.testing.assert_allclose(accuracy.by_fold, by_fold)
    assert accuracy.mean == pytest.approx(np.mean(by_fold))
    assert accuracy.standard_error == pytest.approx(np.sqrt((1 / 10 + 12 / 48) * np.var(by_fold, ddof=1)))
    assert found.right.mean() == pytest.approx(accuracy.pooled_mean)
    assert found.majority_share == 0.5


def test_constant_answers_are_those_of_the_training_samples(numbers):
    """The mean for RMSE, the median for MAE, each without the fold itself."""
    found = cross_validate(make, numbers, folds=4, target_normalizer="standardizer", **SHORT)
    squares, distances = [], []
    for fold in found.folds:
        learnt, asked = numbers.targets[fold.training_rows], numbers.targets[fold.test_rows]
        squares.extend((asked - learnt.mean()) ** 2)
        distances.extend(np.abs(asked - np.median(learnt)))
    assert found.constant == pytest.approx({"RMSE": np.sqrt(np.mean(squares)), "MAE": np.mean(distances)})
    assert np.isnan(found.majority_share)
    assert found.right is None
    assert found.default_metric == "RMSE"
    assert found.score("RMSE").mean < found.constant["RMSE"]


def test_several_targets_are_told_apart():
    """In scores and constant answers."""
    random = np.random.default_rng(0)
    data = nf.DataSet(random.normal(size=(20, 2)), random.normal(size=(20, 2)))
    found = cross_validate(make, data, folds=2, **SHORT)
    assert set(found.constant) == {f"{one} of target {i}" for one in ("RMSE", "MAE") for i in (1, 2)}
    assert set(found.constant) < set(found.scores)
    assert found.default_metric == "RMSE of target 1"
    with pytest.raises(nf.ChoiceError, match="RMSE of target 2"):
        found.score("RMSE")


def test_the_error_of_all_counts_sample_weights(classes):
    """Folds weigh as much as their samples."""
    weights = np.random.default_rng(0).random(60)
    found = cross_validate(make, classes.with_sample_weights(weights), folds=3, **SHORT)
    given = found.probabilities[0][np.arange(60), classes.classes]
    assert found.report.error == pytest.approx(np.average(-np.log(given), weights=weights))


def test_two_networks_are_compared_over_the_same_folds(classes):
    """Which depend on the seed and not on the network."""
    first = cross_validate(make, classes, folds=4, **SHORT)
    second = cross_validate(
        lambda training, seed: nf.MultilayerPerceptron.for_data(training, seed=seed), classes, folds=4,
        stop=nf.MaxIterations(1),
    )  # fmt: skip
    found = nf.compare(first, second)
    difference = first.score("accuracy").mean - second.score("accuracy").mean
    assert found.corrected_t.difference == pytest.approx(difference)
    assert found.mcnemar.only_first == (first.right[0] & ~second.right[0]).sum()
    with pytest.raises(nf.DataError, match="different folds"):
        nf.compare(first, cross_validate(make, classes, folds=4, seed=1, **SHORT))


def test_the_table_has_the_protocol_and_the_constant_answer(classes):
    """One line a figure, aligned; no NaN is shown to people."""
    text = str(cross_validate(make, classes, folds=3, repeats=2, seed=9, **SHORT))
    title, header, first, *rest = text.splitlines()
    assert title == "60 samples, 3 stratified folds, 2 times, 1 network in each; seed 9"
    assert header.split() == ["pooled", "mean", "of", "folds", "standard", "error", "constant", "answer"]
    assert first.startswith("accuracy")
    assert first.endswith("0.5000")
    assert all(line.endswith(" -") for line in rest)
    assert "nan" not in text


def test_what_cannot_be_asked_is_refused(classes, tmp_path):
    """Before anything is trained, and with what to do."""
    normalized = classes.normalized("standardizer")
    for data, options, error, says in (
        (normalized, {}, nf.DataError, "give it as it was"),
        (classes.inputs, {}, nf.DataError, "ndarray"),
        (classes, {"folds": 1}, nf.ParameterError, "folds"),
        (classes, {"folds": "all"}, nf.ParameterError, "folds"),
        (classes, {"repeats": 0}, nf.ParameterError, "repeats"),
        (classes, {"ensemble": 0}, nf.ParameterError, "ensemble"),
        (classes, {"seed": -1}, nf.ParameterError, "seed"),
        (classes, {"stratified": "yes"}, nf.ParameterError, "stratified"),
        (classes, {"together": "yes"}, nf.ParameterError, "together"),
        (classes, {"checkpoint": tmp_path / "run"}, nf.ParameterError, "checkpoint"),
        (classes, {"engine": "steam"}, nf.ChoiceError, "steam"),
        (classes, {"target_normalizer": "standardizer"}, nf.DataError, "must not be normalized"),
    ):
        with pytest.raises(error, match=says):
            cross_validate(make, data, **({"folds": 3} | options), **SHORT)


@pytest.mark.parametrize("together", [True, False])
def test_what_a_network_maker_does_wrong_is_told(classes, together):
    """Returning nothing, or a network that does not fit."""
    with pytest.raises(nf.ParameterError, match="it returned None"):
        cross_validate(lambda *_: None, classes, folds=3, together=together)
    with pytest.raises(nf.ShapeError, match="the network has 7 inputs"):
        cross_validate(lambda *_: nf.MultilayerPerceptron(7, 3), classes, folds=3, together=together)


def test_other_targets_are_not_compared(numbers):
    def make(training, seed):
        return nf.MultilayerPerceptron.for_data(training, seed=seed)

    other = nf.DataSet(numbers.inputs, 100 * numbers.targets)
    pair = [nf.cross_validate(make, data, folds=3, stop=nf.MaxIterations(2)) for data in (numbers, other)]
    with pytest.raises(nf.DataError, match="the same data"):
        nf.compare(*pair)


@pytest.mark.parametrize("given", [None, [3], "net"])
def test_only_networks_are_evaluated(numbers, given):
    with pytest.raises(nf.ParameterError, match="evaluate takes a network"):
        nf.evaluate(given, numbers)
