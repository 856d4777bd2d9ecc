"""A mapper's whole life: 5,000 samples of 400 inputs from base64 to their gradient, in one process."""

from __future__ import annotations

import binascii
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import processes
from cases import CASES, Problem
from measure import medians, table
from targets import HEADER, judged

import neuralframe as nf
from neuralframe.kernels import KERNELS, make_kernel
from neuralframe.mapreduce.block_files import BlockFiles
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.mapreduce.mrjob_job import SumJob
from neuralframe.mapreduce.shipped_job import ShippedJob

if TYPE_CHECKING:
    from cases import Case

HERE = Path(__file__).parent
BASES = ("numpy alone", "numpy and mrjob")
OURS = "ours, numpy kernel"
MOST = 1.15
"""Times the process with numpy only, at most."""


@attrs.frozen
class Mapper:
    """A command that maps a file of records from its standard input."""

    command: tuple[str, ...]
    records: str

    def run(self, environment: dict[str, str]) -> bytes:
        """Run it to its end, and return what it wrote."""
        with Path(self.records).open("rb") as records:
            return subprocess.run(  # noqa: S603 - our own scripts
                [sys.executable, *self.command],
                stdin=records,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # mrjob's counters
                env=environment | {"mapreduce_map_input_file": self.records},
                check=True,
            ).stdout


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the table and the figures."""
    del seconds
    case = CASES[1]
    environment = processes.variables(1, avx2=False)
    with tempfile.TemporaryDirectory() as folder, processes.processors(1):
        mappers = all_mappers(case, folder)
        found = medians(
            {name: lambda mapper=mapper: mapper.run(environment) for name, mapper in mappers.items()},
            5 if small else 21,
        )
    rows = [
        [name, f"{median:.3f} ± {iqr:.3f}", *(f"{median / found[base][0]:.2f}" for base in BASES)]
        for name, (median, iqr) in found.items()
    ]
    targets = [
        judged(f"times `{base}`", "ours, numpy kernel", MOST, found[OURS][0] / found[base][0], least=False)
        for base in BASES
    ]
    header = [f"{case.name}, float64, one thread", "seconds", *(f"times `{base}`" for base in BASES)]
    about = (
        "From the start of the interpreter to its end. Numpy alone is the least that any process can take; a "
        "task of mrjob's has to import mrjob, so the second row is the same mapper as an `MRJob`."
    )
    return [about, table(header, rows), "## Targets", table(HEADER, targets)], found


def all_mappers(case: Case, folder: str) -> dict[str, Mapper]:
    """Return the mappers over the same records, and those of a few imports for comparison."""
    problem = Problem.of(case)
    data = nf.DataSet(problem.inputs, problem.targets)
    files = BlockFiles.of(data.blocks, Path(folder), 1, lambda path: path)
    (records,) = files.addresses
    weights = Path(folder, "weights")
    weights.write_bytes(problem.weights.tobytes())
    mrjob = ("--mapper", "--step-num=0")
    mappers = {
        BASES[0]: ((str(HERE / "numpy_mapper.py"), str(weights))),
        BASES[1]: (str(HERE / "numpy_mrjob.py"), *mrjob, "--weights", str(weights)),
    }
    for kernel in ("numpy", "numba"):
        if kernel in KERNELS:
            job = ErrorJob(
                make_kernel(kernel, problem.network().topology), problem.weights[np.newaxis], np.array([True])
            )
            packet = Path(folder, f"{kernel}.packet")
            packet.write_bytes(ShippedJob(job, files.placements, len(data.blocks), files.files).to_bytes())
            mappers[f"ours, {kernel} kernel"] = (SumJob.mr_job_script(), *mrjob, "--job-file", str(packet))
    for package in filter(find_spec, ("torch", "jax")):
        mappers[f"import {package}, nothing else"] = ("-c", f"import {package}")
    made = {name: Mapper(command, records) for name, command in mappers.items()}
    for base in BASES:
        require_right(made[base], problem)
    return made


def require_right(mapper: Mapper, problem: Problem) -> None:
    """Raise unless a mapper that is compared with writes the right gradient."""
    found = np.frombuffer(binascii.a2b_base64(mapper.run(processes.variables(1, avx2=False))))
    assert np.allclose(found / problem.case.n_samples, problem.answer[1], rtol=0, atol=1e-12)
