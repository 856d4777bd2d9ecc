"""Architectures: each a subclass of `NeuralNetwork`, one file each.

Importing the package imports every architecture, so that a model file is opened as what it was.
"""

from __future__ import annotations

from neuralframe.networks import adaline, multilayer_perceptron, two_tower

__all__ = ["adaline", "multilayer_perceptron", "two_tower"]
