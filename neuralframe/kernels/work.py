"""The work of a training, in figures: what a pass over the data takes, about."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.core.arrays import float_type
from neuralframe.core.projections import Full, OneToOne

if TYPE_CHECKING:
    import numpy as np

    from neuralframe.core.topology import ProjectionSpec, Topology

TRAINING_PASSES = 200
"""Passes over the data that a training is taken to need, for nobody knows beforehand."""

CPU_FLOPS = {"float64": 5e10, "float32": 1e11}
"""Floating-point operations a second of one core in the products of networks of usual width: about what the
bare matrix products of benchmarks/results/kernels.md come to."""


@attrs.frozen(eq=False, kw_only=True)
class Work:
    """A network, and how many samples it is to compute how often.

    Attributes
    ----------
    topology : Topology
    dtype : {"float64", "float32"}
        What is computed in.
    n_samples : int
        Samples that are learnt from.
    passes : int
        How many gradients over all of them are expected, at one weight vector each.
    with_noise : bool
        Whether they are computed under noise.
    elsewhere : bool
        Whether they are computed in other processes than this one, perhaps on other machines.

    """

    topology: Topology
    dtype: np.dtype[Any] = attrs.field(default="float64", converter=float_type)
    n_samples: int = 0
    passes: int = TRAINING_PASSES
    with_noise: bool = False
    elsewhere: bool = False

    @cached_property
    def flops_per_sample(self) -> int:
        """Operations in the products of one error and gradient; a product and a sum are two.

        Each connection takes part in the weighted sum, in the derivative of its weight and, unless it comes
        from the inputs, in carrying the error back.
        """
        return sum(
            (4 if self.topology.layers[spec.source].is_input else 6) * n_connections(self.topology, spec)
            for spec in self.topology.projections
        )

    @property
    def flops(self) -> int:
        """Operations in the products of one pass."""
        return self.flops_per_sample * self.n_samples

    @property
    def n_bytes(self) -> int:
        """Bytes of inputs and targets that one pass reads, in the type that is computed in."""
        columns = self.topology.n_inputs + self.topology.n_outputs
        return self.n_samples * columns * self.dtype.itemsize

    @property
    def cpu_seconds(self) -> float:
        """About how long the products of all passes take one core."""
        return self.passes * self.flops / CPU_FLOPS[self.dtype.name]

    def __str__(self) -> str:
        return f"{self.passes} passes over {self.n_samples:,} samples"


def n_connections(topology: Topology, spec: ProjectionSpec) -> int:
    """Return how many connections a projection has."""
    n_sources, n_targets = topology.layers[spec.source].size, topology.layers[spec.target].size
    if isinstance(spec.pattern, Full | OneToOne):
        return spec.pattern.n_weights(n_sources, n_targets)  # a table of them all would be large
    return len(spec.pattern.table(n_sources, n_targets).targets)
