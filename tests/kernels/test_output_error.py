"""The error at several output layers, and samples that do not count."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf


class Heads(nf.NeuralNetwork):
    """Output layers of the given sizes over the same inputs."""

    def build(self, *sizes, transfer_function):
        inputs = self.input_layer(2)
        for size in sizes:
            self.connect(inputs, self.layer(size, transfer_function=transfer_function))


def test_two_saturated_sigmoid_layers_learn_as_one_layer_of_two_does():
    """Cross-entropy is fused with each output layer; unfused, both gradients would be 0."""
    data = nf.DataSet([[1.0, 1.0]], [[0.0, 0.0]])
    one, two = Heads(2, transfer_function="sigmoid"), Heads(1, 1, transfer_function="sigmoid")
    one.weights[:] = [25, 25, 25, 25, 0, 0]
    two.weights[:] = [25, 25, 0, 25, 25, 0]
    expected, gradient = nf.error_and_gradient(one, data)
    assert expected == pytest.approx(100.0)
    found, heads = nf.error_and_gradient(two, data)
    assert found == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(heads, gradient[[0, 1, 4, 2, 3, 5]], rtol=1e-14)


def test_two_softmax_layers_have_the_errors_of_both():
    random = np.random.default_rng(0)
    inputs = random.standard_normal((20, 2))
    parts = [np.eye(size)[random.integers(0, size, 20)] for size in (2, 3)]
    both = Heads(2, 3, transfer_function="softmax", seed=0)
    alone = [Heads(size, transfer_function="softmax") for size in (2, 3)]
    alone[0].weights[:], alone[1].weights[:] = both.weights[:6], both.weights[6:]
    errors = [
        nf.error_and_gradient(net, nf.DataSet(inputs, part))[0]
        for net, part in zip(alone, parts, strict=True)
    ]
    assert nf.error_and_gradient(both, nf.DataSet(inputs, np.hstack(parts)))[0] == pytest.approx(sum(errors))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_sample_of_weight_zero_does_not_count_even_if_its_error_is_infinite(dtype):
    net = nf.Adaline(1, seed=0)
    net.weights[:] = [1.0, 0.0]
    data = nf.DataSet([[2.0], [1e200]], [[1.0], [-1e200]], [1.0, 0.0])
    error, gradient = nf.error_and_gradient(net, data, dtype=dtype)
    assert error == pytest.approx(0.5)
    np.testing.assert_allclose(gradient, [2.0, 1.0])


def test_tiny_sample_weights_count_in_float32_too():
    net = nf.Adaline(1, seed=0)
    net.weights[:] = [1.0, 0.0]
    data = nf.DataSet([[2.0], [3.0]], [[1.0], [1.0]], [1e-46, 1e-46])
    assert nf.error_and_gradient(net, data, dtype="float32")[0] == pytest.approx(1.25)


def test_a_subclass_of_the_weighted_sum_is_computed_as_itself():
    class Doubled(nf.WeightedSum):
        def combine(self, products):
            return 2 * super().combine(products)

        def partial(self, products):
            return 2 * super().partial(products)

    class Net(nf.NeuralNetwork):
        def build(self):
            self.connect(self.input_layer(2), self.layer(1, input_function=Doubled(), bias=False))

    net = Net()
    net.weights[:] = [1.0, 2.0]
    assert net([1.0, 1.0])[0, 0] == 6.0
    assert nf.check_gradient(net, nf.DataSet([[1.0, 1.0], [0.5, -1.0]], [1.0, 2.0])) < 1e-9


def test_a_sparse_projection_is_computed_in_chunks_that_its_connections_fit():
    from neuralframe.kernels.chunks import CHUNK_BYTES
    from neuralframe.kernels.numpy_kernel import NumpyKernel

    class Wide(nf.NeuralNetwork):
        def build(self):
            sources, targets = np.divmod(np.arange(200 * 200), 200)
            self.connect(self.input_layer(200), self.layer(200), nf.Sparse(sources, targets))

    assert NumpyKernel(Wide(seed=0).topology)._stage_size * 200 * 200 * 8 <= CHUNK_BYTES


def test_the_activations_of_every_layer_are_those_of_the_whole_and_belong_to_the_caller():
    net = nf.MultilayerPerceptron(3, 4, 2, seed=0)
    inputs = np.random.default_rng(0).standard_normal((3000, 3))
    kept = inputs.copy()
    found = net.activations(inputs)
    assert list(found) == ["input", "hidden", "output"]
    np.testing.assert_array_equal(found["output"], net(inputs))
    np.testing.assert_allclose(
        found["hidden"], np.tanh(inputs @ net.layers[1].weights.T + net.layers[1].biases), rtol=1e-12
    )
    found["input"][:] = 7
    np.testing.assert_array_equal(inputs, kept)
    with pytest.raises(nf.NonFiniteError):
        net.activations([[np.nan, 0, 0]])
