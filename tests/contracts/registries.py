"""Every implementation of each family of `neuralframe.core`: a new one is one more line here."""

from __future__ import annotations

from neuralframe.core import error_functions as ef
from neuralframe.core import initializers as init
from neuralframe.core import input_functions as inp
from neuralframe.core import transfer_functions as tf

TRANSFER_FUNCTIONS = [
    tf.Linear(),
    tf.Sigmoid(),
    tf.Tanh(),
    tf.Gaussian(),
    tf.Gaussian(sigma=0.3),
    tf.Softmax(),
    tf.ReLU(),
    tf.LeakyReLU(),
    tf.LeakyReLU(slope=0.3),
    tf.ELU(),
    tf.ELU(alpha=0.4),
    tf.Softplus(),
    tf.Softsign(),
    tf.Sin(),
    tf.Log(),
    tf.Step(),
    tf.Step(threshold=0.5, low=-2.0, high=3.0),
    tf.Sgn(),
    tf.Ramp(),
    tf.Ramp(low_x=-2.0, high_x=3.0, low_y=-1.0, high_y=0.5),
    tf.Trapezoid(),
    tf.Trapezoid(left_low=-3.0, left_high=-1.0, right_high=0.5, right_low=1.0),
]

INPUT_FUNCTIONS = [
    inp.WeightedSum(),
    inp.Sum(),
    inp.SumOfSquaredProducts(),
    inp.Product(),
    inp.Minimum(),
    inp.Maximum(),
    inp.Difference(),
    inp.EuclideanRBF(),
    inp.EuclideanRBF(width=0.4),
    inp.And(),
    inp.Or(),
]

ERROR_FUNCTIONS = [
    ef.SumOfSquares(),
    ef.MeanAbsolute(),
    ef.Huber(),
    ef.Huber(delta=0.3),
    ef.CrossEntropy(),
    ef.CategoricalCrossEntropy(),
    ef.BinaryCrossEntropy(),
]

INITIALIZERS = [
    init.NguyenWidrow(),
    init.Glorot(),
    init.Glorot(distribution="normal"),
    init.He(),
    init.He(distribution="normal"),
    init.LeCun(),
    init.LeCun(distribution="normal"),
    init.Orthogonal(),
    init.Orthogonal(gain=2.0),
    init.Uniform(),
    init.Uniform(low=0.0, high=3.0),
    init.Normal(),
    init.Normal(mean=1.0, sd=0.1),
    init.Constant(),
    init.Constant(value=0.25),
]
