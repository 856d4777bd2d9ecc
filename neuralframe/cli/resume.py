"""``neuralframe resume``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neuralframe.cli.interrupts import INTERRUPTED


def resume(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="What `neuralframe train --checkpoint DIR` was given.")
    ],
    *,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="Stop after so many iterations, those before counted; also goes on with a training that "
            "has ended.",
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Where jobs run; by default where they ran. Any engine will do."),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, metavar="N", help="By default as before.")] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE.nf", help="The model file; by default the one of `train`.")
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write a record of each iteration, from the first."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show the results only.")] = False,
) -> None:
    """Go on with a training that was interrupted, from its last checkpoint in DIR.

    The model is the same to the bit as if nothing had happened, and so are the results shown.

    For example:

    - `neuralframe train abalone --checkpoint run-1`, and after whatever happened: `neuralframe resume run-1`

    - `neuralframe resume run-1 --iterations 600`
    """
    from neuralframe.cli.plan import early_stopping_of, engine_of, stop_conditions
    from neuralframe.cli.runs import Notes, held_out, saying_how_to_resume
    from neuralframe.cli.training import finish, require_room, watch
    from neuralframe.networks.resuming import resume as go_on

    notes = Notes.of(directory)
    if model is None and notes.model is None:
        raise typer.BadParameter(
            f"{directory} was begun from Python, and does not say where the model goes", param_hint="--model"
        )
    path = model or Path(str(notes.model))
    log = history or (None if notes.history is None else Path(notes.history))
    require_room(path, log, notes.source or "")
    name = engine or notes.engine
    threads = workers or (notes.workers if engine is None else None)
    given: dict[str, Any] = {
        "engine": None if name is None else engine_of(name, threads),
        "stop": None
        if iterations is None
        else stop_conditions(
            iterations, notes.seconds, notes.error_goal, early_stopping_of(notes.early_stopping)
        ),
    }
    with saying_how_to_resume(directory):
        run, interrupted = watch(
            lambda **watching: go_on(directory, **given, **watching),
            iterations=notes.iterations if iterations is None else iterations,
            seconds=notes.seconds,
            quiet=quiet,
        )
    finish(
        run,
        held_out(directory),
        model=path,
        history=log,
        source=notes.source,
        rows=notes.held_out_rows,
        directory=directory if interrupted else None,
    )
    if interrupted:
        raise typer.Exit(INTERRUPTED)
