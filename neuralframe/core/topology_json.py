"""A topology as a JSON-able header and a few arrays, for files and for jobs on other machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuralframe.core.components import Component, from_json, register_value, to_json
from neuralframe.core.error_functions import ErrorFunction
from neuralframe.core.initializers import Initializer
from neuralframe.core.input_functions import InputFunction
from neuralframe.core.projections import Projection
from neuralframe.core.topology import LayerSpec, ProjectionSpec, Topology
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.exceptions import ModelFileError, NeuralFrameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    Arrays = dict[str, np.ndarray[Any, Any]]


def topology_to_json(topology: Topology, arrays: Arrays) -> dict[str, Any]:
    """Return the header, which `json.dumps` takes; the arrays it refers to are put into `arrays`."""
    return {
        "n_weights": topology.n_weights,
        "error_function": to_json(topology.error_function, arrays),
        "layers": [_layer_to_json(layer, arrays) for layer in topology.layers],
        "projections": [_projection_to_json(spec, arrays) for spec in topology.projections],
    }


def topology_from_json(header: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Topology:
    """Return the topology that `topology_to_json` described.

    Raises
    ------
    ModelFileError
        If anything is missing, of the wrong kind, or does not form a network.

    """
    try:
        return Topology(
            layers=tuple(_layer_from_json(layer, arrays) for layer in header["layers"]),
            projections=tuple(_projection_from_json(spec, arrays) for spec in header["projections"]),
            n_weights=_whole(header["n_weights"]),
            error_function=_component(ErrorFunction, header["error_function"], arrays),
        )
    except ModelFileError:
        raise
    except (NeuralFrameError, LookupError, TypeError, ValueError) as problem:
        raise ModelFileError(f"the description of the network is damaged: {problem}") from problem


def _layer_to_json(layer: LayerSpec, arrays: Arrays) -> dict[str, Any]:
    return {
        "name": layer.name,
        "size": layer.size,
        "is_input": layer.is_input,
        "input_function": to_json(layer.input_function, arrays),
        "transfer_functions": [to_json(function, arrays) for function in layer.transfer_functions],
        "transfer_index": _put(layer.transfer_index, arrays),
        "bias": layer.bias,
        "initializer": None if layer.initializer is None else to_json(layer.initializer, arrays),
    }


def _layer_from_json(header: Any, arrays: Mapping[str, Any]) -> LayerSpec:
    size = _whole(header["size"])
    functions = tuple(_component(TransferFunction, f, arrays) for f in header["transfer_functions"])
    index = _get(header["transfer_index"], arrays, np.int64)
    if not functions or (index is not None and not _fits(index, size, len(functions))):
        raise ModelFileError(f"layer {header['name']!r}: its transfer functions do not fit its neurons")
    initializer = header["initializer"]
    return LayerSpec(
        name=str(header["name"]),
        size=size,
        is_input=bool(header["is_input"]),
        input_function=_component(InputFunction, header["input_function"], arrays),
        transfer_functions=functions,
        transfer_index=index,
        bias=None if header["bias"] is None else _whole(header["bias"]),
        initializer=None if initializer is None else _component(Initializer, initializer, arrays),
    )


def _projection_to_json(spec: ProjectionSpec, arrays: Arrays) -> dict[str, Any]:
    return {
        "pattern": to_json(spec.pattern, arrays),
        "source": spec.source,
        "target": spec.target,
        "offset": spec.offset,
        "index": _put(spec.index, arrays),
        "initial": _put(spec.initial, arrays),
        "delay": spec.delay,
    }


def _projection_from_json(header: Any, arrays: Mapping[str, Any]) -> ProjectionSpec:
    return ProjectionSpec(
        pattern=_component(Projection, header["pattern"], arrays),
        source=_whole(header["source"]),
        target=_whole(header["target"]),
        offset=_whole(header["offset"]),
        index=_get(header["index"], arrays, np.int64),
        initial=_get(header["initial"], arrays, np.float64),
        delay=_whole(header["delay"]),
    )


def _component(family: type[Component], description: Any, arrays: Mapping[str, Any]) -> Any:
    component = from_json(description, arrays)
    if not isinstance(component, family):
        raise ModelFileError(f"expected a {family.__name__}, found {type(component).__name__}")
    return component


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ModelFileError(f"expected a whole number, found {value!r}")
    return value


def _fits(index: np.ndarray[Any, Any], size: int, n_choices: int) -> bool:
    return index.shape == (size,) and bool(index.min() >= 0 and index.max() < n_choices)


def _put(array: np.ndarray[Any, Any] | None, arrays: Arrays) -> str | None:
    if array is None:
        return None
    key = f"array{len(arrays)}"
    arrays[key] = array
    return key


def _get(key: str | None, arrays: Mapping[str, Any], dtype: type) -> Any:
    if key is None:
        return None
    array = arrays[key]
    if array.dtype != dtype or array.ndim != 1:
        raise ModelFileError(f"the array {key!r} has type {array.dtype} and {array.ndim} dimension(s)")
    return array


register_value("topology", Topology, topology_to_json, topology_from_json)
