"""Opening model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neuralframe.exceptions import DataError, ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from neuralframe.data.encoding import Encoding
    from neuralframe.networks.neural_network import NeuralNetwork


def open_model(path: Path) -> NeuralNetwork:
    """Return the network of a model file, in its own class where neuralframe has it."""
    from neuralframe.networks.model_file import load

    return load(path)


def is_model(path: Path) -> bool:
    """Say whether a file is a model file, of whatever version."""
    from neuralframe.networks.model_file import FORMAT

    try:
        header = FORMAT.read_header(path)
    except ModelFileError:
        return False
    return isinstance(header, dict) and header.get("format") == FORMAT.name


def require_encoding(network: NeuralNetwork, path: Path) -> Encoding:
    """Return how the network's records are read, or raise `DataError` if nobody knows."""
    if network.encoding is None:
        raise DataError(
            f"{path} does not say how records become inputs, because the network was trained on arrays. "
            "Use it from Python: nf.load(...), or train it on a data set that was read from a file"
        )
    return network.encoding
