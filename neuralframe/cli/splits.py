"""Which samples are learnt from, and which are held out to see what was learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import typer

from neuralframe.data.wording import plural
from neuralframe.exceptions import DataError

if TYPE_CHECKING:
    from neuralframe.data.data_set import DataSet

USUAL_SHARE = 0.25
FIRST_ROWS = {"abalone": 3133}
"""Public data sets that the literature splits in the order of the file."""


@attrs.frozen(eq=False)
class Parts:
    """Samples to learn from, to watch and to test on, and how they were told apart.

    Attributes
    ----------
    training : DataSet
    held_out : DataSet or None
    how : str
        The split in words.
    held_out_rows : str
        What ``--rows`` must be to get the held-out samples; empty where they are scattered.
    validation : DataSet or None
        Taken from the rows to train on.

    """

    training: DataSet
    held_out: DataSet | None
    how: str
    held_out_rows: str = ""
    validation: DataSet | None = None

    def with_validation(self, share: float | None, seed: int) -> Parts:
        """Return the parts with a share of the training samples only to be watched."""
        if not share:
            return self
        training, validation = _divided(self.training, share, "--validation", seed)
        how = f"{self.how}; {len(validation)} of those to train are only watched"
        return attrs.evolve(self, training=training, validation=validation, how=how)

    def watching(self, validation: DataSet) -> Parts:
        """Return the parts with the samples of another data set to be watched."""
        return attrs.evolve(
            self, validation=validation, how=f"{self.how}; {len(validation)} others are watched"
        )


def require_share(share: float | None, option: str) -> None:
    """Raise an error of usage unless some rows stay when such a share is taken."""
    if share is not None and not 0 <= share < 1:
        raise typer.BadParameter(
            f"a share is at least 0 and below 1, such as 0.25; got {share:g}", param_hint=option
        )


def split(data: DataSet, source: str, *, share: float | None, first: int | None, seed: int) -> Parts:
    """Hold out the rows after the first so many, or a share, or what is usual for the data set."""
    if share is not None and first is not None:
        raise typer.BadParameter(
            "give a share or a number of rows, not both", param_hint="--test, --train-rows"
        )
    if share is None and first is None:
        first = FIRST_ROWS.get(source)
    if first is not None:
        return _split_in_order(data, first)
    usual = USUAL_SHARE if data.source is None else 0.0  # packed data stay in their files
    return _split_at_random(data, usual if share is None else share, seed)


def _split_in_order(data: DataSet, first: int) -> Parts:
    if first >= len(data):
        raise typer.BadParameter(
            f"there must be rows left to hold out of {plural(len(data), 'row')}; got {first}. "
            "To train on all of them: --test 0",
            param_hint="--train-rows",
        )
    training, rest = data.split(first=first)
    how = f"the first {plural(first, 'row')} to train, the last {len(rest)} held out"
    return Parts(training, rest, how, f"{first + 1}-{data.n_samples}")


def _split_at_random(data: DataSet, share: float, seed: int) -> Parts:
    if share == 0:
        return Parts(data, None, f"all {plural(len(data), 'row')} to train, none held out")
    training, rest = _divided(data, share, "--test", seed)
    drawn = " class by class" if data.class_labels is not None else ""
    how = f"{plural(len(training), 'row')} to train, {len(rest)} held out, drawn{drawn} with seed {seed}"
    return Parts(training, rest, how)


def _divided(data: DataSet, share: float, option: str, seed: int) -> tuple[DataSet, DataSet]:
    """Return the samples without a share of them, and that share."""
    try:
        return data.split(1 - share, seed=seed)
    except DataError:
        raise DataError(
            f"{option} {share:g} cannot be met with {plural(len(data), 'row')}: a part would be empty. "
            f"Choose another share, or none: {option} 0"
        ) from None
