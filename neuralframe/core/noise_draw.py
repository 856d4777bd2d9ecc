"""Drawing noise: the same numbers on any engine, in any order of the blocks, as often as they are asked for.

What is drawn is a function of the session, the iteration and the place where it is used, and of nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.core.noise import Noise
    from neuralframe.core.topology import Topology

WORDS_PER_STEP = 4
"""Philox makes so many 64-bit words at a time.

Salmon, Moraes, Dror and Shaw (2011). Parallel random numbers: as easy as 1, 2, 3. Proc. SC11.
"""


@attrs.frozen(eq=False)
class Numbers:
    """Numbers by chance for some samples of a block; asked again, they are the same.

    Parameters
    ----------
    key : (int, int)
        Which session and which iteration.
    place : (int, int, int)
        Which noise, which layer and which block.
    rows : (n_samples,) int
        Which samples of the block, in ascending order. What a sample gets does not depend on the others.

    """

    key: tuple[int, int]
    place: tuple[int, int, int]
    rows: Indices

    def uniform(self, size: int) -> Vector:
        """Return numbers from 0 up to, not including, 1: shape (n_samples, size)."""
        if not len(self.rows):
            return np.zeros((0, size))
        first, n = int(self.rows[0]), int(self.rows[-1] - self.rows[0] + 1)
        words = self._words(first * size, n * size).reshape(n, size)
        # the 53 bits that fit into a float64, as numpy's own generators take them
        return (words[self.rows - first] >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def normal(self, size: int) -> Vector:
        """Return numbers of the standard normal distribution, shape (n_samples, size).

        By the formula of Box and Muller (1958), which takes as many numbers for each sample as for any other.
        """
        radius, angle = np.split(self.uniform(2 * size), 2, axis=1)
        normal: Vector = np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
        return normal

    def _words(self, start: int, n: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Return `n` words of the stream from the word `start` on."""
        counter = np.array([0, *self.place], np.uint64)
        bits = np.random.Philox(key=np.array(self.key, np.uint64), counter=counter)
        steps, skipped = divmod(start, WORDS_PER_STEP)
        bits.advance(steps)
        return bits.random_raw(skipped + n)[skipped:]


@attrs.frozen(eq=False)
class Draw:
    """The noise of one block in one iteration of one session.

    Attributes
    ----------
    noises : tuple of Noise
    key : (int, int)
        Which session and which iteration.
    block : int
        The block's number.

    """

    noises: tuple[Noise, ...]
    key: tuple[int, int]
    block: int

    def inputs(self, topology: Topology, inputs: Array, rows: Indices) -> Vector:
        """Return the inputs of some samples, (n_samples, n_inputs), disturbed: a new array."""
        disturbed, start = np.array(inputs, np.float64), 0
        for layer in topology.inputs:
            end = start + topology.layers[layer].size
            self._disturb(disturbed[:, start:end], topology, layer, rows)
            start = end
        return disturbed

    def factors(self, topology: Topology, layer: int, rows: Indices) -> Vector | None:
        """Return what the outputs of a hidden layer are multiplied by, (size, n_samples), or None."""
        product: Vector | None = None
        for noise, numbers in self._each(layer, rows):
            factors = noise.factors(topology.layers[layer], numbers)
            if factors is not None:
                product = factors if product is None else product * factors
        return None if product is None else np.ascontiguousarray(product.T)

    def _disturb(self, values: Vector, topology: Topology, layer: int, rows: Indices) -> None:
        """Disturb the values of an input layer in place."""
        for noise, numbers in self._each(layer, rows):
            factors = noise.factors(topology.layers[layer], numbers)
            if factors is not None:
                values *= factors
            shifts = noise.shifts(topology.layers[layer], numbers)
            if shifts is not None:
                values += shifts

    def _each(self, layer: int, rows: Indices) -> Iterator[tuple[Noise, Numbers]]:
        for place, noise in enumerate(self.noises):
            yield noise, Numbers(self.key, (place, layer, self.block), rows)
