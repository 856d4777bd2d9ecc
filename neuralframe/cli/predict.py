"""``neuralframe predict``."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from neuralframe.cli.options import Fallback, Header  # noqa: TC001 - typer reads the annotations
from neuralframe.cli.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neuralframe.core.arrays import Array, Indices
    from neuralframe.networks.neural_network import NeuralNetwork


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model file, as `neuralframe train` writes it.")
    ],
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A CSV file, with or without the target, or a public data set."),
    ],
    fallback: Fallback = None,
    header: Header = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Where to write; by default standard output.")
    ] = None,
    rows: Annotated[
        Rows | None,
        typer.Option(
            parser=Rows.parse, metavar="A-B", help="Only these rows, counted from 1: 7, 20-30, 3134-."
        ),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add a column for the probability of each class.")
    ] = False,
) -> None:
    """Answer each row of DATA with MODEL.

    The answers are CSV with a header: the row, counted from 1 without the header of DATA, and the
    prediction, a class or a number in its own units.

    For example:

    - `neuralframe predict abalone.nf abalone --rows 3134-3143 --probabilities`

    - `neuralframe predict flowers.nf new-flowers.csv --output answers.csv`
    """
    from neuralframe.cli.models import open_model, require_encoding
    from neuralframe.cli.outputs import require_writable, writing
    from neuralframe.cli.sources import or_fallback, read_inputs_like
    from neuralframe.cli.usage import usage
    from neuralframe.files import replacing
    from neuralframe.networks.preparation import require_probabilities

    if output is not None:
        require_writable(output, keep=[model, data])
    network = open_model(model)
    encoding = require_encoding(network, model)
    if probabilities:
        with usage("--probabilities"):
            require_probabilities(network)
    _, inputs = or_fallback(data, fallback, lambda name: read_inputs_like(name, encoding, header))
    positions = (rows or Rows()).positions(len(inputs))
    text = _as_csv(_answers(network, inputs[positions], positions, probabilities))
    if output is None:
        typer.echo(text, nl=False)
    else:
        with writing(output), replacing(output) as fresh:
            fresh.write_text(text, encoding="utf-8", newline="")


def _answers(
    network: NeuralNetwork, inputs: Array, positions: Indices, with_outputs: bool
) -> Iterator[Iterable[object]]:
    """Go through the header and the rows of the table of answers."""
    encoding = network.encoding
    assert encoding is not None
    names = encoding.target_names or ()
    outputs = network(inputs)
    answers = encoding.decode(outputs)
    several = answers.ndim > 1 and answers.shape[1] > 1
    header = [f"prediction of {name}" for name in names] if several else ["prediction"]
    yield ["row", *header, *(names if with_outputs else ())]
    for position, answer, output in zip(
        positions.tolist(), answers.reshape(len(answers), -1).tolist(), outputs.tolist(), strict=True
    ):
        yield [position + 1, *answer, *(output if with_outputs else ())]


def _as_csv(rows: Iterable[Iterable[object]]) -> str:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
