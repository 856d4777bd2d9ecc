"""What would run where and why, told before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.noise import Noise
from neuralframe.data.wording import plural
from neuralframe.exceptions import ChoiceError
from neuralframe.kernels import AUTO, KERNELS
from neuralframe.kernels.candidates import BY_NAME, CANDIDATES, missing
from neuralframe.kernels.choice import choose
from neuralframe.kernels.chunks import chunk_size
from neuralframe.kernels.stages import make_stage
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.in_process_engine import InProcessEngine
from neuralframe.networks.layer_paths import layer_paths
from neuralframe.networks.preparation import check_fit, held_out, require_data_set, work_of
from neuralframe.networks.training_options import validation_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import numpy.typing as npt

    from neuralframe.core.topology import Topology
    from neuralframe.data.data_set import DataSet
    from neuralframe.kernels.candidates import Candidate
    from neuralframe.kernels.work import Work
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.layer_paths import LayerPath
    from neuralframe.networks.neural_network import NeuralNetwork

PLAIN = "numpy"
"""The kernel that computes what the others leave."""

MILLION = 1e6


@attrs.frozen(kw_only=True)
class Explanation:
    """How a network would learn a data set; prints as a text.

    Attributes
    ----------
    network : str
        The network's sizes.
    kernel, reason : str
        What computes a block, and why this was chosen.
    alternatives : mapping of str to str
        What the other kernels would have needed, or would be good for.
    layers : tuple of LayerPath
        How each layer is computed.
    dtype : str
        What is computed in.
    n_samples, n_blocks, block_size : int
        The samples, and how they are cut.
    chunk : int or None
        Samples of a block that numpy computes at once; None where another kernel does all of it.
    engine : str
        Where blocks are mapped.
    workers : int or None
        Threads of the engine in process; elsewhere tasks are the cluster's business.
    flops : int
        Operations in the products of one error and gradient over all samples.
    data_bytes : int
        Inputs and targets that such a pass reads, in the type that is computed in.
    working_bytes : int
        About what numpy keeps for each worker to compute in. The other kernels keep blocks as they lay them
        out: cuda on the device, numba at most 256 MiB, and none of the inputs where these are wide.

    """

    network: str
    kernel: str
    reason: str
    alternatives: Mapping[str, str]
    layers: tuple[LayerPath, ...]
    dtype: str
    n_samples: int
    n_blocks: int
    block_size: int
    chunk: int | None
    engine: str
    workers: int | None
    flops: int
    data_bytes: int
    working_bytes: int

    def __str__(self) -> str:
        pairs = list(self.pairs())
        width = max(len(name) for name, _ in pairs)
        return "\n".join(f"{name.ljust(width)}  {text}" for name, text in pairs)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield what there is to tell, each under a name."""
        yield "network", self.network
        yield "kernel", f"{self.kernel}, {self.dtype}: {self.reason}"
        for name, reason in self.alternatives.items():
            yield f"  not {name}", reason
        for layer in self.layers:
            yield f"layer {layer.name}", f"{layer.size:,} neurons: {layer.way}"
        blocks = f"{self.n_blocks:,} of up to {self.block_size:,} samples, {self.n_samples:,} in all"
        at_once = "" if self.chunk is None else f"; up to {self.chunk:,} computed at once"
        yield "blocks", f"{blocks}{at_once}"
        workers = "" if self.workers is None else f", up to {plural(self.workers, 'thread')}"
        yield "engine", f"{self.engine}{workers}"
        products = f"{self.flops / MILLION:,.0f} million operations in products"
        yield "a pass", f"{products}, {self.data_bytes / MILLION:,.1f} MB of data"
        whose = "for blocks as the kernel lays them out" if self.chunk is None else "for each worker"
        yield "memory", f"about {self.working_bytes / MILLION:,.1f} MB {whose}, beside the data"


def explain(
    network: NeuralNetwork,
    data: DataSet,
    *,
    engine: str | Engine = "threads",
    kernel: str = "auto",
    dtype: npt.DTypeLike = "float64",
    noise: Noise | Iterable[Noise] | None = None,
    validation: float | DataSet | None = None,
) -> Explanation:
    """Say how a network would learn a data set: which kernel, why, and what the others would have needed.

    Given what `learn` is given, it names the kernel that `learn` would use. Nothing is computed, and no
    package is imported that the training would not import.

    Parameters
    ----------
    network : NeuralNetwork
    data : DataSet
    engine, kernel, dtype, noise, validation
        As in `NeuralNetwork.learn`: what the choice looks at. Of the engine this is whether blocks are
        computed in this process.

    Returns
    -------
    Explanation
        It prints as a text.

    Raises
    ------
    ShapeError, DataError
        If the data do not fit the network.
    ChoiceError
        If there is no such engine, kernel or floating-point type.
    ParameterError
        If `validation` is out of range.

    Examples
    --------
    >>> import neuralframe as nf
    >>> net = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    >>> data = nf.DataSet([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> nf.explain(net, data).kernel
    'numpy'

    """
    if kernel not in (AUTO, *KERNELS):
        raise ChoiceError("kernel", kernel, [AUTO, *KERNELS])
    data = _learnt_from(network, data, validation)
    place = make_engine(engine)
    work = work_of(
        network,
        data.blocks,
        dtype=dtype,
        noise=Noise.given(noise),
        elsewhere=not place.computes_here,
    )
    name = choose(work, missing=missing).name if kernel == AUTO else kernel
    candidate = BY_NAME[name]
    by_numpy = name == PLAIN or bool(candidate.hindrance(work, missing))
    return Explanation(
        network=_sizes(network.topology),
        kernel=name,
        reason=candidate.merit(work) if kernel == AUTO else _asked_for(candidate, work),
        alternatives={other: _verdict(other, work) for other in CANDIDATES if other != name},
        layers=layer_paths(network.topology, "" if by_numpy else candidate.way(work)),
        dtype=work.dtype.name,
        n_samples=data.n_samples,
        n_blocks=len(data.blocks),
        block_size=data.block_size,
        chunk=_chunk(work) if by_numpy else None,
        engine=place.name,
        workers=place.workers if isinstance(place, InProcessEngine) else None,
        flops=work.flops,
        data_bytes=work.n_bytes,
        working_bytes=(
            _working_bytes(work) if by_numpy else candidate.kept_bytes(work, is_cast=data.dtype != work.dtype)
        ),
    )


def _learnt_from(network: NeuralNetwork, data: DataSet, validation: float | DataSet | None) -> DataSet:
    """Return the samples that `learn` would learn from; how many they are does not depend on the seed."""
    require_data_set(data)
    training, watched = held_out(data, validation_of(validation), np.random.SeedSequence(0))
    for part in (training, watched):
        if part is not None:
            check_fit(network, part)
    return training


def _verdict(name: str, work: Work) -> str:
    """Return all that speaks against a kernel, or else for it."""
    candidate = CANDIDATES[name]
    return "; ".join(candidate.objections(work, missing)) or f"possible: {candidate.merit(work)}"


def _asked_for(candidate: Candidate, work: Work) -> str:
    refusal = candidate.refusal(missing)
    if refusal:
        return f"asked for, but the training would be refused: {refusal}"
    hindrance = candidate.hindrance(work, missing)
    if hindrance:
        return f"asked for, but numpy computes: {hindrance}"
    lack = missing(candidate.needs)
    return f"asked for, where tasks have it; here {lack}" if lack else "asked for"


def _sizes(topology: Topology) -> str:
    sizes = "-".join(str(layer.size) for layer in topology.layers)
    return f"{sizes}, {topology.n_weights:,} weights, {topology.error_function.name}"


def _values_per_sample(topology: Topology) -> int:
    return sum(make_stage(topology, number).values_per_sample for number in topology.order)


def _chunk(work: Work) -> int:
    return chunk_size(_values_per_sample(work.topology), work.dtype.itemsize)


def _working_bytes(work: Work) -> int:
    """Return the size of a chunk's inputs, of what its layers compute forward and back, and of a gradient."""
    values = work.topology.n_inputs + 2 * _values_per_sample(work.topology)
    return _chunk(work) * values * work.dtype.itemsize + 2 * 8 * work.topology.n_weights
