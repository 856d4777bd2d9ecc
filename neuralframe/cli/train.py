"""``neuralframe train``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from neuralframe.cli.interrupts import INTERRUPTED
from neuralframe.cli.options import (
    DATA,
    METHOD,
    NETWORK,
    WORK,
    Deviation,
    Sessions,
    ShareDropped,
    Validation,
    header_option,
)

OUTPUT = "Output"


def train(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A CSV file, packed data (`neuralframe pack`), or a public data set: abalone, digits, iris, "
            "wisconsin-diagnostic, wisconsin-prognostic.",
        ),
    ],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=DATA,
            help="What to learn: a column's name, or its number counted from 1; repeat it for several "
            "numbers. By default the last column of a file. Of abalone: classes or rings; of "
            "wisconsin-prognostic: recurrence, '24 months' or time.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=DATA,
            help="classification or regression; by default regression where all targets are numbers.",
        ),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=DATA,
            help="What to do about missing inputs: refuse, mean, median, most_frequent or drop; by default "
            "those of a file are refused.",
        ),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=DATA,
            help="A column of numbers that are names of categories; repeat it for several.",
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=DATA,
            help="A column to leave out, such as one of identifiers; repeat it for several.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", rich_help_panel=DATA, help="The column that says how much each row counts."
        ),
    ] = None,
    header: Annotated[bool | None, header_option(DATA)] = None,
    fallback: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=DATA,
            help="Train on this, with its usual target and split, if a public data set cannot be had.",
        ),
    ] = None,
    test: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=DATA,
            help="The share of the rows to hold out, below 1; 0 for none; 0.25 unless --train-rows says "
            "otherwise, and none of packed data.",
        ),
    ] = None,
    train_rows: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=DATA,
            help="Train on the first N rows and hold out the rest; 3133 for abalone, as in the literature.",
        ),
    ] = None,
    validation: Validation = None,
    validation_data: Annotated[
        str | None,
        typer.Option(
            metavar="PACKED",
            rich_help_panel=DATA,
            help="Instead: packed data to watch the error of (`neuralframe pack --validation-out`).",
        ),
    ] = None,
    normalize: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=DATA,
            help="standardizer, min_max_scaler, max_abs_scaler, robust_scaler or none; targets that are "
            "numbers are normalized too. By default standardizer; packed data are taken as they are.",
        ),
    ] = None,
    hidden: Annotated[
        list[str],
        typer.Option(
            metavar="N",
            rich_help_panel=NETWORK,
            help="Neurons of a hidden layer; repeat it, or write 16,8, for several; none for none.",
        ),
    ] = ["16"],  # noqa: B006 - typer reads it and makes its own
    transfer: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=NETWORK, help="Transfer function of the hidden layers."),
    ] = "tanh",
    rule: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=METHOD,
            help="Learning rule: resilient_propagation, gradient_descent, ...",
        ),
    ] = "resilient_propagation",
    rate: Annotated[
        float | None, typer.Option(rich_help_panel=METHOD, help="Learning rate of gradient_descent.")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(rich_help_panel=METHOD, help="Momentum of gradient_descent.")
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=METHOD,
            help="Of resilient_propagation: irprop-, rprop-, rprop+ or irprop+.",
        ),
    ] = None,
    iterations: Annotated[
        int, typer.Option(min=0, rich_help_panel=METHOD, help="Stop after so many iterations.")
    ] = 300,
    seconds: Annotated[
        float | None, typer.Option(min=0, rich_help_panel=METHOD, help="Stop after so many seconds.")
    ] = None,
    error_goal: Annotated[
        float | None, typer.Option(rich_help_panel=METHOD, help="Stop at this error.")
    ] = None,
    early_stopping: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=METHOD,
            help="Stop when the validation error rises, by Prechelt's criterion GL, PQ or UP, and keep the "
            "weights at which it was lowest.",
        ),
    ] = None,
    decay: Annotated[float, typer.Option(min=0, rich_help_panel=METHOD, help="Weight decay (L2).")] = 1e-3,
    l1: Annotated[
        float, typer.Option(min=0, rich_help_panel=METHOD, help="Pull of weights towards exactly 0 (L1).")
    ] = 0.0,
    dropout: ShareDropped = None,
    input_noise: Deviation = None,
    max_norm: Annotated[
        float | None,
        typer.Option(
            metavar="LENGTH",
            rich_help_panel=METHOD,
            help="Keep the vector of the weights that feed a neuron no longer than this.",
        ),
    ] = None,
    sessions: Sessions = 1,
    seed: Annotated[
        int, typer.Option(min=0, rich_help_panel=METHOD, help="Seeds the split and the initial weights.")
    ] = 0,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=WORK,
            help="Where jobs run: threads, mrjob:inline, mrjob:local, mrjob:hadoop, mrjob:spark, mrjob:emr, "
            "spark.",
        ),
    ] = "threads",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=WORK,
            help="Threads, maps (mrjob) or partitions (Spark); by default one for each processor.",
        ),
    ] = None,
    block_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=WORK,
            help="Samples a block; by default 256, or as they were packed. It is part of the data: another "
            "size may change the last bits of the results.",
        ),
    ] = None,
    kernel: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=WORK,
            help="How blocks are computed: numpy, numba, cuda (cuda_uint8, cuda_float16 round inputs), or "
            "auto, which picks by the size of the work, and numpy where other processes compute "
            "(`neuralframe explain` says why).",
        ),
    ] = "auto",
    dtype: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=WORK, help="What blocks are computed in: float64 or float32."
        ),
    ] = "float64",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.nf",
            rich_help_panel=OUTPUT,
            help="The model file; by default named after DATA, in this folder. One that exists is replaced "
            "when training has succeeded; any other file is left alone.",
        ),
    ] = None,
    history: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", rich_help_panel=OUTPUT, help="Write a record of each iteration."),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            rich_help_panel=OUTPUT,
            help="Keep the samples, and after each iteration the standing, in this folder: `neuralframe "
            "resume DIR` goes on after an interruption of any kind.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", rich_help_panel=OUTPUT, help="Show the results only.")
    ] = False,
) -> None:
    """Train a multilayer perceptron on DATA, test it on rows held out, and save it.

    Ctrl-C ends the training after the present iteration and saves what was learnt (exit status 130); a
    second Ctrl-C aborts and saves nothing.

    For example:

    - `neuralframe train abalone --hidden 8`

    - `neuralframe train abalone --target rings --hidden 16,8 --validation 0.2`

    - `neuralframe train flowers.csv --target species --test 0.3 --model flowers.nf`

    - `neuralframe train wisconsin-diagnostic --rule gradient_descent --rate 0.3 --momentum 0.9`

    - `neuralframe train abalone --fallback digits`

    - `neuralframe train abalone --iterations 5000 --checkpoint run-1`
    """
    from neuralframe.cli.plan import (
        NO_NORMALIZER,
        USUAL_NORMALIZER,
        Plan,
        early_stopping_of,
        engine_of,
        floating_point_type,
        hidden_sizes,
        kernel_of,
        max_norm_of,
        noise_of,
        normalizer_of,
        penalty_of,
        rule_of,
        transfer_function_of,
    )
    from neuralframe.cli.reading import Reading
    from neuralframe.cli.runs import Notes, keep_samples, require_new, saying_how_to_resume
    from neuralframe.cli.sources import is_packed, or_fallback, read
    from neuralframe.cli.splits import require_share, split
    from neuralframe.cli.training import (
        announce,
        default_model,
        finish,
        require_room,
        watch,
    )
    from neuralframe.data.data_set import DataSet

    plan = Plan(
        hidden=hidden_sizes(hidden),
        transfer=transfer_function_of(transfer),
        normalizer=normalizer_of(normalize or (NO_NORMALIZER if is_packed(data) else USUAL_NORMALIZER)),
        rule=rule_of(rule, rate=rate, momentum=momentum, variant=variant),
        engine=engine_of(engine, workers),
        kernel=kernel_of(kernel),
        dtype=floating_point_type(dtype),
        iterations=iterations,
        seconds=seconds,
        error_goal=error_goal,
        early_stopping=early_stopping_of(early_stopping),
        penalty=penalty_of(decay, l1),
        noise=noise_of(dropout, input_noise),
        max_norm=max_norm_of(max_norm),
        sessions=sessions,
        block_size=block_size,
        seed=seed,
    )
    reading = Reading(
        target=target,
        task=task,
        missing=missing,
        category=category,
        ignore=ignore,
        weights=weights,
        header=header,
    )
    require_share(test, "--test")
    require_share(validation, "--validation")
    if validation and validation_data is not None:
        raise typer.BadParameter("give one of them", param_hint="--validation, --validation-data")
    if early_stopping is not None and not (validation or validation_data):
        raise typer.BadParameter("needs --validation or --validation-data", param_hint="--early-stopping")
    require_room(model or default_model(data), history, data)
    if checkpoint is not None:
        require_new(checkpoint)
    source, samples = or_fallback(
        data, fallback, lambda name: read(name, reading if name == data else Reading())
    )
    if source != data:
        test = train_rows = None
        require_room(model or default_model(source), history, data)
    parts = split(samples, source, share=test, first=train_rows, seed=seed)
    parts = parts.with_validation(validation, seed)
    if validation_data is not None:
        parts = parts.watching(DataSet.open(validation_data))
    parts = plan.prepared(parts)
    network = plan.network_for(parts.training)
    if not quiet:
        announce(source, samples, parts, network, plan)
    path, checkpoints = model or default_model(source), None
    if checkpoint is not None:
        parts = keep_samples(parts, checkpoint)
        notes = Notes(
            source=source,
            held_out_rows=parts.held_out_rows,
            model=str(path),
            history=None if history is None else str(history),
            iterations=iterations,
            seconds=seconds,
            error_goal=error_goal,
            early_stopping=early_stopping,
            engine=engine,
            workers=workers,
        )
        checkpoints = notes.checkpoints(checkpoint)
    with saying_how_to_resume(checkpoint):
        run, interrupted = watch(
            lambda **watching: plan.train(network, parts, checkpoint=checkpoints, **watching),
            iterations=iterations,
            seconds=seconds,
            quiet=quiet,
        )
    finish(
        run,
        parts.held_out,
        model=path,
        history=history,
        source=source,
        rows=parts.held_out_rows,
        directory=checkpoint if interrupted else None,
    )
    if interrupted:
        raise typer.Exit(INTERRUPTED)
