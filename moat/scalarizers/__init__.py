"""Losses in, weights out: several objectives become one descent direction."""

from moat.scalarizers.aligned import Aligned
from moat.scalarizers.average import Average
from moat.scalarizers.base import (
    EVERY_OBJECTIVE,
    GradientScalarizer,
    LaggedScalarizer,
    LossScalarizer,
    Scalarizer,
    registry,
    scalarizer,
)
from moat.scalarizers.batch_max import BatchMax
from moat.scalarizers.cagrad import CAGrad
from moat.scalarizers.choice import scalarizer_for
from moat.scalarizers.dwa import DWA
from moat.scalarizers.famo import FAMO
from moat.scalarizers.gradnorm import GradNorm
from moat.scalarizers.imtl_g import IMTLG
from moat.scalarizers.max import Max
from moat.scalarizers.mgda import MGDA
from moat.scalarizers.nash import Nash
from moat.scalarizers.natural import Natural
from moat.scalarizers.own_losses import weights_for
from moat.scalarizers.pcgrad import PCGrad
from moat.scalarizers.random import Random
from moat.scalarizers.random_preference import RandomPreference
from moat.scalarizers.robust_error import RobustError
from moat.scalarizers.sampled import Sampled
from moat.scalarizers.smooth_tchebycheff import SmoothTchebycheff
from moat.scalarizers.softmax import Softmax
from moat.scalarizers.tchebycheff import Tchebycheff
from moat.scalarizers.two_moment import TwoMoment
from moat.scalarizers.uncertainty import UncertaintyWeighting
from moat.scalarizers.upgrad import UPGrad
from moat.scalarizers.weighted import Weighted

__all__ = [
    "DWA",
    "EVERY_OBJECTIVE",
    "FAMO",
    "IMTLG",
    "MGDA",
    "Aligned",
    "Average",
    "BatchMax",
    "CAGrad",
    "GradNorm",
    "GradientScalarizer",
    "LaggedScalarizer",
    "LossScalarizer",
    "Max",
    "Nash",
    "Natural",
    "PCGrad",
    "Random",
    "RandomPreference",
    "RobustError",
    "Sampled",
    "Scalarizer",
    "SmoothTchebycheff",
    "Softmax",
    "Tchebycheff",
    "TwoMoment",
    "UPGrad",
    "UncertaintyWeighting",
    "Weighted",
    "registry",
    "scalarizer",
    "scalarizer_for",
    "weights_for",
]
