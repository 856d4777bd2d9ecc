"""``neuralframe pack``."""

from __future__ import annotations

from typing import Annotated

import typer

from neuralframe.cli.options import header_option

DATA, SAMPLES, OUTPUT = "Data", "Samples", "Output"


def pack(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA... OUT",
            help="CSV files with the same columns, or a public data set; and at the end the folder to make, "
            "or its address on HDFS (hdfs://...) or S3 (s3://...).",
        ),
    ],
    *,
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            rich_help_panel=DATA,
            help="What to learn: a column's name, or its number counted from 1; repeat it for several "
            "numbers. By default the last column of a file.",
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
            help="What to do about missing inputs: refuse, mean, median, most_frequent or drop.",
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
            metavar="COLUMN", rich_help_panel=DATA, help="A column to leave out; repeat it for several."
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", rich_help_panel=DATA, help="The column that says how much each row counts."
        ),
    ] = None,
    header: Annotated[bool | None, header_option(DATA)] = None,
    normalize: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            rich_help_panel=SAMPLES,
            help="standardizer, min_max_scaler, max_abs_scaler or none; targets that are numbers are "
            "normalized too.",
        ),
    ] = "standardizer",
    validation: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=SAMPLES,
            help="The share of the rows, above 0 and below 1, that goes to --validation-out.",
        ),
    ] = None,
    validation_out: Annotated[
        str | None,
        typer.Option(
            metavar="OUT",
            rich_help_panel=SAMPLES,
            help="Where the rows for validation go, normalized like the others.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, rich_help_panel=SAMPLES, help="Seeds the choice of rows for validation.")
    ] = 0,
    dtype: Annotated[
        str,
        typer.Option(
            metavar="NAME", rich_help_panel=OUTPUT, help="What numbers are kept in: float64 or float32."
        ),
    ] = "float64",
    block_size: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=OUTPUT,
            help="Samples a block; by default a power of two from 1024 to 4096, fewer where they are wide.",
        ),
    ] = None,
    parts: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=OUTPUT,
            help="Part files, about; each makes one map. By default one for each 64 MiB.",
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", rich_help_panel=OUTPUT, help="Replace packed data that are there already."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", rich_help_panel=OUTPUT, help="Show no progress.")] = False,
) -> None:
    """Write DATA as packed blocks, which engines read without loading all of it.

    Files may be larger than memory. They are read twice: to learn what the columns are, and to encode them.

    For example:

    - `neuralframe pack flowers.csv flowers.nfd --target species`

    - `neuralframe pack clicks-*.csv hdfs:///clicks.nfd --target bought --parts 32 --dtype float32`

    - `neuralframe pack abalone a.nfd --validation 0.2 --validation-out b.nfd`
    """
    from neuralframe.cli.packing import Packing, show_packed
    from neuralframe.cli.plan import floating_point_type, normalizer_of
    from neuralframe.cli.reading import Reading

    *sources, out = data
    if not sources:
        raise typer.BadParameter("give the data, and then the folder to make", param_hint="DATA... OUT")
    if (validation is None) != (validation_out is None):
        raise typer.BadParameter("give both or neither", param_hint="--validation, --validation-out")
    if validation is not None and not 0 < validation < 1:
        raise typer.BadParameter("a share is above 0 and below 1", param_hint="--validation")
    packing = Packing(
        normalizer=normalizer_of(normalize),
        dtype=floating_point_type(dtype),
        block_size=block_size,
        parts=parts,
        validation=validation,
        validation_out=validation_out,
        seed=seed,
        replace=replace,
        progress=False if quiet else None,
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
    show_packed(packing.pack(sources, reading, out))
