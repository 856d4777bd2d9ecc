"""A network as a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neuralframe.core.topology import LayerSpec, Topology
    from neuralframe.networks.neural_network import NeuralNetwork

HEADER = ("layer", "neurons", "fed by", "input function", "transfer function", "connections", "biases")


def summarize(network: NeuralNetwork) -> str:
    """Return a table of layers, functions and weights."""
    topology = network.topology
    rows = [HEADER, *(_row(topology, number) for number in range(len(topology.layers)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    free = network.parameters.free()
    frozen = "" if free is None else f", {topology.n_weights - len(free)} of them frozen"
    return "\n".join(
        [
            (
                f"{type(network).__name__}: {topology.n_inputs} in, {topology.n_outputs} out, "
                f"{topology.n_weights} weights and biases{frozen}"
            ),
            *(line.rstrip() for line in lines),
            f"error function: {topology.error_function.name}",
        ]
    )


def _row(topology: Topology, number: int) -> tuple[str, ...]:
    layer, incoming = topology.layers[number], topology.incoming(number)
    if layer.is_input:
        return layer.name, str(layer.size), "", "", "", "", ""
    sources = dict.fromkeys(topology.layers[spec.source].name for spec in incoming)
    n_connections = sum(
        spec.pattern.n_weights(topology.layers[spec.source].size, layer.size) for spec in incoming
    )
    return (
        layer.name,
        str(layer.size),
        ", ".join(sources),
        layer.input_function.name,
        _transfer_names(layer),
        str(n_connections),
        "" if layer.bias is None else str(layer.size),
    )


def _transfer_names(layer: LayerSpec) -> str:
    return ", ".join(function.name for function in layer.transfer_functions)
