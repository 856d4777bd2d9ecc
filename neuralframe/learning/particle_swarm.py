"""Particle swarm: weight vectors in flight, each drawn to the best places known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number
from neuralframe.learning.noise_refusal import refuse_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.objective import Objective
    from neuralframe.core.topology import Topology


@attrs.frozen(eq=False)
class Swarm:
    """What the particle swarm carries from step to step.

    Attributes
    ----------
    positions, velocities : (K, n_weights) float64
        Where the particles are, and their last moves.
    best_positions : (K, n_weights) float64
        The best place that each has been at.
    best_errors : (K,) float64
        E there; infinite where a particle has not been evaluated yet.
    iteration : int
        Steps so far.
    seed : int
        Where all chance comes from.

    """

    positions: Vector
    velocities: Vector
    best_positions: Vector
    best_errors: Vector
    iteration: int
    seed: int


@attrs.frozen
class ParticleSwarm(LearningRule):
    """Particles that know their own best place and the best of all, evaluated in one job.

    With fresh uniform random numbers r, s from [0, 1) for each particle and weight::

        velocity = inertia * velocity + pull * (r * (own best - position) + s * (best of all - position))
        position = position + velocity

    The weights of an iterate are the best of all ever found.

    Parameters
    ----------
    particles : int, at least 2
        How many there are. The first starts at the initial weights, the others around them.
    spread : float, above 0
        Standard deviation of the distances at the start, of each weight.
    inertia, pull : float, above 0
        The defaults are the constriction of Clerc and Kennedy for phi = 4.1, under which a swarm contracts.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Notes
    -----
    An iteration costs one job of `particles` errors and no gradient. Particles start at rest and are first
    evaluated after their first move. An error that is not finite is never the best. Errors are only compared,
    so neither their scale nor their origin matters.

    References
    ----------
    M. Clerc and J. Kennedy (2002). The particle swarm: explosion, stability, and convergence in a
    multidimensional complex space. IEEE Transactions on Evolutionary Computation 6, 58-73.

    R. C. Eberhart and Y. Shi (2000). Comparing inertia weights and constriction factors in particle swarm
    optimization. Proc. Congress on Evolutionary Computation, 84-88 (the numbers 0.7298 and 1.49618).

    """

    particles: int = attrs.field(default=24, validator=count(at_least=2))
    spread: float = attrs.field(default=1.0, kw_only=True, validator=number(above=0))
    inertia: float = attrs.field(default=0.7298, kw_only=True, validator=number(above=0))
    pull: float = attrs.field(default=1.49618, kw_only=True, validator=number(above=0))

    def check(self, topology: Topology, noise: Sequence[Noise]) -> None:  # noqa: ARG002
        """Refuse noise: what was lucky once would be remembered as good."""
        refuse_noise(self, noise)

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Place the particles; costs one job without a gradient, that of the initial weights."""
        positions = weights + self.spread * objective.random.standard_normal((self.particles, len(weights)))
        positions[0] = weights
        best_errors = np.full(self.particles, np.inf)
        best_errors[0] = objective.value(weights)
        seed = int(objective.random.integers(1 << 62))
        swarm = Swarm(positions, np.zeros_like(positions), positions, best_errors, 0, seed)
        return Iterate(weights, float(best_errors[0]), state=swarm)

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Move and evaluate every particle."""
        swarm: Swarm = last.state
        velocities = self._velocities(swarm)
        positions = np.array([objective.project(place) for place in swarm.positions + velocities])
        errors = objective.values(positions)
        is_better = errors < swarm.best_errors  # NaN is not
        following = Swarm(
            positions,
            velocities,
            np.where(is_better[:, np.newaxis], positions, swarm.best_positions),
            np.where(is_better, errors, swarm.best_errors),
            swarm.iteration + 1,
            swarm.seed,
        )
        best = int(np.argmin(following.best_errors))
        return Iterate(following.best_positions[best], float(following.best_errors[best]), state=following)

    def _velocities(self, swarm: Swarm) -> Vector:
        random = np.random.default_rng((swarm.seed, swarm.iteration))
        own, shared = random.random((2, *swarm.positions.shape))
        best = swarm.best_positions[np.argmin(swarm.best_errors)]
        velocities: Vector = (
            self.inertia * swarm.velocities
            + self.pull * own * (swarm.best_positions - swarm.positions)
            + self.pull * shared * (best - swarm.positions)
        )
        return velocities
