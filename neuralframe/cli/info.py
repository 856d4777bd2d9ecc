"""``neuralframe info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from neuralframe.data.columns import Column
    from neuralframe.data.encoding import Encoding


def info(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A model file (`neuralframe train`) or packed data (`neuralframe pack`).",
        ),
    ],
) -> None:
    """Tell what is in FILE: a network, what it reads and answers, and its learning rule; or packed samples.

    For example:

    - `neuralframe info abalone.nf`

    - `neuralframe info abalone.nfd`
    """
    from neuralframe.cli.sources import is_packed

    if is_packed(file):
        _show_packed(file)
    else:
        _show_model(Path(file))


def _show_packed(address: str) -> None:
    from neuralframe.cli.display import show_pairs
    from neuralframe.cli.packing import packed_pairs
    from neuralframe.data.packed_data_set import PackedDataSet

    data = PackedDataSet(address)
    show_pairs(address, [*packed_pairs(data.header), *_encoding_pairs(data.encoding, "samples were arrays")])


def _show_model(model: Path) -> None:
    from neuralframe.cli.display import show_pairs
    from neuralframe.cli.models import open_model
    from neuralframe.cli.telling import tell
    from neuralframe.networks.model_file import FORMAT

    network = open_model(model)
    header = FORMAT.read_header(model)
    show_pairs(
        str(model),
        [
            ("file size", f"{model.stat().st_size:,} bytes"),
            ("format version", str(header["version"])),
            ("class", header["class"]),
            ("learning rule", str(network.learning_rule)),
            ("error function", str(network.error_function)),
            *_encoding_pairs(network.encoding, "the network was trained on arrays"),
        ],
    )
    tell(f"\n{network.summary()}")


def _encoding_pairs(encoding: Encoding | None, why_none: str) -> list[tuple[str, str]]:
    if encoding is None:
        return [("encoding", f"none: {why_none}")]
    target = "classes" if encoding.class_labels is not None else "numbers"
    answers = encoding.class_labels or encoding.target_names or ()
    return [
        ("columns", ", ".join(map(_column, encoding.columns))),
        ("target", ", ".join(() if encoding.target is None else encoding.target.names)),
        (target, ", ".join(answers)),
        ("normalizer of inputs", _name(encoding.input_normalizer)),
        ("normalizer of targets", _name(encoding.target_normalizer)),
    ]


def _column(column: Column) -> str:
    categories = getattr(column, "categories", None)
    return column.name if categories is None else f"{column.name} ({' | '.join(categories)})"


def _name(normalizer: object) -> str:
    return "none" if normalizer is None else type(normalizer).__name__
