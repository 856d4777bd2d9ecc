"""Paired tests: whether two classifiers or predictors, judged on the same samples or folds, differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from neuralframe.evaluation.arguments import flags, reals
from neuralframe.evaluation.scores import corrected_standard_error
from neuralframe.exceptions import DataError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Vector
    from neuralframe.evaluation.scores import Score


@attrs.frozen
class McNemarTest:
    """What the samples say on which exactly one of two classifiers is right.

    Attributes
    ----------
    only_first, only_second : int
        On how many samples the first alone, and the second alone, was right.
    p_value : float
        How likely so uneven a split would be if neither were better (two-sided).

    """

    only_first: int
    only_second: int
    p_value: float


@attrs.frozen
class PairedTest:
    """What differences by fold say.

    Attributes
    ----------
    difference : float
        The mean of first minus second.
    standard_error : float
    statistic : float
        Student's t, or Wilcoxon's smaller sum of ranks.
    p_value : float
        How likely so large a difference would be if there were none (two-sided).

    """

    difference: float
    standard_error: float
    statistic: float
    p_value: float


@attrs.frozen
class Comparison:
    """Two cross-validations over the same folds.

    Attributes
    ----------
    metric : str
    corrected_t : PairedTest
        The corrected resampled t-test.
    wilcoxon : PairedTest
        The signed-rank test, which asks for no normal distribution. It takes folds for independent, which
        they are not, and so finds differences too easily.
    mcnemar : McNemarTest or None
        For classes: over the samples of the first repeat.

    """

    metric: str
    corrected_t: PairedTest
    wilcoxon: PairedTest
    mcnemar: McNemarTest | None

    def __str__(self) -> str:
        t, signed = self.corrected_t, self.wilcoxon
        lines = [
            f"{self.metric}: difference {t.difference:+.4f} ± {t.standard_error:.4f}",
            f"corrected resampled t-test: t = {t.statistic:.3f}, p = {t.p_value:.4f}",
            f"Wilcoxon's signed ranks: p = {signed.p_value:.4f}",
        ]
        if self.mcnemar is not None:
            pair = f"{self.mcnemar.only_first} and {self.mcnemar.only_second}"
            lines.append(f"McNemar (right alone: {pair}): p = {self.mcnemar.p_value:.4f}")
        return "\n".join(lines)


class CrossValidated(Protocol):
    """What `compare` asks of a cross-validation."""

    targets: Array

    @property
    def test_rows(self) -> tuple[Array, ...]:
        """The samples of each fold."""

    @property
    def right(self) -> npt.NDArray[np.bool_] | None:
        """(n_repeats, n): which answers are right, if they are classes."""

    @property
    def default_metric(self) -> str:
        """What is compared unless told otherwise."""

    def score(self, name: str) -> Score:
        """Return a figure over the folds."""


def mcnemar(first_right: npt.ArrayLike, second_right: npt.ArrayLike) -> McNemarTest:
    """Test whether two classifiers have the same accuracy, by the samples on which one alone is right.

    Parameters
    ----------
    first_right, second_right : (n,) array_like of bool
        Whether each is right on each of the same samples.

    Returns
    -------
    McNemarTest
        The exact binomial test; p is 1 where they are right on the same samples.

    Raises
    ------
    ShapeError, DataError
        If the two are not vectors of one length, or not of True and False.

    References
    ----------
    McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions or
    percentages. Psychometrika 12. For classifiers: Dietterich, T. G. (1998). Neural Computation 10.

    Examples
    --------
    >>> mcnemar([1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0])
    McNemarTest(only_first=6, only_second=0, p_value=0.03125)

    """
    from scipy.stats import binomtest  # noqa: PLC0415 - a slow import

    first, second = flags(first_right, "first_right"), flags(second_right, "second_right")
    if first.ndim != 1 or first.shape != second.shape:
        raise ShapeError(f"expected two vectors of one length; got shapes {first.shape} and {second.shape}")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    if only_first + only_second == 0:
        return McNemarTest(0, 0, 1.0)
    p_value = float(binomtest(only_first, only_first + only_second).pvalue)
    return McNemarTest(only_first, only_second, p_value)


def paired_t(first: npt.ArrayLike, second: npt.ArrayLike, *, test_share: float = 0.0) -> PairedTest:
    """Test whether the mean difference of paired values is 0, by Student's t.

    Parameters
    ----------
    first, second : (J,) array_like
        The figures of two methods in the same J folds; pairs with a NaN are left out.
    test_share : float
        Samples tested in a fold for each that was learnt from: the corrected resampled t-test, for folds
        whose training sets overlap. 0, the default, is the plain paired t-test, for independent pairs.

    Raises
    ------
    ShapeError, DataError
        If the two are not vectors of one length with at least two pairs.

    References
    ----------
    Nadeau, C., Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, section 5.

    """
    from scipy.stats import t as student  # noqa: PLC0415 - a slow import

    differences = _differences(first, second)
    mean, spread = float(differences.mean()), corrected_standard_error(differences, test_share)
    if spread == 0:
        return PairedTest(mean, 0.0, float(np.copysign(np.inf, mean)) if mean else 0.0, float(mean == 0))
    statistic = mean / spread
    return PairedTest(mean, spread, statistic, float(2 * student.sf(abs(statistic), len(differences) - 1)))


def wilcoxon(first: npt.ArrayLike, second: npt.ArrayLike) -> PairedTest:
    """Test whether paired differences are symmetric about 0, by their signed ranks (Wilcoxon, 1945).

    Parameters and errors as for `paired_t`. scipy chooses the exact distribution for few pairs without ties.
    p is 1 where there are no differences.
    """
    from scipy.stats import wilcoxon as signed_ranks  # noqa: PLC0415 - a slow import

    differences = _differences(first, second)
    mean, spread = float(differences.mean()), corrected_standard_error(differences, 0.0)
    if not differences.any():
        return PairedTest(0.0, 0.0, 0.0, 1.0)
    found = signed_ranks(differences)
    return PairedTest(mean, spread, float(found.statistic), float(found.pvalue))


def compare(first: CrossValidated, second: CrossValidated, metric: str | None = None) -> Comparison:
    """Compare two cross-validations over the same folds: first minus second.

    Parameters
    ----------
    first, second : CrossValidation
        Results of `nf.cross_validate` with the same data, folds, repeats and seed.
    metric : str, optional
        One of their scores; by default the accuracy, or for numbers the RMSE.

    Raises
    ------
    DataError
        If the folds are not the same.
    ChoiceError
        If there is no score of that name.

    """
    if not _same_folds(first, second):
        raise DataError(
            "the two cross-validations have different folds; give both the same data, folds, repeats and seed"
        )
    name = metric or first.default_metric
    ours, theirs = first.score(name), second.score(name)
    both_right = None if first.right is None or second.right is None else (first.right[0], second.right[0])
    return Comparison(
        name,
        paired_t(ours.by_fold, theirs.by_fold, test_share=ours.test_share),
        wilcoxon(ours.by_fold, theirs.by_fold),
        None if both_right is None else mcnemar(*both_right),
    )


def _same_folds(first: CrossValidated, second: CrossValidated) -> bool:
    pairs = (first.test_rows, second.test_rows)
    if len(pairs[0]) != len(pairs[1]) or not all(map(np.array_equal, *pairs)):
        return False
    return np.array_equal(first.targets, second.targets)


def _differences(first: npt.ArrayLike, second: npt.ArrayLike) -> Vector:
    ours, theirs = reals(first, "first"), reals(second, "second")
    if ours.ndim != 1 or ours.shape != theirs.shape:
        raise ShapeError(f"expected two vectors of one length; got shapes {ours.shape} and {theirs.shape}")
    differences: Vector = (ours - theirs)[~np.isnan(ours - theirs)]
    if len(differences) < 2:  # noqa: PLR2004 - a variance needs two
        raise DataError(f"{len(differences)} pair(s) of figures; a paired test needs two or more")
    return differences
