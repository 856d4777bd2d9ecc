"""Public data sets, read from a local folder, the cache or the UCI archive.

A file is looked for in the folder that the environment variable NEURALFRAME_DATA names, then in the
user's cache, and is else downloaded from the UCI Machine Learning Repository into the cache (with the
package pooch: ``pip install 'neuralframe[data]'``, or ``'.[data]'`` in a clone). Its checksum is compared
wherever it comes from.

All samples stand in the order of the file. Inputs are not normalized; see `DataSet.normalized`. UCI
distributes these files under the licence CC BY 4.0: cite the source that is given with each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np

from neuralframe.data.archive import PublicFile
from neuralframe.data.columns import NumberColumn
from neuralframe.data.csv_reader import learn_and_encode
from neuralframe.data.data_set import DataSet
from neuralframe.data.encoding import Encoding
from neuralframe.data.records import RecordFile, Records
from neuralframe.data.roles import Roles, choose
from neuralframe.data.targets import ClassTarget
from neuralframe.exceptions import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ABALONE = PublicFile(
    "abalone.data", "de37cdcdcaaa50c309d514f248f7c2302a5f1f88c168905eba23fe2fbc78449f", "1/abalone.zip"
)
WISCONSIN_PROGNOSTIC = PublicFile(
    "wpbc.data",
    "f2bd5ccdb6086fa832370dc043319907430cf6bfcfd3b96a3961a357be345c8e",
    "16/breast+cancer+wisconsin+prognostic.zip",
)
WISCONSIN_DIAGNOSTIC = PublicFile(
    "wdbc.data",
    "d606af411f3e5be8a317a5a8b652b425aaf0ff38ca683d5327ffff94c3695f4a",
    "17/breast+cancer+wisconsin+diagnostic.zip",
)
IRIS = PublicFile(
    "iris.data", "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0", "53/iris.zip"
)

_ABALONE_COLUMNS = (
    "sex", "length", "diameter", "height", "whole weight", "shucked weight", "viscera weight",
    "shell weight", "rings",
)  # fmt: skip
_NUCLEUS_COLUMNS = tuple(
    f"{statistic} {feature}"
    for statistic in ("mean", "standard error of", "worst")
    for feature in (
        "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
        "concave points", "symmetry", "fractal dimension",
    )
)  # fmt: skip
_PROGNOSTIC_COLUMNS = ("id", "outcome", "months", *_NUCLEUS_COLUMNS, "tumour size", "lymph nodes")
_DIAGNOSTIC_COLUMNS = ("id", "diagnosis", *_NUCLEUS_COLUMNS)
_IRIS_COLUMNS = ("sepal length", "sepal width", "petal length", "petal width", "class")

_MOST_RINGS_OF_CLASS = {"1-8": 8, "9-10": 10, "11+": np.inf}
_MONTHS = 24


def abalone(target: Literal["classes", "rings"] = "classes") -> DataSet:
    """Return 4177 abalones: sex and seven measurements, to tell the number of rings, that is the age.

    Parameters
    ----------
    target : {"classes", "rings"}
        ``"classes"``: the three classes of the literature, 1-8, 9-10 and 11 or more rings (1407, 1323
        and 1447 samples). ``"rings"``: the number itself; 1.5 more is the age in years.

    Returns
    -------
    DataSet
        Ten inputs, three of them the sex (F, I for infant, M). The literature's split is
        ``data.split(first=3133)``. Two samples have height 0.

    Raises
    ------
    ChoiceError
        At an unknown target.
    DownloadError
        If the file cannot be had.

    References
    ----------
    Nash, W., Sellers, T., Talbot, S., Cawthorn, A., Ford, W. (1994). Abalone. UCI Machine Learning
    Repository. https://doi.org/10.24432/C55C7W

    """
    choose("target of abalone", target, ("classes", "rings"))
    records = _records(ABALONE, _ABALONE_COLUMNS)
    if target == "rings":
        return _data_set(records, "rings", kinds={"sex": "category"}, task="regression")
    classes = tuple(
        next(label for label, most in _MOST_RINGS_OF_CLASS.items() if int(rings) <= most)
        for rings in records.columns["rings"]
    )
    records = attrs.evolve(records, columns=records.columns | {"class of rings": classes})
    return _data_set(records, "class of rings", ignore=["rings"], kinds={"sex": "category"})


def wisconsin_prognostic(
    endpoint: Literal["recurrence", "24 months", "time"] = "recurrence",
    missing: Literal["refuse", "drop", "mean", "median", "most_frequent"] = "median",
) -> DataSet:
    """Return cases of breast cancer: 32 measurements at surgery, to tell whether or when it recurs.

    Parameters
    ----------
    endpoint : {"recurrence", "24 months", "time"}
        ``"recurrence"``: did it recur as long as the patient was followed? All 198 cases, R 47, N 151.
        ``"24 months"``: had it recurred by then? R 29; N 129, who were followed for longer and free of
        it at 24 months, even if it came later; the 40 who were followed for less are left out.
        ``"time"``: the months until it recurred, of the 47 in whom it did.
    missing : {"refuse", "drop", "mean", "median", "most_frequent"}
        Four cases lack the number of lymph nodes. ``"drop"`` leaves them out. The others fill it in
        *from all the cases returned*; `nf.cross_validate` fills it in anew from each fold's training cases
        (so does `DataSet.refilled` for a split of your own). ``"refuse"`` raises an error where such a case
        is among the chosen.

    Returns
    -------
    DataSet
        Thirty features of cell nuclei, tumour size in cm, and positive axillary lymph nodes.

    Raises
    ------
    ChoiceError
        At an unknown endpoint or treatment of missing values.
    RecordError
        At a missing value, if these are refused.
    DownloadError
        If the file cannot be had.

    References
    ----------
    Wolberg, W., Street, W., Mangasarian, O. (1995). Breast Cancer Wisconsin (Prognostic). UCI Machine
    Learning Repository. https://doi.org/10.24432/C5GK50

    """
    choose("endpoint", endpoint, ("recurrence", "24 months", "time"))
    records = _records(WISCONSIN_PROGNOSTIC, _PROGNOSTIC_COLUMNS)
    if endpoint == "recurrence":
        return _data_set(records, "outcome", ignore=["id", "months"], missing=missing)
    months = np.array(records.columns["months"], dtype=np.int64)
    recurred = np.array(records.columns["outcome"]) == "R"
    if endpoint == "time":
        cases = records.chosen(np.flatnonzero(recurred).tolist())
        return _data_set(cases, "months", ignore=["id", "outcome"], missing=missing, task="regression")
    by_then = recurred & (months <= _MONTHS)
    outcomes = tuple(np.where(by_then, "R", "N").tolist())
    records = attrs.evolve(records, columns=records.columns | {"outcome at 24 months": outcomes})
    cases = records.chosen(np.flatnonzero(by_then | (months > _MONTHS)).tolist())
    return _data_set(cases, "outcome at 24 months", ignore=["id", "outcome", "months"], missing=missing)


def wisconsin_diagnostic() -> DataSet:
    """Return 569 breast masses: thirty features of cell nuclei, to tell M (212) from B (357).

    M is malignant, B benign.

    Raises
    ------
    DownloadError
        If the file cannot be had.

    References
    ----------
    Wolberg, W., Mangasarian, O., Street, N., Street, W. (1993). Breast Cancer Wisconsin (Diagnostic).
    UCI Machine Learning Repository. https://doi.org/10.24432/C5DW2B

    """
    return _data_set(_records(WISCONSIN_DIAGNOSTIC, _DIAGNOSTIC_COLUMNS), "diagnosis", ignore=["id"])


def iris() -> DataSet:
    """Return 150 irises: lengths and widths in cm, to tell three species of 50 each.

    The file is the archive's, which differs from Fisher's article in samples 35 and 38.

    Raises
    ------
    DownloadError
        If the file cannot be had.

    References
    ----------
    Fisher, R. A. (1936). Iris. UCI Machine Learning Repository. https://doi.org/10.24432/C56C76

    """
    return _data_set(_records(IRIS, _IRIS_COLUMNS), "class")


def digits() -> DataSet:
    """Return 1797 handwritten digits of 8 x 8 pixels, each from 0 to 16, to tell ten digits.

    They come with scikit-learn and need no network.

    Raises
    ------
    MissingPackageError
        Without scikit-learn.

    References
    ----------
    Alpaydin, E., Kaynak, C. (1998). Optical Recognition of Handwritten Digits (its test samples). UCI
    Machine Learning Repository. https://doi.org/10.24432/C50P49

    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415
    except ImportError:
        raise MissingPackageError("sklearn", purpose="the data set digits", extra="digits") from None
    images = load_digits()
    pixels = [NumberColumn(f"row {row} column {column}") for row in range(8) for column in range(8)]
    encoding = Encoding(pixels, ClassTarget("digit", map(str, range(10))))
    return DataSet(images.data, np.eye(10)[images.target], encoding=encoding)


_DATA_SETS: dict[str, Callable[..., DataSet]] = {
    "abalone": abalone,
    "digits": digits,
    "iris": iris,
    "wisconsin-diagnostic": wisconsin_diagnostic,
    "wisconsin-prognostic": wisconsin_prognostic,
}


def names() -> tuple[str, ...]:
    """Return the names that `by_name` knows."""
    return tuple(_DATA_SETS)


def by_name(name: str, **options: Any) -> DataSet:
    """Return a public data set by its name, such as ``"wisconsin-prognostic"``.

    Parameters
    ----------
    name : str
        One of `names`.
    **options
        What the data set's own function takes.

    Raises
    ------
    ChoiceError
        At an unknown name; the message lists those that exist.

    """
    return _DATA_SETS[choose("data set", name, _DATA_SETS)](**options)


def _records(file: PublicFile, columns: Iterable[str]) -> Records:
    text = RecordFile.open(file.locate(), is_header=lambda _: False, names=tuple(columns), delimiter=",")
    return Records.joined(text)


def _data_set(records: Records, target: str, *, missing: str = "refuse", **roles: Any) -> DataSet:
    return learn_and_encode([records], Roles.of(records.names, target, **roles), missing=missing)
