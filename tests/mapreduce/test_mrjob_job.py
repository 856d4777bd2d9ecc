"""The mapper, combiner and reducer, run one by one in mrjob's sandbox."""

from __future__ import annotations

import random
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce.block_files import BlockFiles
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.mrjob_job import BLOCKS, FAILURE, SumJob, SumsProtocol
from neuralframe.mapreduce.mrjob_output import Output
from neuralframe.mapreduce.shipped_job import ShippedJob

ATTEMPT = "attempt_1700000000000_0001_m_000000_{}"


class Tasks:
    """The tasks of one job over some data, in four part files."""

    def __init__(self, folder, job, data):
        self.job, self.blocks = job, data.blocks
        self.files = BlockFiles.of(data.blocks, folder, 4, lambda path: path)
        shipped = ShippedJob(job, self.files.placements, len(self.blocks), self.files.files)
        self.packet = folder / "job.packet"
        self.packet.write_bytes(shipped.to_bytes())
        self.environment = {}

    def run(self, kind, content):
        """Run one task over lines, and return the lines that it writes."""
        task = SumJob(["--job-file", str(self.packet)])
        stdout = BytesIO()
        task.sandbox(stdin=BytesIO(content), stdout=stdout, stderr=BytesIO())
        task.environment = {"mapreduce_task_ismap": str(kind == "mapper").lower()} | self.environment
        getattr(task, f"run_{kind}")(0)
        self.log = task.stderr.getvalue().decode()
        return stdout.getvalue().splitlines(keepends=True)

    def mapped(self):
        """Return the lines of each map."""
        found = []
        for address in self.files.addresses:
            self.environment["mapreduce_map_input_file"] = f"hdfs://node:9000{address}"
            found.append(self.run("mapper", Path(address).read_bytes()))
        return found

    def combined(self, lines):
        return self.run("combiner", b"".join(in_key_order(lines)))

    def reduced(self, lines):
        return self.run("reducer", b"".join(in_key_order(lines)))

    def result(self, lines):
        total = Output.of(lines).total(len(self.blocks))
        return {key: self.job.reduce(key, total[key]) for key in total}


def in_key_order(lines):
    """Sort lines by key alone: Hadoop promises no order of values."""
    return sorted(lines, key=lambda line: line.split(b"\t")[0])


def data_set(n=333):
    generator = np.random.default_rng(0)
    return nf.DataSet(generator.normal(size=(n, 3)), np.eye(2)[generator.integers(0, 2, n)], block_size=16)


@pytest.fixture
def tasks(tmp_path):
    network = nf.MultilayerPerceptron(3, 4, 2, hidden="tanh", output="softmax", seed=0)
    weights = np.stack([network.weights, -network.weights, 2 * network.weights])
    job = ErrorJob(make_kernel("numpy", network.topology), weights, np.array([True, False, True]))
    return Tasks(tmp_path, job, data_set())


@pytest.fixture
def expected(tasks):
    return nf.InProcessEngine(1).run(tasks.job, data_set().blocks)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for key, mean in expected.items():
        assert found[key].error == mean.error
        assert found[key].n_samples == mean.n_samples
        np.testing.assert_array_equal(found[key].gradient, mean.gradient)


@pytest.mark.parametrize("combiner_runs", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_bits_do_not_depend_on_combiners_or_on_the_order_of_values(tasks, expected, combiner_runs, seed):
    """Hadoop may run a combiner 0 to n times, over any share of a map's lines."""
    shuffle = random.Random(seed)
    lines = []
    for mapped in tasks.mapped():
        of_map = mapped
        for _ in range(combiner_runs):
            shuffle.shuffle(of_map)
            cut = shuffle.randrange(len(of_map) + 1)
            of_map = tasks.combined(of_map[:cut]) + tasks.combined(of_map[cut:])
        lines += of_map
    shuffle.shuffle(lines)
    # A combiner runs at the reducer's side too, over lines of several maps.
    half = len(lines) // 2
    lines = tasks.combined(lines[:half]) + lines[half:]
    assert_same(tasks.result(tasks.reduced(lines)), expected)


def test_several_reducers_share_the_keys(tasks, expected):
    lines = [line for mapped in tasks.mapped() for line in mapped]
    keys = sorted({line.split(b"\t")[0] for line in lines})
    assert len(keys) == 4  # three weight vectors, and which blocks were summed
    output = []
    for key in reversed(keys):
        output += tasks.reduced([line for line in lines if line.startswith(key)])
    assert_same(tasks.result(output), expected)


def test_a_map_of_a_whole_part_file_hands_on_one_record_a_key(tasks):
    mapped = tasks.mapped()
    assert [len(lines) for lines in mapped[:-1]] == [4] * (len(mapped) - 1)


def test_lines_that_come_twice_are_refused(tasks):
    lines = [line for mapped in tasks.mapped() for line in mapped]
    output = Output.of(tasks.reduced(lines + lines[-3:]))
    assert any("came twice" in failure.message for failure in output.failures)


def test_lines_that_are_lost_are_refused(tasks):
    _, *others = tasks.mapped()
    output = Output.of(tasks.reduced([line for lines in others for line in lines]))
    with pytest.raises(nf.EngineError, match=r"covers 13 block\(s\), not the 21"):
        output.total(21)


def test_two_sums_under_a_key_in_the_result_are_refused(tasks):
    output = tasks.reduced([line for mapped in tasks.mapped() for line in mapped])
    with pytest.raises(nf.EngineError, match="two sums under the key"):
        Output.of(output + output)


@pytest.mark.parametrize("place", ["key", "checksum", "packet"])
def test_a_changed_byte_in_a_line_is_noticed(tasks, place):
    first, *others = [line for mapped in tasks.mapped() for line in mapped if line.startswith(b"0")]
    position = {"key": 19, "checksum": 22, "packet": len(first) // 2}[place]
    flipped = bytearray(first)
    flipped[position] = ord("1") if flipped[position] != ord("1") else ord("2")
    try:
        found = [failure.message for failure in Output.of(tasks.reduced([bytes(flipped), *others])).failures]
    except nf.EngineError as problem:  # at a key's first line there is nobody yet to report it
        found = [str(problem)]
    assert found
    assert all("damaged" in message for message in found)


def test_a_damaged_record_is_reported_at_once_with_file_and_record(tasks):
    """No retry could mend it, so the first attempt reports it, and nothing else."""
    address = tasks.files.addresses[1]
    content = bytearray(Path(address).read_bytes())
    content[-20] ^= 1
    tasks.environment = {
        "mapreduce_map_input_file": f"hdfs://node:9000{address}",
        "mapreduce_task_attempt_id": ATTEMPT.format(0),
    }
    (line,) = tasks.run("mapper", bytes(content))
    (failure,) = Output.of([line]).failures
    assert failure.kind == "PackedDataError"
    assert failure.message.startswith(f"{address}, record 8: ")
    assert failure.is_certain


def test_a_record_of_other_data_is_refused(tasks, tmp_path):
    (tmp_path / "other").mkdir()
    other = BlockFiles.of(data_set(20).blocks, tmp_path / "other", 1, lambda path: path)
    (line,) = tasks.run("mapper", Path(other.addresses[0]).read_bytes())
    assert "a block of other data" in Output.of([line]).failures[0].message


def test_chance_failures_are_raised_until_the_last_attempt_reports_them(tasks):
    tasks.packet.unlink()
    for attempt in range(3):
        tasks.environment = {"mapreduce_task_attempt_id": ATTEMPT.format(attempt)}
        with pytest.raises(FileNotFoundError):
            tasks.run("mapper", b"")
    tasks.environment = {"mapreduce_task_attempt_id": ATTEMPT.format(3)}
    (line,) = tasks.run("mapper", b"")
    assert line.startswith(b"failure\t")
    assert Output.of([line]).failures[0].kind == "FileNotFoundError"
    assert "FileNotFoundError" in tasks.log


def test_the_number_of_attempts_is_read_from_the_tasks_environment(tasks):
    tasks.packet.unlink()
    tasks.environment = {
        "mapreduce_task_attempt_id": ATTEMPT.format(0),
        "mapreduce_map_maxattempts": "1",
    }
    (line,) = tasks.run("mapper", b"")
    assert line.startswith(b"failure\t")


def test_failures_pass_combiner_and_reducer_as_they_are(tasks):
    line = SumsProtocol().write(FAILURE, b"whatever it is") + b"\n"
    assert tasks.combined([line]) == [line]
    assert tasks.reduced([line]) == [line]


def test_a_map_without_input_hands_on_nothing(tasks):
    assert tasks.run("mapper", b"") == []


def test_keys_sort_as_numbers():
    keys = [0, 3, 10, 2**40, 9]
    lines = [SumsProtocol().write(key, b"") for key in keys]
    assert [SumsProtocol().read(line)[0] for line in sorted(lines)] == sorted(keys)
    assert SumsProtocol().read(SumsProtocol().write(BLOCKS, b"abc"))[0] == BLOCKS
