"""Kernels for compact inputs: the network sees what the codes stand for, on the device and without one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.core.noise_draw import Draw
from neuralframe.kernels import make_kernel
from neuralframe.kernels.compact_cuda_kernels import ByteCudaKernel, HalfCudaKernel
from neuralframe.kernels.cuda import device as devices
from neuralframe.kernels.cuda.compact import Compact, CompactInputs
from neuralframe.kernels.cuda_kernel import CudaKernel
from neuralframe.kernels.numpy_kernel import NumpyKernel
from tests.kernels.cuda.emulated_device import EmulatedDevice
from tests.kernels.cuda.family_checks import block_of, vectors_of
from tests.kernels.cuda.test_gemm import made

KERNELS = {"cuda_uint8": ByteCudaKernel, "cuda_float16": HalfCudaKernel}
SIZES = {"WeightStationary": (5, 4, 3), "Tile": (40, 12, 3)}


def network_of(sizes=(5, 4, 3)):
    return nf.MultilayerPerceptron(*sizes, output="softmax", seed=1)


def fixed(block):
    for array in block:
        if array is not None:
            array.flags.writeable = False
    return block


@pytest.fixture(params=KERNELS.values(), ids=KERNELS)
def kind(request):
    return request.param


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_device_computes_what_numpy_does_for_the_rounded_inputs(kind, sizes, dtype):
    """Bit for bit what the same kernel makes of the rounded inputs at full width."""
    network = network_of(sizes)
    kernel, full = (cls(network.topology, dtype, device=EmulatedDevice()) for cls in (kind, CudaKernel))
    inputs, targets, sample_weights = block_of(network, 70, weighted=True)
    vectors, rounded = vectors_of(network), Compact.of(inputs, kind.kind).values()
    found = kernel.errors_and_gradients(vectors, inputs, targets, sample_weights)
    expected = full.errors_and_gradients(vectors, rounded, targets, sample_weights)
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    assert not np.array_equal(found[0], full.errors(vectors, inputs, targets, sample_weights))
    assert np.array_equal(kernel.errors(vectors, inputs, targets, sample_weights), expected[0])
    assert np.array_equal(kernel.outputs(vectors[0], inputs), full.outputs(vectors[0], rounded))
    exact = NumpyKernel(network.topology).errors(vectors, rounded, targets, sample_weights)
    assert found[0] == pytest.approx(exact, rel=1e-6)


def test_wide_layers_are_served_too(kind):
    """The third family, whose products are numpy's here."""
    network = network_of()
    rounding, full = (made(network, "float64") for _ in range(2))
    rounding.on_device = CompactInputs(rounding.device, rounding.dtype, kind.kind)
    inputs, targets, _ = block_of(network, 40)
    vectors, rounded = vectors_of(network), Compact.of(inputs, kind.kind).values()
    found, expected = rounding.errors(vectors, inputs, targets), full.errors(vectors, rounded, targets)
    assert np.array_equal(found, expected)


def test_codes_stay_on_the_device_and_inputs_never_come_there(kind):
    network = network_of()
    device = EmulatedDevice()
    kernel, vectors = kind(network.topology, device=device), vectors_of(network)
    first, second = (fixed(block_of(network, n, seed=n)) for n in (60, 30))
    kept = [kernel.errors(vectors, *first), kernel.errors(vectors, *second)]
    carried = device.n_carried
    again = [kernel.errors(vectors, *first), kernel.errors(vectors, *second)]
    assert device.n_carried == carried
    assert np.array_equal(kept, again)
    sizes = {"cuda_uint8": 1, "cuda_float16": 2}
    codes = 90 * 5 * sizes[kernel.name] + 2 * 2 * 5 * 8
    assert device._residency.n_bytes == codes + 90 * 3 * 8, "codes, their scales and offsets, and targets"


def test_without_a_device_the_processor_sees_the_rounded_inputs_too(kind, monkeypatch):
    monkeypatch.setattr(devices.shim, "reason_against", lambda: "no NVIDIA driver was found")
    network = network_of()
    kernel, plain = kind(network.topology), NumpyKernel(network.topology)
    inputs, targets, _ = block_of(network, 20)
    vectors, rounded = vectors_of(network), Compact.of(inputs, kind.kind).values()
    with pytest.warns(nf.DeviceWarning, match=f"kernel='{kernel.name}': no NVIDIA driver"):
        found = kernel.errors_and_gradients(vectors, inputs, targets)
    expected = plain.errors_and_gradients(vectors, rounded, targets)
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


def test_what_the_processor_computes_anyway_sees_the_rounded_inputs(kind):
    """Activations, noise and curvature belong to the same error as the gradient."""
    network = network_of()
    kernel, plain = kind(network.topology, device=EmulatedDevice()), NumpyKernel(network.topology)
    inputs, targets, sample_weights = block_of(network, 20, weighted=True)
    weights, rounded = network.weights, Compact.of(inputs, kind.kind).values()
    directions = vectors_of(network)
    draw = Draw((nf.Dropout(0.5),), (1, 2), 0)
    for found, expected in (
        (kernel.activations(weights, inputs)[0], plain.activations(weights, rounded)[0]),
        (kernel.squared_jacobian(weights, inputs), plain.squared_jacobian(weights, rounded)),
        (
            kernel.gauss_newton_products(weights, directions, inputs, targets, sample_weights),
            plain.gauss_newton_products(weights, directions, rounded, targets, sample_weights),
        ),
        (
            kernel.hessian_products(weights, directions, inputs, targets),
            plain.hessian_products(weights, directions, rounded, targets),
        ),
        (
            kernel.noisy(draw).errors_and_gradients(directions, inputs, targets)[1],
            plain.noisy(draw).errors_and_gradients(directions, rounded, targets)[1],
        ),
        (
            kernel.noisy(draw).errors(directions, inputs, targets),
            plain.noisy(draw).errors(directions, rounded, targets),
        ),
    ):
        assert np.array_equal(found, expected)


def test_blocks_of_no_samples_have_no_error(kind):
    network = network_of()
    kernel = kind(network.topology, device=EmulatedDevice())
    inputs, targets, _ = block_of(network, 0)
    errors, gradients = kernel.errors_and_gradients(vectors_of(network), inputs, targets)
    assert not errors.any()
    assert not gradients.any()
    assert kernel.activations(network.weights, inputs)[-1].shape == (0, 3)


def test_inputs_that_are_not_finite_are_refused_and_the_device_is_not_given_up(kind):
    network = network_of()
    kernel = kind(network.topology, device=EmulatedDevice())
    inputs, targets, _ = block_of(network, 20)
    broken = inputs.copy()
    broken[3, 1] = np.nan
    with pytest.raises(nf.DataError, match="finite"):
        kernel.errors(vectors_of(network), broken, targets)
    launches = len(kernel._family.device.launches)
    kernel.errors(vectors_of(network), inputs, targets)
    assert len(kernel._family.device.launches) > launches


@pytest.mark.parametrize("name", KERNELS)
def test_they_are_found_by_name_and_travel(name):
    network = network_of()
    made = make_kernel(name, network.topology, "float32")
    assert type(made) is KERNELS[name]
    back = pickle.loads(pickle.dumps(made))
    assert (type(back), back.dtype) == (KERNELS[name], np.float32)


@pytest.mark.parametrize("name", KERNELS)
def test_a_network_learns_digits_from_bytes_as_well(name, monkeypatch):
    """Pixels of 0 to 16 are exact as bytes: the same training, on an emulated device, as at full width."""
    device = EmulatedDevice()
    monkeypatch.setattr(devices, "choose_device", lambda: device)
    random = np.random.default_rng(3)
    pixels = np.concatenate([[[0.0, 0.0], [15.0, 15.0]], random.integers(0, 16, (18, 2))])
    data = nf.DataSet(pixels, random.random((20, 1)), block_size=20)
    trained = []
    for kernel in (name, "cuda"):
        network = nf.MultilayerPerceptron(2, 3, 1, seed=1)
        network.learn(data, kernel=kernel, stop=nf.MaxIterations(3), seed=1)
        trained.append(network.weights)
    tolerance = 1e-9 if name == "cuda_uint8" else 1e-2
    assert trained[0] == pytest.approx(trained[1], rel=tolerance)
    assert device.launches
