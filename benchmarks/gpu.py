"""The kernels on a CUDA device: what was predicted for an H200, and what is measured where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import processes
from cases import Case, Problem
from measure import digits, table, turns
from peers import cuda_pytorch

import neuralframe as nf
from neuralframe.kernels.cuda import shim
from neuralframe.kernels.cuda.device import CudaDevice
from neuralframe.kernels.cuda_kernel import CudaKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MICROSECOND = 1e-6
TOLERANCES = {"float64": 1e-13, "float32": 2e-6}


@attrs.frozen
class Prediction:
    """What one H200 is expected to take, with the data on the device.

    Attributes
    ----------
    case : Case
    goal : float, optional
        Microseconds that the kernels of a pass may take.
    floor : float, optional
        Microseconds of the arithmetic or the memory alone, whichever is more.
    dtype : str
    vectors : int
        Weight vectors in one pass.

    """

    case: Case
    goal: float | None
    floor: float | None = None
    dtype: str = "float32"
    vectors: int = 1


PREDICTIONS = (
    Prediction(Case("", (8, 16, 3), 500_000), goal=30, floor=6.5),
    Prediction(Case("", (32, 5, 1), 500_000), goal=30, floor=15.4),
    Prediction(Case("", (64, 32, 10), 500_000), goal=200, floor=77),
    Prediction(Case("", (400, 25, 10), 500_000), goal=800, floor=311),
    Prediction(Case("", (8, 16, 3), 5000), goal=10, floor=1),
    Prediction(Case("", (8, 16, 3), 5000), goal=90, floor=41, vectors=256),
    Prediction(Case("", (8, 16, 3), 500_000), goal=120, floor=12.9, dtype="float64"),
    Prediction(Case("", (784, 256, 10), 60_000), goal=None),
)
"""Calculated, not measured. The goal in float64 is four times that in float32; the last case is to be
beside the best of PyTorch, without a figure of its own."""


class TimedDevice(CudaDevice):
    """A device that notes how long its kernels ran, by events before and after each launch."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._events: list[tuple[Any, Any]] = []

    def launch(
        self,
        kernel: Callable[..., None],
        grid: tuple[int, int],
        block: int,
        args: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Start a kernel between two events."""
        before, after = self._cuda.event(), self._cuda.event()
        before.record()
        super().launch(kernel, grid, block, args, shared)
        after.record()
        self._events.append((before, after))

    def kernel_seconds(self) -> float:
        """Return how long the kernels ran that were launched since this was last asked."""
        events, self._events = self._events, []
        for _, after in events:
            after.synchronize()
        return sum(float(before.elapsed_time(after)) for before, after in events) / 1e3


def measure(*, small: bool, seconds: float) -> tuple[list[str], Any]:
    """Return the table and the figures."""
    reason = shim.reason_against()
    found = [] if reason else processes.call("gpu.py", seconds=seconds / (10 if small else 1))
    rows = [
        row(prediction, found[number] if found else None) for number, prediction in enumerate(PREDICTIONS)
    ]
    about = f"No device: not measured ({reason})." if reason else f"Device: {found[0]['device']}."
    header = [
        "network, samples", "dtype", "weight vectors", "calculated floor us", "goal us", "our kernels us",
        "reached", "our call from the host us", "off by", *cuda_pytorch.NAMES,
    ]  # fmt: skip
    return [about, __doc__ or "", table(header, rows)], found


def row(prediction: Prediction, found: dict[str, Any] | None) -> list[str]:
    """Return prediction and measurement side by side."""
    told = [prediction.case.name.removeprefix("() "), prediction.dtype, str(prediction.vectors)]
    told += ["-" if value is None else f"{value:g}" for value in (prediction.floor, prediction.goal)]
    if found is None:
        return told + ["-"] * (4 + len(cuda_pytorch.NAMES))
    kernels, off = found["kernels"], found["off"]
    # nothing was launched where the kernel gave up the device, or left the network to the processor
    right = kernels > 0 and off <= TOLERANCES[prediction.dtype]
    reached = right and kernels <= (prediction.goal or np.inf) * MICROSECOND
    theirs = [shown(found["seconds"].get(name)) for name in cuda_pytorch.NAMES]
    return [
        *told, digits(kernels / MICROSECOND), "yes" if reached else "**no**",
        shown(found["seconds"]["ours"]), f"{off:.1e}", *theirs,
    ]  # fmt: skip


def shown(timing: dict[str, float] | None) -> str:
    """Return median and spread in microseconds."""
    if timing is None:
        return "-"
    return f"{digits(timing['median'] / MICROSECOND)} ± {digits(timing['iqr'] / MICROSECOND)}"


def main(*, seconds: float) -> list[dict[str, Any]]:
    """Measure every case on the first device."""
    device = TimedDevice(0)
    return [of_case(prediction, device, seconds) for prediction in PREDICTIONS]


def of_case(prediction: Prediction, device: TimedDevice, seconds: float) -> dict[str, Any]:
    """Measure one case: all samples are one block, as a device wants them."""
    problem = Problem.of(prediction.case, prediction.dtype)
    data = nf.DataSet(problem.inputs, problem.targets, block_size=prediction.case.n_samples)
    kernel = CudaKernel(problem.network().topology, prediction.dtype, device=device)
    random, block = np.random.default_rng(1), data.blocks[0]
    noise = 0.01 * random.standard_normal((prediction.vectors, len(problem.weights)))
    noise[0] = 0
    weights = problem.weights + noise

    def ours() -> tuple[np.ndarray, np.ndarray]:
        return kernel.errors_and_gradients(weights, block.inputs, block.targets)

    errors, gradients = ours()
    n = prediction.case.n_samples
    theirs = {} if prediction.vectors > 1 else cuda_pytorch.contestants(problem)
    timings = turns({"ours": ours} | theirs, seconds=seconds, most=100)
    device.kernel_seconds()
    ran = []
    for _ in range(20):
        ours()
        ran.append(device.kernel_seconds())
    return {
        "device": str(device._cuda.get_current_device().name),  # noqa: SLF001
        "kernels": float(np.median(ran)),
        "off": problem.distance(errors[0] / n, gradients[0] / n),
        "seconds": {name: attrs.asdict(timing) for name, timing in timings.items()},
    }


if __name__ == "__main__":
    processes.answer(main)
