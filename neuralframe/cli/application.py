"""The program: its commands, and what becomes of an error."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from neuralframe.cli.evaluate import evaluate
from neuralframe.cli.explain import explain
from neuralframe.cli.info import info
from neuralframe.cli.interrupts import INTERRUPTED
from neuralframe.cli.pack import pack
from neuralframe.cli.predict import predict
from neuralframe.cli.resume import resume
from neuralframe.cli.train import train
from neuralframe.exceptions import NeuralFrameError


class Program(TyperGroup):
    """Tells errors that users can do something about in one line."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of neuralframe or of the system becomes a line and the status 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # the reader of the output has gone: click ends quietly
        except (NeuralFrameError, OSError) as problem:
            if ctx.params["debug"]:
                raise
            _complain(_in_words(problem))
            raise typer.Exit(1) from problem
        except KeyboardInterrupt:
            _complain("aborted by Ctrl-C; nothing was saved")
            raise typer.Exit(INTERRUPTED) from None


def _in_words(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename}: {problem.strerror}"
    return str(problem)


def _complain(message: str) -> None:
    typer.secho(f"error: {' '.join(message.split())}", fg=typer.colors.RED, err=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        from neuralframe import __version__

        typer.echo(f"neuralframe {__version__}")
        raise typer.Exit


application = typer.Typer(
    name="neuralframe",
    cls=Program,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@application.callback()
def program(
    debug: Annotated[
        bool, typer.Option("--debug", envvar="NEURALFRAME_DEBUG", help="Show where an error came from.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train neural networks by map/combine/reduce, and use them.

    For example:

    - `neuralframe train abalone --hidden 8`

    - `neuralframe predict abalone.nf abalone --rows 3134-3143 --probabilities`

    The exit status is 0 only if the work was done: 1 at an error, 2 where the command line is wrong,
    130 after Ctrl-C.
    """


for command in (train, resume, evaluate, predict, pack, info, explain):
    application.command(no_args_is_help=True)(command)
