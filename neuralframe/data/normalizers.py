"""Normalizers: reversible linear maps that bring columns to a common scale."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np

from neuralframe.core.arrays import as_samples, require_finite
from neuralframe.core.components import Component
from neuralframe.core.validation import number
from neuralframe.exceptions import DataError, NonFiniteError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector

    Portions = Callable[[], Iterable[Array]]

PORTION_ROWS = 1024
"""Rows that are summed at a time: a mean is the same whether its samples are in memory or go by."""


def _parameter(values: Any) -> Vector | None:
    """Return a fitted parameter as a read-only vector, whether it comes as an array or from JSON."""
    if values is None:
        return None
    try:
        vector = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"a normalizer's parameter must be a list of numbers; got {values!r}") from None
    if vector.ndim != 1 or not np.isfinite(vector).all():
        raise ParameterError(f"a normalizer's parameter must be a list of finite numbers; got {values!r}")
    vector.flags.writeable = False
    return vector


@attrs.frozen(eq=False)
class Normalizer(Component):
    """A map of each column: ``y = (x - center) / scale + middle``.

    A normalizer is a value: `fit` returns a fitted copy. A member of the family writes `statistics`;
    one that is no linear map overrides `transform` and `inverse` too.

    Parameters
    ----------
    center, scale : (n_columns,) float64, optional
        What `fit` finds. Every scale is positive.

    """

    center: Vector | None = attrs.field(default=None, converter=_parameter, kw_only=True)
    scale: Vector | None = attrs.field(default=None, converter=_parameter, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if (self.center is None) != (self.scale is None):
            raise ParameterError(f"{type(self).__name__}: give both center and scale, or neither")
        if self.center is None or self.scale is None:
            return
        if len(self.center) != len(self.scale) or (self.scale <= 0).any():
            raise ParameterError(
                f"{type(self).__name__}: every column needs one center and one positive scale; "
                f"got {self.center} and {self.scale}"
            )

    @abstractmethod
    def statistics(self, x: Vector) -> tuple[Vector, Vector]:
        """Return the center and the scale of each column of `x`, shape (n, n_columns).

        A scale of 0, or one that is rounding error, is replaced by 1: a constant column goes to `middle`.
        """

    @property
    def middle(self) -> float:
        """Where `center` goes to."""
        return 0.0

    @property
    def fitted(self) -> bool:
        """Whether the normalizer has seen data."""
        return self.center is not None

    @property
    def n_columns(self) -> int | None:
        """How many columns it was fitted to; None before it is fitted."""
        return None if self.center is None else len(self.center)

    def fit(self, x: npt.ArrayLike, *, names: Sequence[str] | None = None) -> Self:
        """Return a copy fitted to the columns of `x`, shape (n, n_columns).

        Parameters
        ----------
        x : (n, n_columns) array_like
            The samples to learn from.
        names : sequence of str, optional
            Names of the columns, for messages.

        Raises
        ------
        NonFiniteError
            If `x` is not finite, or a column's values are so large that its statistics are not.
        DataError
            If `x` has no rows.

        """
        samples = as_samples(x, None, "data to fit a normalizer to").astype(np.float64, copy=False)
        if not len(samples):
            raise DataError(f"{type(self).__name__} cannot be fitted to no samples at all")
        require_finite(samples, "data to fit a normalizer to", names)
        with np.errstate(over="ignore", invalid="ignore"):
            center, scale = self.statistics(samples)
        return self._fitted(center, scale, samples.min(axis=0), samples.max(axis=0), names)

    def fit_portions(self, portions: Portions, *, names: Sequence[str] | None = None) -> Self:
        """Return a copy fitted to samples that are too many for the memory; the same bits as `fit`.

        Parameters
        ----------
        portions : callable
            Returns the samples, each time from the beginning, as finite float64 matrices of
            `PORTION_ROWS` rows; the last may have fewer.
        names : sequence of str, optional
            Names of the columns, for messages.

        Raises
        ------
        NonFiniteError
            If a column's values are so large that its statistics are not finite.
        DataError
            If the normalizer needs all samples at once.

        """
        low, high = np.array([np.inf]), np.array([-np.inf])
        for x in portions():
            low, high = np.minimum(low, x.min(axis=0)), np.maximum(high, x.max(axis=0))
        with np.errstate(over="ignore", invalid="ignore"):
            center, scale = self.portion_statistics(portions, low, high)
        return self._fitted(center, scale, low, high, names)

    def portion_statistics(self, portions: Portions, low: Vector, high: Vector) -> tuple[Vector, Vector]:  # noqa: ARG002 - an interface
        """Return what `statistics` does for samples that come in portions, from `low` to `high` by column."""
        raise DataError(
            f"{type(self).__name__} needs all samples in memory at once; here, take standardizer, "
            "min_max_scaler or max_abs_scaler"
        )

    def _fitted(
        self, center: Vector, scale: Vector, low: Vector, high: Vector, names: Sequence[str] | None
    ) -> Self:
        with np.errstate(over="ignore", invalid="ignore"):
            deviation = np.maximum(np.abs(low - center), np.abs(high - center))
        moderate = np.isfinite(center) & np.isfinite(scale) & np.isfinite(deviation)
        if not moderate.all():
            column = int(moderate.argmin())
            name = column if names is None else names[column]
            largest = max(abs(low[column]), abs(high[column]))
            raise NonFiniteError(
                f"{type(self).__name__}: the values of column {name!r} are too large, up to {largest:g}: "
                "their mean or spread cannot be computed. Scale them down, or leave the column out"
            )
        # The rounding of a mean gives a constant column a tiny spread, and that of the values may be all
        # there is between the quartiles; neither means anything.
        meaningless = (low == high) | (scale <= np.finfo(np.float64).eps * deviation)
        return attrs.evolve(self, center=center, scale=np.where(meaningless, 1.0, scale))

    def transform(self, x: npt.ArrayLike) -> Array:
        """Return the normalized columns; float32 stays float32."""
        center, scale = self._parameters()
        samples = as_samples(x, len(center), "data to normalize")
        return ((samples - center) / scale + self.middle).astype(samples.dtype, copy=False)

    def inverse(self, y: npt.ArrayLike) -> Array:
        """Return the columns in their original units: the inverse of `transform` up to rounding."""
        center, scale = self._parameters()
        samples = as_samples(y, len(center), "data to bring back")
        return ((samples - self.middle) * scale + center).astype(samples.dtype, copy=False)

    def _parameters(self) -> tuple[Vector, Vector]:
        if self.center is None or self.scale is None:
            raise DataError(f"{type(self).__name__} is not fitted yet: call fit(x), or DataSet.normalized")
        return self.center, self.scale


def still_to_apply(
    given: str | Normalizer | type[Normalizer] | None, present: Normalizer | None, what: str
) -> Normalizer | None:
    """Return the normalizer that is asked for; raise `DataError` if `what` is normalized already."""
    if given is None:
        return None
    if present is not None:
        raise DataError(f"the {what} are normalized already, by {type(present).__name__}")
    normalizer: Normalizer = Normalizer.of(given)
    return normalizer


@attrs.frozen(eq=False)
class Standardizer(Normalizer):
    """Mean 0 and standard deviation 1 (with divisor n).

    Examples
    --------
    >>> Standardizer().fit([[1.0], [3.0]]).transform([[5.0]])
    array([[3.]])

    """

    def statistics(self, x: Vector) -> tuple[Vector, Vector]:
        """Return means and standard deviations, from sums over portions of rows."""
        return self._moments(lambda: np.split(x, range(PORTION_ROWS, len(x), PORTION_ROWS)))

    def portion_statistics(self, portions: Portions, low: Vector, high: Vector) -> tuple[Vector, Vector]:  # noqa: ARG002
        return self._moments(portions)

    @staticmethod
    def _moments(portions: Portions) -> tuple[Vector, Vector]:
        n, total = 0, np.zeros(1)
        for x in portions():
            n, total = n + len(x), total + x.sum(axis=0)
        mean: Vector = total / n
        variance: Vector = sum(np.square(x - mean).sum(axis=0) for x in portions()) / n
        return mean, np.sqrt(variance)


@attrs.frozen(eq=False)
class MinMaxScaler(Normalizer):
    """The smallest value goes to `low`, the largest to `high`; a constant column to their midpoint.

    Parameters
    ----------
    low, high : float
        The range to fill, by default -1 to 1.

    """

    low: float = attrs.field(default=-1.0, validator=number())
    high: float = attrs.field(default=1.0, validator=number())

    @high.validator
    def _check_order(self, _: attrs.Attribute[float], high: float) -> None:
        if high <= self.low:
            raise ParameterError(f"MinMaxScaler: high must be above low; got low={self.low}, high={high}")

    @property
    def middle(self) -> float:
        """Halfway between `low` and `high`."""
        return (self.low + self.high) / 2

    def statistics(self, x: Vector) -> tuple[Vector, Vector]:
        """Return the middle of the range, and the range in units of ``high - low``."""
        return self._of_range(x.min(axis=0), x.max(axis=0))

    def portion_statistics(self, portions: Portions, low: Vector, high: Vector) -> tuple[Vector, Vector]:  # noqa: ARG002
        return self._of_range(low, high)

    def _of_range(self, smallest: Vector, largest: Vector) -> tuple[Vector, Vector]:
        return smallest + (largest - smallest) / 2, (largest - smallest) / (self.high - self.low)


@attrs.frozen(eq=False)
class MaxAbsScaler(Normalizer):
    """The largest magnitude becomes 1; zeros stay zeros."""

    def statistics(self, x: Vector) -> tuple[Vector, Vector]:
        """Return zeros and the largest magnitudes."""
        return np.zeros(x.shape[1]), np.abs(x).max(axis=0)

    def portion_statistics(self, portions: Portions, low: Vector, high: Vector) -> tuple[Vector, Vector]:  # noqa: ARG002
        return np.zeros(len(low)), np.maximum(np.abs(low), np.abs(high))


@attrs.frozen(eq=False)
class RobustScaler(Normalizer):
    """Median 0 and interquartile range 1: outliers do not set the scale."""

    def statistics(self, x: Vector) -> tuple[Vector, Vector]:
        """Return medians and interquartile ranges, interpolated linearly."""
        lower, median, upper = np.quantile(x, [0.25, 0.5, 0.75], axis=0)
        return median, upper - lower
