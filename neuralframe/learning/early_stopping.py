"""Early stopping: training ends when the error of the validation part says that it goes on for nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import attrs

from neuralframe.core.validation import count, flag, number, one_of
from neuralframe.exceptions import ParameterError
from neuralframe.learning.stop_conditions import StopCondition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.learning.stop_conditions import Record

USUAL_ALPHA = {"GL": 5.0, "PQ": 2.0}
"""Of the thresholds that the paper tries, those in the middle."""


@runtime_checkable
class KnowsLowest(Protocol):
    """A history that need not be read from its beginning, as that of a training in progress."""

    @property
    def lowest_validation_error(self) -> float | None: ...


def _usual_alpha(condition: EarlyStopping) -> float | None:
    return USUAL_ALPHA.get(condition.criterion)


def _check_alpha(instance: EarlyStopping, attribute: Any, value: Any) -> None:
    if instance.criterion in USUAL_ALPHA:
        number(above=0)(instance, attribute, value)
    elif value is not None:
        raise ParameterError(f"EarlyStopping: UP counts strips and has no alpha; got {value!r}")


@attrs.frozen
class EarlyStopping(StopCondition):
    """Stop when the validation error no longer falls, and go back to the weights at which it was lowest.

    With the validation error V(t) after iteration t, its minimum so far V*(t), and the mean error of the
    training part T(t) without its penalty::

        GL   stop when GL(t) = 100 * (V(t) / V*(t) - 1) > alpha
        PQ   stop at the end of a strip when GL(t) / P(t) > alpha, where
             P(t) = 1000 * (sum of T over the strip / (strip * minimum of T over the strip) - 1)
        UP   stop at the end of a strip when V rose from one strip's end to the next `strips` times in a row

    A strip is `strip` iterations; one ends at each multiple of that number. GL stops at the first clear loss
    of generalisation, PQ goes on as long as the training error still falls fast, UP minds no size of a rise.

    Parameters
    ----------
    criterion : {"GL", "PQ", "UP"}
        Generalisation loss, its quotient by the progress of training, or successive rises.
    alpha : float, above 0
        The threshold of GL, in percent (5 unless given), or of PQ (2 unless given). UP has none.
    strip : int, at least 1
        The length of a strip, for PQ and UP.
    strips : int, at least 1
        How many rises in a row end the training, for UP.
    restore : bool
        Whether the network ends with the weights of the lowest validation error; otherwise with the last.

    Raises
    ------
    ParameterError
        If a number is out of its range.

    Notes
    -----
    It needs a validation part, and a limit beside it, for none of the criteria is certain to end a training:
    ``learn(..., validation=0.2, stop=[nf.EarlyStopping(), nf.MaxIterations(500)])``. An iteration whose
    validation error is not known is passed over: a rule may return weights that it never had evaluated.

    References
    ----------
    L. Prechelt (1998). Early stopping - but when? In: Neural Networks: Tricks of the Trade, LNCS 1524, 55-69,
    section 2.2.

    Examples
    --------
    >>> EarlyStopping()
    EarlyStopping(criterion='GL', alpha=5.0, strip=5, strips=4, restore=True)
    >>> EarlyStopping("UP", strip=5, strips=8).alpha is None
    True

    """

    watches_validation: ClassVar[bool] = True

    criterion: str = attrs.field(default="GL", validator=one_of("GL", "PQ", "UP"))
    alpha: float | None = attrs.field(
        default=attrs.Factory(_usual_alpha, takes_self=True), validator=_check_alpha
    )
    strip: int = attrs.field(default=5, kw_only=True, validator=count())
    strips: int = attrs.field(default=4, kw_only=True, validator=count())
    restore: bool = attrs.field(default=True, kw_only=True, validator=flag())

    @property
    def restores_best(self) -> bool:
        """Whether the network ends with the best weights."""
        return self.restore

    def reason(self, history: Sequence[Record]) -> str | None:
        """Apply the criterion to the last iteration, if its validation error is known."""
        if history[-1].validation_error is None:
            return None
        return _CRITERIA[self.criterion](self, history)


def _loss(condition: EarlyStopping, history: Sequence[Record]) -> str | None:
    """GL, at any iteration."""
    loss, lowest = _loss_and_lowest(history)
    assert condition.alpha is not None
    if not loss > condition.alpha / 100 * abs(lowest):
        return None
    return f"the validation error is more than {condition.alpha:g} % above its lowest value, {lowest:.6g}"


def _quotient(condition: EarlyStopping, history: Sequence[Record]) -> str | None:
    """PQ, at the end of a strip; as products, so that neither an error nor a progress of 0 divides."""
    if not _ends_strip(condition, history):
        return None
    loss, lowest = _loss_and_lowest(history)
    errors = [record.error - record.penalty for record in history[-condition.strip :]]
    mean, least = sum(errors) / condition.strip, min(errors)
    assert condition.alpha is not None
    if not loss * abs(least) > 10 * condition.alpha * (mean - least) * abs(lowest):
        return None
    return (
        f"the loss of generalisation is more than {condition.alpha:g} times the progress of the last "
        f"{condition.strip} iterations"
    )


def _rises(condition: EarlyStopping, history: Sequence[Record]) -> str | None:
    """UP, at the end of a strip."""
    span = condition.strip * condition.strips
    if not _ends_strip(condition, history) or len(history) <= span:
        return None
    ends = [record.validation_error for record in history[-1 - span :: condition.strip]]
    if not all(
        before is not None and after is not None and before < after for before, after in pairwise(ends)
    ):
        return None
    times = "once" if condition.strips == 1 else f"{condition.strips} times in a row"
    return f"the validation error rose {times}, looked at every {condition.strip} iterations"


_CRITERIA = {"GL": _loss, "PQ": _quotient, "UP": _rises}


def _ends_strip(condition: EarlyStopping, history: Sequence[Record]) -> bool:
    return history[-1].iteration > 0 and history[-1].iteration % condition.strip == 0


def _loss_and_lowest(history: Sequence[Record]) -> tuple[float, float]:
    """Return how far the last validation error, which is known, is above the lowest, and the lowest."""
    last = history[-1].validation_error
    assert last is not None
    if isinstance(history, KnowsLowest):
        lowest = history.lowest_validation_error
        assert lowest is not None
    else:
        lowest = min(record.validation_error for record in history if record.validation_error is not None)
    return last - lowest, lowest
