"""The reach of a planned race: whether it can decide, and the number of seeds that can."""

from dataclasses import replace
from math import comb

from moat.errors import InputError
from moat.races import can_decide, fewest_seeds
from moat.records import RaceRecord
from moat.report.race.plan import design_of

_RESOLUTION = 2.0**-13
"""The smallest p of sign flips, of which no more than 8,192 are drawn."""


def require_reach(record: RaceRecord) -> None:
    """Raise InputError for a race without a margin of which no look can decide."""
    if not record.margin and not _is_decidable(record):
        raise InputError(f"{_fault(record)}.", where="seeds", hint=_mend(record))


def reach_lines(record: RaceRecord) -> list[str]:
    """Return a note for a race that can only find rules within the margin."""
    if _is_decidable(record):
        return []
    said = _fault(record)
    return [
        f"{said[0].upper()}{said[1:]}. Within the margin is decided only if all differences are 0. "
        f"{_mend(record)}"
    ]


def _is_decidable(record: RaceRecord) -> bool:
    return can_decide(design_of(record), _pairs(record))


def _fault(record: RaceRecord) -> str:
    first, last = record.looks
    pairs, least = _pairs(record), max(2.0 ** (1 - last), _RESOLUTION)
    share = f", shared by {pairs} pairs of rules" if pairs > 1 else ""
    return (
        f"no look after {first} to {last} seeds can decide better or worse by sign flips: their p "
        f"is {least:.2g} or more, and the level is {100 * record.level:g} %{share}"
    )


def _mend(record: RaceRecord) -> str:
    design, pairs = design_of(record), _pairs(record)
    least, fewest = 2 * _RESOLUTION * pairs, fewest_seeds(design, pairs)
    raised = ""
    if fewest is None:
        raised = f"Raise the level to {least:g} or more. "
        fewest = fewest_seeds(replace(design, level=least), pairs)
    return (
        f"{raised}Take {fewest} seeds or more for the last look: {design.first}..{fewest}. "
        "Student's t, the test without --exact, has no such bound."
    )


def _pairs(record: RaceRecord) -> int:
    """Return the number of pairs of rules that the race compares; chosen points count as rules."""
    rules = len(record.rules) + (0 if record.choice else len(record.choose))
    return rules - 1 if record.baseline else comb(rules, 2)
