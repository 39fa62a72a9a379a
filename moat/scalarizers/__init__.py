"""Losses in, weights out: how several objectives become one descent direction."""

from moat.scalarizers.average import Average
from moat.scalarizers.base import (
    GradientScalarizer,
    LaggedScalarizer,
    LossScalarizer,
    Scalarizer,
    registry,
    scalarizer,
)
from moat.scalarizers.choice import scalarizer_for
from moat.scalarizers.max import Max
from moat.scalarizers.mgda import MGDA
from moat.scalarizers.natural import Natural
from moat.scalarizers.own_losses import weights_for
from moat.scalarizers.robust_error import RobustError
from moat.scalarizers.sampled import Sampled
from moat.scalarizers.two_moment import TwoMoment

__all__ = [
    "MGDA",
    "Average",
    "GradientScalarizer",
    "LaggedScalarizer",
    "LossScalarizer",
    "Max",
    "Natural",
    "RobustError",
    "Sampled",
    "Scalarizer",
    "TwoMoment",
    "registry",
    "scalarizer",
    "scalarizer_for",
    "weights_for",
]
