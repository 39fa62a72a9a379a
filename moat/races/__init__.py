"""Races: paired scores in, verdicts at every look out, at one level for the whole race."""

from moat.races.design import Design
from moat.races.flips import flip_probability, flips_reject
from moat.races.floor import examples_error
from moat.races.levels import nominal_level, t_interval, t_probabilities
from moat.races.looks import RaceAtLook, looks_of, verdicts_of
from moat.races.pairs import (
    BETTER,
    OPEN,
    WITHIN,
    WORSE,
    PairAtLook,
    Verdict,
    pair_at_look,
)

__all__ = [
    "BETTER",
    "OPEN",
    "WITHIN",
    "WORSE",
    "Design",
    "PairAtLook",
    "RaceAtLook",
    "Verdict",
    "examples_error",
    "flip_probability",
    "flips_reject",
    "looks_of",
    "nominal_level",
    "pair_at_look",
    "t_interval",
    "t_probabilities",
    "verdicts_of",
]
