"""Input functions: how a neuron combines its weights and its inputs into one net input.

The bias, where there is one, is added afterwards: ``net = f(weights, inputs) + bias``.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.differences import changes_along
from neuralframe.core.validation import number, python_number

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Indices

_overflow_is_no_error = np.errstate(over="ignore", invalid="ignore")


class InputFunction(Component):
    """The net inputs of a group of neurons with equal fan-in, and their derivatives.

    Shapes: `weights` is (n_neurons, fan_in). `inputs` is (n_samples, m, fan_in), where m is n_neurons,
    or 1 when all neurons of the group see the same inputs. The results have the type of the arguments;
    where a sum or a product leaves that type's range they are infinite or NaN, without a warning. Time
    and memory of the members below are proportional to n_samples * n_neurons * fan_in.

    Attributes
    ----------
    has_bias : bool
        Whether a layer with this input function gets biases unless told otherwise.

    """

    has_bias: ClassVar[bool] = False

    @abstractmethod
    def net(self, weights: Array, inputs: Array) -> Array:
        """Return the net inputs without the bias, shape (n_samples, n_neurons)."""

    @abstractmethod
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        """Return the derivatives of an error E whose dE/d net is given.

        Parameters
        ----------
        weights, inputs : array
            What `net` was called with.
        net_delta : (n_samples, n_neurons)
            dE/d net of each sample.

        Returns
        -------
        weight_gradient : (n_neurons, fan_in)
            dE/d weights, summed over the samples.
        input_delta : (n_samples, m, fan_in)
            dE/d inputs of each sample; where the neurons share their inputs (m = 1), summed over them.

        """

    @_overflow_is_no_error
    def backward_change(
        self, weights: Array, inputs: Array, net_delta: Array, weights_change: Array, inputs_change: Array
    ) -> tuple[Array, Array]:
        """Return how fast what `backward` returns changes with weights and inputs, `net_delta` staying.

        Asked for by rules that use the Hessian. The default differences `backward`: right to about ten
        digits where it is smooth.
        """
        weight_gradient, input_delta = changes_along(
            lambda at, seen: self.backward(at, seen, net_delta),
            [weights, inputs],
            [weights_change, inputs_change],
        )
        return weight_gradient, input_delta


class FunctionOfProducts(InputFunction):
    """An input function of the products weight times input, and of nothing else.

    A subclass writes `combine` and `partial`; both get the products, (n_samples, n_neurons, fan_in).
    """

    @abstractmethod
    def combine(self, products: Array) -> Array:
        """Return the net inputs, shape (n_samples, n_neurons)."""

    @abstractmethod
    def partial(self, products: Array) -> Array:
        """Return the derivative of the net input with respect to each product, of their shape."""

    @_overflow_is_no_error
    def net(self, weights: Array, inputs: Array) -> Array:
        return self.combine(weights * inputs)

    @_overflow_is_no_error
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        delta = net_delta[..., np.newaxis] * self.partial(weights * inputs)
        return (delta * inputs).sum(axis=0), _as_inputs(delta * weights, inputs)


@attrs.frozen
class WeightedSum(FunctionOfProducts):
    """``sum(w * x)``: the inner product. Kernels know it and compute it by matrix products."""

    has_bias = True

    def combine(self, products: Array) -> Array:
        net: Array = products.sum(axis=-1)
        return net

    def partial(self, products: Array) -> Array:
        return np.ones_like(products)


@attrs.frozen
class SumOfSquaredProducts(FunctionOfProducts):
    """``sum((w * x)^2)``."""

    name = "sum_of_squares"

    def combine(self, products: Array) -> Array:
        net: Array = np.square(products).sum(axis=-1)
        return net

    def partial(self, products: Array) -> Array:
        return 2 * products


@attrs.frozen
class Product(FunctionOfProducts):
    """``prod(w * x)``; its derivatives are exact also where factors are 0, since nothing is divided."""

    def combine(self, products: Array) -> Array:
        return _product(products)

    def partial(self, products: Array) -> Array:
        return _product_of_the_others(products)


@attrs.frozen
class Minimum(FunctionOfProducts):
    """``min(w * x)``; the derivative belongs to the smallest product, the first one of a tie."""

    def combine(self, products: Array) -> Array:
        net: Array = products.min(axis=-1)
        return net

    def partial(self, products: Array) -> Array:
        return _one_at(products.argmin(axis=-1), products)


@attrs.frozen
class Maximum(FunctionOfProducts):
    """``max(w * x)``; the derivative belongs to the largest product, the first one of a tie."""

    def combine(self, products: Array) -> Array:
        net: Array = products.max(axis=-1)
        return net

    def partial(self, products: Array) -> Array:
        return _one_at(products.argmax(axis=-1), products)


@attrs.frozen
class Or(FunctionOfProducts):
    """``1 - prod(1 - w * x)``: some input is true, to a degree; a weight says how much an input matters.

    On inputs of 0 and 1 with weights of 1 this is the logical function; between them it is the
    probabilistic sum of fuzzy logic, the OR neuron of Hirota and Pedrycz (IEEE Transactions on Fuzzy
    Systems 2, 1994, pages 151-161).
    """

    def combine(self, products: Array) -> Array:
        net: Array = 1 - _product(1 - products)
        return net

    def partial(self, products: Array) -> Array:
        return _product_of_the_others(1 - products)


@attrs.frozen
class And(InputFunction):
    """``prod(1 - w * (1 - x))``: every input is true, to a degree; an input of weight 0 does not matter.

    The dual of `Or`. With weights of 1 it is the product t-norm. Hirota and Pedrycz (1994) write the
    same AND neuron with ``1 - w`` in the place of ``w``.
    """

    @_overflow_is_no_error
    def net(self, weights: Array, inputs: Array) -> Array:
        return _product(1 - weights * (1 - inputs))

    @_overflow_is_no_error
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        absent = 1 - inputs
        delta = net_delta[..., np.newaxis] * _product_of_the_others(1 - weights * absent)
        return -(delta * absent).sum(axis=0), _as_inputs(delta * weights, inputs)


@attrs.frozen
class Sum(InputFunction):
    """``sum(x)``: the weights are there but have no influence, and their gradient is 0."""

    @_overflow_is_no_error
    def net(self, weights: Array, inputs: Array) -> Array:
        net: Array = (np.ones_like(weights) * inputs).sum(axis=-1)
        return net

    @_overflow_is_no_error
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        delta = net_delta.sum(axis=1, keepdims=True) if inputs.shape[1] == 1 else net_delta
        return np.zeros_like(weights), delta[..., np.newaxis] * np.ones_like(inputs)


@attrs.frozen
class Difference(InputFunction):
    """``sqrt(sum((x - w)^2))``: the Euclidean distance of the inputs from the weights.

    At distance 0, where there is no derivative, it is taken as 0.
    """

    @_overflow_is_no_error
    def net(self, weights: Array, inputs: Array) -> Array:
        return _length(inputs - weights)

    @_overflow_is_no_error
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        difference = inputs - weights
        distance = _length(difference)
        share = np.divide(net_delta, distance, out=np.zeros_like(distance), where=distance > 0)
        delta = share[..., np.newaxis] * difference
        return -delta.sum(axis=0), _as_inputs(delta, inputs)


@attrs.frozen
class EuclideanRBF(InputFunction):
    """``||x - w|| / width``: with a `Gaussian` of sigma 1, the bell ``exp(-||x - w||^2 / (2 width^2))``."""

    width: float = attrs.field(default=1.0, validator=number(above=0), converter=python_number)

    @_overflow_is_no_error
    def net(self, weights: Array, inputs: Array) -> Array:
        net: Array = Difference().net(weights, inputs) / self.width
        return net

    @_overflow_is_no_error
    def backward(self, weights: Array, inputs: Array, net_delta: Array) -> tuple[Array, Array]:
        return Difference().backward(weights, inputs, net_delta / self.width)


def _as_inputs(delta: Array, inputs: Array) -> Array:
    """Sum (n_samples, n_neurons, fan_in) over the neurons where they share their inputs."""
    if inputs.shape[1] == 1:
        summed: Array = delta.sum(axis=1, keepdims=True)
        return summed
    return delta


def _one_at(position: Indices, like: Array) -> Array:
    ones = np.zeros_like(like)
    np.put_along_axis(ones, position[..., np.newaxis], 1, axis=-1)
    return ones


def _length(difference: Array) -> Array:
    length: Array = np.sqrt(np.square(difference).sum(axis=-1))
    return length


def _product(factors: Array) -> Array:
    product: Array = np.prod(factors, axis=-1)
    return product


def _product_of_the_others(factors: Array) -> Array:
    """Return, for each factor along the last axis, the product of all the others."""
    before, after = np.ones_like(factors), np.ones_like(factors)
    np.cumprod(factors[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(factors[..., :0:-1], axis=-1, out=after[..., -2::-1])
    product: Array = before * after
    return product
