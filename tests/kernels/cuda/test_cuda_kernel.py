"""The CUDA kernel as a whole: on an emulated device, where it serves a network, and where a device fails."""

from __future__ import annotations

import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.core.noise_draw import Draw
from neuralframe.kernels import cuda_kernel, make_kernel
from neuralframe.kernels.cuda import device as devices
from neuralframe.kernels.cuda_kernel import CudaKernel, family_of
from neuralframe.kernels.numpy_kernel import NumpyKernel
from tests.kernels.cuda.emulated_device import EmulatedDevice


class FailingDevice(EmulatedDevice):
    """Full after so many launches."""

    def __init__(self, n_launches):
        super().__init__()
        self.n_launches = n_launches

    def launch(self, kernel, grid, block, args, shared=0):
        if len(self.launches) >= self.n_launches:
            raise nf.DeviceError("cannot find memory on the CUDA device: out of memory")
        super().launch(kernel, grid, block, args, shared)


@pytest.fixture
def network():
    return nf.MultilayerPerceptron(3, 4, 2, output="softmax", seed=1)


def block_of(network, n=20):
    random = np.random.default_rng(2)
    inputs, targets = (
        random.normal(size=(n, network.n_inputs)),
        random.dirichlet(np.ones(network.n_outputs), n),
    )
    sample_weights = random.integers(0, 3, n).astype(float)
    for array in (inputs, targets, sample_weights):
        array.flags.writeable = False
    return inputs, targets, sample_weights


def same(found, expected):
    return all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


def test_it_is_found_by_name_and_agrees_with_the_numpy_kernel(network):
    made = make_kernel("cuda", network.topology, "float32")
    assert type(made) is CudaKernel
    kernel = CudaKernel(network.topology, device=EmulatedDevice())
    vectors, plain = np.stack([network.weights, -network.weights]), NumpyKernel(network.topology)
    block = block_of(network)
    for found, expected in zip(
        kernel.errors_and_gradients(vectors, *block), plain.errors_and_gradients(vectors, *block), strict=True
    ):
        assert found == pytest.approx(expected, rel=1e-12)
    assert kernel.errors(vectors, *block) == pytest.approx(plain.errors(vectors, *block))
    assert kernel.outputs(vectors[0], block[0]) == pytest.approx(plain.outputs(vectors[0], block[0]))


def test_what_no_device_is_needed_for_is_computed_without(network):
    """Activations, noise and curvature are the processor's, and bit for bit those of the numpy kernel."""
    device = EmulatedDevice()
    kernel, plain = CudaKernel(network.topology, device=device), NumpyKernel(network.topology)
    inputs, targets, sample_weights = block_of(network)
    weights = network.weights
    assert same(kernel.activations(weights, inputs), plain.activations(weights, inputs))
    draw = Draw((nf.Dropout(0.5),), (1, 2), 0)
    vectors = weights[np.newaxis]
    assert same(
        kernel.noisy(draw).errors_and_gradients(vectors, inputs, targets),
        plain.noisy(draw).errors_and_gradients(vectors, inputs, targets),
    )
    found, expected = (k.squared_jacobian(weights, inputs, sample_weights) for k in (kernel, plain))
    assert np.array_equal(found, expected)
    assert device.n_carried == 0


def test_a_block_is_carried_to_the_device_once(network):
    device = EmulatedDevice()
    kernel, block = CudaKernel(network.topology, device=device), block_of(network)
    vectors = network.weights[np.newaxis]
    kernel.errors_and_gradients(vectors, *block)
    kernel.errors_and_gradients(vectors, *block)
    kernel.errors_and_gradients(vectors, *block)
    assert device.n_carried == 4, "three arrays of the block, and the tickets"
    assert device.n_written == 3, "the weights"


def test_a_network_that_no_family_serves_is_computed_by_numpy_without_a_warning():
    network = nf.TwoTowerPerceptron((4, 3), (3, 2), 2, seed=1)
    kernel, plain = CudaKernel(network.topology, device=EmulatedDevice()), NumpyKernel(network.topology)
    family, reason = family_of(network.topology, kernel.dtype)
    assert family is None
    assert "full to full" in reason
    block, vectors = block_of(network), network.weights[np.newaxis]
    assert same(kernel.errors_and_gradients(vectors, *block), plain.errors_and_gradients(vectors, *block))


def test_without_a_device_numpy_computes_and_one_warning_says_why(network, monkeypatch):
    monkeypatch.setattr(devices.shim, "reason_against", lambda: "no NVIDIA driver was found")
    kernel, plain = CudaKernel(network.topology), NumpyKernel(network.topology)
    block, vectors = block_of(network), network.weights[np.newaxis]
    with pytest.warns(nf.DeviceWarning, match=r"no NVIDIA driver was found.*kernel='numpy'") as caught:
        found = kernel.errors_and_gradients(vectors, *block)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert same(found, plain.errors_and_gradients(vectors, *block))
    assert np.array_equal(kernel.errors(vectors, *block), plain.errors(vectors, *block))  # no more warnings


@pytest.mark.parametrize("n_launches", [0, 1, 2])
def test_a_device_that_fails_is_left_for_good_and_no_sum_is_half_its_own(network, n_launches, monkeypatch):
    """It fails at the first, the second, the third launch of one call: numpy computes all of it."""
    monkeypatch.setattr("neuralframe.kernels.cuda.weight_stationary.ROW_BYTES", 1)
    device = FailingDevice(n_launches)
    kernel, plain = CudaKernel(network.topology, device=device), NumpyKernel(network.topology)
    block, vectors = block_of(network), np.stack([network.weights] * 3)
    with pytest.warns(nf.DeviceWarning, match="out of memory"):
        found = kernel.errors_and_gradients(vectors, *block)
    assert same(found, plain.errors_and_gradients(vectors, *block))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kernel.errors(vectors, *block)
    assert len(device.launches) == n_launches


def test_many_threads_get_the_numbers_of_one_and_one_warning(network):
    block, vectors = block_of(network), network.weights[np.newaxis]
    kernel = CudaKernel(network.topology, device=EmulatedDevice())
    expected = kernel.errors_and_gradients(vectors, *block)
    failing = CudaKernel(network.topology, device=FailingDevice(0))
    start = threading.Barrier(4)

    def call(kernel):
        start.wait()
        return kernel.errors_and_gradients(vectors, *block)

    with ThreadPoolExecutor(4) as pool:
        assert all(same(found, expected) for found in pool.map(call, [kernel] * 4))
        with pytest.warns(nf.DeviceWarning) as caught:
            list(pool.map(call, [failing] * 4))
    assert len(caught) == 1


def test_a_forked_process_begins_with_a_device_of_its_own(network, monkeypatch):
    """Nothing of the parent's device is used, nor freed: both would fail."""
    made = []

    def choose():
        made.append(EmulatedDevice())
        return made[-1]

    monkeypatch.setattr(devices, "choose_device", choose)
    kernel, block, vectors = CudaKernel(network.topology), block_of(network), network.weights[np.newaxis]
    kernel.errors(vectors, *block)
    kernel.errors(vectors, *block)
    monkeypatch.setattr(cuda_kernel.os, "getpid", lambda: -1)
    kernel.errors(vectors, *block)
    assert [len(device.launches) for device in made] == [2, 1]
    assert kernel._abandoned.device is made[0]


def test_a_kernel_travels_as_what_it_was_made_from(network):
    kernel = CudaKernel(network.topology, "float32", device=EmulatedDevice())
    kernel.errors(network.weights[np.newaxis], *block_of(network))
    back = pickle.loads(pickle.dumps(kernel))
    assert (type(back), back.dtype, back._family) == (CudaKernel, np.float32, None)
    assert back.topology.n_weights == kernel.topology.n_weights


def test_a_network_learns_on_the_device_what_it_learns_on_the_processor(monkeypatch):
    """The whole way, from `learn` through an engine's threads, with blocks that stay on the device."""
    device = EmulatedDevice()
    monkeypatch.setattr(devices, "choose_device", lambda: device)
    random = np.random.default_rng(3)
    data = nf.DataSet(random.normal(size=(40, 2)), random.random((40, 1)), block_size=20)
    trained = []
    for kernel in ("cuda", "numpy"):
        network = nf.MultilayerPerceptron(2, 3, 1, seed=1)
        network.learn(data, kernel=kernel, stop=nf.MaxIterations(3), validation=0.5, seed=1)
        trained.append(network.weights)
    assert trained[0] == pytest.approx(trained[1], rel=1e-9)
    assert device.launches


@pytest.mark.gpu
def test_a_real_device_agrees_with_the_numpy_kernel(network, gpu):
    block, vectors = block_of(network, 5000), np.stack([network.weights, -network.weights])
    plain = NumpyKernel(network.topology)
    _, expected = plain.errors_and_gradients(vectors, *block)
    for dtype, tolerance in (("float32", 2e-6), ("float64", 1e-13)):
        kernel = CudaKernel(network.topology, dtype, device=gpu)
        _, gradients = kernel.errors_and_gradients(vectors, *block)
        assert np.linalg.norm(gradients - expected) <= tolerance * np.linalg.norm(expected)
        assert same(kernel.errors_and_gradients(vectors, *block)[1], gradients)


@pytest.fixture
def gpu():
    from neuralframe.kernels.cuda import shim

    if shim.reason_against():
        pytest.skip(shim.reason_against())
    return devices.choose_device()
