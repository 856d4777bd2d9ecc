"""Beyond the gradient: Jacobians, and products of second derivatives with directions.

R{x} stands for the derivative of x along a direction of weight space (Pearlmutter 1994, Fast exact
multiplication by the Hessian, Neural Computation 6, 147-160): one more pass forward, and one more back, give
the product of the Hessian and the direction, exactly and without the Hessian. With the curvature of the error
in the outputs alone it is the product of the Gauss-Newton matrix (Schraudolph 2002, Fast curvature
matrix-vector products, Neural Computation 14, 1723-1738).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.kernels.stage import Layers, Pass, present, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.chunks import Chunk
    from neuralframe.kernels.output_error import OutputError
    from neuralframe.kernels.stage import Stage


class Curvature:
    """Second-order arithmetic on one chunk of samples.

    Parameters
    ----------
    topology : Topology
        The network.
    stages : sequence of Stage
        Its computing layers, in the order of evaluation.
    error : OutputError
        Its error function.

    """

    def __init__(self, topology: Topology, stages: Sequence[Stage], error: OutputError) -> None:
        self._topology = topology
        self._stages = stages
        self._error = error
        self._fused = set(topology.outputs) if error.is_fused else set()

    def jacobian(self, at: Pass) -> Array:
        """Return d outputs / d weights, shape (n_weights, n_outputs * n_samples), output by output."""
        n_outputs = self._topology.n_outputs
        n_samples = present(at.activations[self._topology.outputs[0]]).shape[1]
        # As if every sample came once for each output, to be asked for that output alone.
        at = _repeated(at, n_outputs)
        deltas: Layers = [None] * len(at.nets)
        for number, asked in self._error.parts(np.repeat(np.eye(n_outputs), n_samples, axis=1)):
            deltas[number] = asked.astype(at.weights.dtype)
        jacobian = np.zeros((self._topology.n_weights, n_outputs * n_samples), at.weights.dtype)
        for stage in reversed(self._stages):
            net, output, factor = at.of(stage)
            net_delta = stage.net_delta(net, output, scaled(present(deltas[stage.number]), factor))
            stage.backward_samples(at, net_delta, jacobian, deltas)
        return jacobian

    def add_gauss_newton_product(self, at: Pass, direction: Array, chunk: Chunk, product: Vector) -> None:
        """Add J'HJ times a direction: J of the outputs, H of the error as a function of these."""
        change = self._change(at, direction)
        deltas = self._error.delta_changes(at, change, chunk.target, chunk.scale(direction.dtype))
        for stage in reversed(self._stages):
            delta = present(deltas[stage.number])
            if stage.number not in self._fused:
                net, output, factor = at.of(stage)
                delta = stage.net_delta(net, output, scaled(delta, factor))
            stage.backward(at.weights, at.activations, delta, product, deltas)

    def add_hessian_product(self, at: Pass, direction: Array, chunk: Chunk, product: Vector) -> None:
        """Add the Hessian times a direction."""
        change, scale = self._change(at, direction), chunk.scale(direction.dtype)
        deltas = self._error.deltas(at.nets, at.activations, chunk.target, scale)
        delta_changes = self._error.delta_changes(at, change, chunk.target, scale)
        for stage in reversed(self._stages):
            if stage.number not in self._fused:
                self._pass_transfer(stage, at, change, deltas, delta_changes)
            stage.backward_change(at, change, deltas, delta_changes, product)

    def _change(self, at: Pass, direction: Array) -> Pass:
        """Return how fast everything changes as the weights move along a direction."""
        change = Pass(direction, [None] * len(at.nets), [None] * len(at.nets))
        for stage in self._stages:
            net, output, factor = at.of(stage)
            net_change = stage.net_change(at, change)
            change.nets[stage.number] = net_change
            change.activations[stage.number] = scaled(stage.output_change(net, output, net_change), factor)
        return change

    @staticmethod
    def _pass_transfer(stage: Stage, at: Pass, change: Pass, deltas: Layers, delta_changes: Layers) -> None:
        """Turn dE/d(output) of a layer, and its change, into dE/d(net) and its change."""
        number = stage.number
        net, output, factor = at.of(stage)
        delta, delta_change = (scaled(present(layers[number]), factor) for layers in (deltas, delta_changes))
        delta_changes[number] = stage.net_delta_change(
            net, output, delta, present(change.nets[number]), delta_change
        )
        deltas[number] = stage.net_delta(net, output, delta)


def _repeated(at: Pass, times: int) -> Pass:
    """Return a pass of the same samples several times over."""
    nets, activations, factors = (
        [None if array is None else np.tile(array, (1, times)) for array in layers]
        for layers in (at.nets, at.activations, at.factors or [])
    )
    return Pass(at.weights, nets, activations, factors or None)


def packed(matrix: Vector) -> Vector:
    """Return the upper triangle of a symmetric matrix (n, n), row by row, as (n (n + 1) / 2,)."""
    return np.concatenate([row[number:] for number, row in enumerate(matrix)])


def unpacked(triangle: Vector) -> Vector:
    """Return the symmetric matrix (n, n) of an upper triangle.

    Examples
    --------
    >>> unpacked(np.array([1.0, 2.0, 3.0])).tolist()
    [[1.0, 2.0], [2.0, 3.0]]

    """
    n = int(np.sqrt(2 * len(triangle)))
    matrix = np.empty((n, n))
    start = 0
    for number in range(n):
        row = triangle[start : start + n - number]
        matrix[number, number:] = matrix[number:, number] = row
        start += len(row)
    return matrix
