"""Threats: what an image may be turned into, and the search for the worst of it."""

from moat.threats.ascent import Climb, Trace, ascend, attacked
from moat.threats.base import GradientThreat, Threat, registry, require_images, search, threat
from moat.threats.flow import Flow
from moat.threats.integrated import Integrated
from moat.threats.pgd import PGD
from moat.threats.rt import RT

__all__ = [
    "PGD",
    "RT",
    "Climb",
    "Flow",
    "GradientThreat",
    "Integrated",
    "Threat",
    "Trace",
    "ascend",
    "attacked",
    "registry",
    "require_images",
    "search",
    "threat",
]
