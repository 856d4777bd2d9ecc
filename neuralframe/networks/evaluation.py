"""E(w) and its gradient for users: one call, one job; and the check that the gradient is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.arrays import require_finite
from neuralframe.exceptions import ShapeError
from neuralframe.networks.preparation import check_fit, make_evaluator

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.penalty import Penalty
    from neuralframe.data.data_set import DataSet
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork

STEPS = tuple(10.0**-exponent for exponent in (2.0, 2.5, 3.0, 3.5, 4.0))
"""Step lengths tried for each weight; the fourth-order difference is best near 1e-3 where E is smooth,
and shorter steps stay on one side of the kinks of rectifiers, minima and maxima."""

BYTES_PER_JOB = 1 << 26
"""Size of the weight vectors evaluated in one job, about, so that a wide network does not fill memory."""


def error_and_gradient(
    network: NeuralNetwork,
    data: DataSet,
    *,
    engine: str | Engine = "threads",
    kernel: str = "auto",
    dtype: npt.DTypeLike = "float64",
    decay: float | Penalty = 0.0,
) -> tuple[float, Vector]:
    """Return E and dE/dw at ``network.weights``.

    Parameters
    ----------
    network : NeuralNetwork
    data : DataSet
    engine, kernel, dtype, decay
        As in `NeuralNetwork.learn`.

    Returns
    -------
    error : float
    gradient : (n_weights,) float64
        Zero at frozen weights, which training does not change.

    """
    check_fit(network, data)
    evaluator = make_evaluator(network, data.blocks, engine=engine, kernel=kernel, dtype=dtype, decay=decay)
    (found,) = evaluator.evaluate(network.weights[np.newaxis], np.array([True]))
    assert found.gradient is not None
    gradient = found.gradient
    if network.parameters.frozen is not None:
        gradient = np.where(network.parameters.frozen, 0.0, gradient)
    return found.error, gradient


def errors(
    network: NeuralNetwork,
    data: DataSet,
    weights: npt.ArrayLike,
    *,
    engine: str | Engine = "threads",
    kernel: str = "auto",
    dtype: npt.DTypeLike = "float64",
    decay: float | Penalty = 0.0,
) -> Vector:
    """Return E at S weight vectors, shape (S, n_weights), as shape (S,): one job, one pass over the data."""
    candidates = np.asarray(weights, dtype=np.float64)
    if candidates.ndim != 2 or candidates.shape[1] != len(network.weights):  # noqa: PLR2004
        raise ShapeError(
            f"weights must have shape (S, {len(network.weights)}), one vector a row; got {candidates.shape}"
        )
    require_finite(candidates, "weights")
    check_fit(network, data)
    evaluator = make_evaluator(network, data.blocks, engine=engine, kernel=kernel, dtype=dtype, decay=decay)
    found = evaluator.evaluate(candidates, np.zeros(len(candidates), dtype=bool))
    return np.array([evaluation.error for evaluation in found])


def check_gradient(
    network: NeuralNetwork,
    data: DataSet,
    *,
    decay: float | Penalty = 0.0,
    max_weights: int = 500,
    seed: int = 0,
) -> float:
    """Compare the gradient with differences of E and return how far apart they are.

    For each weight, fourth-order central differences are taken at several step lengths and the one that
    agrees best with its neighbour is believed. The comparison is norm-relative:
    ``|g - d| / max(|g|, |d|)``, and 0 where both vanish.

    Parameters
    ----------
    network : NeuralNetwork
        Any network, with any functions of your own.
    data : DataSet
        A few dozen samples are enough.
    decay : float or Penalty
        Weight decay, or another penalty of the weights.
    max_weights : int
        Of a larger network this many weights are checked, drawn with `seed`.
    seed : int
        Seeds the draw.

    Returns
    -------
    float
        About 1e-10 where the gradient is right and E smooth; anything above 1e-7 deserves a look.

    """
    _, gradient = error_and_gradient(network, data, decay=decay)
    free = network.parameters.free()
    chosen = np.arange(len(network.weights)) if free is None else free
    if len(chosen) > max_weights:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, max_weights, replace=False))
    differences = _differences(network, data, chosen, decay)
    scale = max(float(np.linalg.norm(gradient[chosen])), float(np.linalg.norm(differences)))
    return 0.0 if scale == 0 else float(np.linalg.norm(gradient[chosen] - differences)) / scale


def _differences(network: NeuralNetwork, data: DataSet, chosen: Indices, decay: float | Penalty) -> Vector:
    """Return the derivative at each chosen weight from differences of E."""
    bytes_per_weight = 4 * len(STEPS) * network.weights.nbytes
    batch = max(1, BYTES_PER_JOB // bytes_per_weight)
    parts = [chosen[start : start + batch] for start in range(0, len(chosen), batch)]
    return np.concatenate(
        [_most_stable(_stencils(network, data, part, decay)) for part in parts] or [np.zeros(0)]
    )


def _stencils(network: NeuralNetwork, data: DataSet, chosen: Indices, decay: float | Penalty) -> Vector:
    """Return the five-point derivative of E for each step length and weight, shape (n_steps, n_chosen)."""
    at = network.weights[chosen]
    steps = np.array(STEPS)[:, np.newaxis] * np.maximum(1.0, np.abs(at))
    multiples = np.array([-2.0, -1.0, 1.0, 2.0])
    moved = at + multiples[:, np.newaxis, np.newaxis] * steps
    candidates = np.tile(network.weights, (*moved.shape, 1))
    np.put_along_axis(
        candidates, np.broadcast_to(chosen, moved.shape)[..., np.newaxis], moved[..., np.newaxis], axis=-1
    )
    values = errors(network, data, candidates.reshape(-1, len(network.weights)), decay=decay).reshape(
        moved.shape
    )
    # the steps as they came out in floating point, not as they were asked for
    widths = (moved[2] - moved[1]) / 2
    slopes: Vector = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * widths)
    return slopes


def _most_stable(slopes: Vector) -> Vector:
    """Return for each weight the slope that changes least from one step length to the next."""
    changes = np.abs(np.diff(slopes, axis=0))
    best = np.argmin(changes, axis=0)
    stable: Vector = slopes[best, np.arange(slopes.shape[1])]
    return stable
