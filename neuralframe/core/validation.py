"""attrs validators for hyper-parameters that raise `ParameterError`."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.core.components import Component
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
            raise ParameterError(f"{_named(instance, attribute)} must be {wanted}; got {value!r}")

    return check


def _named(instance: Any, attribute: attrs.Attribute[Any]) -> str:
    """Return what users call an attribute: with the class only if they made the object themselves."""
    prefix = f"{type(instance).__name__}: " if isinstance(instance, Component) else ""
    return f"{prefix}{attribute.name}"


def count(*, at_least: int = 1, optional: bool = False) -> Validator:
    """Accept a whole number, at least `at_least` (and None if `optional`)."""
    wanted = f"a whole number >= {at_least}" + (", or None" if optional else "")

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is None and optional:
            return
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < at_least:
            raise ParameterError(f"{_named(instance, attribute)} must be {wanted}; got {value!r}")

    return check


def whole(value: Any, what: str) -> int:
    """Return a whole number, at least 1, as an int; anything else is a `ParameterError`."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise ParameterError(f"{what} must be a whole number >= 1; got {value!r}")
    return int(value)


def one_of(*choices: str) -> Validator:
    """Accept one of the given names."""

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value not in choices:
            raise ParameterError(
                f"{_named(instance, attribute)} must be one of {', '.join(choices)}; got {value!r}"
            )

    return check


def flag() -> Validator:
    """Accept True and False, and nothing that only counts as such."""

    def check(instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, bool):
            raise ParameterError(f"{_named(instance, attribute)} must be True or False; got {value!r}")

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


def seed_sequence(seed: Any) -> np.random.SeedSequence:
    """Return what seeds generators from None, a whole number or a generator; else `ParameterError`."""
    if isinstance(seed, np.random.Generator):
        return np.random.SeedSequence(int(seed.integers(1 << 62)))
    if seed is not None and (not hasattr(seed, "__index__") or seed < 0):
        raise ParameterError(f"seed must be a whole number >= 0, a numpy Generator or None; got {seed!r}")
    return np.random.SeedSequence(seed)


def whole_sizes(sizes: Sequence[Any], *, at_least: int) -> tuple[int, ...]:
    """Return layer sizes as ints; raise `TopologyError` unless they are positive and enough of them."""
    if len(sizes) < at_least or not all(hasattr(size, "__index__") and size >= 1 for size in sizes):
        raise TopologyError(f"sizes must be {at_least} or more positive whole numbers; got {tuple(sizes)!r}")
    return tuple(int(size) for size in sizes)
