"""Every learning rule that the battery of contracts is run over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.learning.adagrad import Adagrad
from neuralframe.learning.adam import Adam, AdamW
from neuralframe.learning.adaptive_rates import ChanFallside, VariableRate
from neuralframe.learning.batched_line_search import BatchedLineSearch
from neuralframe.learning.bfgs import BFGS
from neuralframe.learning.conjugate_gradient import ConjugateGradient
from neuralframe.learning.evolutionary_rate import EvolutionaryRate
from neuralframe.learning.genetic_reducer import GeneticReducer
from neuralframe.learning.gradient_descent import GradientDescent
from neuralframe.learning.lbfgs import LBFGS
from neuralframe.learning.levenberg_marquardt import LevenbergMarquardt
from neuralframe.learning.manhattan import Manhattan
from neuralframe.learning.particle_swarm import ParticleSwarm
from neuralframe.learning.quickprop import Quickprop
from neuralframe.learning.resilient_propagation import ResilientPropagation
from neuralframe.learning.rmsprop import RMSprop
from neuralframe.learning.scaled_conjugate_gradient import ScaledConjugateGradient
from neuralframe.learning.scheduled_rate import ScheduledRate
from neuralframe.learning.schedules import ExponentialDecay, InverseTime
from neuralframe.learning.simulated_annealing import SimulatedAnnealing
from neuralframe.learning.stochastic_gradient_descent import StochasticGradientDescent
from neuralframe.learning.truncated_newton import TruncatedNewton
from neuralframe.learning.weight_rates import DeltaBarDelta, SilvaAlmeida, SuperSAB

if TYPE_CHECKING:
    from neuralframe.core.learning_rule import LearningRule


@attrs.frozen
class Entry:
    """A rule, and within how many iterations it solves each problem.

    `on_rosenbrock` is the same rule with other hyper-parameters, where the problem needs them.
    `minds_origin` says that a constant added to the error changes what the rule does.
    """

    rule: LearningRule
    quadratic: int = attrs.field(kw_only=True)
    rosenbrock: int = attrs.field(kw_only=True)
    on_rosenbrock: LearningRule | None = attrs.field(default=None, kw_only=True)
    minds_origin: bool = attrs.field(default=False, kw_only=True)


_PLAIN, _HEAVY, _BOLD = GradientDescent(0.001), GradientDescent(0.001, 0.95), VariableRate()
_SLOW, _SLOWER = ExponentialDecay(0.999), ExponentialDecay(0.9995)
_BRED = {"local_epochs": 0, "mutation": 0.3, "mutation_share": 1.0, "annealing": 0.998, "survivors": 0.25}

_GRADIENTS = BatchedLineSearch(gradients=True)

LEARNING_RULES = [
    Entry(GradientDescent(0.0019), quadratic=3500, rosenbrock=15_100, on_rosenbrock=_PLAIN),
    Entry(GradientDescent(0.0035, 0.9), quadratic=190, rosenbrock=640, on_rosenbrock=_HEAVY),
    Entry(GradientDescent(adaptive=_BOLD), quadratic=3600, rosenbrock=10_200, minds_origin=True),
    Entry(GradientDescent(0.001, 0.9, adaptive=_BOLD), quadratic=450, rosenbrock=1000, minds_origin=True),
    Entry(GradientDescent(adaptive=VariableRate(tolerance=1)), quadratic=4000, rosenbrock=12_000),
    Entry(GradientDescent(0.001, 0.95, nesterov=True), quadratic=280, rosenbrock=480),
    Entry(GradientDescent(0.001, 0.9, adaptive=SilvaAlmeida()), quadratic=660, rosenbrock=980),
    Entry(GradientDescent(0.001, 0.9, adaptive=SuperSAB()), quadratic=2000, rosenbrock=2700),
    Entry(GradientDescent(0.001, 0.9, adaptive=DeltaBarDelta(1e-5)), quadratic=650, rosenbrock=680),
    Entry(GradientDescent(0.001, 0.5, adaptive=ChanFallside()), quadratic=1600, rosenbrock=3200),
    Entry(
        GradientDescent(0.001, 0.9, adaptive=ScheduledRate(InverseTime(1000))),
        quadratic=860,
        rosenbrock=3200,
    ),
    Entry(Quickprop(0.001), quadratic=2000, rosenbrock=1750),
    Entry(
        Manhattan(0.01, schedule=_SLOW),
        quadratic=9200,
        rosenbrock=17_200,
        on_rosenbrock=Manhattan(0.01, schedule=_SLOWER),
    ),
    Entry(EvolutionaryRate(), quadratic=3100, rosenbrock=8800),
    Entry(StochasticGradientDescent(0.001, 0.9), quadratic=610, rosenbrock=1400),
    Entry(StochasticGradientDescent(0.001, 0.95, nesterov=True), quadratic=280, rosenbrock=480),
    Entry(Adam(0.1), quadratic=1500, rosenbrock=1150),
    Entry(Adam(0.1, batch_blocks=None), quadratic=1500, rosenbrock=1150),
    Entry(AdamW(0.1, decay=1e-6), quadratic=1500, rosenbrock=1150),
    Entry(RMSprop(0.01, momentum=0.9, schedule=_SLOW), quadratic=820, rosenbrock=730),
    Entry(RMSprop(0.01, centered=True, schedule=_SLOW), quadratic=5700, rosenbrock=5600),
    Entry(Adagrad(0.5), quadratic=7200, rosenbrock=8000),
    Entry(ResilientPropagation("rprop-"), quadratic=4400, rosenbrock=8600),
    Entry(ResilientPropagation("irprop-"), quadratic=1800, rosenbrock=3600),
    Entry(ResilientPropagation("rprop+"), quadratic=4100, rosenbrock=9400),
    Entry(ResilientPropagation("irprop+"), quadratic=1800, rosenbrock=3500),
    Entry(
        GeneticReducer(32, crossover="arithmetic", **_BRED), quadratic=450, rosenbrock=1400, minds_origin=True
    ),
    Entry(
        GeneticReducer(32, crossover="uniform", **_BRED), quadratic=1000, rosenbrock=900, minds_origin=True
    ),
    Entry(SimulatedAnnealing(), quadratic=7000, rosenbrock=3100),
    Entry(ParticleSwarm(), quadratic=4200, rosenbrock=100),
    Entry(LevenbergMarquardt(), quadratic=1, rosenbrock=15),
    Entry(LevenbergMarquardt(trials=4), quadratic=1, rosenbrock=18),
    Entry(TruncatedNewton(), quadratic=11, rosenbrock=27),
    Entry(TruncatedNewton("hessian", damping=1.0), quadratic=10, rosenbrock=29),
    Entry(ConjugateGradient("fletcher_reeves"), quadratic=24, rosenbrock=37),
    Entry(ConjugateGradient("polak_ribiere"), quadratic=46, rosenbrock=37),
    Entry(ConjugateGradient("hestenes_stiefel"), quadratic=24, rosenbrock=37),
    Entry(ConjugateGradient("dai_yuan"), quadratic=27, rosenbrock=37),
    Entry(ConjugateGradient("hager_zhang", restart_every=5, powell=None), quadratic=130, rosenbrock=24),
    Entry(ConjugateGradient(line_search="hager_zhang"), quadratic=125, rosenbrock=42),
    Entry(ConjugateGradient(line_search="brent"), quadratic=28, rosenbrock=37),
    Entry(ConjugateGradient(line_search="armijo"), quadratic=860, rosenbrock=1950),
    Entry(ConjugateGradient(line_search="batched"), quadratic=24, rosenbrock=43),
    Entry(BFGS(), quadratic=62, rosenbrock=40),
    Entry(BFGS(line_search="batched"), quadratic=12, rosenbrock=25),
    Entry(LBFGS(), quadratic=52, rosenbrock=37),
    Entry(LBFGS(3, line_search="hager_zhang"), quadratic=130, rosenbrock=40),
    Entry(LBFGS(line_search="brent"), quadratic=11, rosenbrock=23),
    Entry(LBFGS(line_search="armijo"), quadratic=42, rosenbrock=33),
    Entry(LBFGS(line_search=_GRADIENTS), quadratic=45, rosenbrock=28),
    Entry(ScaledConjugateGradient(), quadratic=25, rosenbrock=105),
]
