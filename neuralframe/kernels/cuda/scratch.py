"""Scratch: memory of a device that kernels write to, kept from one launch to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Array
    from neuralframe.kernels.cuda.device import Device


class Scratch:
    """Arrays on a device by name. An array is made anew only where another size is asked for.

    Parameters
    ----------
    device : Device

    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._arrays: dict[str, tuple[int, Any]] = {}

    def empty(self, name: str, size: int, dtype: npt.DTypeLike) -> Any:
        """Return an array whose numbers mean nothing."""
        return self._kept(name, size, dtype, self._device.empty)

    def zeros(self, name: str, size: int, dtype: npt.DTypeLike) -> Any:
        """Return an array that was zero when it was made; whoever changes it sees to it that it is again."""
        return self._kept(name, size, dtype, self._device.zeros)

    def holding(self, name: str, values: Array) -> Any:
        """Return an array that holds the numbers of a flat array of the host."""
        array = self.empty(name, values.size, values.dtype)
        self._device.write(array, values)
        return array

    def _kept(self, name: str, size: int, dtype: npt.DTypeLike, make: Any) -> Any:
        if self._arrays.get(name, (0, None))[0] != size:
            self._arrays.pop(name, None)  # its memory is free before the next is taken
            self._arrays[name] = size, make(size, dtype)
        return self._arrays[name][1]
