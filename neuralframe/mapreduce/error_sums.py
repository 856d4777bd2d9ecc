"""E's sums over a block, the mean that comes of them, and the whole way in the calling thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.mapreduce.job import added
from neuralframe.mapreduce.partial_sum import folded

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from neuralframe.core.arrays import Vector
    from neuralframe.core.metrics import Metric
    from neuralframe.data.blocks import Block, Blocks
    from neuralframe.kernels.kernel import Kernel
    from neuralframe.mapreduce.job import Sums


@attrs.frozen(eq=False)
class MeanError:
    """What was found at one weight vector; means over samples, no weight decay.

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

    @classmethod
    def of(cls, total: Sums, metrics: Sequence[Metric] = ()) -> MeanError:
        """Return the means that come of the sums over all blocks."""
        # Python's own numbers are several times as fast as numpy's scalars.
        error, n, n_samples = total["training"].tolist()
        gradient = total.get("gradient")
        if gradient is not None:
            gradient = gradient / n
        if "validation" not in total:
            return cls(error / n, gradient, None, int(n_samples))
        watched, n_watched, n_watched_samples = total["validation"].tolist()
        values = {metric.name: metric.value(total[sum_name(metric)]) for metric in metrics}
        return cls(error / n, gradient, watched / n_watched, int(n_samples + n_watched_samples), values)


def error_sums(kernel: Kernel, weights: Vector, block: Block, *, with_gradient: bool) -> list[Sums]:
    """Return a block's sums at each row of `weights`, (S, n_weights); validation blocks have no gradient.

    Under the name of the block's part stand error sum, sum of sample weights and number of samples.
    """
    if not with_gradient or block.part != "training":
        errors = kernel.errors(weights, block.inputs, block.targets, block.sample_weights)
        return [{block.part: _counted(error, block)} for error in errors.tolist()]
    errors, gradients = kernel.errors_and_gradients(
        weights, block.inputs, block.targets, block.sample_weights
    )
    return [
        {"training": _counted(error, block), "gradient": gradients[row]}
        for row, error in enumerate(errors.tolist())
    ]


def mean_error_here(kernel: Kernel, weights: Vector, blocks: Blocks, *, with_gradient: bool) -> MeanError:
    """Return what an `ErrorJob` finds at one weight vector, (1, n_weights), with the same bits and no job.

    The keys, ranges and records of a job take longer than the gradient of a small network over a few blocks.
    """

    def sums_of_blocks() -> Iterator[Sums]:
        for block in blocks:
            try:
                yield error_sums(kernel, weights, block, with_gradient=with_gradient)[0]
            except Exception as problem:
                problem.add_note(f"while mapping {block.place(len(blocks))}")
                raise

    return MeanError.of(folded(sums_of_blocks(), added))


def kind_of_errors(kernel: Kernel, n_gradients: int, n_errors: int) -> Hashable:
    """Return what evaluations of E that take about the same time for a block have in common."""
    return kernel.name, kernel.dtype, kernel.topology.n_weights, n_gradients, n_errors


def sum_name(metric: Metric) -> str:
    """Return the name of a metric's sums."""
    return f"metric {metric.name}"


def _counted(error: float, block: Block) -> Vector:
    """Return a block's error sum, sum of sample weights and number of samples."""
    n_samples = len(block.inputs)
    weights = block.sample_weights
    n = n_samples if weights is None else float(np.sum(weights, dtype=np.float64))
    return np.array([error, n, n_samples])
