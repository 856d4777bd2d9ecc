"""The job behind every learning rule: errors, and gradients where asked for, at S weight vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.mapreduce.job import Job, KeyedSums, Sums

if TYPE_CHECKING:
    from collections.abc import Hashable

    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector
    from neuralframe.core.metrics import Metric
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


@attrs.frozen(eq=False)
class MeanError:
    """What a job found at one weight vector; means over samples, no weight decay.

    Attributes
    ----------
    error : float
        Error of the training part, divided by the number of samples (or the sum of their weights).
    gradient : (n_weights,) float64 or None
        Its derivative, where it was asked for.
    validation_error : float or None
        The same error of the validation part, where the data have one.
    n_samples : int
        How many samples, training and validation, were summed.
    metrics : dict of str to float
        Further figures of the validation part, by name.

    """

    error: float
    gradient: Vector | None
    validation_error: float | None
    n_samples: int
    metrics: dict[str, float] = attrs.field(factory=dict)


@attrs.frozen(eq=False)
class ErrorJob(Job):
    """Sums errors and gradients; the key is the row of the weight vector.

    Validation blocks are summed in the same pass, apart from the training blocks and without a gradient.

    Parameters
    ----------
    kernel : Kernel
        How a block is computed.
    weights : (S, n_weights) float64
        The weight vectors.
    with_gradient : (S,) bool
        At which of them the gradient is wanted too.
    metrics : tuple of Metric
        What else is wanted of the validation part.

    """

    kernel: Kernel
    weights: Vector
    with_gradient: npt.NDArray[np.bool_]
    metrics: tuple[Metric, ...] = ()
    _with: Indices = attrs.field(init=False)
    _without: Indices = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_with", np.flatnonzero(self.with_gradient))
        object.__setattr__(self, "_without", np.flatnonzero(~self.with_gradient))

    @property
    def kind(self) -> Hashable:
        return type(self), self.kernel.topology.n_weights, len(self._with), len(self._without)

    def map(self, block: Block) -> KeyedSums:
        if block.part != "training":
            return self._watched(block)
        return self._errors(block, self._without, "training") | self._gradients(block)

    def reduce(self, key: int, total: Sums) -> MeanError:  # noqa: ARG002 - every key is reduced alike
        error, n, n_samples = total["training"]
        validation = total.get("validation")
        gradient = total.get("gradient")
        return MeanError(
            error=float(error / n),
            gradient=None if gradient is None else gradient / n,
            validation_error=None if validation is None else float(validation[0] / validation[1]),
            n_samples=int(n_samples if validation is None else n_samples + validation[2]),
            metrics={
                metric.name: metric.value(total[sum_name(metric)])
                for metric in self.metrics
                if sum_name(metric) in total
            },
        )

    def _watched(self, block: Block) -> KeyedSums:
        """Return the errors of a validation block, and the sums of the metrics."""
        keyed = self._errors(block, np.arange(len(self.weights)), "validation")
        if self.metrics:
            weights = np.ones(block.n_samples) if block.sample_weights is None else block.sample_weights
            for row, vector in enumerate(self.weights):
                outputs = self.kernel.outputs(vector, block.inputs)
                for metric in self.metrics:
                    keyed[row][sum_name(metric)] = metric.sums(outputs, block.targets, weights)
        return keyed

    def _errors(self, block: Block, rows: npt.NDArray[np.intp], part: str) -> KeyedSums:
        if not len(rows):
            return {}
        errors = self.kernel.errors(self.weights[rows], block.inputs, block.targets, block.sample_weights)
        return {int(row): {part: _counted(error, block)} for row, error in zip(rows, errors, strict=True)}

    def _gradients(self, block: Block) -> KeyedSums:
        rows = self._with
        if not len(rows):
            return {}
        errors, gradients = self.kernel.errors_and_gradients(
            self.weights[rows], block.inputs, block.targets, block.sample_weights
        )
        return {
            int(row): {"training": _counted(error, block), "gradient": gradient}
            for row, error, gradient in zip(rows, errors, gradients, strict=True)
        }


def sum_name(metric: Metric) -> str:
    """Return the name of a metric's sums."""
    return f"metric {metric.name}"


def _counted(error: float, block: Block) -> Vector:
    """Return a block's error sum, sum of sample weights and number of samples."""
    n = block.n_samples if block.sample_weights is None else np.sum(block.sample_weights, dtype=np.float64)
    return np.array([error, n, block.n_samples])
