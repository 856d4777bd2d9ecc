"""Jobs and functions that a user might write: whoever runs tasks elsewhere must be sent this module.

Tests import it under its bare name from a folder put on the path, as a user's own module is.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import attrs
import numpy as np

import neuralframe as nf
from neuralframe.mapreduce.job import Job

DRIVER = os.environ.get("NEURALFRAME_TEST_DRIVER", "")
"""The driver's process, so that a crash meant for a task does not hit the tests."""


@attrs.frozen
class ClassSums(Job):
    """Sums of the inputs of each class, under the number of the class; many blocks lack some classes."""

    def map(self, block):
        classes = block.targets[:, 0].astype(int)
        return {
            int(key): {
                "inputs": block.inputs[classes == key].sum(axis=0, dtype=np.float64),
                "n": np.array([float(np.sum(classes == key))]),
            }
            for key in np.unique(classes)
        }

    def reduce(self, key, total):
        return total["inputs"] / total["n"], int(total["n"][0])


@attrs.frozen
class Largest(Job):
    """The largest value of each input and the number of the block that holds it: `combine` is its own."""

    def map(self, block):
        return {7: {"largest": block.inputs.max(axis=0).astype(float), "block": np.array([block.number])}}

    def combine(self, left, right):
        is_left = left["largest"] >= right["largest"]
        return {
            "largest": np.where(is_left, left["largest"], right["largest"]),
            "block": np.where(is_left, left["block"], right["block"]),
        }

    def reduce(self, key, total):
        return total["largest"], total["block"]


@attrs.frozen
class Troubled(Job):
    """Counts samples, after some trouble in the task that maps block 1: always, or until it left a file."""

    trouble: str
    once: str = ""

    def map(self, block):
        if block.number == 1 and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            getattr(self, self.trouble)()
        return {0: {"n": np.array([float(block.n_samples)])}}

    def reduce(self, key, total):
        return int(total["n"][0])

    def raises(self):
        raise ZeroDivisionError("as it must")

    def exits(self):
        assert str(os.getpid()) != DRIVER
        os._exit(3)

    def is_killed(self):
        assert str(os.getpid()) != DRIVER
        os.kill(os.getpid(), signal.SIGKILL)

    def hangs(self):
        time.sleep(60)


@attrs.frozen
class Bent(nf.Tanh):
    """x + tanh x: no function of neuralframe's."""

    def value(self, net):
        return net + np.tanh(net)

    def derivative(self, net, output):
        return 2 - np.tanh(net) ** 2
