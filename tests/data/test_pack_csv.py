"""Packing text as it goes by: the bits of the way through memory, without the memory."""

from __future__ import annotations

import filecmp
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data.normalizers import PORTION_ROWS
from neuralframe.exceptions import DataError, NonFiniteError, ParameterError, RecordError


def write(path, n=300, *, gaps=False, header=True, seed=0):
    """Write a table of two numbers, a category, a weight, a class and a number to learn."""
    random = np.random.default_rng(seed)
    lines = ["a,b,c,weight,kind,y"] if header else []
    for row in range(n):
        a = "" if gaps and random.random() < 0.1 else f"{1e6 + 100 * random.standard_normal():.6f}"
        numbers = f"{a},{random.random()!r}"
        lines.append(
            f'{numbers},"{"xyz"[row % 3]}",{random.random():.3f},k{row % 2},{random.standard_normal()!r}'
        )
    path.write_text("\n".join(lines) + "\n")
    return path


def same_files(first, second):
    names = sorted(path.name for path in first.iterdir())
    assert names == sorted(path.name for path in second.iterdir())
    assert filecmp.cmpfiles(first, second, names, shallow=False) == (names, [], [])


READING = [
    {"target": "y"},
    {"target": "kind", "ignore": ["y"], "weights": "weight"},
    {"target": ["y", "b"], "ignore": ["kind"], "kinds": {"c": "category"}},
    {"target": -1, "missing": "drop"},
    {"target": "y", "missing": "mean"},
    {"target": "y", "missing": "median"},
    {"target": "y", "missing": "most_frequent", "delimiter": ",", "header": True},
]


@pytest.mark.parametrize("reading", READING, ids=str)
@pytest.mark.parametrize("parts", [None, 1, 5])
def test_the_files_are_those_of_the_data_set_in_memory(tmp_path, reading, parts):
    """Byte for byte, the header included."""
    path = write(tmp_path / "a.csv", gaps="missing" in reading)
    nf.DataSet.from_csv(path, block_size=16, **reading).pack(tmp_path / "memory", parts=parts)
    nf.pack_csv(path, tmp_path / "stream", block_size=16, parts=parts, **reading)
    same_files(tmp_path / "memory", tmp_path / "stream")


@pytest.mark.parametrize("normalizer", ["standardizer", "min_max_scaler", "max_abs_scaler"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [1, 40, PORTION_ROWS, 3 * PORTION_ROWS + 7])
def test_normalized_as_in_memory(tmp_path, normalizer, dtype, n):
    """With the same statistics to the last bit, of inputs and of a single column of targets."""
    path = write(tmp_path / "a.csv", n)
    data = nf.DataSet.from_csv(path, "y", ignore=["kind"]).normalized(normalizer, normalizer)
    data.pack(tmp_path / "memory", dtype=dtype)
    nf.pack_csv(
        path, tmp_path / "stream", "y", ignore=["kind"], normalize=normalizer,
        normalize_targets=normalizer, dtype=dtype,
    )  # fmt: skip
    same_files(tmp_path / "memory", tmp_path / "stream")


@given(n=st.integers(1, 5000), width=st.integers(1, 4), seed=st.integers(0, 5))
def test_statistics_of_portions_are_those_of_all_and_nearly_those_of_numpy(n, width, seed):
    """Bit for bit the former; numpy adds in another order."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((n, width)) * 10.0 ** random.integers(-3, 3, width) + random.standard_normal(
        width
    )
    portions = lambda: (x[start : start + PORTION_ROWS] for start in range(0, n, PORTION_ROWS))  # noqa: E731
    for normalizer in (nf.Standardizer(), nf.MinMaxScaler(), nf.MaxAbsScaler()):
        at_once, going_by = normalizer.fit(x), normalizer.fit_portions(portions)
        assert np.array_equal(at_once.center, going_by.center)
        assert np.array_equal(at_once.scale, going_by.scale)
    fitted = nf.Standardizer().fit(x)
    assert np.allclose(fitted.center, x.mean(axis=0), rtol=1e-12, atol=1e-12)
    if n > 1:
        assert np.allclose(fitted.scale, x.std(axis=0), rtol=1e-12)


def test_a_share_is_drawn_for_validation(tmp_path):
    """Record by record from the seed; the normalizers are fitted to the others."""
    path = write(tmp_path / "a.csv", 700)
    drawn = np.random.default_rng(3).random(700) < 0.3
    data = nf.DataSet.from_csv(path, "y", block_size=32)
    training = data.rows(~drawn).normalized("standardizer", "standardizer")
    training.pack(tmp_path / "training", parts=3)
    data.rows(drawn).normalized(like=training).pack(tmp_path / "watched", parts=3)
    nf.pack_csv(
        path, tmp_path / "a", "y", block_size=32, parts=3, validation=0.3, validation_out=tmp_path / "b",
        seed=3, normalize="standardizer", normalize_targets="standardizer",
    )  # fmt: skip
    same_files(tmp_path / "training", tmp_path / "a")
    same_files(tmp_path / "watched", tmp_path / "b")


def test_several_files_are_one_table(tmp_path):
    """Each with the header or without it, in the order given; gaps are filled with what all of them say."""
    paths = [
        write(tmp_path / "1.csv", 100, gaps=True),
        write(tmp_path / "2.csv", 50, header=False, seed=1),
        write(tmp_path / "3.csv", 70, seed=2),
    ]
    rest = [path.read_text().removeprefix("a,b,c,weight,kind,y\n") for path in paths[1:]]
    joined = tmp_path / "all.csv"
    joined.write_text(paths[0].read_text() + "".join(rest))
    options = {"target": "y", "missing": "median", "block_size": 32}
    nf.pack_csv(paths, tmp_path / "several", **options)
    nf.pack_csv(joined, tmp_path / "one", **options)
    same_files(tmp_path / "several", tmp_path / "one")


def test_a_later_file_with_another_header_is_told(tmp_path):
    paths = [write(tmp_path / "1.csv", 20), tmp_path / "2.csv"]
    paths[1].write_text("b,a,c,weight,kind,y\n" + "1,2,x,1,k0,3\n" * 3)
    with pytest.raises(DataError, match=r"2\.csv"):
        nf.pack_csv(paths, tmp_path / "out", "y")
    with pytest.raises(DataError, match=r"2\.csv has another header"):
        nf.pack_csv(paths, tmp_path / "out", "y", header=True)
    assert not (tmp_path / "out").exists()


def test_a_network_s_encoding_can_be_used(tmp_path):
    path, more = write(tmp_path / "a.csv"), write(tmp_path / "b.csv", seed=1)
    encoding = nf.DataSet.from_csv(path, "y").normalized("standardizer").encoding
    nf.pack_csv(more, tmp_path / "packed", encoding=encoding, parts=2)
    expected = nf.DataSet.from_csv(more, encoding=encoding)
    opened = nf.DataSet.open(tmp_path / "packed")
    assert opened.encoding == encoding
    assert np.array_equal(opened.inputs, expected.inputs)
    with pytest.raises(DataError, match="normalized already"):
        nf.pack_csv(more, tmp_path / "again", encoding=encoding, normalize="standardizer")


def test_a_fitted_normalizer_is_applied_as_it_is(tmp_path):
    """Even one that could not be fitted to what goes by."""
    path = write(tmp_path / "a.csv")
    data = nf.DataSet.from_csv(path, "y")
    robust = nf.RobustScaler().fit(data.inputs)
    nf.pack_csv(path, tmp_path / "packed", "y", normalize=robust)
    assert np.array_equal(nf.DataSet.open(tmp_path / "packed").inputs, robust.transform(data.inputs))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "y", "normalize": "robust_scaler"}, DataError, "take standardizer"),
        ({"target": "kind", "normalize_targets": "standardizer"}, DataError, "targets are classes"),
        ({"target": "y", "validation": 0.2}, ParameterError, "together with"),
        ({"target": "y", "validation": 1.2, "validation_out": "v"}, ParameterError, "share"),
        ({"target": "y", "validation": 1e-9, "validation_out": "v"}, DataError, "no samples to pack"),
        ({"target": "y", "parts": 0}, ParameterError, "parts"),
        ({"target": "y", "dtype": "int8"}, ValueError, "floating-point type"),
        ({"target": "z"}, ValueError, "unknown column"),
        ({}, ParameterError, "which column is the target"),
    ],
)
def test_what_cannot_be_done_is_told_and_leaves_nothing(tmp_path, monkeypatch, options, error, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.csv")
    with pytest.raises(error, match=message):
        nf.pack_csv("a.csv", "out", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_bad_record_in_the_middle_leaves_nothing(tmp_path):
    """With an encoding that is given there is one pass only, and much is written when it is found."""
    path = write(tmp_path / "a.csv", 2000)
    encoding = nf.DataSet.from_csv(path, "y").encoding
    lines = path.read_text().splitlines()
    lines[1500] = lines[1500].replace(",k", ",oops,k", 1)
    path.write_text("\n".join(lines))
    with pytest.raises(RecordError, match=r"a\.csv, line 1501"):
        nf.pack_csv(path, tmp_path / "out", encoding=encoding, block_size=16, parts=3)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_values_too_large_to_normalize_are_named(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1e308,1\n-1e308,2\n1e308,3\n")
    with pytest.raises(NonFiniteError, match="column 'a' are too large"):
        nf.pack_csv(tmp_path / "a.csv", tmp_path / "out", "b", normalize="standardizer")


def test_weights_that_are_all_zero_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,w\n1,1,0\n2,2,0\n")
    with pytest.raises(DataError, match="sample weights add up to 0"):
        nf.pack_csv(tmp_path / "a.csv", tmp_path / "out", "b", weights="w")


def test_a_file_larger_than_the_memory_given_is_packed(tmp_path):
    """7 MB of text, 8 MB of numbers, in an address space with room for the program and 10 MiB."""
    random = np.random.default_rng(0)
    row = ",".join(f"{number:.4f}" for number in random.standard_normal(100))
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        file.write(",".join(f"c{column}" for column in range(100)) + "\n")
        for number in range(10_000):
            file.write(f"{number}{row[2:]}\n")
    program = """
        import resource, sys
        import neuralframe as nf
        path, out = sys.argv[1:]
        small = out + "-small"
        open(small, "w").writelines(line for line, _ in zip(open(path), range(600)))
        def pack(source, out, normalize):
            nf.pack_csv(source, out, "c99", block_size=256, normalize=normalize, progress=False)
        pack(small, out + "-first", "standardizer")
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = used + 10 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        for normalize in (None, "standardizer"):
            pack(path, out + str(normalize), normalize)
            print(nf.DataSet.open(out + str(normalize)))
        try:
            nf.DataSet.from_csv(path, "c99")
        except MemoryError:
            print("it does not fit")
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(path), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        *["DataSet(10000 samples, 99 inputs, 1 target, float64, 40 blocks)"] * 2,
        "it does not fit",
    ], done.stderr


def test_progress_goes_by_bytes(tmp_path, capsys):
    pytest.importorskip("rich")
    nf.pack_csv(write(tmp_path / "a.csv"), tmp_path / "out", "y", progress=True)
    told = capsys.readouterr().err
    assert "surveying" in told
    assert "packing" in told
    assert "100%" in told
