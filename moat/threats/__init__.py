"""Threats: what an image may be turned into, and the search for the worst of it."""

from moat.threats.ascent import Climb, Trace, ascend, attacked
from moat.threats.autoattack import AutoAttack
from moat.threats.base import (
    GradientThreat,
    SearchedThreat,
    StepSize,
    Threat,
    registry,
    require_images,
    search,
    threat,
)
from moat.threats.flow import Flow
from moat.threats.integrated import Integrated
from moat.threats.moving import Moving, Warp
from moat.threats.pgd import PGD
from moat.threats.rt import RT
from moat.threats.rt_grid import RTGrid
from moat.threats.spent import Spent, spent_by
from moat.threats.stadv import StAdv

__all__ = [
    "PGD",
    "RT",
    "AutoAttack",
    "Climb",
    "Flow",
    "GradientThreat",
    "Integrated",
    "Moving",
    "RTGrid",
    "SearchedThreat",
    "Spent",
    "StAdv",
    "StepSize",
    "Threat",
    "Trace",
    "Warp",
    "ascend",
    "attacked",
    "registry",
    "require_images",
    "search",
    "spent_by",
    "threat",
]
