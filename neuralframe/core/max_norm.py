"""Max-norm: no neuron may gather weights without bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.fan_in import fan_in_groups
from neuralframe.exceptions import TopologyError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.topology import Topology

ROUNDING = 1e-12
"""What was shortened once is not too long again, in relation to the limit."""


class MaxNorm:
    """The weights that feed a neuron, taken as a vector, are no longer than a limit; biases are free.

    Costs memory in proportion to the number of connections, and time for a pass over the weights.

    Parameters
    ----------
    topology : Topology
        The network.
    limit : float, above 0
        The greatest Euclidean length.

    Raises
    ------
    TopologyError
        If neurons share weights: what is too long for one may be right for another.

    References
    ----------
    N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov (2014). Dropout: a simple
    way to prevent neural networks from overfitting. JMLR 15, 1929-1958, section 5.1.

    """

    def __init__(self, topology: Topology, limit: float) -> None:
        self.limit = limit
        self._fan_ins = [
            group.weights for number in topology.order for group in fan_in_groups(topology, number)
        ]
        uses = np.bincount(np.concatenate([fan_in.reshape(-1) for fan_in in self._fan_ins]))
        if uses.max() > 1:
            raise TopologyError(
                "max_norm needs neurons with weights of their own; in this network connections share weights"
            )

    def projected(self, weights: Vector, free: Indices | None = None) -> Vector:
        """Return the nearest weights within the limit; `weights` themselves if they are.

        Parameters
        ----------
        weights : (n_weights,) float64
            All weights of the network.
        free : (n_free,) int, optional
            The weights that may be changed, which then are the only ones to be counted; by default all.

        """
        may_change = np.zeros(len(weights), dtype=bool)
        may_change[slice(None) if free is None else free] = True
        counted, scale = np.where(may_change, weights, 0.0), np.ones(len(weights))
        with np.errstate(over="ignore", invalid="ignore"):  # of wild weights nothing finite need come
            for fan_in in self._fan_ins:
                lengths = np.linalg.norm(counted[fan_in], axis=1, keepdims=True)
                too_long = lengths > self.limit * (1 + ROUNDING)
                scale[fan_in] = np.where(too_long, self.limit / np.maximum(lengths, self.limit), 1.0)
            return weights if (scale == 1).all() else np.where(may_change, scale * weights, weights)
