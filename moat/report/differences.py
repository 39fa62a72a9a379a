"""Paired differences: by how much each setting lies above a baseline, with its standard error."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from moat.errors import FrontError, did_you_mean
from moat.names import NATURAL
from moat.outcomes.intervals import FEWEST_SEEDS
from moat.races import examples_error
from moat.report.front.objectives import SCORES, Objective, robustness, threat_title
from moat.report.intervals import same_examples
from moat.report.numbers import DASH, gap
from moat.report.points import Point, described_type
from moat.report.rows import Row
from moat.report.settings import Setting
from moat.sheets import Sheet, TerminalSheet, narrowed, terminal_of

AVERAGE = "average"
"""The scalarizer of the usual baseline."""


@dataclass(frozen=True)
class ToBaseline:
    """A paired difference of one score, in points, and its standard error where it is known."""

    value: float
    error: float | None

    @property
    def text(self) -> str:
        """The difference and its error.

        Example:
            >>> ToBaseline(-3.84, 1.71).text, ToBaseline(0.5, None).text
            ('-3.8 ± 1.7', '+0.5')
        """
        return gap(self.value) + ("" if self.error is None else f" ± {self.error:.1f}")


@dataclass(frozen=True, eq=False)
class Differences:
    """Every setting beside a baseline: `of` has its scores by the folder of its first run.

    A score is None where a run lacks it, or where no seed is shared. `seeds` are the numbers of
    seeds that the differences are means of.
    """

    baseline: Setting
    scores: tuple[str, ...]
    of: dict[str, dict[str, ToBaseline | None]]
    seeds: tuple[int, ...]

    def beside(self, setting: Setting) -> dict[str, ToBaseline | None]:
        """Return the differences of a setting, none of the baseline itself."""
        return self.of.get(setting.first.where, {})


def differences_to(settings: Sequence[Setting], baseline: str | None = None) -> Differences | None:
    """Return the differences to the setting of this name, or to the usual baseline.

    That is the first that trains with the average of its threats, or else the first that trains
    against any. None if no setting is one, or none is beside it. An unknown name is a FrontError.
    """
    against = _usual(settings) if baseline is None else _named(settings, baseline)
    if against is None or len(settings) < 2:
        return None
    objectives = {
        NATURAL: SCORES[NATURAL],
        **{threat_title(name): robustness(name) for name in against.first.scored},
        **{name: SCORES[name] for name in ("total", "union")},
    }
    pairs = {s.first.where: _pairs(s, against) for s in settings if s is not against}
    return Differences(
        against,
        tuple(objectives),
        {where: _of_pairs(found, objectives) for where, found in pairs.items()},
        tuple(sorted({len(found) for found in pairs.values()})),
    )


def require_baseline(settings: Sequence[Setting], name: str) -> None:
    """Raise FrontError, with the nearest, unless a setting has this name."""
    known = list(dict.fromkeys(one for s in settings for one in (s.name, s.first.label)))
    if name not in known:
        raise FrontError(
            f"no setting is called {name!r}.{did_you_mean(name, known)}",
            where="baseline",
            hint=f"known: {', '.join(known)}",
        )


def _named(settings: Sequence[Setting], name: str) -> Setting | None:
    found = [s for s in settings if s.name == name] or [
        s for s in settings if s.first.label == name
    ]
    return found[0] if found else None


def _usual(settings: Sequence[Setting]) -> Setting | None:
    robust = [one for one in settings if not (one.first.is_natural or _is_natural_end(one.first))]
    average = [
        setting
        for setting in robust
        if described_type(setting.first.trains.get("scalarizer")) == AVERAGE
        and len(setting.first.trains.get("threats", {})) > 1
    ]
    return next(iter([*average, *robust]), None)


def _is_natural_end(point: Point) -> bool:
    """Say whether a run is the point of a conditioned network without any robust weight."""
    at = point.trains.get("conditioned", {}).get("at")
    return at.get(NATURAL) == 1 if isinstance(at, dict) else at == 0


def _pairs(setting: Setting, against: Setting) -> list[tuple[Row, Row]]:
    """Return the runs of both of each seed that both have."""
    others = {row.point.seed: row for row in against.rows}
    return [(row, others[row.point.seed]) for row in setting.rows if row.point.seed in others]


def _of_pairs(
    pairs: Sequence[tuple[Row, Row]], objectives: dict[str, Objective]
) -> dict[str, ToBaseline | None]:
    alike = same_examples(row.point for pair in pairs for row in pair) if pairs else False
    return {name: _difference(pairs, o, alike=alike) for name, o in objectives.items()}


def _difference(
    pairs: Sequence[tuple[Row, Row]], objective: Objective, *, alike: bool
) -> ToBaseline | None:
    values = [[objective.value(row) for row in pair] for pair in pairs]
    apart = [one - other for one, other in values if one is not None and other is not None]
    if not apart or len(apart) < len(pairs):
        return None
    if not alike or 1 < len(pairs) < FEWEST_SEEDS:
        return ToBaseline(float(np.mean(apart)), None)
    each = np.stack([objective.per_example(one) - objective.per_example(two) for one, two in pairs])
    luck = float(np.var(apart, ddof=1)) / len(apart) if len(apart) > 1 else 0.0
    return ToBaseline(float(np.mean(apart)), float(np.hypot(luck**0.5, examples_error(each))))


def differences_sheet(found: Differences, settings: Sequence[Setting]) -> Sheet:
    """Return a line for each setting but the baseline: each score's difference and its error."""
    rows = []
    for setting in settings:
        beside = found.beside(setting)
        if beside:
            cells = [DASH if of is None else of.text for of in beside.values()]
            rows.append((setting.name, *cells))
    return Sheet(
        headings=(f"less {found.baseline.name}", *found.scores),
        rows=tuple(rows),
        sides="l" + "r" * len(found.scores),
        notes=(differences_note(found),),
    )


def differences_table(
    found: Differences, settings: Sequence[Setting], width: int = 120
) -> TerminalSheet:
    """Return the same for the terminal; in a narrow one, without some of the threats."""
    sheet = differences_sheet(found, settings)
    kept = (NATURAL, "total", "union")
    spare = [*(name for name in reversed(found.scores) if name not in kept), "union"]
    return narrowed(sheet, width, spare, partial(terminal_of, gap=0))


def differences_note(found: Differences) -> str:
    """Return what is paired, and what the errors are of."""
    several = [seeds for seeds in found.seeds if seeds != 1]
    over = "test images alone, not the luck of training"
    if several:
        over = "test images and seeds"
        over += "; of one seed, of test images alone" if 1 in found.seeds else ""
        over += "; none of two seeds" if 2 in found.seeds else ""
    return (
        f"Differences to {found.baseline.name} in points, paired by seed and test image, ± their "
        f"standard error over {over}. That in universal is that in total."
    )
