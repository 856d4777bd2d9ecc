"""Architectures: each a subclass of `NeuralNetwork`, one file each."""
