"""Gradient jobs through mrjob: what they take beside bare jobs of the same kind, and how they grow.

python benchmarks/jobs.py [inline] [local] [sessions] [scaling] [hadoop]

Without arguments everything but Hadoop is measured. For Hadoop have a cluster running, and its environment
set, as docs/hadoop.md says. Each part goes into a file of its own below ``benchmarks/results``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from measure import keep, medians, table
from trivial_job import CountBytes

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce.error_job import ErrorJob

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HDFS_FOLDER = "/tmp/benchmark"  # noqa: S108 - on HDFS
ABALONE_SIZE = ((8, 16, 3), 4177)


def case(
    sizes: tuple[int, ...],
    n_samples: int,
    n_vectors: int = 1,
    block_size: int | None = None,
    kernel: str = "numpy",
) -> tuple[ErrorJob, nf.DataSet]:
    """Return a gradient job of random data, at so many weight vectors."""
    random = np.random.default_rng(0)
    data = nf.DataSet(
        random.standard_normal((n_samples, sizes[0])),
        np.eye(sizes[-1])[random.integers(0, sizes[-1], n_samples)],
        block_size=block_size,
    )
    network = nf.MultilayerPerceptron(*sizes, output="softmax", seed=0)
    weights = network.weights + 0.01 * random.standard_normal((n_vectors, len(network.weights)))
    job = ErrorJob(make_kernel(kernel, network.topology), weights, np.ones(n_vectors, dtype=bool))
    return job, data


def packed(data: nf.DataSet, folder: str, parts: int) -> nf.Blocks:
    """Return the blocks of packed data."""
    path = Path(folder, f"{len(list(Path(folder).iterdir()))}.nfd")
    data.pack(path, parts=parts)
    return nf.DataSet.open(path).blocks


def addresses(blocks: nf.Blocks) -> list[str]:
    """Return the paths of the part files of packed blocks."""
    return [part.address_of(file) for part in blocks.parts for file in part.part_files]


def bare_job(runner: str, files: list[str], *options: str) -> Callable[[], None]:
    """Return a function that runs the trivial job as mrjob's documentation has it."""

    def run() -> None:
        job = CountBytes(["--runner", runner, *options, *files])
        with job.make_runner() as made:
            made.run()
            assert list(job.parse_output(made.cat_output()))

    return run


def beside_bare_jobs(runner: str, repeats: int) -> None:
    """Compare a gradient job with calling the kernel, and with a trivial job."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        rows = []
        for block_size in (256, None):
            job, data = case(*ABALONE_SIZE, block_size=block_size)
            blocks = packed(data, folder, 2)
            engine = stack.enter_context(nf.MRJobEngine(runner))
            files = addresses(blocks)

            def kernel(job: ErrorJob = job, blocks: nf.Blocks = blocks) -> None:
                for block in blocks:
                    job.map(block)

            cases = {
                "kernel": kernel,
                "trivial": bare_job(runner, files, "--no-conf"),
                "without bootstrap": bare_job(runner, files, "--no-conf", "--no-bootstrap-mrjob"),
                "gradient": lambda e=engine, j=job, b=blocks: e.run(j, b),
            }
            found = medians(cases, repeats)
            rows.append(
                [
                    f"{len(blocks)}",
                    *(f"{median * 1e3:.1f} ± {iqr * 1e3:.1f}" for median, iqr in found.values()),
                    f"{(found['gradient'][0] - found['kernel'][0]) * 1e3:.1f}",
                    f"{found['gradient'][0] / found['without bootstrap'][0]:.2f}",
                ]
            )
    header = [
        "blocks",
        "kernel ms",
        "trivial job ms",
        "the same, `--no-bootstrap-mrjob`",
        "gradient job ms",
        "more than the kernel, ms",
        "of the trivial job without bootstrap",
    ]
    keep(
        f"jobs_{runner}",
        f"mrjob's {runner} runner: 8-16-3, 4,177 samples in 2 part files",
        [table(header, rows)],
    )


def sessions(runner: str, repeats: int, folder: str | None = None) -> str:
    """Compare jobs of 8 sessions with jobs of one."""
    with tempfile.TemporaryDirectory() as local, nf.MRJobEngine(runner) as engine:
        rows = []
        for sizes, n_samples in (ABALONE_SIZE, ((400, 25, 10), 5000)):
            cases = {}
            blocks = None
            for n_vectors in (1, 8):
                job, data = case(sizes, n_samples, n_vectors)
                if blocks is None:
                    blocks = stored(data, folder, 2) if folder else packed(data, local, 2)
                cases[n_vectors] = lambda j=job, b=blocks: engine.run(j, b)
            found = medians({str(n): run for n, run in cases.items()}, repeats)
            rows.append(
                [
                    f"{'-'.join(map(str, sizes))}, {n_samples:,}",
                    *(f"{median:.2f} ± {iqr:.2f}" for median, iqr in found.values()),
                    f"{found['8'][0] / found['1'][0]:.2f}",
                ]
            )
    return table(["network, samples", "1 session s", "8 sessions s", "ratio"], rows)


def scaling() -> None:
    """Time gradients with one and two workers as samples grow a hundredfold."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for sizes, kernel, counts in (
            ((8, 16, 3), "numba", (4_000, 40_000, 400_000)),
            ((8, 16, 3), "numpy", (4_000, 40_000, 400_000)),
            ((400, 25, 10), "numpy", (1_000, 10_000, 100_000)),
        ):
            for n_samples in counts:
                job, data = case(sizes, n_samples, kernel=kernel)
                memory, files = data.blocks, packed(data, folder, 2)
                shape = f"{'-'.join(map(str, sizes))}, {kernel}"
                in_process = [nf.InProcessEngine(n) for n in (1, 2)]
                rows.append(["in process, arrays", shape, n_samples, *gain(job, memory, in_process)])
                rows.append(["in process, packed", shape, n_samples, *gain(job, files, in_process)])
                if kernel == "numpy":
                    local = [nf.MRJobEngine("local", options=["--num-cores", n]) for n in "12"]
                    rows.append(["mrjob:local", shape, n_samples, *gain(job, files, local)])
    rows.sort(key=lambda row: (row[0], row[1]))
    text = (
        "Between two calls of numpy only one thread of a process computes: of narrow networks, whose calls "
        "are short, two threads get no more done than one, and the engine soon hands them no blocks. "
        "Compiled code computes a block in one call. Tasks of mrjob are processes."
    )
    header = ["engine", "network, kernel", "samples", "1 worker ms", "2 workers ms", "gain"]
    shown = [[*row[:2], f"{row[2]:,}", *row[3:]] for row in rows]
    keep("scaling", "A gradient as samples and workers grow", [table(header, shown), text])


def gain(job: ErrorJob, blocks: nf.Blocks, engines: Sequence[nf.Engine]) -> tuple[str, str, str]:
    """Return what a job takes with one and two workers, and the first divided by the second."""
    with ExitStack() as stack:
        for engine in engines:
            stack.enter_context(engine)
            for _ in range(3):
                engine.run(job, blocks)
        one, two = medians(
            {
                str(n): lambda engine=engine: engine.run(job, blocks)
                for n, engine in enumerate(engines, start=1)
            },
            5,
        ).values()
    shown = [f"{median * 1e3:.1f} ± {iqr * 1e3:.1f}" for median, iqr in (one, two)]
    return shown[0], shown[1], f"{one[0] / two[0]:.2f}"


def stored(data: nf.DataSet, folder: str, parts: int) -> nf.Blocks:
    """Return the blocks of data packed on HDFS."""
    path = f"{folder}/{abs(hash(data.fingerprint()))}.nfd"
    data.pack(path, parts=parts, replace=True)
    return nf.DataSet.open(path).blocks


def hadoop(repeats: int) -> None:
    """Compare a gradient job on Hadoop with trivial streaming jobs on the same cluster and data."""
    from neuralframe.mapreduce.hadoop_client import HadoopClient

    folder = f"hdfs://{HDFS_FOLDER}"
    job, data = case(*ABALONE_SIZE, block_size=256)
    with HadoopClient() as client, nf.MRJobEngine("hadoop") as engine:
        client.delete(HDFS_FOLDER)
        client.mkdirs(HDFS_FOLDER)
        blocks = stored(data, folder, 2)
        files = addresses(blocks)
        count = iter(range(10**6))

        def streaming() -> list[str]:
            return [
                *("-D", "mapreduce.input.fileinputformat.split.minsize=4611686018427387904"),
                *("-D", "mapreduce.job.reduces=1"),
                *[part for file in files for part in ("-input", file)],
                *("-output", f"{HDFS_FOLDER}/out{next(count)}"),
                *("-mapper", "wc -c", "-combiner", "cat", "-reducer", "cat"),
            ]

        def by_command() -> None:
            arguments = [client.hadoop, "jar", client.streaming_jar, *streaming()]
            subprocess.run(arguments, check=True, capture_output=True)  # noqa: S603
            subprocess.run(  # noqa: S603
                [client.hadoop, "fs", "-cat", f"{arguments[-7]}/part-*"], check=True, capture_output=True
            )

        found = medians(
            {
                "trivial, by command": by_command,
                "trivial, warm client": lambda: client.run_streaming(streaming()),
                "gradient": lambda: engine.run(job, blocks),
            },
            repeats,
        )
        base = found["trivial, by command"][0]
        rows = [
            [name, f"{median:.2f} ± {iqr:.2f}", f"{median / base:.2f}"]
            for name, (median, iqr) in found.items()
        ]
        text = table(["job", "s", "of the trivial job by command"], rows)
        keep(
            "jobs_hadoop",
            "Hadoop 3.4.2 on one machine: 8-16-3, 4,177 samples in 2 part files on HDFS",
            [text],
        )
        many = sessions("hadoop", 3, folder)
        client.delete(HDFS_FOLDER)
    keep("sessions_hadoop", "8 sessions in one job, on Hadoop", [many])


def main() -> None:
    """Measure what was asked for."""
    wanted = sys.argv[1:] or ["inline", "local", "sessions", "scaling"]
    if "inline" in wanted:
        beside_bare_jobs("inline", 30)
    if "local" in wanted:
        beside_bare_jobs("local", 7)
    if "sessions" in wanted:
        keep("sessions_local", "8 sessions in one job, mrjob:local", [sessions("local", 5)])
    if "scaling" in wanted:
        scaling()
    if "hadoop" in wanted:
        hadoop(3)


if __name__ == "__main__":
    main()
