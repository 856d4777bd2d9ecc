"""Every error that neuralframe raises on purpose.

::

    NeuralFrameError
    ├── ShapeError            an array of the wrong shape            (ValueError)
    ├── ChoiceError           an unknown name; lists the choices     (ValueError)
    ├── ParameterError        a hyper-parameter out of its range     (ValueError)
    ├── TopologyError         a network that cannot be built         (ValueError)
    ├── NonFiniteError        NaN or infinity in data or weights     (ValueError)
    ├── DataError             a data set that cannot be used         (ValueError)
    │   ├── RecordError       a bad record: file, line, column, value
    │   ├── LabelError        a class label that training never saw
    │   ├── PackedDataError   packed data that are damaged, foreign or incomplete
    │   └── DownloadError     a public data set that cannot be had
    ├── ModelFileError        a model file that is damaged, foreign or incomplete  (ValueError)
    ├── CheckpointError       a run directory that is in use, damaged, or cannot be written to  (RuntimeError)
    ├── EngineError           a job that an engine could not finish  (RuntimeError)
    ├── DeviceError           a computing device that cannot be used (RuntimeError)
    ├── LearningRuleError     a learning rule that cannot train this network       (ValueError)
    └── MissingPackageError   an optional package; says how to install it          (ImportError)

    NeuralFrameWarning        (UserWarning)
    ├── CheckpointWarning     an older checkpoint is used, because the newest is damaged
    ├── DeviceWarning         the processor computes what a device was meant to    (RuntimeWarning)
    └── DivergenceWarning     training stopped because the error was no longer finite

Every message says what was given, what was expected, and what to do.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class NeuralFrameError(Exception):
    """The root of the tree: ``except nf.NeuralFrameError`` catches all of it."""


class ShapeError(NeuralFrameError, ValueError):
    """An array does not have the shape that the network or the data set calls for."""


class ChoiceError(NeuralFrameError, ValueError):
    """A name is not among the choices.

    Parameters
    ----------
    what : str
        What was being chosen, such as ``"transfer function"``.
    given : object
        What the caller asked for.
    choices : iterable of str
        The names that would have been understood.
    """

    def __init__(self, what: str, given: object, choices: Iterable[str]) -> None:
        self.what = what
        self.given = given
        self.choices = tuple(sorted(choices))
        near = difflib.get_close_matches(str(given), self.choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {what} {given!r}.{hint} The choices are: {', '.join(self.choices)}")

    def __reduce__(self) -> tuple[type[ChoiceError], tuple[str, object, tuple[str, ...]]]:
        return type(self), (self.what, self.given, self.choices)


class ParameterError(NeuralFrameError, ValueError):
    """A hyper-parameter is outside the range in which it means something."""


class TopologyError(NeuralFrameError, ValueError):
    """Layers and connections do not form a network: a cycle, a foreign layer, an unfed neuron."""


class NonFiniteError(NeuralFrameError, ValueError):
    """NaN or infinity where a finite number is needed."""


class DataError(NeuralFrameError, ValueError):
    """A data set cannot be used as asked: empty, inconsistent, or of one class only."""


class RecordError(DataError):
    """A record of a file is bad.

    Parameters
    ----------
    problem : str
        What is wrong and what to do about it.
    file : str
        The file's path as the caller gave it.
    line : int
        The line, counted from 1, on which the record starts.
    column : str, optional
        The column's name.
    value : str, optional
        The offending text.
    """

    def __init__(
        self, problem: str, *, file: str, line: int, column: str | None = None, value: str | None = None
    ) -> None:
        self.problem, self.file, self.line, self.column, self.value = problem, file, line, column, value
        where = f"{file}, line {line}"
        if column is not None:
            where += f", column {column!r}"
        if value is not None:
            where += f", value {value!r}"
        super().__init__(f"{where}: {problem}")


class LabelError(DataError):
    """A class label that the training data did not have."""


class PackedDataError(DataError):
    """Packed data are damaged, incomplete, of another version, or none at all; names file and record."""


class DownloadError(DataError):
    """A public data set is neither at hand nor to be had from its archive."""


class ModelFileError(NeuralFrameError, ValueError):
    """A model file is damaged, incomplete, from a newer version, or not a model file at all."""


class CheckpointError(NeuralFrameError, RuntimeError):
    """A run directory is in use, damaged, of another training, or cannot be written to."""


class EngineError(NeuralFrameError, RuntimeError):
    """An engine could not finish a job."""


class DeviceError(NeuralFrameError, RuntimeError):
    """A computing device is missing, full, or cannot run a kernel."""


class LearningRuleError(NeuralFrameError, ValueError):
    """A learning rule cannot train this network: another error function, or too many weights for it."""


class MissingPackageError(NeuralFrameError, ImportError):
    """A package is missing.

    Parameters
    ----------
    package : str
        The package's import name.
    purpose : str
        What it is needed for.
    extra : str, optional
        The extra of neuralframe that brings it; by default none, as neuralframe itself asks for it.
    """

    def __init__(self, package: str, *, purpose: str, extra: str | None = None) -> None:
        self.package, self.purpose, self.extra = package, purpose, extra
        advice = f"pip install {package}"
        if extra is not None:
            advice = (
                f"pip install 'neuralframe[{extra}]' (in a clone of the repository: pip install '.[{extra}]')"
            )
        super().__init__(f"{purpose} needs the package {package!r}. Install it with: {advice}")


class NeuralFrameWarning(UserWarning):
    """The root of neuralframe's warnings."""


class CheckpointWarning(NeuralFrameWarning):
    """The newest checkpoint of a training is damaged, so that an older one is used."""


class DeviceWarning(NeuralFrameWarning, RuntimeWarning):
    """A device cannot be used, so that the processor computes in its place, slower."""


class DivergenceWarning(NeuralFrameWarning):
    """Training stopped because the error, the gradient or a weight was no longer finite."""
