"""A mapper with numpy and nothing else: records of base64 in, the sum of the gradients out.

It does what a mapper of ours does, without a package, a check or a framework around it: the least that a
mapper's process can take. Started as ``python numpy_mapper.py WEIGHTS < RECORDS``.
"""

import binascii
import os
import sys

for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402 - its threads are set before it is loaded

HEADER_BYTES, KEY_BYTES = 40, 13
N_INPUTS, N_HIDDEN, N_OUTPUTS = 400, 25, 10


def gradient(weights: np.ndarray, inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the summed gradient of a tanh network with softmax outputs."""
    ends = np.cumsum([N_HIDDEN * N_INPUTS, N_HIDDEN, N_OUTPUTS * N_HIDDEN])
    first, first_bias, second, second_bias = np.split(weights, ends)
    first, second = first.reshape(N_HIDDEN, N_INPUTS), second.reshape(N_OUTPUTS, N_HIDDEN)
    hidden = np.tanh(first @ inputs.T + first_bias[:, np.newaxis])
    net = second @ hidden + second_bias[:, np.newaxis]
    powers = np.exp(net - net.max(axis=0))
    delta = powers / powers.sum(axis=0) - targets.T
    back = (second.T @ delta) * (1 - hidden * hidden)
    parts = [back @ inputs, back.sum(axis=1), delta @ hidden.T, delta.sum(axis=1)]
    return np.concatenate([part.ravel() for part in parts])


def read_weights(path: str) -> np.ndarray:
    """Return the weight vector of a file of float64."""
    return np.fromfile(path)


def decoded(record: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets of a record of packed data, unchecked."""
    content = binascii.a2b_base64(record[KEY_BYTES:])
    n = int.from_bytes(content[24:28], "little")
    values = np.frombuffer(content, "<f8", n * (N_INPUTS + N_OUTPUTS), HEADER_BYTES)
    inputs, targets = np.split(values, [n * N_INPUTS])
    return inputs.reshape(n, N_INPUTS), targets.reshape(n, N_OUTPUTS)


def main() -> None:
    """Map the records of standard input."""
    weights = read_weights(sys.argv[1])
    total = sum(gradient(weights, *decoded(record)) for record in sys.stdin.buffer)
    sys.stdout.buffer.write(binascii.b2a_base64(total.tobytes()))


if __name__ == "__main__":
    main()
