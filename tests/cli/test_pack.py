"""``neuralframe pack``, and the commands that take what it makes."""

from __future__ import annotations

import pytest

import neuralframe as nf

pytest.importorskip("typer")


def test_a_file_becomes_packed_data(run, table):
    """Normalized as `train` normalizes, and it is told what was made."""
    done = run("pack", table, "out.nfd", "--block-size", "8", "--parts", "4")
    assert done.exit_code == 0, done.output
    data = nf.DataSet.from_csv(table, "colour", block_size=8).normalized("standardizer")
    data.pack("expected.nfd", parts=4)
    opened = nf.DataSet.open("out.nfd")
    assert opened.fingerprint() == nf.DataSet.open("expected.nfd").fingerprint()
    n_bytes = sum(part.n_bytes for part in opened.header.parts)
    told = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for line in (
        "samples 60",
        "inputs, targets 4, 3 (float64)",
        "blocks 8 of up to 8 samples",
        "part files 4",
    ):
        assert line in told
    assert f"bytes {n_bytes:,}" in told
    assert any(line.startswith("MB/s ") for line in told)


def test_numbers_to_learn_are_normalized_too(run, table):
    """Unless nothing is; several files are one table."""
    more = table.with_name("more.csv")
    more.write_text(table.read_text())
    options = ("--target", "x", "--ignore", "colour")
    assert run("pack", table, more, "a.nfd", *options, "--dtype", "float32").exit_code == 0
    assert run("pack", table, more, "b.nfd", *options, "--normalize", "none").exit_code == 0
    normalized, plain = nf.DataSet.open("a.nfd"), nf.DataSet.open("b.nfd")
    assert (normalized.n_samples, normalized.dtype.name) == (120, "float32")
    assert abs(float(normalized.targets.mean())) < 1e-6
    assert normalized.encoding.target_normalizer is not None
    assert plain.encoding.input_normalizer is None


@pytest.mark.parametrize("source", ["table", "public"])
def test_a_share_for_validation_is_learnt_with(run, table, monkeypatch, source):
    """Packed, trained on, evaluated, predicted from, and told of."""
    if source == "public":
        monkeypatch.setattr(
            "neuralframe.data.datasets.by_name",
            lambda *_args, **_options: nf.DataSet.from_csv(table, "colour"),
        )
    data = table if source == "table" else "iris"
    done = run("pack", data, "a.nfd", "--validation", "0.3", "--validation-out", "b.nfd", "--seed", "1")
    assert done.exit_code == 0, done.output
    first, second = nf.DataSet.open("a.nfd"), nf.DataSet.open("b.nfd")
    assert first.n_samples + second.n_samples == 60
    assert first.encoding == second.encoding
    done = run("train", "a.nfd", "--validation-data", "b.nfd", "--iterations", "30", "--decay", "0")
    assert done.exit_code == 0, done.output
    assert "validation error" in done.stdout
    network = nf.load("a.nf")
    assert network.encoding == first.encoding
    evaluated = run("evaluate", "a.nf", "b.nfd")
    assert "100.00%" in evaluated.stdout
    predicted = run("predict", "a.nf", "b.nfd")
    assert len(predicted.stdout.splitlines()) == 1 + second.n_samples
    told = run("info", "b.nfd")
    assert "side (left | right)" in told.stdout
    assert f"{second.n_samples}" in told.stdout


def test_training_takes_packed_data_as_they_are(run, table):
    """Not held out, not normalized again, in their own blocks; the same weights as in Python."""
    run("pack", table, "a.nfd", "--block-size", "16")
    done = run("train", "a.nfd", "--iterations", "5", "--hidden", "3", "--decay", "0", "--seed", "2")
    assert done.exit_code == 0, done.output
    assert "4 blocks of up to 16 samples" in done.stdout
    data = nf.DataSet.open("a.nfd")
    network = nf.MultilayerPerceptron.for_data(data, 3, hidden="tanh", seed=2)
    network.learn(data, rule=nf.ResilientPropagation(), stop=[nf.MaxIterations(5)], seed=2)
    assert network.weights.tolist() == nf.load("a.nf").weights.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("only.csv",), "and then the folder to make"),
        (("colours.csv", "out", "--validation", "0.2"), "both or neither"),
        (("colours.csv", "out", "--validation", "1", "--validation-out", "v"), "above 0 and below 1"),
        (("colours.csv", "out", "--normalize", "nothing"), "unknown normalizer"),
        (("colours.csv", "out", "--dtype", "int8"), "unknown floating-point type"),
        (("iris", "colours.csv", "out"), "by itself"),
    ],
)
def test_a_wrong_command_line_is_told(run, table, folder, arguments, message):
    done = run("pack", *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.replace("│", "").split())
    assert [path.name for path in folder.iterdir()] == ["colours.csv"]


def test_what_exists_is_replaced_only_if_told(run, table):
    assert run("pack", table, "out").exit_code == 0
    refused = run("pack", table, "out")
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr
    assert run("pack", table, "out", "--replace").exit_code == 0
    assert run("pack", table, table, "--replace").exit_code == 1


def test_options_about_columns_are_refused_with_packed_data(run, table):
    run("pack", table, "out.nfd")
    done = run("train", "out.nfd", "--target", "x")
    assert done.exit_code == 2
    assert "--target" in done.stderr
    both = run("train", "out.nfd", "--validation", "0.2", "--validation-data", "out.nfd")
    assert both.exit_code == 2


def test_damaged_data_are_told_in_a_line(run, table, folder):
    run("pack", table, "out.nfd")
    part = folder / "out.nfd" / "part-00000"
    part.write_bytes(part.read_bytes()[:-5])
    for command in (("train", "out.nfd"), ("info", "out.nfd")):
        done = run(*command)
        assert done.exit_code == 1
        assert "part-00000" in done.stderr
        assert len(done.stderr.splitlines()) == 1
