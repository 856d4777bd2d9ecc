"""Simulated annealing: a random walk that goes uphill less and less."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number
from neuralframe.learning.noise_refusal import refuse_noise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.objective import Objective
    from neuralframe.core.topology import Topology


@attrs.frozen(eq=False)
class Walk:
    """What simulated annealing carries from step to step.

    Attributes
    ----------
    weights : (n_weights,) float64
        Where the walk stands; seldom at the best weights found.
    error : float
        E there.
    temperature : float or None
        Of the next proposals; None before the first.
    size : float
        Standard deviation of the next proposals.
    iteration : int
        Steps so far.
    seed : int
        Where all chance comes from.

    """

    weights: Vector
    error: float
    temperature: float | None
    size: float
    iteration: int
    seed: int


@attrs.frozen
class SimulatedAnnealing(LearningRule):
    """Metropolis sampling at a falling temperature, several proposals to a job.

    From where the walk stands, normally distributed steps are proposed. One after the other is accepted with
    probability ``min(1, exp(-(rise of the error) / temperature))``, until the first is: there the walk goes
    on. All `candidates` proposals are evaluated in one job; those after the accepted one, which no longer
    start where the walk stands, only count if they are the best found so far. So the walk is the one that
    single proposals would make. The weights of an iterate are the best ever found.

    Several walks at once are several sessions, as in ``network.learn(..., sessions=8)``; they share jobs.

    Parameters
    ----------
    candidates : int, at least 1
        Proposals in a job.
    temperature : float, above 0, optional
        The first temperature. By default the mean change of the error among the first proposals.
    cooling : float, above 0 and below 1
        Factor of the temperature from one job to the next.
    size : float, above 0
        The first standard deviation of a proposal, of each weight.
    acceptance : float, between 0 and 1
        The share of accepted proposals that the size is adapted to.
    adaptation : float, at least 1
        Factor of the size at an accepted proposal. With 1 the size stays: valleys far apart are then tried
        for longer, and the bottom of the last one is met less exactly.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Notes
    -----
    An iteration costs one job of `candidates` errors; no gradient is asked for, so any error function will
    do, and the dimension tells: networks of more than some dozens of weights want another rule. A proposal
    whose error is not finite is rejected. Only differences of errors count, so the origin of the
    error does not matter.

    References
    ----------
    S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi (1983). Optimization by simulated annealing. Science 220,
    671-680.

    E. E. Witte, R. D. Chamberlain and M. A. Franklin (1991). Parallel simulated annealing using speculative
    computation. IEEE Transactions on Parallel and Distributed Systems 2, 483-494 (proposals in advance).

    """

    candidates: int = attrs.field(default=16, validator=count())
    temperature: float | None = attrs.field(
        default=None, kw_only=True, validator=number(above=0, optional=True)
    )
    cooling: float = attrs.field(default=0.95, kw_only=True, validator=number(above=0, below=1))
    size: float = attrs.field(default=0.1, kw_only=True, validator=number(above=0))
    acceptance: float = attrs.field(default=0.25, kw_only=True, validator=number(above=0, below=1))
    adaptation: float = attrs.field(default=1.2, kw_only=True, validator=number(at_least=1))

    def check(self, topology: Topology, noise: Sequence[Noise]) -> None:  # noqa: ARG002
        """Refuse noise: what was lucky once would be remembered as good."""
        refuse_noise(self, noise)

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Begin the walk; costs one job without a gradient."""
        error = objective.value(weights)
        seed = int(objective.random.integers(1 << 62))
        return Iterate(weights, error, state=Walk(weights, error, self.temperature, self.size, 0, seed))

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Propose, and walk on to the first proposal that is accepted, if any."""
        walk: Walk = last.state
        random = np.random.default_rng((walk.seed, walk.iteration))
        shifts = walk.size * random.standard_normal((self.candidates, len(walk.weights)))
        proposals = np.array([objective.project(walk.weights + shift) for shift in shifts])
        errors = objective.values(proposals)
        errors = np.where(np.isfinite(errors), errors, np.inf)
        heat = _spread(errors - walk.error) if walk.temperature is None else walk.temperature
        limits = walk.error - heat * np.log1p(-random.random(self.candidates))
        moved = self._moved(walk, proposals, errors, np.flatnonzero(errors <= limits), heat)
        best = int(np.argmin(errors))
        if errors[best] < last.error:
            return Iterate(proposals[best], float(errors[best]), state=moved)
        return attrs.evolve(last, state=moved)

    def _moved(self, walk: Walk, proposals: Vector, errors: Vector, accepted: Indices, heat: float) -> Walk:
        """Return where the walk goes on, its size adapted to the proposals up to the accepted one."""
        moves = len(accepted) > 0
        n_rejected = int(accepted[0]) if moves else len(proposals)
        shrunk = self.adaptation ** (-self.acceptance / (1 - self.acceptance) * n_rejected)
        return Walk(
            weights=proposals[n_rejected] if moves else walk.weights,
            error=float(errors[n_rejected]) if moves else walk.error,
            # as long as all proposals are alike there is no heat to measure, and nothing to cool
            temperature=heat * self.cooling if heat > 0 else walk.temperature,
            size=walk.size * shrunk * (self.adaptation if moves else 1.0),
            iteration=walk.iteration + 1,
            seed=walk.seed,
        )


def _spread(changes: Vector) -> float:
    """Return the mean size of those changes of the error that are finite."""
    finite = changes[np.isfinite(changes)]
    return float(np.mean(np.abs(finite))) if len(finite) else 0.0
