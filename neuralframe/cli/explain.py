"""``neuralframe explain``."""

from __future__ import annotations

from typing import Annotated

import typer

from neuralframe.cli.options import (
    DATA,
    NETWORK,
    WORK,
    Deviation,
    Fallback,
    ShareDropped,
    Validation,
    header_option,
)


def explain(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A CSV file, packed data, or a public data set, as for `train`."),
    ],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", rich_help_panel=DATA, help="What to learn; by default the last column."
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", rich_help_panel=DATA, help="classification or regression."),
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(metavar="NAME", rich_help_panel=DATA, help="What to do about missing inputs."),
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", rich_help_panel=DATA, help="A column of numbers that are names."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", rich_help_panel=DATA, help="A column to leave out."),
    ] = None,
    header: Annotated[bool | None, header_option(DATA)] = None,
    fallback: Fallback = None,
    validation: Validation = None,
    hidden: Annotated[
        list[str],
        typer.Option(metavar="N", rich_help_panel=NETWORK, help="Neurons of a hidden layer; 16,8 for two."),
    ] = ["16"],  # noqa: B006 - typer reads it and makes its own
    transfer: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=NETWORK, help="Transfer function of the hidden layers."),
    ] = "tanh",
    dropout: ShareDropped = None,
    input_noise: Deviation = None,
    engine: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=WORK, help="Where jobs run.")
    ] = "threads",
    workers: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", rich_help_panel=WORK, help="Threads, maps or partitions."),
    ] = None,
    kernel: Annotated[
        str,
        typer.Option(metavar="NAME", rich_help_panel=WORK, help="As for `train`."),
    ] = "auto",
    block_size: Annotated[
        int | None, typer.Option(min=1, metavar="N", rich_help_panel=WORK, help="Samples a block.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=WORK, help="float64 or float32.")
    ] = "float64",
) -> None:
    """Say how `train` would compute a network on all rows of DATA, and why so; nothing is trained.

    For example:

    - `neuralframe explain abalone --hidden 8`

    - `neuralframe explain clicks.csv --target bought --hidden 32,16 --dtype float32`
    """
    from neuralframe.cli.display import show_pairs
    from neuralframe.cli.plan import (
        engine_of,
        floating_point_type,
        hidden_sizes,
        in_blocks,
        kernel_of,
        noise_of,
        transfer_function_of,
    )
    from neuralframe.cli.reading import Reading
    from neuralframe.cli.sources import or_fallback, read
    from neuralframe.cli.splits import require_share
    from neuralframe.networks.explanation import explain as explained
    from neuralframe.networks.multilayer_perceptron import MultilayerPerceptron

    sizes, function = hidden_sizes(hidden), transfer_function_of(transfer)
    work = {
        "engine": engine_of(engine, workers),
        "kernel": kernel_of(kernel),
        "dtype": floating_point_type(dtype),
        "noise": noise_of(dropout, input_noise),
        "validation": validation or None,
    }
    require_share(validation, "--validation")
    reading = Reading(
        target=target, task=task, missing=missing, category=category, ignore=ignore, header=header
    )
    source, samples = or_fallback(
        data, fallback, lambda name: read(name, reading if name == data else Reading())
    )
    network = MultilayerPerceptron.for_data(samples, *sizes, hidden=function)
    found = explained(network, in_blocks(samples, block_size), **work)  # type: ignore[arg-type]
    show_pairs(source, list(found.pairs()))
