"""Which stage computes which layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.core.input_functions import WeightedSum
from neuralframe.kernels.general_stage import GeneralStage
from neuralframe.kernels.summing_stage import SummingStage

if TYPE_CHECKING:
    from neuralframe.core.topology import Topology
    from neuralframe.kernels.stage import Stage


def make_stage(topology: Topology, number: int) -> Stage:
    """Return the stage of a layer: the fast one wherever its neurons take weighted sums."""
    # A subclass of WeightedSum may combine otherwise.
    summing = type(topology.layers[number].input_function) is WeightedSum
    return SummingStage(topology, number) if summing else GeneralStage(topology, number)
