"""Code that Spark's workers import but have not installed."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.mapreduce.user_code import own_modules, write_package, write_user_code

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from neuralframe.mapreduce.job import Job


@attrs.define(eq=False)
class SentCode:
    """What a Spark session has been sent.

    Attributes
    ----------
    context : SparkContext
    folder : Path
        Where archives are written.

    """

    context: Any
    folder: Path
    _modules: frozenset[str] = frozenset()

    def has(self, job: Job) -> bool:
        """Return whether the modules of the user's that the job is made of are there."""
        return own_modules(job) <= self._modules

    def send_for(self, job: Job) -> None:
        """Send the modules of the user's, if the job is made of any that are not there."""
        own = own_modules(job)
        if not own <= self._modules:
            self._add("neuralframe_user", write_user_code)
            self._modules |= own

    def send_package(self) -> None:
        """Send neuralframe itself."""
        self._add("neuralframe_package", write_package)

    def _add(self, name: str, write: Callable[[Path], None]) -> None:
        """Have every worker import from an archive, which Spark knows by its name."""
        written = self.folder / "code.zip"
        write(written)
        digest = hashlib.sha256(written.read_bytes()).hexdigest()[:16]
        path = list(sys.path)
        self.context.addPyFile(str(written.rename(self.folder / f"{name}_{digest}.zip")))
        # Here, everything is imported from where it was before.
        sys.path[:] = path
