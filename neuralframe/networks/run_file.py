"""What a run directory says of a training: network, data, options and the sessions as they began."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralframe.core.components import from_json, qualified_name, to_json
from neuralframe.core.validation import seed_sequence
from neuralframe.data.data_set import DataSet
from neuralframe.exceptions import CheckpointError, DataError
from neuralframe.mapreduce import ENGINES, make_engine
from neuralframe.mapreduce.engine import Engine
from neuralframe.networks.model_file import describe
from neuralframe.training.checkpoints import Checkpoints, random_from_json, random_to_json
from neuralframe.training.session import Session
from neuralframe.training.session_objective import SessionObjective, noise_stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.archive_file import Arrays
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.networks.training_options import TrainingOptions


def describe_run(
    network: NeuralNetwork,
    data: DataSet,
    prepared: DataSet,
    options: TrainingOptions,
    sessions: Sequence[Session],
    *,
    kernel: str,
) -> tuple[dict[str, Any], Arrays]:
    """Return a JSON-able description of a training that is about to begin, and its arrays.

    Parameters
    ----------
    network : NeuralNetwork
    data, prepared : DataSet
        The samples as they were given, and those of them that are learnt from.
    options : TrainingOptions
    sessions : sequence of Session
    kernel : str
        The one that computes; another machine might choose another, and so change the last bits.

    Raises
    ------
    ParameterError
        If a rule or a stop condition of the user's own cannot be written.

    """
    assert options.checkpoint is not None
    arrays: Arrays = {}
    described = describe(network, arrays)
    if prepared.encoding is not None:
        described["encoding"] = prepared.encoding.to_json()
    directory = options.checkpoint.directory
    header = {
        "run": secrets.token_hex(16),
        "network": described,
        "data": reference(data, directory),
        "validation": _validation_to_json(options.validation, directory),
        "rule": to_json(options.rule, arrays),
        "stop": [to_json(condition, arrays) for condition in options.stop],
        "engine": _engine_to_json(options.engine),
        "kernel": kernel,
        "dtype": options.dtype.name,
        "decay": to_json(options.decay, arrays),
        "noise": [to_json(kind, arrays) for kind in options.noise],
        "max_norm": None if options.max_norm is None else float(options.max_norm),
        "metrics": [to_json(metric, arrays) for metric in options.metrics],
        "seed": str(options.seeds.entropy),
        "checkpoints": {"keep": int(options.checkpoint.keep), "every": int(options.checkpoint.every)},
        "notes": dict(options.checkpoint.notes),
        "sessions": [_session_to_json(session, arrays) for session in sessions],
    }
    return header, arrays


def described_options(
    header: dict[str, Any], arrays: Arrays, directory: Path, validation: DataSet | None
) -> dict[str, Any]:
    """Return the keywords of `TrainingOptions` that `describe_run` wrote down.

    Raises
    ------
    CheckpointError
        If the engine was an object of a kind that cannot be made again.
    DataError
        If validation data have to be given again, or are others.

    """
    return {
        "rule": from_json(header["rule"], arrays),
        "stop": tuple(from_json(condition, arrays) for condition in header["stop"]),
        "engine": header["engine"],
        "kernel": header["kernel"],
        "dtype": header["dtype"],
        "decay": from_json(header["decay"], arrays),
        # runs of before these options were there have none
        "noise": tuple(from_json(kind, arrays) for kind in header.get("noise", ())),
        "max_norm": header.get("max_norm"),
        "metrics": tuple(from_json(metric, arrays) for metric in header["metrics"]),
        "validation": _validation_from_json(header["validation"], validation, directory),
        "sessions": len(header["sessions"]),
        "seeds": int(header["seed"]),
        "checkpoint": Checkpoints(directory, notes=header["notes"], **header["checkpoints"]),
    }


def described_engine(description: dict[str, Any], given: str | Engine | None) -> str | Engine:
    """Return the engine to go on with: the one given now, else the one that was given then.

    Raises
    ------
    CheckpointError
        If that was an object which only its owner can make.

    """
    if given is not None:
        return given
    if "object" in description:
        raise CheckpointError(
            f"the training ran on an engine of the class {description['object']}, made by the caller. Give "
            "one again: engine=...; any engine goes on with the same bits"
        )
    parameters = description.get("parameters")
    name = str(description["name"])
    return name if parameters is None else make_engine(name, **parameters)


def described_sessions(header: dict[str, Any], arrays: Arrays, network: NeuralNetwork) -> list[Session]:
    """Return the sessions as they began."""
    free, seeds = network.parameters.free(), seed_sequence(int(header["seed"]))
    sessions = []
    for number, description in enumerate(header["sessions"]):
        whole = arrays[description["weights"]]
        random = random_from_json(description["random"], arrays)
        start = whole if free is None else whole[free]
        objective = SessionObjective(whole, free, random, stream=noise_stream(seeds, number))
        sessions.append(Session(number, objective, start))
    return sessions


def reference(data: DataSet, directory: Path) -> dict[str, Any]:
    """Return where samples are, if they are kept anywhere, and what they are known by."""
    return {"source": _relative(data.source, directory), "fingerprint": data.fingerprint()}


def recalled(description: dict[str, Any], given: DataSet | None, directory: Path, keyword: str) -> DataSet:
    """Return the samples that a reference means.

    Parameters
    ----------
    description : dict
        What `reference` returned.
    given : DataSet or None
        The samples, where they were arrays.
    directory : Path
        The run directory: samples inside it move with it.
    keyword : str
        How the caller gives samples.

    Raises
    ------
    DataError
        If samples have to be given, or are not those that the training began with.

    """
    source = description["source"]
    if given is None:
        if source is None:
            raise DataError(
                f"the training in {directory} began with samples in memory; give them again: {keyword}=..."
            )
        given = DataSet.open(source if _is_address(source) else directory / source)
    if not isinstance(given, DataSet):
        raise DataError(f"{keyword} takes the data set that the training began with; got {given!r}")
    if given.fingerprint() != description["fingerprint"]:
        raise DataError(
            f"{given.source or keyword}: these are not the samples (values, order, type, block size) that "
            f"the training in {directory} began with"
        )
    return given


def _is_address(source: str) -> bool:
    return "://" in source


def _relative(source: str | None, directory: Path) -> str | None:
    if source is None or _is_address(source):
        return source
    path, home = Path(source).resolve(), directory.resolve()
    return str(path.relative_to(home)) if path.is_relative_to(home) else str(path)


def _validation_to_json(validation: float | DataSet | None, directory: Path) -> Any:
    return reference(validation, directory) if isinstance(validation, DataSet) else validation


def _validation_from_json(description: Any, given: DataSet | None, directory: Path) -> float | DataSet | None:
    if isinstance(description, dict):
        return recalled(description, given, directory, "validation")
    if given is not None:
        raise DataError(f"the training in {directory} began without a validation set of its own")
    assert description is None or isinstance(description, float)
    return description


def _engine_to_json(engine: Any) -> dict[str, Any]:
    if isinstance(engine, str):
        return {"name": engine}
    parameters = engine.parameters() if isinstance(engine, Engine) else None
    if parameters is None or ENGINES.get(engine.name) != qualified_name(type(engine)):
        return {"object": type(engine).__qualname__}
    return {"name": engine.name, "parameters": parameters}


def _session_to_json(session: Session, arrays: Arrays) -> dict[str, Any]:
    key = f"array{len(arrays)}"
    arrays[key] = session.weights
    return {"weights": key, "random": random_to_json(session.objective.random, arrays)}
