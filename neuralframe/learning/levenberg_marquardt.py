"""Levenberg-Marquardt: between Gauss-Newton steps and small steps down the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.learning_rule import Iterate, LearningRule
from neuralframe.core.validation import count, number
from neuralframe.exceptions import LearningRuleError
from neuralframe.kernels.curvature import unpacked
from neuralframe.learning.curvature_sums import GaussNewtonSum, require_sum_of_squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.objective import Objective
    from neuralframe.core.topology import Topology

LEAST_MU = 1e-20
"""Below this mu is lost beside any curvature; were it to sink to 0, no factor could raise it again."""


@attrs.frozen
class LevenbergMarquardt(LearningRule):
    """Steps to the minimum of a local model of a sum of squares, held back by a damping that adapts itself.

    With the residuals' Jacobian J, the gradient g of E, the number of samples n and the curvature P of the
    penalty, a step is::

        step = -(J'J / n + P + mu I)^-1 g

    If E falls, the step is made and mu falls too (times `decrease`): the next step is more of a Gauss-Newton
    step. If it does not, mu rises (times `increase`) and a shorter step is tried, nearer to the gradient's
    direction, with the same J'J.

    Parameters
    ----------
    mu : float, above 0
        The first damping.
    increase : float, above 1
        Factor of mu after a step that did not lower the error.
    decrease : float, between 0 and 1
        Factor of mu after a step that did.
    max_mu : float, above 0
        The rule is finished where mu would have to rise above.
    trials : int, at least 1
        So many values of mu, each `increase` times the last, are tried in one job, and the best step is
        made. Worth more than 1 where a job costs more than a pass over the data.
    max_weights : int, at least 1
        Networks with more weights to train are refused.

    Raises
    ------
    ParameterError
        If a number is out of its range.
    LearningRuleError
        If the network has more than `max_weights` weights to train, or its error is not `SumOfSquares`.

    Notes
    -----
    For few weights and many samples; on small regression problems it is the rule to beat. An iteration costs
    one job for J'J, of which the upper triangle travels, and a gradient job for each `trials` values of mu.
    For w weights, J'J takes 8 w**2 bytes on every worker (8 MB for 1,000 weights, 32 MB for 2,000) and w**2
    products for each output of each sample; the step takes about w**3 products where the rule runs.

    The state is mu alone. The damping is that of the mean error: mu stands beside J'J / n.

    References
    ----------
    M. T. Hagan and M. B. Menhaj (1994). Training feedforward networks with the Marquardt algorithm. IEEE
    Transactions on Neural Networks 5, 989-993.

    Examples
    --------
    >>> rule = LevenbergMarquardt(0.01, trials=4)
    >>> rule.mu, rule.trials, rule.max_weights
    (0.01, 4, 2000)

    """

    mu: float = attrs.field(default=1e-3, validator=number(above=0))
    increase: float = attrs.field(default=10.0, kw_only=True, validator=number(above=1))
    decrease: float = attrs.field(default=0.1, kw_only=True, validator=number(above=0, below=1))
    max_mu: float = attrs.field(default=1e10, kw_only=True, validator=number(above=0))
    trials: int = attrs.field(default=1, kw_only=True, validator=count())
    max_weights: int = attrs.field(default=2000, kw_only=True, validator=count())

    def check(self, topology: Topology, noise: Sequence[Noise]) -> None:  # noqa: ARG002
        """Refuse a network whose error is no sum of squares."""
        require_sum_of_squares(topology)

    def start(self, objective: Objective, weights: Vector) -> Iterate:
        """Return the standing at the initial weights, unless there are too many of them."""
        self._require_few(objective.n_weights)
        return super().start(objective, weights)

    def initial_state(self, weights: Vector, gradient: Vector) -> float:  # noqa: ARG002
        """Return the first mu."""
        return self.mu

    def step(self, objective: Objective, last: Iterate) -> Iterate:
        """Try one mu after another until a step lowers the error."""
        assert last.gradient is not None
        if not last.gradient.any():
            return attrs.evolve(last, finished="the gradient is 0")
        curvature, mu = _curvature(objective, last.weights), last.state
        while mu <= self.max_mu:
            mus = [mu * self.increase**trial for trial in range(self.trials)]
            made = self._best(objective, last, curvature, mus)
            if made is not None:
                return made
            mu = mus[-1] * self.increase
        return attrs.evolve(last, state=mu, finished=f"no step lowers the error, up to mu = {self.max_mu:g}")

    def _best(
        self, objective: Objective, last: Iterate, curvature: Vector, mus: list[float]
    ) -> Iterate | None:
        """Return where the best of some trial steps leads, or None if none lowers the error."""
        steps = [(mu, _step(curvature, last.gradient, mu)) for mu in mus]
        possible = [(mu, step) for mu, step in steps if step is not None]
        if not possible:
            return None
        candidates = np.array([last.weights + step for _, step in possible])
        errors, gradients = objective.values_and_gradients(candidates)
        usable = np.isfinite(errors) & np.isfinite(gradients).all(axis=1)
        best = int(np.argmin(np.where(usable, errors, np.inf)))
        if not (usable[best] and errors[best] < last.error):
            return None
        mu = max(possible[best][0] * self.decrease, LEAST_MU)
        return Iterate(candidates[best], float(errors[best]), gradients[best], mu)

    def _require_few(self, n_weights: int) -> None:
        if n_weights > self.max_weights:
            raise LearningRuleError(
                f"Levenberg-Marquardt keeps a matrix of {n_weights} x {n_weights} weights, "
                f"{8 * n_weights**2 / 1e6:.0f} MB on every worker; max_weights is {self.max_weights}. "
                "Raise it, or take TruncatedNewton() or LBFGS(), which keep vectors only"
            )


def _curvature(objective: Objective, weights: Vector) -> Vector:
    """Return the matrix of the local model, without the damping; one job."""
    (total,) = objective.totals(GaussNewtonSum(), weights[np.newaxis])
    curvature = unpacked(total["curvature"] / total["samples"][0])
    curvature[np.diag_indices_from(curvature)] += objective.penalty_curvature()
    return curvature


def _step(curvature: Vector, gradient: Vector | None, mu: float) -> Vector | None:
    """Return the damped step; None where the matrix is singular in spite of the damping."""
    assert gradient is not None
    damped = curvature.copy()
    damped[np.diag_indices_from(damped)] += mu
    try:
        step = np.linalg.solve(damped, -gradient)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(step, dtype=np.float64) if np.isfinite(step).all() else None
