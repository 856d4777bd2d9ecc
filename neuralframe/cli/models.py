"""Opening model files."""

from __future__ import annotations

import json
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from neuralframe.data.encoding import Encoding
    from neuralframe.networks.neural_network import NeuralNetwork


def open_model(path: Path) -> NeuralNetwork:
    """Return the network of a model file, in its own class where neuralframe has it."""
    from neuralframe.networks.model_file import load

    return load(path)


def read_header(path: Path) -> Any:
    """Return the description at the head of a model file that is sound."""
    from neuralframe.networks.model_file import HEADER

    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(HEADER))


def is_model(path: Path) -> bool:
    """Say whether a file is a model file, of whatever version."""
    from neuralframe.networks.model_file import FORMAT

    try:
        header = read_header(path)
    # Anything may be in a file that is no model.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, KeyError, ValueError):
        return False
    return isinstance(header, dict) and header.get("format") == FORMAT


def require_encoding(network: NeuralNetwork, path: Path) -> Encoding:
    """Return how the network's records are read, or raise `DataError` if nobody knows."""
    if network.encoding is None:
        raise DataError(
            f"{path} does not say how records become inputs, because the network was trained on arrays. "
            "Use it from Python: nf.load(...), or train it on a data set that was read from a file"
        )
    return network.encoding
