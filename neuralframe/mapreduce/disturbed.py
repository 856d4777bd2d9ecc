"""The kernel of a block that is learnt from under noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.core import noise as noises  # noqa: F401 - kinds of noise are among what travels
from neuralframe.core.noise_draw import Draw

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from neuralframe.core.noise import Noise
    from neuralframe.data.blocks import Block
    from neuralframe.kernels.kernel import Kernel


def disturbed(kernel: Kernel, noise: tuple[Noise, ...], draw: npt.NDArray[np.uint64], block: Block) -> Kernel:
    """Return a kernel that computes a block under noise; `draw` holds the session's key and the iteration."""
    session, iteration = map(int, draw)
    return kernel.noisy(Draw(noise, (session, iteration), block.number))
