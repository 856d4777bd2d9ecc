"""The buffered pass: errors and gradients of one chunk of samples, computed in memory that is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from neuralframe.core.input_functions import WeightedSum
from neuralframe.kernels.activations import make_activation
from neuralframe.kernels.general_stage import GeneralStage
from neuralframe.kernels.output_pass import make_output_pass
from neuralframe.kernels.products import Product, make_product
from neuralframe.kernels.stage import Layers, present
from neuralframe.kernels.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.activations import Activation
    from neuralframe.kernels.chunks import Chunk
    from neuralframe.kernels.output_error import OutputError
    from neuralframe.kernels.stage import Stage


@attrs.frozen(eq=False)
class LayerPlan:
    """How one layer computes in buffers; threads may share it.

    Attributes
    ----------
    stage : Stage
        The layer.
    activation : Activation
        Its transfer functions.
    products : tuple of Product, or None
        Its weighted sums; None where its input function is another, and the stage computes it.

    """

    stage: Stage
    activation: Activation
    products: tuple[Product, ...] | None

    @classmethod
    def of(cls, topology: Topology, stage: Stage) -> Self:
        """Return the plan of a layer."""
        general = isinstance(stage, GeneralStage)
        products = (
            [] if general else [make_product(topology, spec) for spec in topology.incoming(stage.number)]
        )
        return cls(stage, make_activation(stage), None if general else tuple(products))

    @property
    def values_per_sample(self) -> int:
        """Numbers that a sample needs while the layer's net input is computed, about."""
        if self.products is None:
            return self.stage.values_per_sample
        return self.stage.size + sum(product.values_per_sample for product in self.products)


class BufferedPass:
    """Forward and back through any network, without noise. Each thread needs one of its own.

    Arrays are feature-major, ``(size, n_samples)``. A layer's output takes the place of its net input unless
    its transfer function needs both to find its slope.

    Parameters
    ----------
    topology : Topology
        The network.
    plans : sequence of LayerPlan
        Those of its computing layers, in the order of evaluation.
    error : OutputError
        Its error function.
    dtype : numpy.dtype
        What is computed in.

    """

    def __init__(
        self, topology: Topology, plans: Sequence[LayerPlan], error: OutputError, dtype: np.dtype[Any]
    ) -> None:
        self._topology = topology
        self._work = Workspace(dtype)
        self._output = make_output_pass(topology, error)
        self._layers = [_make_layer(topology, plan, self._work) for plan in plans]
        self._ends = set(topology.outputs)
        starts = np.cumsum([0, *(topology.layers[number].size for number in topology.inputs)])
        self._inputs = list(zip(topology.inputs, starts[:-1].tolist(), starts[1:].tolist(), strict=True))

    def error(self, weights: Array, columns: Array, chunk: Chunk) -> float:
        """Return the error summed over a chunk.

        Parameters
        ----------
        weights : (n_weights,) array
        columns : (n_inputs, n_samples) array
            The chunk's inputs.
        chunk : Chunk

        """
        nets, activations = self._forward(weights, columns, takes_net=self._output.takes_net)
        return self._output.total(nets, activations, chunk, self._work)

    def error_and_gradient(
        self, weights: Array, columns: Array, chunk: Chunk, gradient: Vector, *, fresh: bool
    ) -> float:
        """Return the error summed over a chunk, and add its derivative, (n_weights,) float64, to `gradient`.

        Where that is `fresh`, nothing stands in it yet, not even zeros.
        """
        nets, activations = self._forward(weights, columns, takes_net=self._output.takes_net)
        total = self._output.total(nets, activations, chunk, self._work)
        deltas = self._output.deltas(nets, activations, chunk, self._work)
        for layer in reversed(self._layers):
            number = layer.number
            if not (self._output.is_fused and number in self._ends):
                net, output = present(nets[number]), present(activations[number])
                layer.activation.backward(net, output, present(deltas[number]), self._work)
            layer.backward(weights, activations, deltas, gradient, fresh=fresh)
        return total

    def outputs(self, weights: Array, columns: Array) -> Layers:
        """Return the outputs of every layer, in memory that the next call takes again."""
        return self._forward(weights, columns, takes_net=False)[1]

    def _forward(self, weights: Array, columns: Array, *, takes_net: bool) -> tuple[Layers, Layers]:
        nets: Layers = [None] * len(self._topology.layers)
        activations: Layers = list(nets)
        for number, first, last in self._inputs:
            activations[number] = columns[first:last]
        n_samples = columns.shape[1]
        for layer in self._layers:
            number = layer.number
            nets[number] = net = self._work.take(("net", number), layer.size, n_samples)
            layer.net(weights, activations, net)
            if number in self._ends and takes_net:
                continue
            output = net
            if layer.activation.keeps_net or (number in self._ends and self._output.keeps_net):
                output = self._work.take(("output", number), layer.size, n_samples)
            layer.activation.forward(net, output)
            activations[number] = output
        return nets, activations


class _Layer:
    """A layer whose stage computes into new arrays."""

    def __init__(self, topology: Topology, plan: LayerPlan, work: Workspace) -> None:
        self.number = plan.stage.number
        self.size = plan.stage.size
        self.activation = plan.activation
        self._stage = plan.stage
        self._products = plan.products or ()
        self._work = work
        bias = topology.layers[self.number].bias
        self._bias = None if bias is None else slice(bias, bias + self.size)

    def net(self, weights: Array, activations: Layers, out: Array) -> None:
        """Write the net input."""
        np.copyto(out, self._stage.net(weights, activations))

    def backward(
        self, weights: Array, activations: Layers, deltas: Layers, gradient: Vector, *, fresh: bool
    ) -> None:
        """Add the layer's share to the gradient, and to the deltas of the layers that feed it."""
        assert not fresh, "a stage adds to what stands there"
        delta = present(deltas[self.number])
        self._stage.backward(weights, activations, delta, gradient, deltas)


class _SummingLayer(_Layer):
    """A layer of weighted sums."""

    def net(self, weights: Array, activations: Layers, out: Array) -> None:
        first, *others = self._products
        first.net(weights, present(activations[first.source]), out, self._work)
        for product in others:
            part = self._work.take("part", *out.shape)
            product.net(weights, present(activations[product.source]), part, self._work)
            np.add(out, part, out=out)
        if self._bias is not None:
            np.add(out, weights[self._bias, np.newaxis], out=out)

    def backward(
        self, weights: Array, activations: Layers, deltas: Layers, gradient: Vector, *, fresh: bool
    ) -> None:
        delta = present(deltas[self.number])
        if self._bias is not None and fresh:
            gradient[self._bias] = delta.sum(axis=1)
        elif self._bias is not None:
            gradient[self._bias] += delta.sum(axis=1)
        for product in self._products:
            inputs = present(activations[product.source])
            product.add_gradient(weights, inputs, delta, gradient, self._work, fresh=fresh)
            if product.carries_back:
                self._carry_back(product, weights, inputs, deltas)

    def _carry_back(self, product: Product, weights: Array, inputs: Array, deltas: Layers) -> None:
        sum_so_far = deltas[product.source]
        name = ("delta", product.source) if sum_so_far is None else "part"
        part = self._work.take(name, *inputs.shape)
        product.input_delta(weights, inputs, present(deltas[self.number]), part, self._work)
        if sum_so_far is None:
            deltas[product.source] = part
        else:
            np.add(sum_so_far, part, out=sum_so_far)


def _make_layer(topology: Topology, plan: LayerPlan, work: Workspace) -> _Layer:
    return (_Layer if plan.products is None else _SummingLayer)(topology, plan, work)


def fills_freshly(topology: Topology) -> bool:
    """Return whether each weight gets its derivative from one place, so that a gradient need not start at 0.

    So it is where all layers take weighted sums and no weight is shared.
    """
    writers = np.zeros(topology.n_weights, np.int64)
    for layer in topology.layers:
        if layer.bias is not None:
            writers[layer.bias : layer.bias + layer.size] += 1
    for spec in topology.projections:
        block = topology.block(spec)
        if not isinstance(block, slice):
            return False
        writers[block] += 1
    summing = all(type(topology.layers[number].input_function) is WeightedSum for number in topology.order)
    return summing and bool((writers == 1).all())
