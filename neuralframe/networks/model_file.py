"""Model files: a network in one file that is safe to open; see `neuralframe.archive_file`.

Names of classes are looked up among those that are imported already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.archive_file import ArchiveFormat
from neuralframe.core.components import from_json, qualified_name, to_json
from neuralframe.core.learning_rule import LearningRule
from neuralframe.core.parameters import Parameters
from neuralframe.core.topology_json import topology_from_json, topology_to_json
from neuralframe.data.encoding import Encoding
from neuralframe.exceptions import ModelFileError, NeuralFrameError

if TYPE_CHECKING:
    from pathlib import Path

    from neuralframe.archive_file import Arrays
    from neuralframe.core.topology import Topology
    from neuralframe.networks.neural_network import NeuralNetwork

FORMAT = ArchiveFormat(
    "neuralframe model",
    version=1,
    noun="model file",
    header_name="network.json",
    error=ModelFileError,
    advice="Copy it again from where it was whole, or save the network again",
)


def save(network: NeuralNetwork, path: str | Path) -> None:
    """Write a network to a file; a failure leaves what was there before.

    Raises
    ------
    ParameterError
        If a function or rule of the user's own cannot be written; see `components`.
    OSError
        If the file cannot be written.

    """
    arrays: Arrays = {}
    FORMAT.write(path, describe(network, arrays), arrays)


def load(path: str | Path) -> NeuralNetwork:
    """Return the network that `NeuralNetwork.save` wrote.

    If its class is imported, the network is of that class, but `build` is not called again: attributes
    that it set on the network are not there. If its class is not imported, it is a plain `NeuralNetwork`.
    It computes and learns the same in either case.

    Raises
    ------
    ModelFileError
        If the file is damaged, incomplete, no model file, or uses a class that is not imported.
    OSError
        If the file cannot be read.

    """
    try:
        return restore(*FORMAT.read(path))
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem}") from problem
    except (NeuralFrameError, LookupError, TypeError, ValueError, RecursionError) as problem:
        raise ModelFileError(f"{path} is damaged ({problem}). {FORMAT.advice}") from problem


def describe(network: NeuralNetwork, arrays: Arrays) -> dict[str, Any]:
    """Return a JSON-able description of a network; the arrays that it refers to are put into `arrays`."""
    topology = topology_to_json(network.topology, arrays)
    rule = network.learning_rule
    arrays["weights"] = network.weights
    if network.parameters.frozen is not None:
        arrays["frozen"] = network.parameters.frozen
    return {
        "class": qualified_name(type(network)),
        "topology": topology,
        "encoding": None if network.encoding is None else network.encoding.to_json(),
        "learning_rule": None if rule is None else to_json(rule, arrays),
    }


def restore(header: dict[str, Any], arrays: Arrays) -> NeuralNetwork:
    """Return the network that `describe` described.

    Raises
    ------
    ModelFileError
        If a class is not imported, or something does not fit.
    LookupError, TypeError, ValueError
        If something is missing, or of the wrong kind.

    """
    from neuralframe.networks.neural_network import NeuralNetwork  # noqa: PLC0415 - networks save themselves

    topology = topology_from_json(header["topology"], arrays)
    network = NeuralNetwork.known_class(header["class"]).of(topology, _parameters(topology, arrays))
    if header["encoding"] is not None:
        network.encoding = _encoding(topology, header["encoding"])
    if header["learning_rule"] is not None:
        rule = from_json(header["learning_rule"], arrays)
        if not isinstance(rule, LearningRule):
            raise ModelFileError(f"expected a learning rule, found {rule!r}")
        network.learning_rule = rule
    return network


def _encoding(topology: Topology, description: Any) -> Encoding:
    encoding = Encoding.from_json(description)
    theirs = encoding.n_inputs, encoding.n_targets or topology.n_outputs
    if theirs != (topology.n_inputs, topology.n_outputs):
        raise ModelFileError(
            f"the encoding makes {theirs[0]} inputs and {theirs[1]} targets of a record; the network has "
            f"{topology.n_inputs} and {topology.n_outputs}"
        )
    return encoding


def _parameters(topology: Topology, arrays: Arrays) -> Parameters:
    weights = arrays["weights"]
    if weights.shape != (topology.n_weights,) or weights.dtype != np.float64:
        raise ModelFileError(
            f"holds {weights.shape} weights of type {weights.dtype}; the network has {topology.n_weights}"
        )
    if not np.isfinite(weights).all():
        raise ModelFileError("holds weights that are not finite")
    parameters = Parameters(weights)
    frozen = arrays.get("frozen")
    if frozen is not None:
        if frozen.shape != weights.shape or frozen.dtype != np.bool_:
            raise ModelFileError("the marks of frozen weights do not fit the weights")
        parameters.frozen = frozen
    return parameters
