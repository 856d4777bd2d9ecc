"""Model files: a network in one file that is safe to open.

A model file is an uncompressed zip archive with a JSON header, ``network.json``, and one ``.npy`` file for
each array. Nothing in it is executed, imported or unpickled; names of classes are looked up among those
that are imported already. The archive's checksums find a damaged byte. Writing goes to a new file that
replaces the old one only when it is complete.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neuralframe.core.components import from_json, qualified_name, to_json
from neuralframe.core.learning_rule import LearningRule
from neuralframe.core.parameters import Parameters
from neuralframe.core.topology_json import topology_from_json, topology_to_json
from neuralframe.data.encoding import Encoding
from neuralframe.exceptions import ModelFileError, NeuralFrameError
from neuralframe.files import replacing

if TYPE_CHECKING:
    from neuralframe.core.topology import Topology
    from neuralframe.networks.neural_network import NeuralNetwork

    Arrays = dict[str, np.ndarray[Any, Any]]

FORMAT = "neuralframe model"
VERSION = 1
HEADER = "network.json"
ADVICE = "Copy it again from where it was whole, or save the network again"


def save(network: NeuralNetwork, path: str | Path) -> None:
    """Write a network to a file; a failure leaves what was there before.

    Raises
    ------
    ParameterError
        If a function or rule of the user's own cannot be written; see `components`.
    OSError
        If the file cannot be written.

    """
    header, arrays = _describe(network)
    with replacing(path) as fresh, zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(HEADER, json.dumps(header, allow_nan=False, indent=1))
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


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
        header, arrays = _parse(_members(path))
        return _restore(header, arrays)
    except ModelFileError as problem:
        raise ModelFileError(f"{path}: {problem}") from problem
    except (NeuralFrameError, LookupError, TypeError, ValueError, RecursionError) as problem:
        raise ModelFileError(f"{path} is damaged ({problem}). {ADVICE}") from problem


def read_header(path: str | Path) -> Any:
    """Return what the head of a model file says, of whatever version, unchecked.

    Raises
    ------
    ModelFileError
        If there is no head to be read.
    OSError
        If the file cannot be read.

    """
    return _header_of(_members(path))


def _describe(network: NeuralNetwork) -> tuple[dict[str, Any], Arrays]:
    topology, arrays = topology_to_json(network.topology)
    rule = network.learning_rule
    arrays["weights"] = network.weights
    if network.parameters.frozen is not None:
        arrays["frozen"] = network.parameters.frozen
    header = {
        "format": FORMAT,
        "version": VERSION,
        "class": qualified_name(type(network)),
        "topology": topology,
        "encoding": None if network.encoding is None else network.encoding.to_json(),
        "learning_rule": None if rule is None else to_json(rule, arrays),
    }
    return header, arrays


def _check_header(header: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ModelFileError("not a neuralframe model file")
    if header.get("version") != VERSION:
        raise ModelFileError(
            f"written in version {header.get('version')!r} of the format; this neuralframe reads version "
            f"{VERSION}. Install a newer neuralframe"
        )


def _members(path: str | Path) -> dict[str, bytes]:
    """Return the content of each file in the archive, its checksum verified."""
    content = Path(path).read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    # A damaged directory may name a compression that zipfile does not know, ask for a password, or point
    # to a place before the file.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError, OSError) as problem:
        raise ModelFileError(f"not a model file, or damaged ({problem}). {ADVICE}") from problem


def _header_of(members: dict[str, bytes]) -> Any:
    try:
        return json.loads(members[HEADER])
    except (KeyError, ValueError, RecursionError) as problem:
        raise ModelFileError(
            f"not a model file, or damaged: its header cannot be read. {ADVICE}"
        ) from problem


def _parse(members: dict[str, bytes]) -> tuple[dict[str, Any], Arrays]:
    header = _header_of(members)
    _check_header(header)
    arrays = {name: content for name, content in members.items() if name != HEADER}
    return header, {name.removesuffix(".npy"): _array(name, content) for name, content in arrays.items()}


def _array(name: str, content: bytes) -> np.ndarray[Any, Any]:
    """Return the array of an ``.npy`` file; its header is not believed before the length agrees with it."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ModelFileError(f"{name} is written in a version of numpy's format that is not read here")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ModelFileError(f"{name} holds Python objects, which are not opened: that could run anything")
    if math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ModelFileError(f"{name} is not as long as it says")
    order: Literal["F", "C"] = "F" if is_fortran else "C"
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order=order).copy()


def _restore(header: dict[str, Any], arrays: Arrays) -> NeuralNetwork:
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
