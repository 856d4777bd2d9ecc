"""Class labels that come as an array of texts, and not from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.data.columns import in_order, one_hot
from neuralframe.data.encoding import MISSING_VALUES, Encoding
from neuralframe.data.wording import listing
from neuralframe.exceptions import DataError, LabelError, ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Indices, Vector


def texts_of(targets: npt.ArrayLike) -> tuple[str, ...] | None:
    """Return the labels, one a sample, if the targets are texts; None if they are not.

    Raises
    ------
    ShapeError
        If there are several texts a sample.

    """
    try:
        given = np.asarray(targets)
    except ValueError:  # rows of different lengths: no labels, and reported as what they are
        return None
    texts = given.ravel().tolist() if given.dtype.kind in "UOT" else []
    if not texts or not all(isinstance(text, str) for text in texts):
        return None
    if given.ndim != 1:
        raise ShapeError(
            f"targets has shape {given.shape}; labels of classes are a vector, one text a sample"
        )
    return tuple(map(str, texts))


def encoded_labels(
    labels: tuple[str, ...], n_inputs: int, encoding: Encoding | None
) -> tuple[Vector, Encoding]:
    """Return one-hot targets, and the encoding that turns outputs into labels again.

    Parameters
    ----------
    labels : tuple of str
        One a sample.
    n_inputs : int
        How many inputs a sample has.
    encoding : Encoding or None
        The one to use; by default the labels found are the classes, in the order that files have too.

    Raises
    ------
    LabelError
        At a label that `encoding` does not know.
    DataError
        At a label that stands for a missing value, or if the targets of `encoding` are numbers.

    """
    if encoding is None or encoding.target is None:
        _refuse(labels, set(MISSING_VALUES), DataError, "which stands for a missing value; drop the sample")
        made = Encoding.of_arrays(n_inputs, 0, labels=in_order(labels))
        encoding = made if encoding is None else attrs.evolve(encoding, target=made.target)
    known = encoding.class_labels
    if known is None:
        raise DataError(f"targets are texts such as {labels[0]!r}; in this encoding they are numbers")
    unknown = set(labels).difference(known)
    _refuse(labels, unknown, LabelError, f"which training did not have. It knew {listing(known)}")
    return one_hot(_positions(labels, known), len(known)), encoding


def _positions(labels: tuple[str, ...], known: tuple[str, ...]) -> Indices:
    place: dict[str, Any] = {label: position for position, label in enumerate(known)}
    return np.array([place[label] for label in labels], dtype=np.int64)


def _refuse(labels: tuple[str, ...], bad: set[str], error: type[DataError], problem: str) -> None:
    for row, label in enumerate(labels):
        if label in bad:
            raise error(f"targets: the label {label!r} at row {row}, {problem}")
