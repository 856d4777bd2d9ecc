"""mrjob jobs through the warm client."""

from __future__ import annotations

import sys

import pytest

from neuralframe.exceptions import EngineError

pytestmark = pytest.mark.hadoop

SCRIPT = """
from mrjob.job import MRJob


class CountParities(MRJob):
    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--fail", action="store_true")

    def mapper(self, _, line):
        if self.options.fail:
            raise LookupError("this mapper never works")
        yield int(line) % 2, 1

    def combiner(self, key, values):
        yield key, sum(values)

    def reducer(self, key, values):
        self.increment_counter("parities", "seen")
        yield key, sum(values)


if __name__ == "__main__":
    CountParities.run()
"""

WAIT = 90


@pytest.fixture(scope="module")
def job_class(tmp_path_factory):
    """Return a job in a script of its own, as mrjob needs it."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "count_parities.py").write_text(SCRIPT)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        import count_parities

        yield count_parities.CountParities


def options(*more: str) -> list[str]:
    """Return what every Hadoop job here is run with."""
    return ["-r", "hadoop", "--no-conf", "--no-bootstrap-mrjob", "--python-bin", sys.executable, *more]


@pytest.fixture
def numbers(hadoop_client, hdfs_folder):
    """Two files of HDFS with 0 to 999 in them."""
    for part in range(2):
        content = b"".join(b"%d\n" % i for i in range(500 * part, 500 * part + 500))
        hadoop_client.write(f"{hdfs_folder}/in/part-{part}", content)
    return f"hdfs://{hdfs_folder}/in"


def test_a_job_on_hdfs(job_class, hadoop_client, numbers):
    from neuralframe.mapreduce.hadoop_runner import make_hadoop_runner

    job = job_class([*options(), numbers])
    with make_hadoop_runner(job, hadoop_client, timeout=WAIT) as runner:
        runner.run()
        assert dict(job.parse_output(runner.cat_output())) == {0: 500, 1: 500}
        assert runner.counters()[0]["parities"] == {"seen": 2}
        assert runner.fs.exists(runner.get_output_dir())
        folder = runner._hadoop_tmp_dir
    assert not hadoop_client.exists(folder)


def test_local_input_and_an_output_folder_of_the_users(job_class, hadoop_client, hdfs_folder, tmp_path):
    from neuralframe.mapreduce.hadoop_runner import make_hadoop_runner

    (tmp_path / "numbers").write_text("1\n2\n3\n")
    job = job_class([*options(), "--output-dir", f"hdfs://{hdfs_folder}/out", str(tmp_path / "numbers")])
    with make_hadoop_runner(job, hadoop_client, timeout=WAIT) as runner:
        runner.run()
        assert dict(job.parse_output(runner.cat_output())) == {0: 1, 1: 2}
    assert hadoop_client.exists(f"{hdfs_folder}/out/_SUCCESS")


def test_a_mappers_traceback_reaches_the_driver(job_class, hadoop_client, numbers):
    from neuralframe.mapreduce.hadoop_runner import make_hadoop_runner

    job = job_class([*options("--fail", "-D", "mapreduce.map.maxattempts=1"), numbers])
    with (
        make_hadoop_runner(job, hadoop_client, timeout=WAIT) as runner,
        pytest.raises(EngineError, match="LookupError: this mapper never works"),
    ):
        runner.run()


def test_the_command_path_gives_the_same(job_class, hadoop_cluster, numbers, monkeypatch):
    """Without py4j, mrjob calls the ``hadoop`` command for everything."""
    for name, value in hadoop_cluster.environment.items():
        monkeypatch.setenv(name, value)
    job = job_class([*options("--hadoop-bin", hadoop_cluster.hadoop), numbers])
    with job.make_runner() as runner:
        runner.run()
        assert dict(job.parse_output(runner.cat_output())) == {0: 500, 1: 500}
        assert runner.counters()[0]["parities"] == {"seen": 2}
