"""Functions to minimise that need neither a network nor data nor an engine."""

from __future__ import annotations

import numpy as np

from neuralframe.core.objective import Objective
from neuralframe.kernels.curvature import packed
from neuralframe.learning.batch_gradient import BatchGradient
from neuralframe.learning.curvature_sums import CurvatureProductSum, GaussNewtonProductSum, GaussNewtonSum


class FunctionObjective(Objective):
    """An objective made of two plain functions of one weight vector; it counts the jobs.

    Parameters
    ----------
    error, gradient : callable
        E(w) as a number, and dE/dw as a vector.
    start : array_like
        Where training begins.
    origin : float
        A constant added to E.
    jacobian : callable, optional
        The derivatives of residuals of which E is half the sum of squares. Without it the Hessian stands for
        J'J, which is right where the residuals are linear.
    """

    def __init__(self, error, gradient, start, *, origin=0.0, jacobian=None):
        self.error, self.gradient, self.jacobian = error, gradient, jacobian
        self.start = np.asarray(start, dtype=np.float64)
        self.origin = origin
        self.n_weights = len(self.start)
        self.random = np.random.default_rng(0)
        self.gradient_jobs = self.value_jobs = self.sum_jobs = 0

    def value_and_gradient(self, weights):
        """Return E and dE/dw; one gradient job."""
        self.gradient_jobs += 1
        with np.errstate(over="ignore", invalid="ignore"):
            return self._error(weights), self.gradient(weights)

    def values(self, candidates):
        """Return E at each row; one value job."""
        self.value_jobs += 1
        with np.errstate(over="ignore", invalid="ignore"):
            return np.array([self._error(weights) for weights in candidates])

    def totals(self, task, candidates):
        """Return a rule's own sums, as if E were the error of one sample; one sum job."""
        self.sum_jobs += 1
        if isinstance(task, BatchGradient):
            with np.errstate(over="ignore", invalid="ignore"):
                return [{"gradient": self.gradient(one), "samples": np.ones(2)} for one in candidates]
        if isinstance(task, GaussNewtonSum):
            squares = [self.squared_jacobian(one) for one in candidates]
            return [{"curvature": packed(square), "samples": np.ones(2)} for square in squares]
        if isinstance(task, CurvatureProductSum):
            matrix = self.squared_jacobian if isinstance(task, GaussNewtonProductSum) else self.hessian
            return [{"products": task.directions @ matrix(one), "samples": np.ones(2)} for one in candidates]
        return super().totals(task, candidates)

    def squared_jacobian(self, weights):
        """Return J'J of the residuals."""
        if self.jacobian is None:
            return self.hessian(weights)
        jacobian = self.jacobian(weights)
        return jacobian.T @ jacobian

    def hessian(self, weights):
        """Return the second derivatives, from central differences of the gradient."""
        shifts = 1e-5 * np.eye(len(weights))
        rows = [(self.gradient(weights + shift) - self.gradient(weights - shift)) / 2e-5 for shift in shifts]
        return (np.array(rows) + np.array(rows).T) / 2

    def _error(self, weights):
        return float(self.error(weights)) + self.origin


class Script(FunctionObjective):
    """An objective that says what it was told to, call by call, wherever the weights are.

    Parameters
    ----------
    errors : sequence of float
        E at the first call, the second, and so on.
    gradients : sequence of array_like, optional
        The gradients of the same calls; by default always 1, of one weight.
    """

    def __init__(self, errors, gradients=None):
        gradients = [[1.0]] * len(errors) if gradients is None else gradients
        error, gradient = iter(errors), iter(np.array(gradients, dtype=np.float64))
        super().__init__(lambda _: next(error), lambda _: next(gradient), np.zeros(len(gradients[0])))


class Quadratic(FunctionObjective):
    """Half of w'Aw in ten dimensions: curvatures from 1 to 1000, along no axis."""

    def __init__(self, *, origin=0.0):
        mirror = np.linspace(-1.0, 1.0, 10)
        basis = np.eye(10) - 2 * np.outer(mirror, mirror) / (mirror @ mirror)
        self.curvatures = np.geomspace(1.0, 1000.0, 10)
        matrix = (basis * self.curvatures) @ basis.T
        super().__init__(
            lambda w: 0.5 * w @ matrix @ w, lambda w: matrix @ w, start=np.ones(10), origin=origin
        )


class Rosenbrock(FunctionObjective):
    """The banana valley from its usual start: steep across, nearly flat along."""

    def __init__(self, *, origin=0.0):
        super().__init__(
            _rosenbrock,
            _rosenbrock_gradient,
            start=(-1.2, 1.0),
            origin=origin,
            jacobian=_rosenbrock_jacobian,
        )


def _rosenbrock(w):
    return 100 * (w[1] - w[0] ** 2) ** 2 + (1 - w[0]) ** 2


def _rosenbrock_gradient(w):
    across = w[1] - w[0] ** 2
    return np.array([-400 * w[0] * across - 2 * (1 - w[0]), 200 * across])


def _rosenbrock_jacobian(w):
    """Return the derivatives of the residuals 10 sqrt(2) (w1 - w0^2) and sqrt(2) (1 - w0)."""
    return np.sqrt(2) * np.array([[-20 * w[0], 10.0], [-1.0, 0.0]])


def steps(rule, objective, n):
    """Return the standing at the start and after each of at most `n` steps."""
    taken = [rule.start(objective, objective.start.copy())]
    while len(taken) <= n and taken[-1].finished is None:
        taken.append(rule.step(objective, taken[-1]))
    return taken
