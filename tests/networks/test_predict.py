"""Answers in the user's terms, from samples in whatever form they come."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "fruit.csv"
    rows = [
        f"{colour},{size},{'sweet' if size > 5 else 'sour'}"
        for colour in ("red", "green")
        for size in range(12)
    ]
    path.write_text("colour,size,taste\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def data(table):
    return nf.DataSet.from_csv(table, "taste")


@pytest.fixture
def net(data):
    training = data.normalized("standardizer")
    net = nf.MultilayerPerceptron.for_data(training, 4, seed=0)
    net.learn(training, stop=nf.MaxIterations(60))
    return net


def test_a_data_set_an_array_and_records_get_the_same_labels(net, data):
    records = [{"colour": colour, "size": size} for colour in ("red", "green") for size in range(12)]
    expected = ["sweet" if size > 5 else "sour" for _ in range(2) for size in range(12)]
    assert net.predict(data).tolist() == expected
    assert net.predict(data.normalized("standardizer")).tolist() == expected
    assert net.predict(data.inputs).tolist() == expected
    assert net.predict(records).tolist() == expected


def test_probabilities_are_those_of_the_classes_in_their_order(net, data):
    found = net.probabilities(data)
    assert net.encoding.class_labels == ("sour", "sweet")
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert [net.encoding.class_labels[i] for i in found.argmax(axis=1)] == net.predict(data).tolist()
    with pytest.raises(nf.TopologyError, match="no probabilities of classes"):
        nf.Adaline(2).probabilities([0.0, 0.0])


def test_records_that_do_not_fit_are_named(net):
    with pytest.raises(nf.DataError, match=r"record 2 lacks the column\(s\) size"):
        net.predict([{"colour": "red", "size": 3}, {"colour": "red"}])
    with pytest.raises(nf.RecordError, match="line 1, column 'colour', value 'blue'"):
        net.predict([{"colour": "blue", "size": 3}])
    with pytest.raises(nf.DataError, match="knows no columns"):
        nf.Adaline(2).predict([{"a": 1}])


def test_columns_in_another_order_are_refused(net, table):
    lines = [line.split(",") for line in table.read_text(encoding="utf-8").split()]
    turned = table.with_name("turned.csv")
    turned.write_text(
        "\n".join(f"{size},{colour},{taste}" for colour, size, taste in lines), encoding="utf-8"
    )
    with pytest.raises(nf.DataError, match=r"encoding=network\.encoding"):
        net.predict(nf.DataSet.from_csv(turned, "taste"))
    again = nf.DataSet.from_csv(turned, encoding=net.encoding)
    assert net.evaluate(again).accuracy == 1.0


def test_data_normalized_with_other_statistics_are_refused(net, data):
    half = data.rows(np.arange(6)).normalized("standardizer")
    for ask in (net.predict, net.evaluate):
        with pytest.raises(nf.DataError, match="other statistics"):
            ask(half)


def test_what_is_no_data_set_is_refused_where_one_is_needed(net):
    for ask in (net.learn, net.evaluate, lambda data: nf.check_gradient(net, data)):
        with pytest.raises(nf.DataError, match=r"nf\.DataSet"):
            ask(np.zeros((3, 3)))


def test_softmax_over_one_neuron_is_refused():
    net = nf.MultilayerPerceptron(2, 1, output="softmax")
    with pytest.raises(nf.DataError, match="always 1; use a sigmoid output"):
        net.learn(nf.DataSet(np.eye(2), [0, 1]))


def test_weights_that_are_not_finite_are_not_used_for_an_answer(net):
    net.weights[3] = np.nan
    with pytest.raises(nf.NonFiniteError, match=r"weights.*position 3.*initialize"):
        net([0.0, 0.0, 0.0])


def test_regression_answers_in_the_units_of_the_targets():
    inputs = np.linspace(-1, 1, 40)[:, None]
    data = nf.DataSet(inputs, 1000 + 50 * inputs[:, 0]).normalized("standardizer", "standardizer")
    net = nf.MultilayerPerceptron.for_data(data, seed=0)
    net.learn(data, stop=nf.MaxIterations(200))
    np.testing.assert_allclose(net.predict(inputs)[:, 0], 1000 + 50 * inputs[:, 0], atol=0.5)
