"""Cross-validation: every sample is answered by networks that have not seen it."""

from __future__ import annotations

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from neuralframe.exceptions import ParameterError
from neuralframe.mapreduce import make_engine
from neuralframe.networks.fold_plan import FoldPlan
from neuralframe.networks.fold_testing import AnsweredFold, answered, result_of
from neuralframe.networks.neural_network import NeuralNetwork
from neuralframe.training.joint_training import train_together
from neuralframe.training.progress import counter

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.data.data_set import DataSet
    from neuralframe.data.normalizers import Normalizer
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.cross_validated import CrossValidation
    from neuralframe.networks.fold_plan import Split
    from neuralframe.networks.training_run import TrainingRun

    MakeNetwork = Callable[[DataSet, int], NeuralNetwork]
    Normalization = str | Normalizer | type[Normalizer] | None
    Tasks = list[tuple[DataSet, int]]
    Train = Callable[[Tasks], list[TrainingRun]]
    Learn = Callable[[DataSet, int, Engine], TrainingRun]

MOST_AT_ONCE = 128
"""Networks trained side by side: each has a thread that waits for the others."""

MOST_COPIED = 1 << 30
"""Bytes of normalized copies that are made where a job costs nothing. On two processors, ten folds of digits,
Abalone or 40,000 samples took as long side by side as one by one, and small sets half as long."""


def cross_validate(
    make_network: MakeNetwork,
    data: DataSet,
    *,
    folds: int | Literal["leave-one-out"] = 10,
    repeats: int = 1,
    stratified: bool | None = None,
    seed: int = 0,
    ensemble: int = 1,
    normalizer: Normalization = "standardizer",
    target_normalizer: Normalization = None,
    together: bool | Literal["auto"] = "auto",
    engine: str | Engine = "threads",
    progress: bool | None = None,
    **learning: Any,
) -> CrossValidation:
    """Train a network for each fold on the samples of all others, and report on the answers to its own.

    Whatever is learnt from samples is learnt inside the fold: normalizers are fitted to the fold's training
    samples, and missing inputs that were filled in when the data set was read are filled in anew from them.

    Parameters
    ----------
    make_network : callable
        Takes the fold's training set, normalized, and a seed, and returns a new network::

            lambda training, seed: nf.MultilayerPerceptron.for_data(training, 8, seed=seed)
    data : DataSet
        All samples, not normalized.
    folds : int or "leave-one-out"
        Into how many parts the samples are shared out.
    repeats : int
        How often that is done, each time anew.
    stratified : bool, optional
        Whether each fold has its share of each class; by default if the targets are classes, unless one is
        left out.
    seed : int
        All folds and networks are drawn from it; the same seed gives the same folds for any `make_network`.
    ensemble : int
        Networks in each fold, from different seeds, whose outputs are averaged.
    normalizer, target_normalizer : Normalizer or its name, optional
        What inputs, and targets that are numbers, are normalized by.
    together : bool or "auto"
        Whether the networks of a repeat are trained side by side, in the same jobs: as many jobs as one of
        them takes, each over the training samples of all folds, of which there is a normalized copy for each.
        ``"auto"``: unless jobs run on threads of this process, where one costs next to nothing, and the
        copies take more than 1 GiB. The networks are the same, bit by bit if a fold's training samples are
        one block, else up to rounding.
    engine : str or Engine
        Where jobs run; see `NeuralNetwork.learn`.
    progress : bool, optional
        Show how many networks are trained, on standard error; by default if that is a terminal.
    **learning
        What `NeuralNetwork.learn` takes: ``rule``, ``stop``, ``decay``, ``sessions``, ``validation`` (a share
        of each fold's training samples), ...

    Returns
    -------
    CrossValidation
        Prints as a table; has the folds with their networks, the answers, and the scores.

    Raises
    ------
    DataError
        If a class has fewer samples than there are folds, or the data set is normalized.
    ParameterError
        If an argument is out of range, or `learning` holds what cannot be shared by several trainings.

    See Also
    --------
    neuralframe.evaluation.comparison.compare : whether two cross-validations differ.

    Examples
    --------
    >>> import numpy as np
    >>> import neuralframe as nf
    >>> random = np.random.default_rng(0)
    >>> inputs = random.normal(size=(60, 2))
    >>> data = nf.DataSet(inputs, np.where(inputs[:, 0] > 0, "right", "left"))
    >>> found = cross_validate(
    ...     lambda training, seed: nf.MultilayerPerceptron.for_data(training, seed=seed),
    ...     data, folds=5, stop=nf.MaxIterations(30),
    ... )
    >>> bool(found.score("accuracy").mean > 0.9)
    True

    """
    plan = FoldPlan(
        data=data,
        folds=folds,
        repeats=repeats,
        stratified=stratified,
        seed=seed,
        ensemble=ensemble,
        normalizer=normalizer,
        target_normalizer=target_normalizer,
    )
    place = make_engine(engine)
    train, at_once = _one_by_one, 1
    if _is_together(together, place, plan):
        train, at_once = _side_by_side, max(1, MOST_AT_ONCE // ensemble)
    with place, counter(progress, repeats * plan.n_folds * ensemble, "networks") as advance:
        learn = _learner(make_network, _checked_learning(learning), advance)
        repeated = [
            [
                fold
                for first in range(0, plan.n_folds, at_once)
                for fold in _folds(plan, splits[first : first + at_once], partial(train, place, learn))
            ]
            for splits in plan.splits()
        ]
    return result_of(plan, repeated)


def _folds(plan: FoldPlan, splits: list[Split], train: Train) -> list[AnsweredFold]:
    """Train the networks of some folds, and let them answer."""
    prepared = [plan.prepared(split) for split in splits]
    runs = iter(
        train(
            [
                (training, seed)
                for split, (training, _) in zip(splits, prepared, strict=True)
                for seed in split.seeds
            ]
        )
    )
    return [
        answered(split, test, tuple(islice(runs, plan.ensemble)))
        for split, (_, test) in zip(splits, prepared, strict=True)
    ]


def _one_by_one(engine: Engine, learn: Learn, tasks: Tasks) -> list[TrainingRun]:
    return [learn(training, seed, engine) for training, seed in tasks]


def _side_by_side(engine: Engine, learn: Learn, tasks: Tasks) -> list[TrainingRun]:
    return train_together(engine, [partial(learn, training, seed) for training, seed in tasks])


def _learner(make_network: MakeNetwork, learning: dict[str, Any], advance: Callable[[], None]) -> Learn:
    def learn(training: DataSet, seed: int, engine: Engine) -> TrainingRun:
        network = make_network(training, seed)
        if not isinstance(network, NeuralNetwork):
            raise ParameterError(
                "make_network takes a training set and a seed, and returns a network; "
                f"it returned {network!r}"
            )
        run = network.learn(training, engine=engine, seed=seed, progress=False, **learning)
        advance()
        return run

    return learn


def _is_together(together: Any, engine: Engine, plan: FoldPlan) -> bool:
    if together == "auto":
        copies = plan.n_folds * (plan.data.inputs.nbytes + plan.data.targets.nbytes)
        return engine.name != "threads" or copies <= MOST_COPIED
    if not isinstance(together, bool):
        raise ParameterError(f"together takes True, False or 'auto'; got {together!r}")
    return together


def _checked_learning(learning: dict[str, Any]) -> dict[str, Any]:
    """Refuse what several trainings cannot share."""
    if learning.get("checkpoint") is not None:
        raise ParameterError("cross_validate: checkpoint= is a directory for one training; leave it out")
    return learning
