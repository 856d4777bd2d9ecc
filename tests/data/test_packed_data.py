"""Packed data sets: the same samples and sums as in memory, read as needed, and never when damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.data import packed_data_set
from neuralframe.data.block_record import read_block
from neuralframe.data.packed_header import HEADER_NAME
from neuralframe.exceptions import DataError, NonFiniteError, PackedDataError, ParameterError


def some_data(n=50, block_size=8, *, classes=True, weighted=False, dtype="float64", seed=0):
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((n, 3)).astype(dtype)
    targets = np.eye(3)[np.arange(n) % 3] if classes else random.standard_normal((n, 2))
    return nf.DataSet(inputs, targets, random.random(n) if weighted else None, block_size=block_size)


@pytest.fixture
def packed(tmp_path):
    """Return a function that packs a data set and returns the folder."""

    def pack(data=None, name="data.nfd", **options):
        (data or some_data()).pack(tmp_path / name, **options)
        return tmp_path / name

    return pack


def edit_header(folder, **changes):
    path = folder / HEADER_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def same_result(first, second):
    return first[0] == second[0] and np.array_equal(first[1], second[1])


class TestReading:
    @pytest.mark.parametrize("n", [1, 7, 8, 9, 16, 50])
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_what_is_opened_is_what_was_packed(self, packed, n, weighted, dtype):
        """One sample, full blocks and remainders; every array, every fact."""
        data = some_data(n, weighted=weighted, dtype=dtype)
        opened = nf.DataSet.open(packed(data))
        assert repr(opened) == repr(data)
        assert opened.dtype == data.dtype
        assert np.array_equal(opened.input_ranges, data.input_ranges)
        assert opened.class_labels == data.class_labels
        if data.class_labels:
            assert opened.class_counts == data.class_counts
        for name in ("inputs", "targets", "sample_weights"):
            mine, theirs = getattr(opened, name), getattr(data, name)
            assert (mine is None) == (theirs is None)
            if mine is not None:
                assert mine.dtype == theirs.dtype
                assert np.array_equal(mine, theirs)
                assert not mine.flags.writeable
        for mine, theirs in zip(opened.blocks, data.blocks, strict=True):
            assert (mine.number, mine.part) == (theirs.number, theirs.part)
            assert np.array_equal(mine.inputs, theirs.inputs)

    def test_nothing_is_read_before_it_is_needed(self, packed, monkeypatch):
        """Facts, a representation and a network for the data come from the header."""

        def refuse(*_):
            raise AssertionError("samples were read")

        opened = nf.DataSet.open(packed())
        monkeypatch.setattr(packed_data_set, "read_block", refuse)
        assert repr(opened) == "DataSet(50 samples, 3 inputs, 3 classes, float64, 7 blocks)"
        assert opened.class_counts == {"0": 17, "1": 17, "2": 16}
        assert not opened.is_weighted
        assert opened.sample_weights is None
        assert opened.source
        assert opened.fingerprint()
        assert opened.with_block_size(8) is opened
        opened.require_classes()
        nf.MultilayerPerceptron.for_data(opened, 4, seed=0)
        with pytest.raises(AssertionError, match="samples were read"):
            opened.rows([0])

    def test_what_needs_arrays_returns_a_data_set_in_memory(self, packed):
        data = some_data()
        opened = nf.DataSet.open(packed(data))
        for way in (
            lambda d: d.rows([3, 1]),
            lambda d: d.split(0.5, seed=1)[1],
            lambda d: d.normalized("standardizer"),
            lambda d: d.with_block_size(5),
            lambda d: d.astype("float32"),
        ):
            mine, theirs = way(opened), way(data)
            assert mine.fingerprint() == theirs.fingerprint()
            assert mine.source is None

    def test_no_numbers_are_lost_with_an_encoding(self, packed):
        data = some_data(classes=False).normalized("standardizer", "min_max_scaler")
        opened = nf.DataSet.open(packed(data))
        assert opened.encoding == data.encoding
        assert opened.class_labels is None
        with pytest.raises(DataError, match="numbers, not classes"):
            opened.class_counts  # noqa: B018

    def test_one_class_only_is_told(self, packed):
        data = nf.DataSet(np.eye(3), [[0.0, 1.0]] * 3)
        with pytest.raises(DataError, match="one class only"):
            nf.DataSet.open(packed(data)).require_classes()

    def test_targets_that_suit_no_error_function_are_told_without_reading(self, packed):
        """The row with the largest sum is kept in the header."""
        targets = np.eye(3)[np.arange(30) % 3]
        targets[17] = [1.0, 1.0, 0.0]
        opened = nf.DataSet.open(packed(nf.DataSet(np.ones((30, 2)), targets)))
        network = nf.MultilayerPerceptron(2, 3, output="softmax", seed=0)
        with pytest.raises(DataError, match="sums to 2"):
            nf.error_and_gradient(network, opened)

    def test_the_header_of_wide_targets_stays_small(self, packed):
        random = np.random.default_rng(0)
        wide = random.random((1500, 200))
        folder = packed(nf.DataSet(wide, wide))
        assert (folder / HEADER_NAME).stat().st_size < 60_000


class TestSums:
    @given(
        n=st.integers(1, 60),
        block_size=st.integers(1, 20),
        parts=st.integers(1, 9),
        weighted=st.booleans(),
        seed=st.integers(0, 3),
    )
    def test_any_number_of_parts_gives_the_same_bits(
        self, tmp_path_factory, *, n, block_size, parts, weighted, seed
    ):
        """Error and gradient of packed data are those of the arrays, however they lie in files."""
        data = some_data(n, block_size, weighted=weighted, seed=seed)
        network = nf.MultilayerPerceptron(3, 4, 3, output="softmax", seed=seed)
        folder = tmp_path_factory.mktemp("packed") / "data.nfd"
        data.pack(folder, parts=parts)
        opened = nf.DataSet.open(folder)
        assert same_result(nf.error_and_gradient(network, opened), nf.error_and_gradient(network, data))
        for part in opened.header.parts[:-1]:
            assert part.n_blocks & (part.n_blocks - 1) == 0
            assert part.first_block % part.n_blocks == 0

    def test_training_gives_the_same_weights(self, packed):
        data, watched = some_data(), some_data(seed=1)
        results = []
        for training, validation in (
            (data, watched),
            (nf.DataSet.open(packed(data, parts=3)), nf.DataSet.open(packed(watched, "watched.nfd"))),
        ):
            network = nf.MultilayerPerceptron(3, 4, 3, output="softmax", seed=0)
            run = network.learn(training, validation=validation, stop=[nf.MaxIterations(10)])
            results.append((run.validation_error, network.weights.copy()))
        assert same_result(*results)

    def test_four_threads_read_what_one_reads(self, packed, monkeypatch):
        """Whether blocks are kept or read anew each time."""
        data = some_data(400)
        folder = packed(data, parts=4)
        for kept in (0, 2**10, 2**28):
            monkeypatch.setattr(packed_data_set, "KEPT_BYTES", kept)
            blocks = nf.DataSet.open(folder).blocks
            found = [[] for _ in range(4)]

            def read(which, blocks=blocks, found=found):
                order = np.random.default_rng(which).permutation(len(blocks))
                found[which] = sorted((int(i), blocks[int(i)].inputs.sum()) for i in order)

            threads = [threading.Thread(target=read, args=[which]) for which in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            expected = [(block.number, block.inputs.sum()) for block in data.blocks]
            assert all(each == expected for each in found)

    def test_blocks_are_kept_as_far_as_they_fit(self, packed, monkeypatch):
        data = some_data(64)
        one = packed_data_set._bytes_of(data.blocks[0])
        monkeypatch.setattr(packed_data_set, "KEPT_BYTES", 3 * one + 1)
        reads = []
        monkeypatch.setattr(packed_data_set, "read_block", lambda *a: reads.append(a[1]) or read_block(*a))
        blocks = nf.DataSet.open(packed(data)).blocks
        for _ in range(3):
            list(blocks)
        assert len(reads) == 8 + 5 + 5

    def test_a_block_that_is_kept_has_the_same_read_only_arrays_each_time(self, packed):
        """So that what kernels make of them can be kept beside them; also where its number is another."""
        opened = nf.DataSet.open(packed(some_data(weighted=True)))
        (part,) = opened.blocks.parts
        first, again, renumbered = part.block(1, 1), part.block(1, 1), part.block(1, 4)
        assert (again.number, renumbered.number) == (1, 4)
        for name in ("inputs", "targets", "sample_weights"):
            assert getattr(first, name) is getattr(again, name) is getattr(renumbered, name)
            assert not getattr(first, name).flags.writeable

    def test_a_file_larger_than_the_memory_given_trains(self, packed):
        """96 MiB of samples in an address space that has room for the program and 64 MiB."""
        random = np.random.default_rng(0)
        data = nf.DataSet(random.standard_normal((3 * 2**12, 1024)), np.arange(3 * 2**12), block_size=128)
        folder = packed(data)
        program = """
            import resource, sys
            import neuralframe as nf
            from neuralframe.data import packed_data_set
            packed_data_set.KEPT_BYTES = 2**23
            data = nf.DataSet.open(sys.argv[1])
            network = nf.MultilayerPerceptron(1024, 2, 1, seed=0)
            engine = nf.InProcessEngine(1)
            nf.errors(network, nf.DataSet([[0.0] * 1024], [0.0]), network.weights[None], engine=engine)
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**26, used + 2**26))
            run = network.learn(data, engine=engine, kernel="numpy", stop=[nf.MaxIterations(2)])
            print(run.iterations)
            try:
                data.inputs
            except MemoryError:
                print("the samples do not fit")
        """
        command = [sys.executable, "-c", textwrap.dedent(program), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout.split("\n")[:2] == ["2", "the samples do not fit"], done.stderr


class TestDamage:
    def test_a_flipped_byte_is_noticed_when_the_block_is_read(self, packed):
        """File and record are named, wherever it is, and no gradient comes of it."""
        folder = packed(parts=2)
        part = folder / "part-00001"
        content = bytearray(part.read_bytes())
        length = content.index(b"\n") + 1
        network = nf.MultilayerPerceptron(3, 3, output="softmax", seed=0)
        for position in np.random.default_rng(0).integers(0, len(content), 25).tolist():
            changed = content.copy()
            changed[position] ^= 1 << position % 8
            part.write_bytes(changed)
            with pytest.raises(PackedDataError, match=rf"part-00001, record {position // length + 1}"):
                nf.error_and_gradient(network, nf.DataSet.open(folder))

    def test_nothing_is_trained_on_damaged_data(self, packed):
        folder = packed()
        part = folder / "part-00000"
        part.write_bytes(part.read_bytes().replace(b"A", b"B", 1))
        network = nf.MultilayerPerceptron(3, 3, output="softmax", seed=0)
        before = network.weights.copy()
        with pytest.raises(PackedDataError):
            network.learn(nf.DataSet.open(folder), stop=[nf.MaxIterations(2)])
        assert np.array_equal(network.weights, before)

    def test_a_file_that_is_cut_short_is_noticed_at_once(self, packed):
        folder = packed()
        part = folder / "part-00000"
        part.write_bytes(part.read_bytes()[:-1])
        with pytest.raises(PackedDataError, match=r"part-00000 has .* cut short"):
            nf.DataSet.open(folder)

    def test_a_missing_part_is_noticed_at_once(self, packed):
        folder = packed(parts=3)
        (folder / "part-00001").unlink()
        with pytest.raises(PackedDataError, match="part-00001 is missing"):
            nf.DataSet.open(folder)

    def test_files_of_two_data_sets_are_not_mixed(self, packed):
        """Not even where all their sizes are the same."""
        first, second = packed(some_data(seed=1), "a.nfd"), packed(some_data(seed=2), "b.nfd")
        shutil.copy(second / "part-00000", first / "part-00000")
        with pytest.raises(PackedDataError, match="Are files of two data sets mixed"):
            nf.DataSet.open(first).inputs  # noqa: B018

    def test_records_in_another_order_are_noticed(self, packed):
        folder = packed(some_data(48))
        part = folder / "part-00000"
        lines = part.read_bytes().splitlines(keepends=True)
        part.write_bytes(b"".join(reversed(lines)))
        with pytest.raises(PackedDataError, match="record 1: block 5 of"):
            nf.DataSet.open(folder).inputs  # noqa: B018

    def test_what_is_no_packed_data_is_told(self, tmp_path):
        for path in (tmp_path, tmp_path / "nothing", tmp_path / "file"):
            (tmp_path / "file").touch()
            with pytest.raises(PackedDataError, match="is no packed data"):
                nf.DataSet.open(path)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"version": 2}, "written in version 2 of the format"),
            ({"format": "another"}, "not the header of packed data"),
            ({"n_samples": 10**30}, "damaged"),
            ({"n_samples": -50}, "numbers of samples"),
            ({"n_samples": 50.0}, "numbers of samples"),
            ({"n_inputs": 10**15}, "ranges make no sense"),
            ({"block_size": 0}, "numbers of samples"),
            ({"block_size": True}, "numbers of samples"),
            ({"dtype": "object"}, "type of numbers"),
            ({"dtype": "float32"}, "other sizes than its blocks"),
            ({"weighted": True}, "other sizes than its blocks"),
            ({"token": "00"}, "token"),
            ({"token": None}, "damaged"),
            ({"class_counts": [50, 1, 0]}, "classes make no sense"),
            ({"input_ranges": [[0, 10**400]] * 3}, "damaged"),
            ({"encoding": {"columns": "__import__('os').system('true')"}}, "damaged"),
            ({"parts": []}, "do not hold 50 samples"),
            ({"parts": [{"name": "../part-00000"}]}, "damaged"),
            ({"unknown": 1}, "damaged"),
        ],
    )
    def test_a_forged_header_is_refused(self, packed, changes, message):
        """Nothing is executed, nothing allocated, and no file outside of the folder is looked at."""
        folder = packed()
        edit_header(folder, **changes)
        with pytest.raises(PackedDataError, match=message):
            nf.DataSet.open(folder)

    @pytest.mark.parametrize("name", ["../data.nfd/part-00000", "/etc/passwd", "part-1", "_header.json"])
    def test_part_files_lie_in_the_folder(self, packed, name):
        folder = packed()
        (part,) = json.loads((folder / HEADER_NAME).read_text())["parts"]
        edit_header(folder, parts=[part | {"name": name}])
        with pytest.raises(PackedDataError, match="no name of a part file"):
            nf.DataSet.open(folder)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\x80\x04\x95", b"[" * 10**5, b"nul"])
    def test_any_other_header_is_refused(self, packed, content):
        folder = packed()
        (folder / HEADER_NAME).write_bytes(content)
        with pytest.raises(DataError, match=HEADER_NAME):
            nf.DataSet.open(folder)


class TestWriting:
    def test_the_same_data_make_the_same_files(self, packed):
        first, second = packed(name="a.nfd"), packed(name="b.nfd")
        assert sorted(path.name for path in first.iterdir()) == [HEADER_NAME, "part-00000"]
        for path in first.iterdir():
            assert path.read_bytes() == (second / path.name).read_bytes()

    def test_the_fingerprint_is_that_of_the_samples_in_their_blocks(self, packed):
        """Not that of the files; and the last sample of all counts."""
        data = some_data()
        other = nf.DataSet(data.inputs + (np.arange(50) == 49)[:, None], data.targets, block_size=8)
        prints = [
            nf.DataSet.open(packed(each, f"{number}.nfd", parts=parts)).fingerprint()
            for number, (each, parts) in enumerate(
                [(data, 1), (data, 4), (other, 1), (data.with_block_size(9), 1)]
            )
        ]
        assert prints[0] == prints[1]
        assert len(set(prints)) == 3

    def test_a_type_can_be_chosen(self, packed):
        data = some_data()
        opened = nf.DataSet.open(packed(data, dtype="float32"))
        assert opened.fingerprint() != nf.DataSet.open(packed(data, "b.nfd")).fingerprint()
        assert np.array_equal(opened.inputs, data.inputs.astype("float32"))
        assert opened.targets.dtype == np.float32

    def test_numbers_too_large_for_float32_are_refused(self, packed, tmp_path):
        with pytest.raises(NonFiniteError, match="float32 cannot hold"):
            packed(nf.DataSet([[1e300]], [1.0]), dtype="float32")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("parts", [0, -1, 1.5, True])
    def test_parts_are_a_number(self, packed, tmp_path, parts):
        with pytest.raises(ParameterError, match="parts"):
            packed(parts=parts)
        assert list(tmp_path.iterdir()) == []

    def test_what_exists_stays(self, packed):
        """Packed data unless one says so, anything else in any case."""
        folder = packed()
        before = (folder / HEADER_NAME).read_bytes()
        with pytest.raises(DataError, match="exists already"):
            packed(some_data(seed=1))
        assert (folder / HEADER_NAME).read_bytes() == before
        packed(some_data(seed=1), replace=True)
        assert (folder / HEADER_NAME).read_bytes() != before
        other = folder.parent / "other"
        other.mkdir()
        (other / "letter").touch()
        with pytest.raises(DataError, match="is not packed data"):
            packed(name="other", replace=True)
        assert sorted(path.name for path in folder.parent.iterdir()) == ["data.nfd", "other"]

    def test_there_must_be_a_folder_for_it(self, tmp_path):
        with pytest.raises(DataError, match="there is no folder"):
            some_data().pack(tmp_path / "missing" / "data.nfd")

    def test_a_full_disk_leaves_nothing_and_loses_nothing(self, packed):
        """A limit on the size of files stands in for the disk; also when other data are to be replaced."""
        folder = packed()
        before = nf.DataSet.open(folder).fingerprint()
        program = """
            import resource, signal, sys
            import numpy as np
            import neuralframe as nf
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            data = nf.DataSet(np.ones((5000, 10)), np.ones(5000), block_size=100)
            for out in (sys.argv[1], sys.argv[1] + "2"):
                try:
                    data.pack(out, replace=True)
                except OSError as problem:
                    print(problem.strerror)
        """
        command = [sys.executable, "-c", textwrap.dedent(program), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["File too large"] * 2
        assert [path.name for path in folder.parent.iterdir()] == ["data.nfd"]
        assert nf.DataSet.open(folder).fingerprint() == before

    def test_packing_needs_the_memory_of_a_block(self, packed):
        """Beside the samples themselves, which are here already."""
        import tracemalloc

        data = nf.DataSet(np.ones((2**13, 128)), np.ones(2**13), block_size=64)
        one = packed_data_set._bytes_of(data.blocks[0])
        tracemalloc.start()
        packed(data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 12 * one < data.inputs.nbytes / 8

    def test_packed_data_can_be_packed_again(self, packed):
        first = nf.DataSet.open(packed(some_data(), "a.nfd", parts=2))
        second = nf.DataSet.open(packed(first, "b.nfd", parts=5))
        assert first.fingerprint() == second.fingerprint()

    def test_a_progress_bar_is_drawn_where_it_is_wanted(self, packed, capsys):
        pytest.importorskip("rich")
        packed(progress=True)
        assert "packing" in capsys.readouterr().err
