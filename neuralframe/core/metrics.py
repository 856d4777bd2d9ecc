"""Metrics: figures of merit that are made of sums over samples, so that jobs can add them up."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector


class Metric(Component):
    """A figure computed from sums over the samples of the validation part, beside its error.

    Derive one of your own by writing `sums` and `value`::

        @attrs.frozen
        class Bias(nf.Metric):
            def sums(self, outputs, targets, sample_weights):
                return np.array([sample_weights @ (outputs - targets)[:, 0], sample_weights.sum()])

            def value(self, total):
                return total[0] / total[1]
    """

    @abstractmethod
    def sums(self, outputs: Array, targets: Array, sample_weights: Vector) -> Vector:
        """Return what is added up over the blocks, as one vector of any length.

        Parameters
        ----------
        outputs, targets : (n_samples, n_outputs)
            What the network answers, and what it should.
        sample_weights : (n_samples,) float64
            How much each sample counts; 1 where the data say nothing.

        """

    @abstractmethod
    def value(self, total: Vector) -> float:
        """Return the figure from the sums over all samples."""


@attrs.frozen
class Accuracy(Metric):
    """The share of samples whose class is answered; the class is that of the largest output.

    Of a single output, the class is whether it is above a half.
    """

    def sums(self, outputs: Array, targets: Array, sample_weights: Vector) -> Vector:
        if outputs.shape[1] == 1:
            right = (outputs[:, 0] > 0.5) == (targets[:, 0] > 0.5)  # noqa: PLR2004 - a half
        else:
            right = outputs.argmax(axis=1) == targets.argmax(axis=1)
        return np.array([sample_weights[right].sum(), sample_weights.sum()])

    def value(self, total: Vector) -> float:
        return float(total[0] / total[1])


@attrs.frozen
class RootMeanSquaredError(Metric):
    """The root of the mean, over samples and outputs, of the squared difference to the target."""

    def sums(self, outputs: Array, targets: Array, sample_weights: Vector) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(outputs.astype(np.float64) - targets).mean(axis=1)
            return np.array([(sample_weights * squares).sum(), sample_weights.sum()])

    def value(self, total: Vector) -> float:
        return float(np.sqrt(total[0] / total[1]))


@attrs.frozen
class MeanAbsoluteError(Metric):
    """The mean, over samples and outputs, of the absolute difference to the target."""

    def sums(self, outputs: Array, targets: Array, sample_weights: Vector) -> Vector:
        with np.errstate(over="ignore", invalid="ignore"):
            distances = np.abs(outputs.astype(np.float64) - targets).mean(axis=1)
            return np.array([(sample_weights * distances).sum(), sample_weights.sum()])

    def value(self, total: Vector) -> float:
        return float(total[0] / total[1])
