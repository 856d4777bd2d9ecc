"""The program ``neuralframe``: train, evaluate, predict and look at models from a shell.

Exit status: 0 if the work was done; 1 at an error, told in one line on standard error; 2 where the command
line is wrong; 130 after Ctrl-C, also where the training that was cut short has been saved.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the program on the arguments of the command line, and exit with its status."""
    for package in ("typer", "rich"):
        if find_spec(package) is None:
            from neuralframe.exceptions import MissingPackageError

            advice = MissingPackageError(package, purpose="the command line", extra="cli")
            sys.stderr.write(f"neuralframe: {advice}\n")
            sys.exit(1)
    from neuralframe.cli.application import application

    application(prog_name="neuralframe")
