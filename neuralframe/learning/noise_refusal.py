"""Rules that remember errors from iteration to iteration, where noise makes them incomparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.exceptions import LearningRuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.learning_rule import LearningRule
    from neuralframe.core.noise import Noise


def refuse_noise(rule: LearningRule, noise: Sequence[Noise]) -> None:
    """Raise `LearningRuleError` if there is noise."""
    if noise:
        raise LearningRuleError(
            f"{type(rule).__name__} remembers errors over many iterations, and noise, new in each, makes "
            "them incomparable; train without noise, or by a rule that follows the gradient"
        )
