"""attrs validators for hyper-parameters that raise `ParameterError`."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.exceptions import ParameterError, TopologyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import attrs

    Validator = Callable[[Any, attrs.Attribute[Any], Any], None]


def number(
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
    optional: bool = False,
) -> Validator:
    """Accept a finite number inside the given bounds (and None if `optional`)."""
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">", above), (">=", at_least), ("<", below), ("<=", at_most))
        if math.isfinite(bound)
    ]
    wanted = " and ".join(["a finite number", *bounds]) + (", or None" if optional else "")

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is None and optional:
            return
        try:
            good = math.isfinite(value) and above < value < below and at_least <= value <= at_most
        except (TypeError, OverflowError):
            good = False
        if not good:
            raise ParameterError(
                f"{type(instance).__name__}: {attribute.name} must be {wanted}; got {value!r}"
            )

    return check


def count(*, at_least: int = 1) -> Validator:
    """Accept a whole number, at least `at_least`."""

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < at_least:
            raise ParameterError(
                f"{type(instance).__name__}: {attribute.name} must be a whole number >= {at_least}; "
                f"got {value!r}"
            )

    return check


def one_of(*choices: str) -> Validator:
    """Accept one of the given names."""

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in choices:
            raise ParameterError(
                f"{type(instance).__name__}: {attribute.name} must be one of {', '.join(choices)}; "
                f"got {value!r}"
            )

    return check


def python_number(value: Any) -> Any:
    """Turn a NumPy scalar into Python's own number, which does not widen the float32 arrays it meets."""
    return value.item() if isinstance(value, np.generic) else value


def require_ascending(instance: Any, *names: str) -> None:
    """Raise `ParameterError` unless the named parameters rise strictly in this order."""
    values = [getattr(instance, name) for name in names]
    if any(left >= right for left, right in pairwise(values)):
        raise ParameterError(
            f"{type(instance).__name__} needs {' < '.join(names)}; got {', '.join(map(repr, values))}"
        )


def whole_sizes(sizes: Sequence[Any], *, at_least: int) -> tuple[int, ...]:
    """Return layer sizes as ints; raise `TopologyError` unless they are positive and enough of them."""
    if len(sizes) < at_least or not all(hasattr(size, "__index__") and size >= 1 for size in sizes):
        raise TopologyError(f"sizes must be {at_least} or more positive whole numbers; got {tuple(sizes)!r}")
    return tuple(int(size) for size in sizes)
