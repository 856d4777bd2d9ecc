"""Every learning rule that the battery of contracts is run over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.learning.adaptive_rates import VariableRate
from neuralframe.learning.gradient_descent import GradientDescent
from neuralframe.learning.resilient_propagation import ResilientPropagation

if TYPE_CHECKING:
    from neuralframe.core.learning_rule import LearningRule


@attrs.frozen
class Entry:
    """A rule, and within how many iterations it solves each problem.

    `on_rosenbrock` is the same rule with other hyper-parameters, where the problem needs them.
    `minds_origin` says that a constant added to the error changes what the rule does.
    """

    rule: LearningRule
    quadratic: int = attrs.field(kw_only=True)
    rosenbrock: int = attrs.field(kw_only=True)
    on_rosenbrock: LearningRule | None = attrs.field(default=None, kw_only=True)
    minds_origin: bool = attrs.field(default=False, kw_only=True)


_PLAIN, _HEAVY, _BOLD = GradientDescent(0.001), GradientDescent(0.001, 0.95), VariableRate()

LEARNING_RULES = [
    Entry(GradientDescent(0.0019), quadratic=3500, rosenbrock=15_100, on_rosenbrock=_PLAIN),
    Entry(GradientDescent(0.0035, 0.9), quadratic=190, rosenbrock=640, on_rosenbrock=_HEAVY),
    Entry(GradientDescent(adaptive=_BOLD), quadratic=3600, rosenbrock=10_200, minds_origin=True),
    Entry(GradientDescent(0.001, 0.9, adaptive=_BOLD), quadratic=450, rosenbrock=1000, minds_origin=True),
    Entry(GradientDescent(adaptive=VariableRate(tolerance=1)), quadratic=4000, rosenbrock=12_000),
    Entry(ResilientPropagation("rprop-"), quadratic=4400, rosenbrock=8600),
    Entry(ResilientPropagation("irprop-"), quadratic=1800, rosenbrock=3600),
    Entry(ResilientPropagation("rprop+"), quadratic=4100, rosenbrock=9400),
    Entry(ResilientPropagation("irprop+"), quadratic=1800, rosenbrock=3500),
]
