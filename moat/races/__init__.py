"""Races: paired scores in, verdicts at every look out, at one level for the whole race."""

from moat.races.design import Design
from moat.races.flips import flip_probability, flips_reject
from moat.races.floor import examples_error
from moat.races.levels import nominal_level, t_interval, t_probabilities
from moat.races.looks import RaceAtLook, race_looks, verdicts_of
from moat.races.pairs import (
    BETTER,
    UNDECIDED,
    WITHIN,
    WORSE,
    PairAtLook,
    PairVerdict,
    pair_at_look,
)
from moat.races.reach import can_decide, fewest_seeds

__all__ = [
    "BETTER",
    "UNDECIDED",
    "WITHIN",
    "WORSE",
    "Design",
    "PairAtLook",
    "PairVerdict",
    "RaceAtLook",
    "can_decide",
    "examples_error",
    "fewest_seeds",
    "flip_probability",
    "flips_reject",
    "nominal_level",
    "pair_at_look",
    "race_looks",
    "t_interval",
    "t_probabilities",
    "verdicts_of",
]
