"""Threats: sets of perturbed images, and the search for the worst member."""

from moat.threats import radii as radii  # declares its look at the numbers of a threat
from moat.threats.ascent import ascend, attacked, to_eval
from moat.threats.autoattack import AutoAttack
from moat.threats.base import Repetition, Threat, registry, threat
from moat.threats.batch import Inputs, batch_of, largest_of
from moat.threats.climb import Climb, Trace
from moat.threats.costs import Spent, spent_by
from moat.threats.devices import device_of, home_of
from moat.threats.flow import Flow
from moat.threats.footprint import LiveBytes, example_bytes
from moat.threats.friendly import Friendly
from moat.threats.gradient import GradientThreat, StepSize, with_steps, within_ball
from moat.threats.guard import bare, door, guarded_network, is_trusted, trusted
from moat.threats.integrated import Integrated
from moat.threats.joint import JointSearch, SearchedThreat, joint_search, search
from moat.threats.logits import (
    require_classes,
    require_logits,
    require_no_probabilities,
)
from moat.threats.moving import Moving, Warp
from moat.threats.msd import MSD
from moat.threats.pgd import PGD
from moat.threats.rt import RT
from moat.threats.rt_grid import RTGrid
from moat.threats.short_search import ShortSearch, steps_at
from moat.threats.stadv import StAdv
from moat.threats.table import threat_table, type_labels

__all__ = [
    "MSD",
    "PGD",
    "RT",
    "AutoAttack",
    "Climb",
    "Flow",
    "Friendly",
    "GradientThreat",
    "Inputs",
    "Integrated",
    "JointSearch",
    "LiveBytes",
    "Moving",
    "RTGrid",
    "Repetition",
    "SearchedThreat",
    "ShortSearch",
    "Spent",
    "StAdv",
    "StepSize",
    "Threat",
    "Trace",
    "Warp",
    "ascend",
    "attacked",
    "bare",
    "batch_of",
    "device_of",
    "door",
    "example_bytes",
    "guarded_network",
    "home_of",
    "is_trusted",
    "joint_search",
    "largest_of",
    "registry",
    "require_classes",
    "require_logits",
    "require_no_probabilities",
    "search",
    "spent_by",
    "steps_at",
    "threat",
    "threat_table",
    "to_eval",
    "trusted",
    "type_labels",
    "with_steps",
    "within_ball",
]
