"""Learning rules and when they stop; one file per family.

Importing the package imports every rule, so that each can be found by its name.
"""

from __future__ import annotations

from neuralframe.learning import adaptive_rates, gradient_descent, resilient_propagation, stop_conditions

__all__ = ["adaptive_rates", "gradient_descent", "resilient_propagation", "stop_conditions"]
