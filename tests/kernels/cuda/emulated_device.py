"""A device whose memory is the host's and whose threads are the lockstep emulator's."""

from __future__ import annotations

import numpy as np

from neuralframe.kernels.cuda.device import Device
from tests.kernels.cuda.fake_cuda import poisoned
from tests.kernels.cuda.lockstep import Emulator


class EmulatedDevice(Device):
    """Runs any CUDA kernel, thread by thread; memory starts poisoned.

    Parameters
    ----------
    seed : int
        Shuffles the order of blocks and threads; 0 leaves it alone.
    watch : bool
        Whether every access is checked for races.

    """

    def __init__(self, *, seed=0, watch=False, free_bytes=1 << 30):
        super().__init__(free_bytes)
        self.seed, self.watch = seed, watch
        self.launches = []
        self.n_carried = self.n_written = 0
        self._emulators = {}

    def to_device(self, array):
        self.n_carried += 1
        return np.array(array)

    def write(self, array, values):
        assert (array.shape, array.dtype) == (values.shape, values.dtype)
        self.n_written += 1
        array[:] = values

    def empty(self, size, dtype):
        return poisoned(size, dtype)

    def to_host(self, array):
        return np.array(array)

    def launch(self, kernel, grid, block, args, shared=0):
        if kernel not in self._emulators:
            self._emulators[kernel] = Emulator(kernel)
        self.launches.append((kernel.__qualname__.partition(".")[0], grid))
        self._emulators[kernel].launch(
            grid, block, args, shared_bytes=shared, seed=self.seed, watch=self.watch
        )
