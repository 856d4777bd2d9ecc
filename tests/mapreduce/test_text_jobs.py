"""Text straight into the mapper: a map reads a whole file of CSV, and makes its blocks itself."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf


@pytest.fixture
def files(tmp_path):
    """Three files, of which one has a quoted field that spans lines."""
    random = np.random.default_rng(0)
    for number in range(3):
        lines = ["x,y,note,kind"]
        for row in range(50 + number):
            note = '"two\nlines, and ""more"""' if row % 7 == 0 else "plain"
            x, y = random.standard_normal(2).tolist()
            lines.append(f"{x!r},{y!r},{note},{random.choice(['left', 'right'])}")
        (tmp_path / f"shells-{number}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sorted(tmp_path.glob("*.csv"))


def opened(files):
    return nf.DataSet.open_csv(files, target="kind", block_size=16)


def network():
    return nf.MultilayerPerceptron(4, 3, 2, output="softmax", seed=0)


@pytest.mark.parametrize("engine", ["mrjob:inline", pytest.param("mrjob:local", marks=pytest.mark.slow)])
def test_text_gives_the_bits_of_the_same_samples_read_here(files, engine):
    """The oracle is the in-process engine on the same blocks."""
    data = opened(files)
    expected = nf.error_and_gradient(network(), data)
    found = nf.error_and_gradient(network(), data, engine=engine)
    assert found[0] == expected[0]
    np.testing.assert_array_equal(found[1], expected[1])


def test_text_is_learnt_from_and_packed_data_are_watched_in_the_same_jobs(files, tmp_path):
    data = opened(files)
    data.pack(tmp_path / "watched.nfd")
    options = {"validation": nf.DataSet.open(tmp_path / "watched.nfd"), "stop": nf.MaxIterations(3)}
    here, there = network(), network()
    expected = here.learn(data, **options)
    run = there.learn(data, engine="mrjob:inline", **options)
    np.testing.assert_array_equal(there.weights, here.weights)
    assert run.validation_error == expected.validation_error


def test_a_bad_record_is_named_with_file_line_column_and_value(files):
    data = opened(files)
    text = files[1].read_text(encoding="utf-8")
    broken = text.replace("left", "lefd", 1)
    files[1].write_text(broken, encoding="utf-8")
    net = network()
    before = net.weights.copy()
    with pytest.raises(nf.NeuralFrameError, match=r"shells-1\.csv, line \d+, column 'kind', value 'lefd'"):
        net.learn(data, engine="mrjob:inline", stop=nf.MaxIterations(2))
    np.testing.assert_array_equal(net.weights, before)


def test_a_file_that_has_grown_since_it_was_opened_is_refused(files):
    data = opened(files)
    with files[2].open("a", encoding="utf-8") as file:
        file.write("0.5,0.5,plain,left\n")
    with pytest.raises(nf.DataError, match=r"shells-2\.csv has 53 samples, not 52"):
        nf.error_and_gradient(network(), data, engine="mrjob:inline")
