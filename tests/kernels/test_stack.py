"""Stacks: which networks are plain chains, and where their weights stand."""

from __future__ import annotations

import pytest

import neuralframe as nf
from neuralframe.kernels.stack import Stack


class Sharing(nf.NeuralNetwork):
    """Three layers in a row; the two matrices are the same."""

    def build(self):
        first, second, third = self.input_layer(2), self.layer(2), self.layer(2)
        joined = self.connect(first, second)
        self.connect(second, third, share=joined)


class Skipping(nf.NeuralNetwork):
    """The inputs also feed the last layer."""

    def build(self):
        first, second, third = self.input_layer(2), self.layer(2), self.layer(2)
        self.connect(first, second)
        self.connect(second, third)
        self.connect(first, third)


@pytest.mark.parametrize(
    "network",
    [Sharing(seed=0), Skipping(seed=0), nf.TwoTowerPerceptron((4, 3), (3, 2), 2, seed=1)],
    ids=["shared weights", "a skip", "two towers"],
)
def test_other_networks_are_no_stacks(network):
    """Their weights would be placed, or counted, otherwise."""
    assert Stack.of(network.topology) is None


def test_a_stack_knows_where_its_weights_are():
    """W of 3 x 2 and three biases, then 1 x 3 and one."""
    stack = Stack.of(nf.MultilayerPerceptron(2, 3, 1, seed=0).topology)
    assert stack.sizes == (2, 3, 1)
    assert [(layer.weights, layer.bias) for layer in stack.layers] == [(0, 6), (9, 12)]
    assert (stack.n_weights, stack.n_units) == (13, 4)
