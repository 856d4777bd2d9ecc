"""Activations: transfer functions at work in a kernel's buffers.

The classes of `neuralframe.core.transfer_functions` make a new array for every result. Here the most used of
them compute in place, with the same operations in the same order, and so to the same bits.
"""

# ruff: noqa: ARG002 - members keep the signatures of their family

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from neuralframe.core.transfer_functions import Linear, ReLU, Sigmoid, Tanh

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array
    from neuralframe.core.transfer_functions import TransferFunction
    from neuralframe.kernels.stage import Stage
    from neuralframe.kernels.workspace import Workspace


class Activation:
    """A layer's transfer functions, whatever they are.

    Attributes
    ----------
    keeps_net : bool
        Whether `backward` needs the net input; if not, outputs take its place in memory.

    """

    keeps_net: ClassVar[bool] = True

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def forward(self, net: Array, output: Array) -> None:
        """Write the outputs of the net inputs, (size, n_samples); `output` is `net` unless that is kept."""
        np.copyto(output, self._stage.output(net))

    def backward(self, net: Array, output: Array, delta: Array, work: Workspace) -> None:
        """Turn dE/d(output) into dE/d(net), in place; `output` is no longer needed afterwards."""
        np.copyto(delta, self._stage.net_delta(net, output, delta))


class LinearActivation(Activation):
    """See `Linear`."""

    keeps_net = False

    def forward(self, net: Array, output: Array) -> None:
        if output is not net:
            np.copyto(output, net)

    def backward(self, net: Array, output: Array, delta: Array, work: Workspace) -> None:
        pass


class TanhActivation(Activation):
    """See `Tanh`."""

    keeps_net = False

    def forward(self, net: Array, output: Array) -> None:
        np.tanh(net, out=output)

    def backward(self, net: Array, output: Array, delta: Array, work: Workspace) -> None:
        np.multiply(output, output, out=output)
        np.subtract(1, output, out=output)
        np.multiply(delta, output, out=delta)


class SigmoidActivation(Activation):
    """See `Sigmoid`."""

    keeps_net = False

    def forward(self, net: Array, output: Array) -> None:
        np.negative(net, out=output)
        np.exp(output, out=output)
        np.add(output, 1, out=output)
        np.divide(1, output, out=output)

    def backward(self, net: Array, output: Array, delta: Array, work: Workspace) -> None:
        slope = work.take("slope", *output.shape)
        np.subtract(1, output, out=slope)
        np.multiply(output, slope, out=slope)
        np.multiply(delta, slope, out=delta)


class ReLUActivation(Activation):
    """See `ReLU`."""

    keeps_net = False

    def forward(self, net: Array, output: Array) -> None:
        np.maximum(net, 0, out=output)

    def backward(self, net: Array, output: Array, delta: Array, work: Workspace) -> None:
        np.multiply(delta, output > 0, out=delta)


IN_PLACE: dict[type[TransferFunction], type[Activation]] = {
    Linear: LinearActivation,
    Tanh: TanhActivation,
    Sigmoid: SigmoidActivation,
    ReLU: ReLUActivation,
}


def make_activation(stage: Stage) -> Activation:
    """Return what computes a stage's transfer functions: in place where that is known how."""
    function = stage.transfer_function
    return (Activation if function is None else IN_PLACE.get(type(function), Activation))(stage)
