"""Devices: which one is taken, what stays there, and what is said where there is none."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.kernels.cuda import device as devices
from neuralframe.kernels.cuda import shim
from tests.kernels.cuda.emulated_device import EmulatedDevice


@pytest.fixture
def unasked():
    """Nothing remembered of what there is, before and after."""
    shim.reason_against.cache_clear()
    yield
    shim.reason_against.cache_clear()


def test_a_missing_package_is_named_with_the_way_to_install_it(unasked, monkeypatch):
    monkeypatch.setattr(shim, "find_spec", lambda _: None)
    assert "pip install 'neuralframe[cuda13]'" in shim.reason_against()
    assert not shim.is_available()
    shim.numba_cuda.cache_clear()
    with pytest.raises(nf.MissingPackageError, match=r"neuralframe\[cuda13\]"):
        shim.numba_cuda()


def test_a_missing_driver_is_named(unasked, monkeypatch):
    monkeypatch.setattr(shim, "find_spec", lambda _: object())
    monkeypatch.setattr(shim, "_DRIVER", "libnosuchdriver.so")
    assert shim.reason_against() == "no NVIDIA driver was found"


@pytest.mark.parametrize(
    ("failure", "n_devices", "reason"), [(0, 1, ""), (0, 0, "no device"), (100, 0, "100")]
)
def test_a_driver_is_asked_for_its_devices(unasked, monkeypatch, failure, n_devices, reason):
    def count(pointer):
        pointer._obj.value = n_devices
        return failure

    driver = SimpleNamespace(cuInit=lambda _: 0, cuDeviceGetCount=count)
    monkeypatch.setattr(shim, "find_spec", lambda _: object())
    monkeypatch.setattr(shim.ctypes, "CDLL", lambda _: driver)
    assert reason in shim.reason_against()
    assert shim.is_available() == (not reason)


def test_no_device_is_an_error_that_says_why(monkeypatch):
    monkeypatch.setattr(shim, "reason_against", lambda: "no NVIDIA driver was found")
    with pytest.raises(nf.DeviceError, match="no NVIDIA driver"):
        devices.choose_device()


@pytest.mark.parametrize(
    ("visible", "variable", "number", "chosen"),
    [
        (None, None, None, 0),
        (None, "3", None, 3),
        (None, "5", None, 1),
        (None, None, 2, 2),
        (None, "3", 6, 2),
        ("7", "3", 2, 0),
    ],
)
def test_which_device_is_taken(monkeypatch, visible, variable, number, chosen):
    """Of four: the first that somebody made visible, or the task's, counted around, or the first."""
    for name, value in (("CUDA_VISIBLE_DEVICES", visible), (devices.DEVICE_VARIABLE, variable)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(shim, "reason_against", lambda: "")
    monkeypatch.setattr(shim, "numba_cuda", lambda: SimpleNamespace(gpus=range(4)))
    monkeypatch.setattr(devices, "_device", lambda _, n: n)
    assert devices.choose_device(number) == chosen


def test_a_device_that_is_no_number_is_told(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv(devices.DEVICE_VARIABLE, "first")
    monkeypatch.setattr(shim, "reason_against", lambda: "")
    with pytest.raises(nf.DeviceError, match="'first' is not the number"):
        devices.choose_device()


def test_whatever_a_driver_raises_is_a_device_error(monkeypatch):
    """Each call of numba's is watched; the first line of what went wrong is told."""

    def broken(*_):
        raise RuntimeError("CUDA_ERROR_OUT_OF_MEMORY\nand more")

    monkeypatch.setattr(shim, "numba_cuda", broken)
    with pytest.raises(nf.DeviceError, match=r"RuntimeError: CUDA_ERROR_OUT_OF_MEMORY$") as caught:
        devices.CudaDevice(0)
    assert isinstance(caught.value.__cause__, RuntimeError)


class Copied(np.ndarray):
    """An array of the host in the place of one on a device."""

    def copy_to_host(self):
        return np.array(self)

    def copy_to_device(self, values):
        self[:] = values


class Gpu:
    """A device that counts how often it is made the thread's own."""

    def __init__(self):
        self.n_entered = 0

    def __enter__(self):
        self.n_entered += 1

    def __exit__(self, *problem):
        return None


class FakeCuda:
    """What is used of numba's module; kernels are compiled and launched on paper."""

    def __init__(self):
        self.gpus = [Gpu(), Gpu()]
        self.compiled, self.launches = [], []

    def current_context(self):
        return SimpleNamespace(get_memory_info=lambda: (1000, 2000))

    def to_device(self, array):
        return np.array(array).view(Copied)

    def device_array(self, size, dtype):
        return np.empty(size, dtype).view(Copied)

    def jit(self, kernel):
        self.compiled.append(kernel.__name__)
        launches = self.launches

        class Compiled:
            def __getitem__(self, configuration):
                return lambda *args: launches.append((configuration, args))

        return Compiled()


def test_a_cuda_device_copies_and_launches_through_numba(monkeypatch):
    """The second of two; a kernel is compiled once, and launched with its dynamic shared memory."""
    cuda = FakeCuda()
    monkeypatch.setattr(shim, "numba_cuda", lambda: cuda)
    device = devices.CudaDevice(1)
    assert device.free_bytes == 1000

    def kernel(numbers):
        numbers[0] = 1

    with device.current():
        array = device.to_device(np.array([1.0, 2.0]))
        device.write(array, np.array([3.0, 4.0]))
        assert device.to_host(array).tolist() == [3, 4]
        assert device.to_host(device.zeros(3, np.int32)).tolist() == [0, 0, 0]
        assert device.empty(5, np.float32).dtype == np.float32
        device.launch(kernel, (2, 3), 128, (array,), shared=64)
        device.launch(kernel, (2, 1), 128, (array,))
    assert [configuration for configuration, _ in cuda.launches] == [
        ((2, 3), 128, 0, 64),
        ((2, 1), 128, 0, 0),
    ]
    assert cuda.compiled == ["kernel"]
    assert [gpu.n_entered for gpu in cuda.gpus] == [0, 2]


def test_a_kernel_that_does_not_compile_is_a_device_error(monkeypatch):
    cuda = FakeCuda()
    monkeypatch.setattr(shim, "numba_cuda", lambda: cuda)
    device = devices.CudaDevice(0)
    monkeypatch.setattr(cuda, "jit", lambda _: 1 / 0)
    with pytest.raises(nf.DeviceError, match="start a kernel on the CUDA device: ZeroDivisionError"):
        device.launch(twice, (1, 1), 32, ())


def test_read_only_arrays_stay_and_others_are_carried_again():
    device, array = EmulatedDevice(), np.arange(6.0).reshape(2, 3)
    single = np.dtype("float32")
    device.resident(array, single)
    device.resident(array, single)
    assert device.n_carried == 2
    array.flags.writeable = False
    first = device.resident(array, single)
    assert device.resident(array, single) is first
    assert (first.dtype, first.tolist()) == (single, [0, 1, 2, 3, 4, 5])
    assert device.resident(array, np.dtype("float64")).dtype == np.float64
    assert device.n_carried == 4


def test_the_oldest_arrays_go_when_memory_is_short():
    device = EmulatedDevice(free_bytes=1000)
    arrays = [np.zeros(80) for _ in range(2)]
    for array in arrays:
        array.flags.writeable = False
    for array in (arrays[0], arrays[1], arrays[1], arrays[0]):
        device.resident(array, np.dtype("float64"))
    assert device.n_carried == 3


cuda = None  # as in a kernel's module: numba's takes its place


def twice(number):
    return number + number


def test_a_linked_kernel_calls_device_functions_and_numbas_module(monkeypatch):
    jitted = []

    def jit(function=None, *, device=False):
        if function is None:
            return lambda inner: jit(inner, device=device)
        jitted.append((function.__name__, device))
        return function

    monkeypatch.setattr(shim, "numba_cuda", lambda: SimpleNamespace(jit=jit, threadIdx=SimpleNamespace(x=3)))
    factor = 5

    def thread():
        return cuda.threadIdx.x

    def inner(number):
        return twice(number) * factor

    def kernel(out):
        out[0] = inner(thread()) + math.floor(twice(1.5))

    out = [0]
    shim.compiled(kernel)(out)
    assert out == [33]
    assert sorted(jitted) == [("inner", True), ("kernel", False), ("thread", True), ("twice", True)]
