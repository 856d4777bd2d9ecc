"""The kernels that ``kernel="auto"`` chooses from, and what speaks for and against each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar

from neuralframe.kernels import narrow_stacks
from neuralframe.kernels.cuda import shim
from neuralframe.kernels.cuda_kernel import family_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neuralframe.kernels.work import Work

    Missing = Callable[[str], str]

NUMBA_START_UP = 0.5
"""Seconds until a process has its first compiled gradient: 0.2 to import numba, 0.3 until it has loaded what
was compiled before (benchmarks/results/kernels_startup.md). The first time on a machine takes longer."""

SAVED_A_SAMPLE = {"float64": 6e-8, "float32": 3e-8}
"""Seconds that compiled code saves at least with each sample: from 8-4-1 to 64-32-10 and 400-25-10 it is 60
to 360 nanoseconds (benchmarks/results/kernels.md). It saves 50 microseconds with each block besides, of
which nothing is made here: so small data have the same bits on every engine, however they are cut."""

CUDA_START_UP = 4.0
"""Seconds that a training must take one processor before a device is opened for it: to open it, compile for
it and carry the data there takes 1 to 4. Estimated; not measured."""

NOISE = "noise is computed by numpy only"

LAID_OUT_BYTES = 2**28
"""What compiled code keeps of blocks laid out, of all kernels together."""


def missing(name: str) -> str:
    """Return what a kernel lacks on this machine, or an empty text; nothing heavy is imported."""
    if name == "numba" and find_spec("numba") is None:
        return "numba is not installed"
    return shim.reason_against() if name == "cuda" else ""


class Candidate(ABC):
    """A kernel, judged before it is made. Where there is nothing to say the text is empty."""

    name: ClassVar[str]
    knows_noise: ClassVar[bool] = False

    @property
    def needs(self) -> str:
        """The name by which `missing` knows what the kernel needs."""
        return self.name

    def objections(self, work: Work, missing: Missing = missing) -> Iterator[str]:
        """Yield all that speaks against the kernel, what is found out at least cost first."""
        if work.with_noise and not self.knows_noise:
            yield NOISE
        for found in (self.too_little, self.misfit, self.absence, lambda _: self.lack(work, missing)):
            objection = found(work)
            if objection:
                yield objection

    def hindrance(self, work: Work, missing: Missing = missing) -> str:
        """Return why, asked for by name, the kernel would still leave the work to numpy."""
        if work.with_noise and not self.knows_noise:
            return NOISE
        return self.misfit(work) or self.lack(work, missing)

    def lack(self, work: Work, missing: Missing = missing) -> str:
        """Return what of this machine's lacks keeps the kernel from the work; not those of a mere driver."""
        return self.refusal(missing) if work.elsewhere else missing(self.needs)

    def refusal(self, missing: Missing = missing) -> str:  # noqa: ARG002 - most can be made anywhere
        """Return why, asked for by name, the kernel cannot even be made where the training starts."""
        return ""

    def absence(self, work: Work) -> str:
        """Return why nobody knows whether the kernel is there where blocks are computed.

        A process that is started anew for each job would also pay each time for the start of the kernel.
        """
        if not work.elsewhere:
            return ""
        return f"tasks run in other processes, which may lack it: name kernel={self.name!r} if they have it"

    def failure(self) -> str:
        """Load what the kernel is about to need, and return why it cannot be used, though it is installed."""
        return ""

    @abstractmethod
    def too_little(self, work: Work) -> str:
        """Return why the work gains too little to pay for the start of the kernel."""

    @abstractmethod
    def misfit(self, work: Work) -> str:
        """Return why the kernel would leave the network to numpy."""

    @abstractmethod
    def merit(self, work: Work) -> str:
        """Return what speaks for the kernel where nothing speaks against it."""

    def way(self, work: Work) -> str:  # noqa: ARG002 - numpy has a way for each layer
        """Return how the kernel computes all layers together, where it does so."""
        return ""

    def kept_bytes(self, work: Work, *, is_cast: bool) -> int:  # noqa: ARG002 - numpy keeps no data
        """Return about how much the kernel keeps of the data; `is_cast` if they come in another type."""
        return 0


class Cuda(Candidate):
    """Takes large work off the processor."""

    name = "cuda"

    def too_little(self, work: Work) -> str:
        if work.cpu_seconds >= CUDA_START_UP:
            return ""
        return (
            f"{work} take one processor about {_seconds(work.cpu_seconds)}, less than the "
            f"{_seconds(CUDA_START_UP)} from which a device is worth starting (estimated)"
        )

    def misfit(self, work: Work) -> str:
        return family_of(work.topology, work.dtype)[1]

    def merit(self, work: Work) -> str:
        return f"{work} would take one processor about {_seconds(work.cpu_seconds)}"

    def way(self, work: Work) -> str:
        family, _ = family_of(work.topology, work.dtype)
        return "" if family is None else f"on the device, by {family.__name__}"

    def kept_bytes(self, work: Work, *, is_cast: bool) -> int:  # noqa: ARG002 - all goes there
        return work.n_bytes


class ByteCuda(Cuda):
    """The same with inputs rounded to bytes, which nobody decides but the user."""

    name = "cuda_uint8"
    input_bytes: ClassVar[int] = 1

    @property
    def needs(self) -> str:
        return Cuda.name

    def kept_bytes(self, work: Work, *, is_cast: bool) -> int:  # noqa: ARG002
        n_outputs = work.topology.n_outputs * work.dtype.itemsize
        return work.n_samples * (work.topology.n_inputs * self.input_bytes + n_outputs)


class HalfCuda(ByteCuda):
    """The same with inputs rounded to float16."""

    name = "cuda_float16"
    input_bytes = 2


class Numba(Candidate):
    """Saves a little on each sample where layers are narrow."""

    name = "numba"

    def failure(self) -> str:
        try:
            import_module("numba")
        except Exception as problem:  # noqa: BLE001 - a numpy too new, a library that is missing
            return f"numba is installed and cannot be loaded: {problem}"
        return ""

    def refusal(self, missing: Missing = missing) -> str:
        return missing(self.name)

    def too_little(self, work: Work) -> str:
        slow = narrow_stacks.reason_without_gain(work.topology)
        if slow:
            return slow
        saved = self.seconds_saved(work)
        if saved >= NUMBA_START_UP:
            return ""
        return (
            f"{work} would be about {_seconds(saved)} faster, and numba starts in {_seconds(NUMBA_START_UP)}"
        )

    def misfit(self, work: Work) -> str:
        return narrow_stacks.reason_against(work.topology)

    def merit(self, work: Work) -> str:
        saved = _seconds(self.seconds_saved(work))
        return (
            f"narrow layers; {work} are about {saved} faster, and numba starts in {_seconds(NUMBA_START_UP)}"
        )

    def way(self, work: Work) -> str:  # noqa: ARG002 - there is but one
        return "compiled: one call for all layers, forward and back"

    def kept_bytes(self, work: Work, *, is_cast: bool) -> int:
        rows_stay = narrow_stacks.reads_rows(work.topology) and not is_cast
        columns = work.topology.n_outputs + (0 if rows_stay else work.topology.n_inputs)
        return min(LAID_OUT_BYTES, work.n_samples * columns * work.dtype.itemsize)

    @staticmethod
    def seconds_saved(work: Work) -> float:
        """Return about how much longer numpy would take, over all passes."""
        return work.passes * work.n_samples * SAVED_A_SAMPLE[work.dtype.name]


class Numpy(Candidate):
    """Computes everything, everywhere."""

    name = "numpy"
    knows_noise = True

    def too_little(self, work: Work) -> str:  # noqa: ARG002 - it starts at once
        return ""

    def misfit(self, work: Work) -> str:  # noqa: ARG002 - what does not fit it cannot be built
        return ""

    def absence(self, work: Work) -> str:  # noqa: ARG002
        return ""

    def merit(self, work: Work) -> str:  # noqa: ARG002
        return "it computes every network and starts at once"


CANDIDATES: dict[str, Candidate] = {one.name: one for one in (Cuda(), Numba(), Numpy())}
"""Those that are faster where they suit come first."""

BY_NAME: dict[str, Candidate] = CANDIDATES | {one.name: one for one in (ByteCuda(), HalfCuda())}
"""All of them, with those that are never chosen."""


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s"
