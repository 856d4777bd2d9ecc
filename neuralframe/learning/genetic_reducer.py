"""The genetic reducer: mappers train, the reducer breeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number
from neuralframe.exceptions import ParameterError
from neuralframe.learning.breeding import Breeding, ranking
from neuralframe.learning.crossovers import Crossover, NeuronCrossover
from neuralframe.learning.local_training import LocalTraining
from neuralframe.learning.noise_refusal import refuse_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.objective import Objective
    from neuralframe.core.topology import Topology

FEWEST, MOST = 4, 32
"""Bounds of the population where it is not given."""


def _crossover(given: Crossover | type[Crossover] | str) -> Crossover:
    return Crossover.of(given)


@attrs.frozen(eq=False)
class Population:
    """What the genetic reducer carries from generation to generation.

    Attributes
    ----------
    individuals : (K, n_weights) float64
        The weight vectors; the first is the best that was ever found.
    generation : int
        How many generations there were before.
    seed : int
        Where all chance comes from.

    """

    individuals: Vector
    generation: int
    seed: int


@attrs.frozen
class GeneticReducer(LearningRule):
    """A genetic algorithm whose individuals are trained by the mappers and bred by the reducer.

    A generation is two jobs. In the first, each individual is trained by mini-batch gradient descent on its
    own split of the training set (see `LocalTraining`). In the second, E of every individual is summed over
    all the samples, for the error of a split is no fitness; where the job ends, the next generation is bred
    from the best (see `Breeding`). The weights of an iterate are the best ever found, and its error never
    rises: those who live on unchanged also compete as they were before they were trained.

    A search like this finds a region more than a minimum: let another rule go on from the network it leaves.

    Parameters
    ----------
    population : int, at least 2, optional
        Number of individuals. By default as many as the training set has blocks, but 2 to 32.
    local_epochs : int
        Passes of each individual through its split in a generation. With 0 there is no first job, and this
        is an ordinary genetic algorithm.
    local_rate : float, above 0
        The learning rate of local training.
    batch_size : int
        Samples in its mini-batches.
    crossover : Crossover or str
        ``"by_neuron"``, ``"one_point"``, ``"two_point"``, ``"uniform"``, ``"arithmetic"`` or ``"half_rows"``.
    mutation : float, at least 0
        Standard deviation of the changes that are made to a child's weights, in units of their root mean
        square.
    mutation_share : float, from 0 to 1
        Chance of each weight of a child to be changed.
    annealing : float, above 0 and at most 1
        Factor of `mutation` from one generation to the next.
    elite : int, at least 1
        How many individuals live on unchanged.
    survivors : float, above 0 and at most 1
        Share of the population that may have children.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    ChoiceError
        If there is no crossover of the name given.

    Notes
    -----
    Individual 0 starts as the network's own weights; the others are drawn from a normal distribution of mean
    0 with the root mean square of those. The state is the population. The gradient is not known, so a stop
    condition on it does nothing. Local training minds weight decay, but no other penalty; the error that
    selects minds all.

    Fitness is 1/E, so it does matter where the origin of the error lies.

    In a generation, local training takes as many sample gradients as there are samples, for each local epoch
    (more if there are more individuals than blocks), and the second job K + `elite` times as many sample
    errors, each worth a third of a gradient or so. See docs/genetic.md for what comes of it.

    References
    ----------
    A reconstruction. Of Zhu and Rao (2012), who breed networks by MapReduce, only the abstract was at hand;
    local training in mini-batches of 50, and crossing half of the rows, follow a blog on mrjob. All else is
    textbook: D. E. Goldberg (1989), Genetic Algorithms in Search, Optimization, and Machine Learning,
    Addison-Wesley.

    Examples
    --------
    >>> GeneticReducer(8, crossover="uniform").crossover
    UniformCrossover()

    """

    population: int | None = attrs.field(default=None, validator=count(at_least=2, optional=True))
    local_epochs: int = attrs.field(default=1, kw_only=True, validator=count(at_least=0))
    local_rate: float = attrs.field(default=0.01, kw_only=True, validator=number(above=0))
    batch_size: int = attrs.field(default=50, kw_only=True, validator=count())
    crossover: Crossover = attrs.field(default=NeuronCrossover(), kw_only=True, converter=_crossover)
    mutation: float = attrs.field(default=0.1, kw_only=True, validator=number(at_least=0))
    mutation_share: float = attrs.field(default=0.1, kw_only=True, validator=number(at_least=0, at_most=1))
    annealing: float = attrs.field(default=0.95, kw_only=True, validator=number(above=0, at_most=1))
    elite: int = attrs.field(default=1, kw_only=True, validator=count())
    survivors: float = attrs.field(default=0.5, kw_only=True, validator=number(above=0, at_most=1))

    def __attrs_post_init__(self) -> None:
        if self.population is not None and self.elite >= self.population:
            raise ParameterError(
                f"GeneticReducer: elite must be less than the population of {self.population}, or nobody is "
                f"ever born; got {self.elite!r}"
            )

    def check(self, topology: Topology, noise: Sequence[Noise]) -> None:  # noqa: ARG002
        """Refuse noise: what was lucky once would be remembered as good."""
        refuse_noise(self, noise)

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Draw the population; costs one job without a gradient."""
        size = self.population or max(FEWEST, self.elite + 1, min(objective.n_blocks, MOST))
        scale = np.sqrt(np.sum(np.square(weights)) / max(1, len(weights))) or 1.0
        individuals = scale * objective.random.standard_normal((size, len(weights)))
        individuals[0] = weights
        seed = int(objective.random.integers(1 << 62))
        return Iterate(weights, objective.value(weights), state=Population(individuals, 0, seed))

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Train, evaluate and breed one generation."""
        population: Population = last.state
        candidates = self._candidates(objective, population)
        errors, bred = objective.concluded(candidates, self._breeding(objective, population))
        best = ranking(errors)[0]
        following = Population(
            _projected(objective, bred["population"]), population.generation + 1, population.seed
        )
        return Iterate(candidates[best], float(errors[best]), state=following)

    def _candidates(self, objective: Objective, population: Population) -> Vector:
        """Return who competes: all individuals, and the elite as it was before it was trained."""
        individuals = population.individuals
        if not self.local_epochs:
            return individuals
        found = objective.totals(self._local_training(objective, population), individuals)
        trained = np.array([sums["weights"] / sums["samples"][1] for sums in found])
        return np.concatenate([individuals[: self.elite], _projected(objective, trained)])

    def _local_training(self, objective: Objective, population: Population) -> LocalTraining:
        return LocalTraining(
            individuals=len(population.individuals),
            blocks=objective.n_blocks,
            epochs=self.local_epochs,
            rate=self.local_rate,
            batch_size=self.batch_size,
            decay=objective.penalty_curvature(),
            seed=population.seed,
            generation=population.generation,
        )

    def _breeding(self, objective: Objective, population: Population) -> Breeding:
        size, groups = len(population.individuals), objective.groups()
        return Breeding(
            size=size,
            elite=self.elite,
            survivors=min(size, max(2, round(self.survivors * size))),  # a parent alone has clones only
            crossover=self.crossover,
            mutation=self.mutation * self.annealing**population.generation,
            mutation_share=self.mutation_share,
            neurons=groups.neurons,
            in_first_half=groups.in_first_half,
            seed=population.seed,
            generation=population.generation,
        )


def _projected(objective: Objective, candidates: Vector) -> Vector:
    """Return the nearest weights that are allowed, row by row."""
    return np.array([objective.project(candidate) for candidate in candidates])
