"""The data set: samples as arrays, cut into blocks."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Literal, Self

import attrs
import numpy as np

from neuralframe.core.arrays import as_samples, float_type
from neuralframe.core.validation import count
from neuralframe.data.blocks import Blocks, Samples
from neuralframe.data.checks import checked_samples, checked_weights, is_one_hot
from neuralframe.data.encoding import MISSING_VALUES, Encoding, numbered_inputs
from neuralframe.data.labels import encoded_labels, texts_of
from neuralframe.data.normalizers import Normalizer, still_to_apply
from neuralframe.data.splits import checked_first, checked_share, stratified_split
from neuralframe.data.wording import plural
from neuralframe.exceptions import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import numpy.typing as npt

    from neuralframe.core.arrays import Array, Indices, Vector
    from neuralframe.data.gaps import Gaps
    from neuralframe.data.roles import Reference

    Seed = int | np.random.Generator | None

BLOCK_BYTES = 4 * 2**20
SMALLEST_BLOCK, LARGEST_BLOCK = 1024, 4096
# Wide rows want at least 1024 samples a block, so that adding the gradients of two blocks costs
# little beside computing them; narrow rows at most 4096, so that there are blocks to share out.

CLASSES_STAY = "the targets are classes, which must not be normalized; normalize the inputs only"


def default_block_size(n_inputs: int) -> int:
    """Return the power of two that comes nearest to 4 MiB of float64 inputs, between 1024 and 4096."""
    rows = BLOCK_BYTES / (8 * n_inputs)
    return min(max(1 << max(round(math.log2(rows)), 0), SMALLEST_BLOCK), LARGEST_BLOCK)


@attrs.frozen(eq=False, repr=False, init=False)
class DataSet:
    """Samples to learn from: inputs, targets and, if they differ, the samples' weights.

    Parameters
    ----------
    inputs : (n, n_inputs) array
        One sample a row. float64 and float32 are kept, anything else becomes float64.
    targets : (n, n_targets) or (n,) array
        What the network should answer; (n,) is taken as one column. They get the inputs' type. Texts,
        shape (n,), are labels of classes: one column a label, 1 for the one that holds, and the
        `encoding` turns answers into labels again.
    sample_weights : (n,) array, optional
        How much each sample counts: not negative, not all zero. Kept as float64.
    block_size : int, optional
        Samples a block; by default a power of two near 4 MiB of inputs, from 1024 to 4096. It is a
        part of the data: another block size may change the last bits of a sum.
    encoding : Encoding, optional
        How the inputs came from records and what the targets mean; see `from_csv`.
    gaps : Gaps, optional
        Which inputs were missing and are filled in by the encoding; see `refilled`.

    Raises
    ------
    ShapeError
        If the arrays do not fit each other or the encoding.
    DataError
        If there are no samples or no columns, the sample weights are negative or all zero, or a label
        stands for a missing value.
    LabelError
        At a label that a given encoding does not know.
    NonFiniteError
        At a NaN or an infinity: the message names row and column.

    Notes
    -----
    The arrays are read-only views of the caller's arrays wherever these need no conversion: nothing
    is copied, and who changes the original changes the data set. Not while a network learns from it,
    though: kernels keep what they made of a block.

    Examples
    --------
    >>> data = DataSet([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> data
    DataSet(4 samples, 2 inputs, 1 target, float64, 1 block)
    >>> first, second = data.split(first=3)
    >>> second.inputs
    array([[1., 1.]])

    Labels are kept, in the order in which outputs have them:

    >>> data = DataSet([[0, 0], [0, 1], [1, 1]], ["one", "two", "one"])
    >>> data.class_labels, data.classes
    (('one', 'two'), array([0, 1, 0]))

    """

    inputs: Array
    targets: Array
    sample_weights: Vector | None
    block_size: int = attrs.field(validator=count())
    encoding: Encoding | None
    gaps: Gaps | None

    def __init__(
        self,
        inputs: npt.ArrayLike,
        targets: npt.ArrayLike,
        sample_weights: npt.ArrayLike | None = None,
        *,
        block_size: int | None = None,
        encoding: Encoding | None = None,
        gaps: Gaps | None = None,
    ) -> None:
        labels = texts_of(targets)
        if labels is not None:
            n_inputs = as_samples(inputs, None, "inputs").shape[1]
            targets, encoding = encoded_labels(labels, n_inputs, encoding)
        x, y = checked_samples(inputs, targets, encoding)
        weights = None if sample_weights is None else checked_weights(sample_weights, len(x))
        size = default_block_size(x.shape[1]) if block_size is None else block_size
        self.__attrs_init__(x, y, weights, size, encoding, gaps)

    @classmethod
    def from_csv(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        target: Reference | Sequence[Reference] | None = None,
        *,
        task: Literal["classification", "regression"] | None = None,
        kinds: Mapping[Reference, str] | None = None,
        ignore: Sequence[Reference] = (),
        weights: Reference | None = None,
        missing: str = "refuse",
        missing_values: Sequence[str] = MISSING_VALUES,
        header: bool | None = None,
        names: Sequence[str] | None = None,
        delimiter: str | None = None,
        encoding: Encoding | None = None,
        block_size: int | None = None,
    ) -> DataSet:
        """Read a text file with delimiters; see `neuralframe.data.csv_reader.read_csv`.

        Columns are named, or counted from 0 (-1 is the last). What the file taught about categories,
        labels and missing values is in the `encoding` of the result.

        Parameters
        ----------
        path : str or path, or a sequence of them
            The file: UTF-8, one record a line, fields quoted where they must be. Several files are read as
            one; those after the first have the same columns, and may each have its header.
        target : str, int or a sequence of them
            The column to learn. Several columns make a regression with several outputs.
        task : {"classification", "regression"}, optional
            By default a regression if all targets are numbers. Say ``"classification"`` where numbers
            are the names of classes.
        kinds : mapping, optional
            Column to ``"number"`` or ``"category"``, where the guess would be wrong: by default a
            column of numbers only is a number and a column of texts a category. Refused as mistyped are
            columns of mostly numbers and of numbers with decimal commas; and, as identifiers, columns of
            more than 50 different texts in more than nine of ten records.
        ignore : sequence
            Columns to leave out, such as identifiers.
        weights : str or int, optional
            The column of sample weights.
        missing : {"refuse", "drop", "mean", "median", "most_frequent"}
            What to do about missing inputs. The fill-ins are learnt from this file and kept in the
            encoding; categories are always filled with the most frequent one.
        missing_values : sequence of str
            The texts that mean "missing".
        header : bool, optional
            Whether the first record is a header. By default it is one if it has the name of a
            target, or a text, and no number, in the columns in which later records have numbers. A
            header of numbers cannot be guessed. For a file of texts only see
            `neuralframe.data.headers.guess_header`.
        names : sequence of str, optional
            Names for the columns; by default the header's, else "column 1", "column 2", ...
        delimiter : str, optional
            By default that one of comma, semicolon, tab and bar which gives the first record most fields.
        encoding : Encoding, optional
            Read the file as this encoding, a trained network's, says. Target, task, kinds and the
            treatment of missing values are then its business. Columns are matched by name where there
            is a header, else by position.
        block_size : int, optional
            As for `DataSet`.

        Raises
        ------
        RecordError
            At a bad record: the message names file, line, column and value.
        LabelError
            At a class that `encoding` does not know.
        ChoiceError
            At an unknown column; the message lists the columns.
        DataError
            If the file cannot be read or nothing is left of it.

        """
        # The reader builds data sets, so that it cannot be imported before this class exists.
        from neuralframe.data.csv_reader import read_csv  # noqa: PLC0415

        return read_csv(
            path, target, task=task, kinds=kinds, ignore=ignore, weights=weights, missing=missing,
            missing_values=missing_values, header=header, names=names, delimiter=delimiter,
            encoding=encoding, block_size=block_size,
        )  # fmt: skip

    def __len__(self) -> int:
        return self.n_samples

    def __repr__(self) -> str:
        labels = self.class_labels
        goal = plural(self.n_targets, "target") if labels is None else plural(len(labels), "class")
        weighted = ", weighted" if self.is_weighted else ""
        return (
            f"DataSet({plural(self.n_samples, 'sample')}, {plural(self.n_inputs, 'input')}, {goal}, "
            f"{self.dtype}, {plural(len(self.blocks), 'block')}{weighted})"
        )

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self.inputs)

    @property
    def n_inputs(self) -> int:
        """Numbers in a sample's input."""
        return int(self.inputs.shape[1])

    @property
    def n_targets(self) -> int:
        """Numbers in a sample's target."""
        return int(self.targets.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of inputs and targets: float64 or float32."""
        return self.inputs.dtype

    @property
    def is_weighted(self) -> bool:
        """Whether the samples have weights."""
        return self.sample_weights is not None

    @classmethod
    def open(cls, path: str | PathLike[str]) -> DataSet:
        """Open packed data, without reading the samples.

        Blocks are read when they are needed; what fits into a quarter of a gibibyte is kept. Engines that run
        elsewhere read the part files where they are. `inputs`, `targets` and `classes`, and what needs them
        (`rows`, `split`, `normalized`, `with_block_size`, ...), read all of the data into memory and return
        data sets that stay there; split and normalize large data when they are packed (`pack_csv`).
        Training in this process copies files on HDFS or S3 to the temporary folder (``TMPDIR``).

        Parameters
        ----------
        path : str or path
            What `pack` wrote: a folder, or its address on HDFS (``hdfs://...``) or S3 (``s3://...``).

        Raises
        ------
        PackedDataError
            If it is no packed data, damaged, incomplete, or of another version.

        """
        from neuralframe.data.packed_data_set import PackedDataSet  # noqa: PLC0415 - it is a subclass

        return PackedDataSet(path)

    @classmethod
    def open_csv(
        cls,
        paths: str | PathLike[str] | Sequence[str | PathLike[str]],
        target: Reference | Sequence[Reference] | None = None,
        *,
        normalize: str | Normalizer | type[Normalizer] | None = None,
        normalize_targets: str | Normalizer | type[Normalizer] | None = None,
        dtype: npt.DTypeLike = "float64",
        block_size: int | None = None,
        progress: bool | None = None,
        **reading: Any,
    ) -> DataSet:
        """Open text files without keeping their samples; blocks are encoded from the text at each pass.

        That saves the room of packed data, and takes the time to encode text whenever a gradient is computed;
        `pack_csv` is the better choice for more than a pass or two. To open them, the files are read twice,
        and as often again as normalizers need to be fitted (the standardizer three times).

        Parameters
        ----------
        paths : str or path, or a sequence of them
            Files with the same columns, on a local disk, HDFS or S3 (those are copied to the temporary
            folder to be read here). Files after the first may have its header, too. Blocks begin anew in
            each file, so that a task can make the blocks of one of them by itself.
        target, **reading
            As for `from_csv`.
        normalize, normalize_targets : Normalizer or its name, optional
            As for `normalized`; one that needs all samples at once must be fitted before.
        dtype : {"float64", "float32"}
        block_size : int, optional
            As for `DataSet`.
        progress : bool, optional
            Whether to draw progress bars; by default on a terminal.

        Raises
        ------
        RecordError, LabelError, ChoiceError, DataError
            As for `from_csv`.

        """
        from neuralframe.data.text_data_set import open_csv  # noqa: PLC0415 - it makes data sets

        return open_csv(
            paths, target, normalize=normalize, normalize_targets=normalize_targets, dtype=dtype,
            block_size=block_size, progress=progress, **reading,
        )  # fmt: skip

    def pack(
        self,
        path: str | PathLike[str],
        *,
        dtype: npt.DTypeLike | None = None,
        parts: int | None = None,
        replace: bool = False,
        progress: bool | None = None,
    ) -> None:
        """Write the samples as packed blocks, for `open`, Hadoop and Spark: a folder of part files.

        Parameters
        ----------
        path : str or path
            The folder to make, or its address on HDFS or S3.
        dtype : {"float64", "float32"}, optional
            By default that of the samples.
        parts : int, optional
            Part files, about: each holds a power of two of blocks (the last may hold fewer) and makes one
            map. By default one for each 64 MiB.
        replace : bool
            Whether packed data that are there already may be replaced; they go once the new are written.
        progress : bool, optional
            Whether to draw a progress bar; by default on a terminal.

        Raises
        ------
        DataError
            If there is something at `path`; or, on HDFS or S3, if it cannot be written.
        NonFiniteError
            If a number is too large for float32.
        OSError
            If it cannot be written; nothing is left then, and nothing lost.

        """
        from neuralframe.data.packed_data_set import pack  # noqa: PLC0415 - it makes data sets

        pack(self, path, dtype=dtype, parts=parts, replace=replace, progress=progress)

    @property
    def source(self) -> str | None:
        """Where the samples are kept, if they are packed."""
        return None

    def fingerprint(self) -> str:
        """Return a text that is the same for the same samples in the same blocks, and else another."""
        digest = hashlib.sha256(f"{self.inputs.dtype} {self.inputs.shape} {self.block_size}".encode())
        for array in (self.inputs, self.targets, self.sample_weights):
            digest.update(b"none" if array is None else np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @property
    def telling_targets(self) -> Array:
        """Rows of targets that show whether all targets suit an error function, shape (m, n_targets)."""
        return self.targets

    @property
    def blocks(self) -> Blocks:
        """The samples in portions of `block_size`, as views."""
        return Blocks(Samples(self.inputs, self.targets, self.sample_weights, self.block_size))

    @property
    def input_ranges(self) -> Array:
        """The smallest and the largest value of each input, shape (n_inputs, 2)."""
        return np.stack([self.inputs.min(axis=0), self.inputs.max(axis=0)], axis=1)

    @property
    def input_names(self) -> tuple[str, ...]:
        """One name an input."""
        return numbered_inputs(self.n_inputs) if self.encoding is None else self.encoding.input_names

    @property
    def class_labels(self) -> tuple[str, ...] | None:
        """The labels of the classes in the order of the targets, or None if the targets are no classes.

        The targets are classes if the encoding says so or, without an encoding, if there are two or
        more columns of which exactly one is 1 and the rest 0 in every row; the labels are then
        ``"0"``, ``"1"``, ...
        """
        if self.encoding is not None and self.encoding.target is not None:
            return self.encoding.class_labels
        return tuple(map(str, range(self.n_targets))) if is_one_hot(self.targets) else None

    @property
    def classes(self) -> Indices:
        """The position of each sample's label among `class_labels`, shape (n,)."""
        self._require_labels()
        positions: Indices = self.targets.argmax(axis=1)
        return positions

    @property
    def class_counts(self) -> dict[str, int]:
        """How many samples each class has, by label."""
        labels = self._require_labels()
        counts = np.bincount(self.classes, minlength=len(labels))
        return dict(zip(labels, counts.tolist(), strict=True))

    def require_classes(self) -> None:
        """Raise `DataError` if all samples have the same target: there is nothing to tell apart."""
        if (self.targets == self.targets[0]).all():
            labels = self.class_labels
            which = f"target {self.targets[0].tolist()}" if labels is None else repr(labels[self.classes[0]])
            raise DataError(
                f"one class only: {plural(self.n_samples, 'sample')} with {which}. "
                "A classifier needs samples of at least two classes"
            )

    def rows(self, indices: npt.ArrayLike) -> Self:
        """Return the samples at the given positions, or where a mask is true, in that order; a copy.

        Raises
        ------
        DataError
            If a position is out of range or nothing is chosen.

        """
        chosen = np.asarray(indices)
        if chosen.ndim != 1 or not len(chosen) or chosen.dtype.kind not in "iub":
            raise DataError("choose rows by a non-empty list of positions or a mask of booleans")
        try:
            return self._changed(
                inputs=self.inputs[chosen],
                targets=self.targets[chosen],
                sample_weights=None if self.sample_weights is None else self.sample_weights[chosen],
                gaps=None if self.gaps is None else self.gaps.rows(chosen),
            )
        except IndexError as problem:
            raise DataError(f"there are {self.n_samples} samples: {problem}") from None

    def shuffled(self, seed: Seed = None) -> Self:
        """Return the samples in an order drawn from `seed`."""
        return self.rows(np.random.default_rng(seed).permutation(self.n_samples))

    def split(
        self,
        share: float | None = None,
        *,
        first: int | None = None,
        seed: Seed = None,
        stratify: bool | None = None,
    ) -> tuple[Self, Self]:
        """Return two data sets: a share of the samples, and the rest.

        Parameters
        ----------
        share : float, optional
            The first part's share, above 0 and below 1. Its samples are drawn from `seed`; both parts
            keep the samples in their order.
        first : int, optional
            Instead of `share`: the first so many samples, as they stand.
        seed : int or numpy.random.Generator, optional
            The same seed gives the same parts; without one they differ from call to call.
        stratify : bool, optional
            Whether each class is split by itself, so that it has its share of both parts (a class of one
            sample goes to the first). By default if the targets are classes.

        Raises
        ------
        ParameterError
            Unless exactly one of `share` and `first` is given, within its range.
        DataError
            If a part would be empty, or the targets to stratify by are no classes.

        """
        if first is not None and share is None:
            cut = checked_first(first, self.n_samples)
            return self.rows(np.arange(cut)), self.rows(np.arange(cut, self.n_samples))
        if share is None or first is not None:
            raise ParameterError("split: give either share, such as 0.75, or first, a number of samples")
        if stratify is None:
            stratify = self.class_labels is not None
        strata = self.classes if stratify else np.zeros(self.n_samples, dtype=np.int64)
        parts = stratified_split(strata, checked_share(share), np.random.default_rng(seed))
        if not all(map(len, parts)):
            raise DataError(
                f"split: {plural(self.n_samples, 'sample')} in shares of {share:g} and {1 - share:g} leaves "
                "a part empty; choose another share, or find more samples"
            )
        return self.rows(parts[0]), self.rows(parts[1])

    def with_block_size(self, block_size: int | None) -> Self:
        """Return the same samples in blocks of another size; None is the default size."""
        return self._changed(block_size=block_size)

    def with_sample_weights(self, sample_weights: npt.ArrayLike | None) -> Self:
        """Return the same samples with other weights; None counts each once."""
        return self._changed(sample_weights=sample_weights)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Return the same samples in ``"float32"`` or ``"float64"``.

        Raises
        ------
        ChoiceError
            If `dtype` is neither.
        NonFiniteError
            If a number is too large for float32.

        """
        with np.errstate(over="ignore"):
            inputs = self.inputs.astype(float_type(dtype), copy=False)
        return self._changed(inputs=inputs)

    def normalized(
        self,
        inputs: str | Normalizer | type[Normalizer] | None = None,
        targets: str | Normalizer | type[Normalizer] | None = None,
        *,
        like: DataSet | None = None,
    ) -> Self:
        """Return the samples normalized; the encoding of the result holds the fitted normalizers.

        Parameters
        ----------
        inputs, targets : Normalizer or its name, optional
            One that is fitted is applied as it is, any other is fitted to this data set first. Every
            column is normalized, those of categories too.
        like : DataSet, optional
            Instead: apply the normalizers that `like`, the training data, was normalized with.

        Raises
        ------
        DataError
            If the data is normalized already, the targets to normalize are classes, or `like` is not
            normalized.
        ParameterError
            If nothing, or `like` together with anything else, is given.
        NonFiniteError
            If the values of a column are too large; the message names it.

        Examples
        --------
        >>> train, test = DataSet([[0.0], [2.0], [4.0]], [0.0, 1.0, 2.0]).split(first=2)
        >>> train = train.normalized("standardizer")
        >>> test.normalized(like=train).inputs
        array([[3.]])

        """
        if (like is None) == (inputs is None and targets is None):
            raise ParameterError("normalized: give normalizers for inputs or targets, or like=")
        if like is not None:
            inputs, targets = _normalizers_of(like)
        encoding = self.encoding or Encoding.of_arrays(
            self.n_inputs, self.n_targets, labels=self.class_labels
        )
        if targets is not None and self.class_labels is not None:
            raise DataError(CLASSES_STAY)
        x, of_inputs = _normalize(
            self.inputs, inputs, encoding.input_normalizer, "inputs", encoding.input_names
        )
        y, of_targets = _normalize(
            self.targets, targets, encoding.target_normalizer, "targets", encoding.target_names
        )
        encoding = attrs.evolve(encoding, input_normalizer=of_inputs, target_normalizer=of_targets)
        return self._changed(inputs=x, targets=y, encoding=encoding)

    def refilled(self, *, like: DataSet | None = None) -> Self:
        """Return the samples with what was missing filled in anew, by what these samples teach.

        A part of a data set still has the fill-ins that were learnt from all of it. A training set is to
        learn its own, and its test set to take over those.

        Parameters
        ----------
        like : DataSet, optional
            Take over the fill-ins of this data set instead.

        Raises
        ------
        DataError
            If the samples are normalized already, or a column has no values here to learn from.

        """
        encoding = self.encoding
        if self.gaps is None or encoding is None:
            return self
        if encoding.input_normalizer is not None:
            raise DataError("refilled: the inputs are normalized already; fill in the gaps first")
        source = self.gaps.learnt(encoding, self.inputs) if like is None else like.encoding
        if source is None or source.input_names != self.input_names:
            raise DataError("refilled(like=...): that data set has other columns")
        inputs = self.gaps.applied(source, self.inputs)
        return self._changed(inputs=inputs, encoding=attrs.evolve(encoding, columns=source.columns))

    def _changed(self, **changes: Any) -> Self:
        return attrs.evolve(self, **changes)

    def _require_labels(self) -> tuple[str, ...]:
        if self.class_labels is None:
            raise DataError(
                "the targets are numbers, not classes. Read the file with task='classification' "
                "(--task classification), give labels as texts, or one column a class with a single 1 in "
                "each row"
            )
        return self.class_labels


def _normalizers_of(data: DataSet) -> tuple[Normalizer | None, Normalizer | None]:
    encoding = data.encoding
    if encoding is None or (encoding.input_normalizer is None and encoding.target_normalizer is None):
        raise DataError("normalized(like=...): that data set is not normalized itself; normalize it first")
    return encoding.input_normalizer, encoding.target_normalizer


def _normalize(
    values: Array, given: Any, present: Normalizer | None, what: str, names: Sequence[str] | None
) -> tuple[Array, Any]:
    normalizer = still_to_apply(given, present, what)
    if normalizer is None:
        return values, present
    fitted = normalizer if normalizer.fitted else normalizer.fit(values, names=names)
    return fitted.transform(values), fitted
