"""Text data sets: blocks encoded from files at each pass, with the bits of the same samples in memory."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data.blocks import Blocks, Samples
from neuralframe.data.rows import LineOffsets, read_rows
from neuralframe.data.text_samples import blocks_of_file
from neuralframe.exceptions import DataError, LabelError, RecordError

HEADER = "a,c,weight,kind,y"


def write(path, n, *, seed=0, gaps=False, newline="\n", bom=False, header=True):
    """Write a table with fields over several lines, delimiters and umlauts in quotes, and empty lines."""
    random = np.random.default_rng(seed)
    lines = [HEADER] if header else []
    for row in range(n):
        a = "?" if gaps and random.random() < 0.2 else repr(random.standard_normal())
        text = ("x", f'"y,{newline}ö"', '"z""z"')[row % 3]
        lines.append(f"{a},{text},{random.random():.3f},k{row % 2},{random.standard_normal()!r}")
        if row % 10 == 0:
            lines.append("")
    content = newline.join(lines) + newline * (n % 2)
    path.write_bytes(b"\xef\xbb\xbf" * bom + content.encode())
    return path


@pytest.fixture
def files(tmp_path):
    return [write(tmp_path / f"{number}.csv", n, seed=number) for number, n in enumerate((50, 7, 16))]


def in_layout(parts):
    """Return the blocks of data sets one after the other: they begin anew in each."""
    return Blocks(*(Samples(d.inputs, d.targets, d.sample_weights, d.block_size) for d in parts))


def error_and_gradient(network, blocks):
    """Return error and gradient over blocks, whatever they come from."""
    data = type("Data", (nf.DataSet,), {"blocks": blocks})
    some = data(np.zeros((1, network.n_inputs)), np.full((1, network.n_outputs), 1 / network.n_outputs))
    return nf.error_and_gradient(network, some)


def same_blocks(mine, theirs):
    assert len(mine) == len(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert (one.number, one.part) == (other.number, other.part)
        for name in ("inputs", "targets", "sample_weights"):
            first, second = getattr(one, name), getattr(other, name)
            assert (first is None) == (second is None)
            assert first is None or (first.dtype == second.dtype and np.array_equal(first, second))


OPTIONS = [
    {"target": "y", "ignore": ["weight"]},
    {"target": "kind", "weights": "weight", "dtype": "float32"},
    {"target": "y", "missing": "drop"},
    {"target": "y", "missing": "mean", "normalize": "min_max_scaler"},
    {"target": "y", "missing": "median", "normalize": "standardizer", "normalize_targets": "standardizer"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("block_size", [1, 8, 50, 1000])
@pytest.mark.parametrize(("newline", "bom"), [("\n", False), ("\r\n", True)])
def test_a_file_gives_the_blocks_of_the_data_set_in_memory(tmp_path, options, block_size, newline, bom):
    """In any order, any number of times, and by itself where it was copied to."""
    path = write(tmp_path / "a.csv", 50, gaps="missing" in options, newline=newline, bom=bom)
    reading = {key: value for key, value in options.items() if "normal" not in key and key != "dtype"}
    data = nf.DataSet.from_csv(path, block_size=block_size, **reading)
    if "normalize" in options:
        data = data.normalized(options["normalize"], options.get("normalize_targets"))
    data = data.astype(options.get("dtype", "float64"))
    opened = nf.DataSet.open_csv(path, block_size=block_size, **options)
    assert repr(opened) == repr(data)
    assert opened.encoding == data.encoding
    assert np.array_equal(opened.input_ranges, data.input_ranges)
    same_blocks(opened.blocks, data.blocks)
    same_blocks([opened.blocks[number] for number in reversed(range(len(data.blocks)))][::-1], data.blocks)
    source = opened.blocks.parts[0]
    (file,) = source.files
    copy = path.rename(tmp_path / "copy")
    description = json.loads(json.dumps(source.description(file)))
    same_blocks(list(blocks_of_file(copy, description)), data.blocks)


def test_normalizers_are_fitted_to_text_of_several_portions(tmp_path):
    """Records that are left out, and files, end portions anywhere; the sums are over the same rows."""
    paths = [write(tmp_path / f"{n}.csv", n, seed=n, gaps=True) for n in (1300, 1700)]
    options = {"target": "y", "missing": "drop"}
    opened = nf.DataSet.open_csv(paths, normalize="standardizer", **options)
    data = nf.DataSet.from_csv(paths, **options).normalized("standardizer")
    assert opened.encoding == data.encoding
    assert np.array_equal(opened.inputs, data.inputs)


def test_blocks_begin_anew_in_each_file(files):
    """So the numbering is fixed by the list of files, and each can be mapped by itself."""
    opened = nf.DataSet.open_csv(files, "y", block_size=16)
    encoding = opened.encoding
    parts = [nf.DataSet.from_csv(path, encoding=encoding, block_size=16) for path in files]
    same_blocks(opened.blocks, in_layout(parts))
    source = opened.blocks.parts[0]
    assert [(file.first_block, file.n_blocks, file.n_samples) for file in source.files] == [
        (0, 4, 50),
        (4, 1, 7),
        (5, 1, 16),
    ]
    mapped = [b for file in source.files for b in blocks_of_file(file.address, source.description(file))]
    same_blocks(mapped, in_layout(parts))
    network = nf.MultilayerPerceptron.for_data(opened, 4, seed=0)
    mine, theirs = nf.error_and_gradient(network, opened), error_and_gradient(network, in_layout(parts))
    assert mine[0] == theirs[0]
    assert np.array_equal(mine[1], theirs[1])
    assert np.array_equal(opened.inputs, nf.DataSet.from_csv(files, "y").inputs)


def test_training_on_text_is_training_on_packed_text(tmp_path):
    """One file has the layout of packed data: the same weights, validation on the way."""
    path, watched = write(tmp_path / "a.csv", 60), write(tmp_path / "b.csv", 20, seed=1)
    nf.pack_csv(path, tmp_path / "a.nfd", "y", block_size=8)
    text = nf.DataSet.open_csv(path, "y", block_size=8)
    results = []
    for training in (text, nf.DataSet.open(tmp_path / "a.nfd")):
        network = nf.MultilayerPerceptron.for_data(training, 3, seed=0)
        run = network.learn(
            training,
            validation=nf.DataSet.open_csv(watched, encoding=text.encoding, block_size=8),
            stop=[nf.MaxIterations(8)],
        )
        results.append((run.error, run.validation_error, network.weights.tolist()))
    assert results[0] == results[1]


def test_text_can_be_packed(files, tmp_path):
    opened = nf.DataSet.open_csv(files, "kind", block_size=16)
    opened.pack(tmp_path / "packed", parts=2)
    again = nf.DataSet.open(tmp_path / "packed")
    assert np.array_equal(again.inputs, opened.inputs)
    assert again.class_counts == opened.class_counts
    assert (len(again.blocks), len(opened.blocks)) == (5, 6)


def test_the_fingerprint_is_that_of_the_samples(files, tmp_path):
    first, second = (nf.DataSet.open_csv(files, "y", block_size=size) for size in (16, 8))
    files[2].write_bytes(files[2].read_bytes().replace(b",k1,", b", k1,"))
    spaced = nf.DataSet.open_csv(files, "y", block_size=16)
    write(files[2], 16, seed=9)
    changed = nf.DataSet.open_csv(files, "y", block_size=16)
    assert first.fingerprint() == spaced.fingerprint()
    assert len({first.fingerprint(), second.fingerprint(), changed.fingerprint()}) == 3


def test_a_file_without_samples_is_left_out(files, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text(HEADER + "\n")
    opened = nf.DataSet.open_csv([files[0], empty, files[1]], "y", block_size=16)
    assert [file.first_block for file in opened.blocks.parts[0].files] == [0, 4]
    assert opened.n_samples == 57


def test_a_file_that_changed_is_noticed(files):
    """Where it was opened by its length, in a task by the number of its samples."""
    opened = nf.DataSet.open_csv(files, "y", block_size=16)
    source = opened.blocks.parts[0]
    with files[1].open("a") as file:
        file.write("\n1.5,x,1,k0,2.5\n")
    with pytest.raises(DataError, match=r"1\.csv has changed since it was opened"):
        opened.blocks[4]
    with pytest.raises(DataError, match=r"1\.csv has 8 samples, not 7"):
        list(blocks_of_file(files[1], source.description(source.files[1])))


def test_a_bad_record_is_named_as_the_user_knows_it(tmp_path):
    """File, line, column and value, though a task reads a copy of another name."""
    path = write(tmp_path / "a.csv", 30)
    opened = nf.DataSet.open_csv(path, "y", block_size=8)
    lines = path.read_text().split("\n")
    line = next(number for number, text in enumerate(lines) if number > 20 and text.count(",") == 4)
    lines[line] = "oops" + lines[line]
    copy = tmp_path / "copy"
    copy.write_text("\n".join(lines))
    source = opened.blocks.parts[0]
    with pytest.raises(RecordError) as caught:
        list(blocks_of_file(copy, source.description(source.files[0])))
    assert caught.value.file == str(path)
    assert caught.value.line == line + 1
    assert caught.value.column == "a"
    lines[line] = lines[line].replace(",k", ",other,", 1).removeprefix("oops")
    for damaged, message in (
        ("\n".join(lines), "6 fields"),
        ('"open', "quote left open"),
        ("\udcff", "not UTF-8"),
    ):
        copy.write_bytes(damaged.encode(errors="surrogateescape"))
        with pytest.raises(RecordError, match=rf"a\.csv, line .*{message}"):
            list(blocks_of_file(copy, source.description(source.files[0])))


def test_a_class_that_training_did_not_have_is_named_so_too(tmp_path):
    path = write(tmp_path / "a.csv", 30)
    source = nf.DataSet.open_csv(path, "kind", block_size=8).blocks.parts[0]
    (tmp_path / "copy").write_text(path.read_text().replace("k1", "k2"))
    with pytest.raises(LabelError, match=r"a\.csv, line 4, column 'kind', value 'k2'"):
        list(blocks_of_file(tmp_path / "copy", source.description(source.files[0])))


def test_nothing_is_kept(files, monkeypatch):
    """Facts are known without reading; each block is read anew, and only that block."""
    opened = nf.DataSet.open_csv(files, "y", block_size=16)
    assert repr(opened) == "DataSet(73 samples, 7 inputs, 1 target, float64, 6 blocks)"
    starts = []
    read = type(opened.blocks.parts[0].files[0].file).read
    monkeypatch.setattr(
        "neuralframe.data.records.RecordFile.read",
        lambda self, start=None, **options: starts.append(start) or read(self, start, **options),
    )
    opened.blocks[2]
    opened.blocks[2]
    assert len(starts) == 2
    assert starts[0] == starts[1]
    assert starts[0].offset > 0


@given(
    st.lists(
        st.lists(st.text("ab,\"\n\r ä€\ufeff'", max_size=4), min_size=2, max_size=2), min_size=1, max_size=20
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_a_record_is_read_from_its_place(tmp_path_factory, rows, newline, bom):
    """Whatever the fields hold, and however lines end: reading on from any record gives the rest."""
    path = tmp_path_factory.mktemp("rows") / "a.csv"
    texts = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    path.write_bytes(b"\xef\xbb\xbf" * bom + newline.join(texts).encode())
    lines = LineOffsets()
    records = list(read_rows(str(path), ",", lines=lines))
    assert [fields for _, fields in records] == rows
    for position, (line, _) in enumerate(records):
        assert list(read_rows(str(path), ",", lines.place(line))) == records[position:]
    assert lines.n_bytes == path.stat().st_size
