"""Jobs and a network's function that a user might write, in a module that no task has installed.

Copied beside the tests' temporary files and imported from there, so that it must be sent along.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import attrs
import numpy as np

import neuralframe as nf
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.mapreduce.job import Job

HEAVY = ("numba", "scipy", "mrjob", "rich", "typer", "sklearn", "threadpoolctl", "pooch", "pandas")


@attrs.frozen
class Bent(TransferFunction):
    """x + x**3 / 10: no function of neuralframe's."""

    def value(self, net):
        return net + net**3 / 10

    def derivative(self, net, output):
        return 1 + 3 * net**2 / 10


@attrs.frozen
class Counting(Job):
    """Counts samples; sleeps so many seconds at each block."""

    seconds: float = 0.0

    def map(self, block):
        time.sleep(self.seconds)
        return {0: {"n": np.array([float(block.n_samples)])}}

    def reduce(self, key, total):
        return total["n"][0]


@attrs.frozen
class Failing(Counting):
    """Fails at block 5: always, or only until it has left a file behind."""

    once: str = ""

    def map(self, block):
        if block.number == 5 and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            raise ZeroDivisionError("block 5 is bad")
        return super().map(block)


@attrs.frozen
class Refusing(Counting):
    """Refuses block 5, as it would in every attempt."""

    def map(self, block):
        if block.number == 5:
            raise nf.ParameterError("block 5 is refused")
        return super().map(block)


@attrs.frozen
class Looking(Job):
    """Tells what it is like where blocks are mapped, under the block's number."""

    def map(self, block):
        threads = int(os.environ["OPENBLAS_NUM_THREADS"])
        gpu = int(os.environ.get("CUDA_VISIBLE_DEVICES", "-1"))
        heavy = sum(name in sys.modules for name in HEAVY)
        zipped = ".zip" in nf.__file__
        return {block.number: {"found": np.array([threads, gpu, heavy, zipped, os.getpid()], dtype=float)}}

    def reduce(self, key, total):
        return dict(
            zip(("threads", "gpu", "heavy", "zipped", "worker"), map(int, total["found"]), strict=True)
        )
