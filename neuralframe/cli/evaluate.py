"""``neuralframe evaluate``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Annotated

import typer

from neuralframe.cli.options import Fallback, Header  # noqa: TC001 - typer reads the annotations
from neuralframe.cli.rows import Rows


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model file, as `neuralframe train` writes it.")
    ],
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A CSV file with the target, or a public data set.")
    ],
    fallback: Fallback = None,
    header: Header = None,
    rows: Annotated[
        Rows | None,
        typer.Option(
            parser=Rows.parse, metavar="A-B", help="Only these rows, counted from 1: 7, 20-30, 3134-."
        ),
    ] = None,
) -> None:
    """Report what the answers of MODEL to DATA are worth.

    For classes: error, accuracy with its standard error, what always answering with the largest class would
    reach, balanced accuracy, F1, MCC, AUC, log loss, calibration, and the confusion matrix. For numbers:
    error, RMSE, MAE and R2, in the target's own units.

    For example:

    - `neuralframe evaluate abalone.nf abalone --rows 3134-`

    - `neuralframe evaluate flowers.nf more-flowers.csv`
    """
    from neuralframe.cli.display import show_report
    from neuralframe.cli.models import open_model, require_encoding
    from neuralframe.cli.sources import or_fallback, read_like
    from neuralframe.networks.reports import evaluate as report_on

    network = open_model(model)
    encoding = require_encoding(network, model)
    source, samples = or_fallback(data, fallback, lambda name: read_like(name, encoding, header))
    chosen = rows or Rows()
    samples = samples.rows(chosen.positions(samples.n_samples))
    title = f"{model} on {source}" if rows is None else f"{model} on rows {rows} of {source}"
    show_report(title, report_on(network, samples))
