"""attrs validators for hyper-parameters that raise `ParameterError`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuralframe.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

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
        except TypeError:
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
