"""The in-process engine: what it adds to the kernel, what the canonical sum costs, what threads gain.

python benchmarks/in_process.py
"""

from __future__ import annotations

import numpy as np
from measure import keep, medians, table

import neuralframe as nf
from neuralframe.kernels import make_kernel
from neuralframe.mapreduce import pace
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.partial_sum import PartialSum

CASES = {
    "8-16-3, 4,177": ((8, 16, 3), 4177, 60),
    "400-25-10, 5,000": ((400, 25, 10), 5000, 30),
    "784-500-10, 10,000": ((784, 500, 10), 10_000, 7),
    "32-5-1, 198": ((32, 5, 1), 198, 200),
}


def case(sizes: tuple[int, ...], n_samples: int) -> tuple[nf.MultilayerPerceptron, nf.DataSet]:
    """Return a network and random data of the given size."""
    random = np.random.default_rng(0)
    inputs = random.standard_normal((n_samples, sizes[0]))
    if sizes[-1] == 1:
        return nf.MultilayerPerceptron(*sizes, seed=0), nf.DataSet(inputs, random.standard_normal(n_samples))
    targets = np.eye(sizes[-1])[random.integers(0, sizes[-1], n_samples)]
    return nf.MultilayerPerceptron(*sizes, output="softmax", seed=0), nf.DataSet(inputs, targets)


def engine_against_kernel() -> str:
    """Compare a gradient job with bare kernel calls on the same blocks, and one worker with two."""
    rows = []
    for name, (sizes, n_samples, repeats) in CASES.items():
        network, data = case(sizes, n_samples)
        kernel, weights = make_kernel("numpy", network.topology), network.weights[np.newaxis]
        job = ErrorJob(kernel, weights, np.array([True]))
        blocks = data.blocks
        engines = {workers: nf.InProcessEngine(workers) for workers in (1, 2)}
        for engine in engines.values():
            engine.open()

        def bare(job: ErrorJob = job, blocks: nf.Blocks = blocks) -> None:
            for block in blocks:
                job.map(block)

        found = medians(
            {
                "kernel": bare,
                "1 worker": lambda e=engines[1], j=job, b=blocks: e.run(j, b),
                "2 workers": lambda e=engines[2], j=job, b=blocks: e.run(j, b),
            },
            repeats,
        )
        for engine in engines.values():
            engine.close()
        base = found["kernel"][0]
        rows.append(
            [
                name,
                str(len(blocks)),
                *(f"{median * 1e3:.3f} ± {iqr * 1e3:.3f}" for median, iqr in found.values()),
                f"{(found['1 worker'][0] / base - 1):+.1%}",
                f"{base / found['2 workers'][0]:.2f}",
            ]
        )
    header = [
        "network, samples",
        "blocks",
        "kernel ms",
        "1 worker ms",
        "2 workers ms",
        "engine adds",
        "2 gain",
    ]
    return "## A gradient job, float64\n\n" + table(header, rows)


def canonical_sum() -> str:
    """Compare adding block results along the tree with adding them one by one, and with the gradient."""
    rows = []
    for name, (sizes, n_samples, repeats) in CASES.items():
        network, data = case(sizes, n_samples)
        kernel = make_kernel("numpy", network.topology)
        job = ErrorJob(kernel, network.weights[np.newaxis], np.array([True]))
        block, n_weights = data.blocks[0], len(network.weights)
        n_blocks = 16
        made = [np.random.default_rng(i).standard_normal(n_weights) for i in range(n_blocks)]

        def fresh(made: list[np.ndarray] = made) -> list[np.ndarray]:
            return [array.copy() for array in made]

        def tree(job: ErrorJob = job) -> None:
            partial = PartialSum(job.combine)
            for number, gradient in enumerate(fresh()):
                partial.add_block(number, {0: {"training": np.zeros(3), "gradient": gradient}})
            partial.total(n_blocks)

        def in_order() -> None:
            first, *others = fresh()
            for gradient in others:
                first += gradient

        found = medians(
            {"copies": fresh, "tree": tree, "in order": in_order, "map": lambda: job.map(block)}, repeats
        )
        copies = found["copies"][0]
        per_block = [(found[way][0] - copies) / n_blocks for way in ("tree", "in order")]
        rows.append(
            [
                name.split(",")[0],
                f"{n_weights:,}",
                *(f"{seconds * 1e6:.1f}" for seconds in per_block),
                f"{found['map'][0] * 1e6:.0f}",
                f"{block.n_samples:,}",
                f"{per_block[0] / found['map'][0]:.2%}",
            ]
        )
    header = [
        "network",
        "weights",
        "tree us a block",
        "plain us a block",
        "map us a block",
        "samples",
        "share",
    ]
    return "## The canonical sum against a plain one\n\n" + table(header, rows)


def hand_off() -> str:
    """Time small jobs in the calling thread and in the pool, to see where threads begin to gain."""
    rows = []
    for n_samples in (256, 512, 1024, 2048, 4096, 8192, 16_384):
        network, data = case((8, 16, 3), n_samples)
        data = data.with_block_size(max(64, n_samples // 8))
        job = ErrorJob(make_kernel("numpy", network.topology), network.weights[np.newaxis], np.array([True]))
        one, two = nf.InProcessEngine(1), nf.InProcessEngine(2)

        def pooled(two: nf.InProcessEngine = two, job: ErrorJob = job, data: nf.DataSet = data) -> None:
            kept = pace.WORTH_A_HAND_OFF, pace.LEAST_GAIN
            pace.WORTH_A_HAND_OFF = pace.LEAST_GAIN = 0.0
            two.run(job, data.blocks)
            pace.WORTH_A_HAND_OFF, pace.LEAST_GAIN = kept

        with one, two:
            found = medians({"one": lambda e=one, j=job, b=data.blocks: e.run(j, b), "pool": pooled}, 60)
        rows.append(
            [f"{n_samples:,}", *(f"{found[key][0] * 1e3:.3f}" for key in ("one", "pool")),
             f"{found['one'][0] / found['pool'][0]:.2f}"]
        )  # fmt: skip
    header = ["samples in 8 blocks, 8-16-3", "calling thread ms", "pool of 2 ms", "gain"]
    return "## When a hand-off to the pool pays\n\n" + table(header, rows)


if __name__ == "__main__":
    keep("in_process", "The in-process engine", [engine_against_kernel(), canonical_sum(), hand_off()])
