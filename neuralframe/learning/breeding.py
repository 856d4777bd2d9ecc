"""Breeding: the next generation of weight vectors from the errors of this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.conclusion import Conclusion
from neuralframe.core.weight_groups import WeightGroups

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.learning.crossovers import Crossover

SMALLEST_ERROR = 1e-300
"""Errors of this size and smaller, 0 and below included, count as equally good."""


@attrs.frozen(eq=False, kw_only=True)
class Breeding(Conclusion):
    """Selects, crosses and mutates; a pure function of weights, errors, seed and generation.

    The candidates with the lowest errors survive (truncation selection), and the very best live on as they
    are (elitism). The other places are filled by children: both parents are drawn from the survivors with
    chances in proportion to their fitness 1/E (roulette wheel), crossed, and the child is mutated. Where E is
    not finite the fitness is 0.

    Attributes
    ----------
    size : int
        Weight vectors in the next generation.
    elite : int
        How many live on unchanged; they come first, the best before the others.
    survivors : int
        From how many parents are drawn.
    crossover : Crossover
        How two parents make a child.
    mutation : float
        Standard deviation of the changes to a child's weights, in units of their root mean square.
    mutation_share : float
        Chance of each weight to be changed.
    neurons, in_first_half : (n_weights,) arrays
        Which weights belong together; see `neuralframe.core.weight_groups.WeightGroups`.
    seed, generation : int
        Where chance comes from.

    """

    size: int
    elite: int
    survivors: int
    crossover: Crossover
    mutation: float
    mutation_share: float
    neurons: Indices
    in_first_half: npt.NDArray[np.bool_]
    seed: int
    generation: int

    def conclude(self, errors: Vector, candidates: Vector) -> dict[str, Vector]:
        """Return the next generation, (size, n_weights), under ``"population"``."""
        random = np.random.default_rng((self.seed, self.generation))
        ranked = ranking(errors)
        kept = candidates[ranked[: self.elite]]
        children = self._children(errors, candidates, ranked[: self.survivors], random, self.size - len(kept))
        return {"population": np.concatenate([kept, self._mutated(children, random)])}

    def _children(
        self, errors: Vector, candidates: Vector, parents: Indices, random: np.random.Generator, n: int
    ) -> Vector:
        """Return n children of couples that the roulette wheel brings together."""
        groups = WeightGroups(self.neurons, self.in_first_half)
        couples = random.choice(parents, size=(n, 2), p=fitness(errors[parents]))
        return np.array(
            [
                self.crossover.child(candidates[mother], candidates[father], groups, random)
                for mother, father in couples
            ]
        )

    def _mutated(self, children: Vector, random: np.random.Generator) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):  # wild weights will have no children
            scale = self.mutation * np.sqrt(np.mean(np.square(children), axis=1, keepdims=True))
            mutants = children + scale * random.standard_normal(children.shape)
        return np.where(random.random(children.shape) < self.mutation_share, mutants, children)


def ranking(errors: Vector) -> Indices:
    """Return the positions of the finite errors, from the lowest up; of equal ones the first comes first."""
    order = np.argsort(errors, kind="stable")
    return order[np.isfinite(errors[order])]


def fitness(errors: Vector) -> Vector:
    """Return 1/E of finite errors as shares of their sum.

    Examples
    --------
    >>> import numpy as np
    >>> fitness(np.array([1.0, 2.0, 4.0])).round(3).tolist()
    [0.571, 0.286, 0.143]

    """
    bounded = np.maximum(errors, SMALLEST_ERROR)
    relative = bounded.min() / bounded  # 1/E itself may overflow
    shares: Vector = relative / relative.sum()
    return shares
