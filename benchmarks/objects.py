"""Building, saving and loading: time and memory against the raw arrays.

python benchmarks/objects.py
"""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from measure import keep, medians, table

import neuralframe as nf


class ByHand(nf.NeuralNetwork):
    """Every connection made on its own."""

    def build(self, n_inputs: int, n_outputs: int) -> None:
        inputs, outputs = self.input_layer(n_inputs), self.layer(n_outputs)
        for target in outputs.neurons:
            for source in inputs.neurons:
                self.connect(source, target)


CASES = {
    "8000-20": lambda: nf.MultilayerPerceptron(8000, 20, seed=0),
    "784-1000-10": lambda: nf.MultilayerPerceptron(784, 1000, 10, seed=0),
    "2000-200-10": lambda: nf.MultilayerPerceptron(2000, 200, 10, seed=0),
    "200-20 by hand": lambda: ByHand(200, 20, seed=0),
    "400-20 by hand": lambda: ByHand(400, 20, seed=0),
    "800-20 by hand": lambda: ByHand(800, 20, seed=0),
}


def building() -> str:
    """Time building beside drawing as many numbers, and weigh what stays."""
    rows = []
    for name, make in CASES.items():
        n_weights = len(make().weights)
        random = np.random.default_rng(0)
        found = medians({"build": make, "draw": lambda n=n_weights, r=random: r.uniform(size=n)}, 5)
        tracemalloc.start()
        network = make()
        held, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        raw = network.weights.nbytes
        rows.append(
            [
                name,
                f"{n_weights:,}",
                f"{found['build'][0] * 1e3:.1f}",
                f"{found['draw'][0] * 1e3:.1f}",
                f"{held / 1e6:.2f}",
                f"{held / raw:.2f}",
                f"{peak / raw:.1f}",
            ]
        )
    header = ["network", "weights", "build ms", "drawing alone ms", "held MB", "held / raw", "peak / raw"]
    return "## Building\n\n" + table(header, rows)


def files() -> str:
    """Time saving and loading beside numpy's own."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("2000-200-10", "784-1000-10"):
            network = CASES[name]()
            path, raw = Path(folder, "model.nf"), Path(folder, "raw.npy")
            found = medians(
                {
                    "save": lambda n=network, p=path: n.save(p),
                    "load": lambda p=path: nf.load(p),
                    "np.save": lambda n=network, p=raw: np.save(p, n.weights),
                    "np.load": lambda p=raw: np.load(p),
                },
                9,
            )
            rows.append(
                [
                    name,
                    f"{path.stat().st_size:,}",
                    f"{network.weights.nbytes:,}",
                    *(f"{found[key][0] * 1e3:.1f}" for key in ("save", "load", "np.save", "np.load")),
                ]
            )
    header = ["network", "file bytes", "weights bytes", "save ms", "load ms", "np.save ms", "np.load ms"]
    return "## Files (save ends with fsync, np.save does not)\n\n" + table(header, rows)


def views() -> str:
    """Time a walk over all connections of a neuron, and one read through the objects."""
    network = CASES["784-1000-10"]()
    neuron = network.layers[1].neurons[3]
    started = time.perf_counter()
    n_read = 20_000
    for _ in range(n_read):
        neuron.layer  # noqa: B018 - the property is what is timed
    layer = (time.perf_counter() - started) / n_read
    inputs = neuron.inputs
    started = time.perf_counter()
    for connection in inputs:
        connection.weight.value  # noqa: B018
    read = (time.perf_counter() - started) / len(inputs)
    return (
        "## Views\n\n"
        f"A neuron's layer: {layer * 1e6:.1f} us. A weight through a connection: {read * 1e6:.1f} us."
    )


if __name__ == "__main__":
    keep("objects", "Objects over one vector", [building(), files(), views()])
