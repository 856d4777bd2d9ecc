"""Neural networks as objects over flat arrays, trained by map/combine/reduce.

Everything public is reached as ``import neuralframe as nf``. Modules are imported when a name is first
used, so that a task on a cluster loads no more than it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neuralframe.core.conclusion import Conclusion as Conclusion
    from neuralframe.core.error_functions import BinaryCrossEntropy as BinaryCrossEntropy
    from neuralframe.core.error_functions import CategoricalCrossEntropy as CategoricalCrossEntropy
    from neuralframe.core.error_functions import CrossEntropy as CrossEntropy
    from neuralframe.core.error_functions import ErrorFunction as ErrorFunction
    from neuralframe.core.error_functions import Huber as Huber
    from neuralframe.core.error_functions import MeanAbsolute as MeanAbsolute
    from neuralframe.core.error_functions import SumOfSquares as SumOfSquares
    from neuralframe.core.initializers import Constant as Constant
    from neuralframe.core.initializers import Fan as Fan
    from neuralframe.core.initializers import Glorot as Glorot
    from neuralframe.core.initializers import He as He
    from neuralframe.core.initializers import Initializer as Initializer
    from neuralframe.core.initializers import LeCun as LeCun
    from neuralframe.core.initializers import NguyenWidrow as NguyenWidrow
    from neuralframe.core.initializers import Normal as Normal
    from neuralframe.core.initializers import Orthogonal as Orthogonal
    from neuralframe.core.initializers import Uniform as Uniform
    from neuralframe.core.input_functions import And as And
    from neuralframe.core.input_functions import Difference as Difference
    from neuralframe.core.input_functions import EuclideanRBF as EuclideanRBF
    from neuralframe.core.input_functions import InputFunction as InputFunction
    from neuralframe.core.input_functions import Maximum as Maximum
    from neuralframe.core.input_functions import Minimum as Minimum
    from neuralframe.core.input_functions import Or as Or
    from neuralframe.core.input_functions import Product as Product
    from neuralframe.core.input_functions import Sum as Sum
    from neuralframe.core.input_functions import SumOfSquaredProducts as SumOfSquaredProducts
    from neuralframe.core.input_functions import WeightedSum as WeightedSum
    from neuralframe.core.learning_rule import Iterate as Iterate
    from neuralframe.core.learning_rule import LearningRule as LearningRule
    from neuralframe.core.metrics import Accuracy as Accuracy
    from neuralframe.core.metrics import MeanAbsoluteError as MeanAbsoluteError
    from neuralframe.core.metrics import Metric as Metric
    from neuralframe.core.metrics import RootMeanSquaredError as RootMeanSquaredError
    from neuralframe.core.noise import Dropout as Dropout
    from neuralframe.core.noise import InputNoise as InputNoise
    from neuralframe.core.noise import Noise as Noise
    from neuralframe.core.objective import Costs as Costs
    from neuralframe.core.objective import Objective as Objective
    from neuralframe.core.objects import Connection as Connection
    from neuralframe.core.objects import JoinedProjection as JoinedProjection
    from neuralframe.core.objects import Layer as Layer
    from neuralframe.core.objects import Neuron as Neuron
    from neuralframe.core.penalty import ElasticNet as ElasticNet
    from neuralframe.core.penalty import Penalty as Penalty
    from neuralframe.core.projections import Full as Full
    from neuralframe.core.projections import OneToOne as OneToOne
    from neuralframe.core.projections import Projection as Projection
    from neuralframe.core.projections import Sparse as Sparse
    from neuralframe.core.scalar_function import ScalarFunction as ScalarFunction
    from neuralframe.core.topology import Topology as Topology
    from neuralframe.core.transfer_functions import ELU as ELU
    from neuralframe.core.transfer_functions import Gaussian as Gaussian
    from neuralframe.core.transfer_functions import LeakyReLU as LeakyReLU
    from neuralframe.core.transfer_functions import Linear as Linear
    from neuralframe.core.transfer_functions import Log as Log
    from neuralframe.core.transfer_functions import Ramp as Ramp
    from neuralframe.core.transfer_functions import ReLU as ReLU
    from neuralframe.core.transfer_functions import Sgn as Sgn
    from neuralframe.core.transfer_functions import Sigmoid as Sigmoid
    from neuralframe.core.transfer_functions import Sin as Sin
    from neuralframe.core.transfer_functions import Softmax as Softmax
    from neuralframe.core.transfer_functions import Softplus as Softplus
    from neuralframe.core.transfer_functions import Softsign as Softsign
    from neuralframe.core.transfer_functions import Step as Step
    from neuralframe.core.transfer_functions import Tanh as Tanh
    from neuralframe.core.transfer_functions import TransferFunction as TransferFunction
    from neuralframe.core.transfer_functions import Trapezoid as Trapezoid
    from neuralframe.core.weight import Weight as Weight
    from neuralframe.core.weight_groups import WeightGroups as WeightGroups
    from neuralframe.data import datasets as datasets
    from neuralframe.data.blocks import Block as Block
    from neuralframe.data.blocks import Blocks as Blocks
    from neuralframe.data.csv_packing import pack_csv as pack_csv
    from neuralframe.data.data_set import DataSet as DataSet
    from neuralframe.data.encoding import Encoding as Encoding
    from neuralframe.data.normalizers import MaxAbsScaler as MaxAbsScaler
    from neuralframe.data.normalizers import MinMaxScaler as MinMaxScaler
    from neuralframe.data.normalizers import Normalizer as Normalizer
    from neuralframe.data.normalizers import RobustScaler as RobustScaler
    from neuralframe.data.normalizers import Standardizer as Standardizer
    from neuralframe.evaluation.class_probabilities import ClassProbabilities as ClassProbabilities
    from neuralframe.evaluation.comparison import compare as compare
    from neuralframe.evaluation.comparison import mcnemar as mcnemar
    from neuralframe.evaluation.comparison import paired_t as paired_t
    from neuralframe.evaluation.confusion_matrix import ConfusionMatrix as ConfusionMatrix
    from neuralframe.evaluation.confusion_matrix import confusion_matrix as confusion_matrix
    from neuralframe.evaluation.folds import k_folds as k_folds
    from neuralframe.evaluation.folds import stratified_folds as stratified_folds
    from neuralframe.evaluation.reports import ClassificationReport as ClassificationReport
    from neuralframe.evaluation.reports import RegressionReport as RegressionReport
    from neuralframe.exceptions import CheckpointError as CheckpointError
    from neuralframe.exceptions import CheckpointWarning as CheckpointWarning
    from neuralframe.exceptions import ChoiceError as ChoiceError
    from neuralframe.exceptions import DataError as DataError
    from neuralframe.exceptions import DeviceError as DeviceError
    from neuralframe.exceptions import DeviceWarning as DeviceWarning
    from neuralframe.exceptions import DivergenceWarning as DivergenceWarning
    from neuralframe.exceptions import DownloadError as DownloadError
    from neuralframe.exceptions import EngineError as EngineError
    from neuralframe.exceptions import LabelError as LabelError
    from neuralframe.exceptions import LearningRuleError as LearningRuleError
    from neuralframe.exceptions import MissingPackageError as MissingPackageError
    from neuralframe.exceptions import ModelFileError as ModelFileError
    from neuralframe.exceptions import NeuralFrameError as NeuralFrameError
    from neuralframe.exceptions import NeuralFrameWarning as NeuralFrameWarning
    from neuralframe.exceptions import NonFiniteError as NonFiniteError
    from neuralframe.exceptions import PackedDataError as PackedDataError
    from neuralframe.exceptions import ParameterError as ParameterError
    from neuralframe.exceptions import RecordError as RecordError
    from neuralframe.exceptions import ShapeError as ShapeError
    from neuralframe.exceptions import TopologyError as TopologyError
    from neuralframe.kernels.kernel import Kernel as Kernel
    from neuralframe.kernels.sample_sum import SampleSum as SampleSum
    from neuralframe.learning.adagrad import Adagrad as Adagrad
    from neuralframe.learning.adam import Adam as Adam
    from neuralframe.learning.adam import AdamW as AdamW
    from neuralframe.learning.adaptive_rates import AdaptiveRate as AdaptiveRate
    from neuralframe.learning.adaptive_rates import ChanFallside as ChanFallside
    from neuralframe.learning.adaptive_rates import VariableRate as VariableRate
    from neuralframe.learning.armijo_line_search import ArmijoBacktracking as ArmijoBacktracking
    from neuralframe.learning.automatic_line_search import AutomaticLineSearch as AutomaticLineSearch
    from neuralframe.learning.batched_line_search import BatchedLineSearch as BatchedLineSearch
    from neuralframe.learning.bfgs import BFGS as BFGS
    from neuralframe.learning.brent_line_search import BrentLineSearch as BrentLineSearch
    from neuralframe.learning.conjugate_gradient import ConjugateGradient as ConjugateGradient
    from neuralframe.learning.crossovers import ArithmeticCrossover as ArithmeticCrossover
    from neuralframe.learning.crossovers import Crossover as Crossover
    from neuralframe.learning.crossovers import ExchangeCrossover as ExchangeCrossover
    from neuralframe.learning.crossovers import HalfRowsCrossover as HalfRowsCrossover
    from neuralframe.learning.crossovers import NeuronCrossover as NeuronCrossover
    from neuralframe.learning.crossovers import OnePointCrossover as OnePointCrossover
    from neuralframe.learning.crossovers import TwoPointCrossover as TwoPointCrossover
    from neuralframe.learning.crossovers import UniformCrossover as UniformCrossover
    from neuralframe.learning.curvature_sums import GaussNewtonProductSum as GaussNewtonProductSum
    from neuralframe.learning.curvature_sums import GaussNewtonSum as GaussNewtonSum
    from neuralframe.learning.curvature_sums import HessianProductSum as HessianProductSum
    from neuralframe.learning.early_stopping import EarlyStopping as EarlyStopping
    from neuralframe.learning.evolutionary_rate import EvolutionaryRate as EvolutionaryRate
    from neuralframe.learning.genetic_reducer import GeneticReducer as GeneticReducer
    from neuralframe.learning.gradient_descent import GradientDescent as GradientDescent
    from neuralframe.learning.gradient_descent import eaton_olivier_rate as eaton_olivier_rate
    from neuralframe.learning.hager_zhang_line_search import HagerZhangLineSearch as HagerZhangLineSearch
    from neuralframe.learning.lbfgs import LBFGS as LBFGS
    from neuralframe.learning.levenberg_marquardt import LevenbergMarquardt as LevenbergMarquardt
    from neuralframe.learning.line_search import LineSearch as LineSearch
    from neuralframe.learning.manhattan import Manhattan as Manhattan
    from neuralframe.learning.mini_batch import MiniBatchRule as MiniBatchRule
    from neuralframe.learning.particle_swarm import ParticleSwarm as ParticleSwarm
    from neuralframe.learning.quickprop import Quickprop as Quickprop
    from neuralframe.learning.resilient_propagation import ResilientPropagation as ResilientPropagation
    from neuralframe.learning.rmsprop import RMSprop as RMSprop
    from neuralframe.learning.scaled_conjugate_gradient import (
        ScaledConjugateGradient as ScaledConjugateGradient,
    )
    from neuralframe.learning.scheduled_rate import ScheduledRate as ScheduledRate
    from neuralframe.learning.schedules import CosineAnnealing as CosineAnnealing
    from neuralframe.learning.schedules import ExponentialDecay as ExponentialDecay
    from neuralframe.learning.schedules import InverseTime as InverseTime
    from neuralframe.learning.schedules import Schedule as Schedule
    from neuralframe.learning.schedules import StepDecay as StepDecay
    from neuralframe.learning.schedules import WarmUp as WarmUp
    from neuralframe.learning.simulated_annealing import SimulatedAnnealing as SimulatedAnnealing
    from neuralframe.learning.stochastic_gradient_descent import (
        StochasticGradientDescent as StochasticGradientDescent,
    )
    from neuralframe.learning.stop_conditions import ErrorGoal as ErrorGoal
    from neuralframe.learning.stop_conditions import GradientNorm as GradientNorm
    from neuralframe.learning.stop_conditions import MaxIterations as MaxIterations
    from neuralframe.learning.stop_conditions import MaxSeconds as MaxSeconds
    from neuralframe.learning.stop_conditions import SmallChange as SmallChange
    from neuralframe.learning.stop_conditions import StopCondition as StopCondition
    from neuralframe.learning.truncated_newton import TruncatedNewton as TruncatedNewton
    from neuralframe.learning.weight_rates import DeltaBarDelta as DeltaBarDelta
    from neuralframe.learning.weight_rates import SilvaAlmeida as SilvaAlmeida
    from neuralframe.learning.weight_rates import SuperSAB as SuperSAB
    from neuralframe.learning.wolfe_line_search import WolfeLineSearch as WolfeLineSearch
    from neuralframe.mapreduce.engine import Engine as Engine
    from neuralframe.mapreduce.in_process_engine import InProcessEngine as InProcessEngine
    from neuralframe.mapreduce.job import Job as Job
    from neuralframe.mapreduce.mrjob_engine import MRJobEngine as MRJobEngine
    from neuralframe.mapreduce.spark_engine import SparkEngine as SparkEngine
    from neuralframe.networks.adaline import Adaline as Adaline
    from neuralframe.networks.cross_validated import CrossValidation as CrossValidation
    from neuralframe.networks.cross_validated import Fold as Fold
    from neuralframe.networks.cross_validation import cross_validate as cross_validate
    from neuralframe.networks.evaluation import check_gradient as check_gradient
    from neuralframe.networks.evaluation import error_and_gradient as error_and_gradient
    from neuralframe.networks.evaluation import errors as errors
    from neuralframe.networks.explanation import Explanation as Explanation
    from neuralframe.networks.explanation import explain as explain
    from neuralframe.networks.model_file import load as load
    from neuralframe.networks.multilayer_perceptron import MultilayerPerceptron as MultilayerPerceptron
    from neuralframe.networks.neural_network import NeuralNetwork as NeuralNetwork
    from neuralframe.networks.reports import evaluate as evaluate
    from neuralframe.networks.resuming import resume as resume
    from neuralframe.networks.training_run import TrainingRun as TrainingRun
    from neuralframe.networks.two_tower import TwoTowerPerceptron as TwoTowerPerceptron
    from neuralframe.training.checkpoints import Checkpoints as Checkpoints
    from neuralframe.training.control import TrainingControl as TrainingControl
    from neuralframe.training.events import IterationFinished as IterationFinished
    from neuralframe.training.events import LearningStopped as LearningStopped
    from neuralframe.training.history import History as History
    from neuralframe.training.history import IterationRecord as IterationRecord

_HOMES = {
    "core.conclusion": "Conclusion",
    "core.error_functions": (
        "BinaryCrossEntropy CategoricalCrossEntropy CrossEntropy ErrorFunction Huber MeanAbsolute "
        "SumOfSquares"
    ),
    "core.initializers": ("Constant Fan Glorot He Initializer LeCun NguyenWidrow Normal Orthogonal Uniform"),
    "core.input_functions": (
        "And Difference EuclideanRBF InputFunction Maximum Minimum Or Product Sum SumOfSquaredProducts "
        "WeightedSum"
    ),
    "core.learning_rule": "Iterate LearningRule",
    "core.metrics": "Accuracy MeanAbsoluteError Metric RootMeanSquaredError",
    "core.noise": "Dropout InputNoise Noise",
    "core.objective": "Costs Objective",
    "core.objects": "Connection JoinedProjection Layer Neuron",
    "core.penalty": "ElasticNet Penalty",
    "core.projections": "Full OneToOne Projection Sparse",
    "core.scalar_function": "ScalarFunction",
    "core.topology": "Topology",
    "core.transfer_functions": (
        "ELU Gaussian LeakyReLU Linear Log Ramp ReLU Sgn Sigmoid Sin Softmax Softplus Softsign Step Tanh "
        "TransferFunction Trapezoid"
    ),
    "core.weight": "Weight",
    "core.weight_groups": "WeightGroups",
    "data.blocks": "Block Blocks",
    "data.csv_packing": "pack_csv",
    "data.data_set": "DataSet",
    "data.encoding": "Encoding",
    "data.normalizers": "MaxAbsScaler MinMaxScaler Normalizer RobustScaler Standardizer",
    "evaluation.class_probabilities": "ClassProbabilities",
    "evaluation.comparison": "compare mcnemar paired_t",
    "evaluation.confusion_matrix": "ConfusionMatrix confusion_matrix",
    "evaluation.folds": "k_folds stratified_folds",
    "evaluation.reports": "ClassificationReport RegressionReport",
    "exceptions": (
        "CheckpointError CheckpointWarning ChoiceError DataError DeviceError DeviceWarning "
        "DivergenceWarning DownloadError EngineError LabelError LearningRuleError MissingPackageError "
        "ModelFileError NeuralFrameError NeuralFrameWarning NonFiniteError PackedDataError ParameterError "
        "RecordError ShapeError TopologyError"
    ),
    "kernels.kernel": "Kernel",
    "kernels.sample_sum": "SampleSum",
    "learning.adagrad": "Adagrad",
    "learning.adam": "Adam AdamW",
    "learning.adaptive_rates": "AdaptiveRate ChanFallside VariableRate",
    "learning.armijo_line_search": "ArmijoBacktracking",
    "learning.automatic_line_search": "AutomaticLineSearch",
    "learning.batched_line_search": "BatchedLineSearch",
    "learning.bfgs": "BFGS",
    "learning.brent_line_search": "BrentLineSearch",
    "learning.conjugate_gradient": "ConjugateGradient",
    "learning.crossovers": (
        "ArithmeticCrossover Crossover ExchangeCrossover HalfRowsCrossover NeuronCrossover "
        "OnePointCrossover TwoPointCrossover UniformCrossover"
    ),
    "learning.curvature_sums": "GaussNewtonProductSum GaussNewtonSum HessianProductSum",
    "learning.early_stopping": "EarlyStopping",
    "learning.evolutionary_rate": "EvolutionaryRate",
    "learning.genetic_reducer": "GeneticReducer",
    "learning.gradient_descent": "GradientDescent eaton_olivier_rate",
    "learning.hager_zhang_line_search": "HagerZhangLineSearch",
    "learning.lbfgs": "LBFGS",
    "learning.levenberg_marquardt": "LevenbergMarquardt",
    "learning.line_search": "LineSearch",
    "learning.manhattan": "Manhattan",
    "learning.mini_batch": "MiniBatchRule",
    "learning.particle_swarm": "ParticleSwarm",
    "learning.quickprop": "Quickprop",
    "learning.resilient_propagation": "ResilientPropagation",
    "learning.rmsprop": "RMSprop",
    "learning.scaled_conjugate_gradient": "ScaledConjugateGradient",
    "learning.scheduled_rate": "ScheduledRate",
    "learning.schedules": "CosineAnnealing ExponentialDecay InverseTime Schedule StepDecay WarmUp",
    "learning.simulated_annealing": "SimulatedAnnealing",
    "learning.stochastic_gradient_descent": "StochasticGradientDescent",
    "learning.stop_conditions": ("ErrorGoal GradientNorm MaxIterations MaxSeconds SmallChange StopCondition"),
    "learning.truncated_newton": "TruncatedNewton",
    "learning.weight_rates": "DeltaBarDelta SilvaAlmeida SuperSAB",
    "learning.wolfe_line_search": "WolfeLineSearch",
    "mapreduce.engine": "Engine",
    "mapreduce.in_process_engine": "InProcessEngine",
    "mapreduce.job": "Job",
    "mapreduce.mrjob_engine": "MRJobEngine",
    "mapreduce.spark_engine": "SparkEngine",
    "networks.adaline": "Adaline",
    "networks.cross_validated": "CrossValidation Fold",
    "networks.cross_validation": "cross_validate",
    "networks.evaluation": "check_gradient error_and_gradient errors",
    "networks.explanation": "Explanation explain",
    "networks.model_file": "load",
    "networks.multilayer_perceptron": "MultilayerPerceptron",
    "networks.neural_network": "NeuralNetwork",
    "networks.reports": "evaluate",
    "networks.resuming": "resume",
    "networks.training_run": "TrainingRun",
    "networks.two_tower": "TwoTowerPerceptron",
    "training.checkpoints": "Checkpoints",
    "training.control": "TrainingControl",
    "training.events": "IterationFinished LearningStopped",
    "training.history": "History IterationRecord",
}
"""Where the public names live, below this package."""

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__version__ = "0.1.0"
__all__ = ["datasets", *_HOME_OF]  # noqa: PLE0604 - the names are strings


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("neuralframe.data.datasets")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'neuralframe' has no attribute {name!r}")
    value = getattr(import_module(f"neuralframe.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
