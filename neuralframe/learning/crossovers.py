"""Crossovers: how two weight vectors become a third."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.components import Component

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Vector
    from neuralframe.core.weight_groups import WeightGroups


class Crossover(Component):
    """How a child comes by its weights.

    A weight on which both parents agree is the child's too. Derive one of your own by writing `child`, or
    derive it from `ExchangeCrossover` if the child has each weight from one parent or the other.
    """

    @abstractmethod
    def child(
        self, mother: Vector, father: Vector, groups: WeightGroups, random: np.random.Generator
    ) -> Vector:
        """Return the weights of a child, newly made.

        Parameters
        ----------
        mother, father : (n_weights,) float64
        groups : WeightGroups
            Which weights belong together.
        random : numpy.random.Generator
            The only source of chance.

        """


class ExchangeCrossover(Crossover):
    """Each weight comes from one of the parents."""

    @abstractmethod
    def from_mother(self, groups: WeightGroups, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        """Return which weights come from the mother, shape (n_weights,)."""

    def child(
        self, mother: Vector, father: Vector, groups: WeightGroups, random: np.random.Generator
    ) -> Vector:
        return np.where(self.from_mother(groups, random), mother, father)


@attrs.frozen
class OnePointCrossover(ExchangeCrossover):
    """The mother's weights up to a point, the father's after it."""

    name: ClassVar[str] = "one_point"

    def from_mother(self, groups: WeightGroups, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        return np.arange(groups.n_weights) < random.integers(groups.n_weights + 1)


@attrs.frozen
class TwoPointCrossover(ExchangeCrossover):
    """The father's weights between two points, the mother's before and after."""

    name: ClassVar[str] = "two_point"

    def from_mother(self, groups: WeightGroups, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        first, last = np.sort(random.integers(groups.n_weights + 1, size=2))
        places = np.arange(groups.n_weights)
        outside: npt.NDArray[np.bool_] = (places < first) | (places >= last)
        return outside


@attrs.frozen
class UniformCrossover(ExchangeCrossover):
    """Each weight from either parent, with equal chances."""

    name: ClassVar[str] = "uniform"

    def from_mother(self, groups: WeightGroups, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        return random.random(groups.n_weights) < 0.5  # noqa: PLR2004 - equal chances


@attrs.frozen
class NeuronCrossover(ExchangeCrossover):
    """Each neuron whole from either parent, with equal chances: what feeds it and what it feeds.

    A hidden neuron is of use with both; half of either does something else than the parents' neurons did.
    """

    name: ClassVar[str] = "by_neuron"

    def from_mother(self, groups: WeightGroups, random: np.random.Generator) -> npt.NDArray[np.bool_]:
        chosen = random.random(int(groups.neurons.max(initial=0)) + 1) < 0.5  # noqa: PLR2004
        return chosen[groups.neurons]


@attrs.frozen
class HalfRowsCrossover(ExchangeCrossover):
    """The first half of the rows of every weight matrix from the mother, the rest from the father.

    Rows are neurons with what feeds them. There is no chance in it: the same parents have the same child.
    """

    name: ClassVar[str] = "half_rows"

    def from_mother(
        self,
        groups: WeightGroups,
        random: np.random.Generator,  # noqa: ARG002
    ) -> npt.NDArray[np.bool_]:
        return groups.in_first_half


@attrs.frozen
class ArithmeticCrossover(Crossover):
    """A point on the line between the parents, drawn uniformly."""

    name: ClassVar[str] = "arithmetic"

    def child(
        self,
        mother: Vector,
        father: Vector,
        groups: WeightGroups,  # noqa: ARG002
        random: np.random.Generator,
    ) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):
            return father + random.random() * (mother - father)
