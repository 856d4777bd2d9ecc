"""A job as it travels to tasks on other machines: what to compute, and what the blocks are called here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from neuralframe.core import topology_json  # noqa: F401 - topologies are among what travels
from neuralframe.core.components import alias_module, classes_in, from_json, to_json
from neuralframe.exceptions import EngineError, NeuralFrameError
from neuralframe.mapreduce.packet import read_packet, write_packet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from neuralframe.mapreduce.job import Job

MAIN_MODULE = "neuralframe_user_main"
"""The name under which a task imports the user's script; its own ``__main__`` is another."""

PROCESS = token_hex(8)
"""Tells this process from others: where a job comes from, its classes need not be imported."""


@attrs.frozen
class Placement:
    """Where the blocks of one packed data set stand among all blocks of a training.

    Attributes
    ----------
    start : int
        The number of its first block.
    part : {"training", "validation"}

    """

    start: int
    part: str


@attrs.frozen
class InputFile:
    """A file that maps read, where there is more to it than the blocks in it say.

    Attributes
    ----------
    name : str
        What its owner calls it: it may have been copied for the tasks.
    placement : Placement or None
        Of text, where the blocks of all its files stand.
    text : dict or None
        Of text, how blocks are made of it; see `neuralframe.data.text_samples.blocks_of_file`.

    """

    name: str
    placement: Placement | None = None
    text: dict[str, Any] | None = None


@attrs.frozen(eq=False)
class ShippedJob:
    """A job and the data that it is about.

    Attributes
    ----------
    job : Job
    placements : mapping of str to Placement
        By the token of the packed data set, in hexadecimal digits.
    n_blocks : int
        Blocks in all.
    files : mapping of str to InputFile
        By the path that an address ends with.

    """

    job: Job
    placements: Mapping[str, Placement]
    n_blocks: int
    files: Mapping[str, InputFile] = attrs.field(factory=dict)

    def file(self, address: str) -> InputFile:
        """Return what is known of an input file."""
        return self.files.get(urlsplit(address).path, InputFile(address))

    def to_bytes(self) -> bytes:
        """Return the job as a packet.

        Raises
        ------
        EngineError
            If a part of the job cannot be written, or is defined where no task can import it.

        """
        arrays: dict[str, Any] = {}
        try:
            described = to_json(self.job, arrays)
        except NeuralFrameError as problem:
            raise EngineError(
                f"{type(self.job).__name__} cannot be sent to other machines: {problem}"
            ) from problem
        modules = modules_of(self.job)
        header = {
            "job": described,
            "process": PROCESS,
            "modules": [module_name(module) for module in modules],
            "main": next((module_name(module) for module in modules if module.__name__ == "__main__"), None),
            "placements": {token: attrs.asdict(place) for token, place in self.placements.items()},
            "n_blocks": self.n_blocks,
            "files": {path: attrs.asdict(file) for path, file in self.files.items()},
        }
        return write_packet(header, arrays)

    @classmethod
    def from_bytes(cls, packet: bytes) -> ShippedJob:
        """Return the job that `to_bytes` wrote, its classes' modules imported.

        Raises
        ------
        EngineError
            If the packet is damaged or a module cannot be imported here.

        """
        header, arrays = read_packet(packet)
        if header["process"] != PROCESS:
            _import(header["modules"], header["main"])
        job = from_json(header["job"], arrays)
        placements = {token: Placement(**place) for token, place in header["placements"].items()}
        files = {path: _input_file(**file) for path, file in header["files"].items()}
        return cls(job, placements, header["n_blocks"], files)


def modules_of(job: Job) -> list[ModuleType]:
    """Return the modules that define the classes a job is made of, neuralframe's own included."""
    classes = classes_in(to_json(job, {}))
    return [sys.modules[name] for name in dict.fromkeys(cls.__module__ for cls in classes)]


def module_name(module: ModuleType) -> str:
    """Return the name by which tasks import a module.

    Raises
    ------
    EngineError
        If it is an interactive session, which has no file.

    """
    if module.__name__ != "__main__":
        return module.__name__
    if module.__spec__ is not None:  # python -m
        return module.__spec__.name
    if not getattr(module, "__file__", None):
        raise EngineError(
            "a class of your own is defined in an interactive session, where no task can import it. "
            "Put it into a module of its own and import it from there"
        )
    return MAIN_MODULE


def _input_file(name: str, placement: dict[str, Any] | None, text: dict[str, Any] | None) -> InputFile:
    return InputFile(name, None if placement is None else Placement(**placement), text)


def _import(modules: Iterable[str], main: str | None) -> None:
    """Import modules, of which `main` is called ``__main__`` where the job comes from."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as problem:
            raise EngineError(
                f"a task cannot import the module {name!r} ({problem}). A module of your own is sent along "
                "if it is imported under that name where training starts; other packages must be installed "
                "on every machine"
            ) from problem
    if main is not None:
        alias_module(main, "__main__")
