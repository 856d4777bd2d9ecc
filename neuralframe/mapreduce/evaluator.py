"""E(w) over a data set: the mean error that jobs return, plus weight decay, added once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.validation import number
from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.error_job import ErrorJob, MeanError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from neuralframe.core.arrays import Vector
    from neuralframe.core.metrics import Metric
    from neuralframe.data.blocks import Blocks
    from neuralframe.kernels.kernel import Kernel
    from neuralframe.mapreduce.engine import Engine


@attrs.frozen(eq=False)
class Evaluation:
    """E at one weight vector.

    Attributes
    ----------
    error : float
        What is minimised: the mean error of the training part plus `penalty`.
    gradient : (n_weights,) float64 or None
        dE/dw, the penalty's included.
    penalty : float
        The weight decay's part of `error`.
    validation_error : float or None
        Mean error of the validation part, without penalty.
    metrics : mapping of str to float
        Further figures of the validation part, by name.

    """

    error: float
    gradient: Vector | None
    penalty: float
    validation_error: float | None
    metrics: Mapping[str, float] = attrs.field(factory=dict)


@attrs.define(eq=False)
class Evaluator:
    """Evaluates E, and its gradient where asked for, at many weight vectors in one job.

    E(w) = (1/n) * sum of errors + (decay/2) * sum of squared weights, biases not among them.

    Attributes
    ----------
    engine : Engine
        Where jobs run.
    kernel : Kernel
        How a block is computed.
    blocks : Blocks
        The training set, and the validation set if there is one.
    decay : float
        The factor of the weight decay, at least 0.
    metrics : tuple of Metric
        What else is wanted of the validation part.
    n_jobs : int
        Jobs run so far.

    """

    engine: Engine
    kernel: Kernel
    blocks: Blocks
    decay: float = attrs.field(default=0.0, validator=number(at_least=0))
    metrics: tuple[Metric, ...] = ()
    n_jobs: int = attrs.field(default=0, init=False)

    def evaluate(self, weights: Vector, with_gradient: npt.NDArray[np.bool_]) -> list[Evaluation]:
        """Return E at each row of `weights`, shape (S, n_weights), in one job.

        Raises
        ------
        EngineError
            If the job's sample count is not that of the data.

        """
        found = self.engine.run(ErrorJob(self.kernel, weights, with_gradient, self.metrics), self.blocks)
        self.n_jobs += 1
        return [self._with_decay(vector, found[row]) for row, vector in enumerate(weights)]

    def _with_decay(self, weights: Vector, found: MeanError) -> Evaluation:
        expected = self.blocks.n_samples + self.blocks.n_validation
        if found.n_samples != expected:
            raise EngineError(f"the job summed {found.n_samples} samples; the data set has {expected}")
        if self.decay == 0:
            return Evaluation(found.error, found.gradient, 0.0, found.validation_error, found.metrics)
        decayed = np.where(self.kernel.topology.is_bias, 0.0, weights)
        with np.errstate(over="ignore", invalid="ignore"):
            penalty = self.decay / 2 * float(np.sum(np.square(decayed)))
            gradient = None if found.gradient is None else found.gradient + self.decay * decayed
        return Evaluation(found.error + penalty, gradient, penalty, found.validation_error, found.metrics)
