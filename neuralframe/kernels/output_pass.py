"""The end of a pass: the error of some samples and its derivative, where possible in the kernel's buffers."""

# ruff: noqa: ARG002 - members keep the signatures of their family

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neuralframe.core.error_functions import CategoricalCrossEntropy, SumOfSquares
from neuralframe.kernels.stage import Layers, present

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.chunks import Chunk
    from neuralframe.kernels.output_error import OutputError
    from neuralframe.kernels.workspace import Workspace


class OutputPass(ABC):
    """What follows the last layers: first `total`, then perhaps `deltas` of the same samples.

    Attributes
    ----------
    takes_net : bool
        Whether only the net inputs of the output layers are asked for, never the outputs.
    keeps_net : bool
        Whether both are.
    is_fused : bool
        Whether the derivatives are those with respect to the net input.

    """

    takes_net: ClassVar[bool] = False

    def __init__(self, topology: Topology, error: OutputError) -> None:
        self._error = error
        self._number = topology.outputs[0]
        self.is_fused = error.is_fused
        self.keeps_net = error.is_fused and not self.takes_net

    @abstractmethod
    def total(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> float:
        """Return the error summed over the samples, in float64; may leave things for `deltas` to find."""

    @abstractmethod
    def deltas(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> Layers:
        """Return the derivatives at the output layers; None for the other layers."""

    def _alone(self, delta: Array, chunk: Chunk, layers: Layers) -> Layers:
        """Return the deltas where there is one output layer, each sample times its weight."""
        scale = chunk.scale(delta.dtype)
        if scale is not None:
            np.multiply(delta, scale, out=delta)
        deltas: Layers = [None] * len(layers)
        deltas[self._number] = delta
        return deltas


class AnyOutputPass(OutputPass):
    """Whatever the error function says."""

    def total(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> float:
        return self._error.total(nets, activations, chunk.target, chunk.sample_weights)

    def deltas(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> Layers:
        dtype = present(activations[self._number]).dtype
        found = self._error.deltas(nets, activations, chunk.target, chunk.scale(dtype))
        for number, delta in enumerate(found):
            if delta is not None:  # it may be the targets' own memory, or read-only; layers compute in place
                found[number] = work.take(("output delta", number), *delta.shape)
                np.copyto(present(found[number]), delta)
        return found


class SquaresPass(OutputPass):
    """See `SumOfSquares`, of one output layer."""

    def total(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> float:
        output = present(activations[self._number])
        delta = work.take("output delta", *output.shape)
        squares = work.take("squares", *output.shape)
        np.subtract(output, chunk.target, out=delta)
        np.multiply(delta, delta, out=squares)
        return chunk.total(squares.sum(axis=0)) / 2

    def deltas(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> Layers:
        delta = work.take("output delta", *present(activations[self._number]).shape)
        return self._alone(delta, chunk, activations)


class SoftmaxPass(OutputPass):
    """See `CategoricalCrossEntropy` in its form on the net inputs of one softmax layer.

    With m the largest net input of a sample and t its targets, the error is
    ``sum(t) ln(sum(exp(net - m))) - sum(t (net - m))``.
    """

    takes_net = True

    def total(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> float:
        net = present(nets[self._number])
        np.subtract(net, net.max(axis=0), out=net)
        # The bound keeps a distance beyond the largest number from becoming 0 * infinity.
        np.maximum(net, np.finfo(net.dtype).min, out=net)
        wanted = work.take("wanted", *net.shape)
        np.multiply(chunk.target, net, out=wanted)
        np.exp(net, out=net)
        exponentials, share = work.take("exponentials", 2, net.shape[1])
        np.sum(net, axis=0, out=exponentials)
        np.sum(chunk.target, axis=0, out=share)
        values = np.log(exponentials)
        np.multiply(values, share, out=values)
        np.subtract(values, wanted.sum(axis=0), out=values)
        np.divide(share, exponentials, out=share)
        return chunk.total(values)

    def deltas(self, nets: Layers, activations: Layers, chunk: Chunk, work: Workspace) -> Layers:
        net = present(nets[self._number])
        share = work.take("exponentials", 2, net.shape[1])[1]
        np.multiply(net, share, out=net)
        np.subtract(net, chunk.target, out=net)
        return self._alone(net, chunk, nets)


def make_output_pass(topology: Topology, error: OutputError) -> OutputPass:
    """Return what computes the error of a network."""
    function = type(topology.error_function)
    if len(topology.outputs) == 1:
        if function is SumOfSquares:
            return SquaresPass(topology, error)
        if function is CategoricalCrossEntropy and error.is_fused:
            return SoftmaxPass(topology, error)
    return AnyOutputPass(topology, error)
