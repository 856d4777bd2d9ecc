"""The stage: one computing layer, prepared for numpy.

A stage knows where the layer's weights stand and which layers feed it. Arrays are feature-major:
activations and deltas of a layer have shape ``(size, n_samples)``, so that products with narrow layers,
softmax and bias sums run along contiguous memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.fan_in import source_layers
from neuralframe.exceptions import ShapeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology
    from neuralframe.core.transfer_functions import TransferFunction

Layers = list["Array | None"]
"""One array for each layer of the network; None where there is none (yet)."""


@attrs.frozen(eq=False)
class Pass:
    """What the layers of a network compute for some samples; or how fast all of it changes.

    In a pass of changes the weights are a direction, along which a point moves through weight space, and
    the other arrays are derivatives along it: what Pearlmutter (1994) writes as R{...}. Inputs do not
    change; there the activations are None.

    Attributes
    ----------
    weights : (n_weights,) array
    nets, activations : list of (size, n_samples) array
    factors : list of (size, n_samples) array, or None
        What noise multiplies the outputs of hidden layers by; the activations hold the products.

    """

    weights: Array
    nets: Layers
    activations: Layers
    factors: Layers | None = None

    def of(self, stage: Stage) -> tuple[Array, Array, Array | None]:
        """Return a layer's net input, its output before the noise, and the factor of the noise, if any."""
        net, output = present(self.nets[stage.number]), present(self.activations[stage.number])
        factor = None if self.factors is None else self.factors[stage.number]
        # a factor of 0 has wiped out the output, from which transfer functions take their slope
        return net, output if factor is None else stage.output(net), factor


class Stage(ABC):
    """The arithmetic of one layer.

    Parameters
    ----------
    topology : Topology
        The network.
    number : int
        The layer.

    """

    def __init__(self, topology: Topology, number: int) -> None:
        self.number = number
        self._layer = topology.layers[number]
        self._transfers = self._layer.transfer_groups()
        bias = self._layer.bias
        self._bias = None if bias is None else slice(bias, bias + self._layer.size)
        self._carries_back = {
            source: not topology.layers[source].is_input for source in source_layers(topology, number)
        }

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self._layer.size

    @property
    def transfer_function(self) -> TransferFunction | None:
        """The transfer function, if all neurons of the layer use the same."""
        return self._transfers[0][0] if len(self._transfers) == 1 else None

    @property
    @abstractmethod
    def values_per_sample(self) -> int:
        """Numbers that a sample needs while the layer's net input is computed, about."""

    @abstractmethod
    def combine(self, weights: Array, activations: Layers) -> Array:
        """Return the net input without biases, newly made."""

    @abstractmethod
    def carry_back(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        """Add dE/d(weights) into `gradient`, and dE/d(outputs) of the feeding layers into `deltas`."""

    @abstractmethod
    def combine_change(self, at: Pass, change: Pass) -> Array:
        """Return how fast the net input without biases changes."""

    @abstractmethod
    def carry_back_samples(self, at: Pass, net_delta: Array, slopes: Array, deltas: Layers) -> None:
        """Do what `carry_back` does for each sample by itself; `slopes` has shape (n_weights, n_samples)."""

    @abstractmethod
    def carry_back_change(
        self, at: Pass, change: Pass, deltas: Layers, delta_changes: Layers, product: Vector
    ) -> None:
        """Add how fast what `carry_back` adds changes; see `backward_change`."""

    def net(self, weights: Array, activations: Layers) -> Array:
        """Return the net input, biases included."""
        net = self.combine(weights, activations)
        if self._bias is not None:
            net += weights[self._bias, np.newaxis]
        return net

    def output(self, net: Array) -> Array:
        """Return the outputs of the layer's transfer functions."""
        if len(self._transfers) == 1:
            function = self._transfers[0][0]
            output = function.value(net.T).T
            if output.shape != net.shape:
                raise ShapeError(
                    f"{type(function).__name__}.value must return an array of its argument's shape "
                    f"{net.T.shape}; it returned {output.T.shape}"
                )
            return output
        output = np.empty_like(net)
        for function, neurons in self._transfers:
            output[neurons] = function.value(net[neurons].T).T
        return output

    def net_delta(self, net: Array, output: Array, output_delta: Array) -> Array:
        """Return dE/d(net) from dE/d(output)."""
        return self._transferred(
            lambda function, *arrays: function.backward(*arrays), net, output, output_delta
        )

    def backward(
        self, weights: Array, activations: Layers, net_delta: Array, gradient: Vector, deltas: Layers
    ) -> None:
        """Add this layer's share to the gradient and to the deltas of the layers that feed it."""
        if self._bias is not None:
            gradient[self._bias] += net_delta.sum(axis=1)
        self.carry_back(weights, activations, net_delta, gradient, deltas)

    def net_change(self, at: Pass, change: Pass) -> Array:
        """Return how fast the net input changes; in `change` the layers that feed this one are known."""
        net_change = self.combine_change(at, change)
        if self._bias is not None:
            net_change += change.weights[self._bias, np.newaxis]
        return net_change

    def output_change(self, net: Array, output: Array, net_change: Array) -> Array:
        """Return how fast the outputs change."""
        return self._transferred(
            lambda function, *arrays: function.output_change(*arrays), net, output, net_change
        )

    def net_delta_change(
        self, net: Array, output: Array, output_delta: Array, net_change: Array, output_delta_change: Array
    ) -> Array:
        """Return how fast `net_delta` changes."""
        bent = self._transferred(
            lambda function, *arrays: function.backward_change(*arrays),
            net,
            output,
            output_delta,
            net_change,
        )
        return bent + self.net_delta(net, output, output_delta_change)

    def backward_samples(self, at: Pass, net_delta: Array, slopes: Array, deltas: Layers) -> None:
        """Do what `backward` does for each sample by itself."""
        if self._bias is not None:
            slopes[self._bias] += net_delta
        self.carry_back_samples(at, net_delta, slopes, deltas)

    def backward_change(
        self, at: Pass, change: Pass, deltas: Layers, delta_changes: Layers, product: Vector
    ) -> None:
        """Add this layer's share to a product of the Hessian and a direction.

        Parameters
        ----------
        at, change : Pass
            Where the Hessian is taken, and the direction with all it changes.
        deltas, delta_changes : list of array
            dE/d(net) of this layer and how fast it changes; in the place of the feeding layers the shares
            in dE/d(outputs) and in its change are added.
        product : (n_weights,) float64

        """
        if self._bias is not None:
            product[self._bias] += present(delta_changes[self.number]).sum(axis=1)
        self.carry_back_change(at, change, deltas, delta_changes, product)

    def _transferred(self, call: Callable[..., Array], *arrays: Array) -> Array:
        """Return what each transfer function makes of the rows of its neurons."""
        if len(self._transfers) == 1:
            return call(self._transfers[0][0], *(array.T for array in arrays)).T
        made = np.empty_like(arrays[0])
        for function, neurons in self._transfers:
            made[neurons] = call(function, *(array[neurons].T for array in arrays)).T
        return made


def add_delta(deltas: Layers, layer: int, delta: Array) -> None:
    """Add to a layer's delta; the first one is taken as it is."""
    sum_so_far = deltas[layer]
    deltas[layer] = delta if sum_so_far is None else sum_so_far + delta


def scaled(array: Array, factor: Array | None) -> Array:
    """Return an array times a factor, if there is one."""
    return array if factor is None else array * factor


def present(array: Array | None) -> Array:
    """Return an array that must have been computed by now."""
    assert array is not None, "layers are computed in the topology's order"
    return array
