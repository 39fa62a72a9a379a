"""Figure 3: accuracy under some threats as a variant trains against stronger ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from moat.errors import PlotError, UnsearchedError
from moat.outcomes import Outcomes, searches_of, share
from moat.outcomes.searches import Searches
from moat.records.figures import CONDITIONAL, Relationship
from moat.report.intervals import Interval, seeds_share_interval
from moat.report.notes import protocol_text
from moat.report.plots.looks import bands_text
from moat.report.plots.sweeps import Swept, scored, swept
from moat.report.plots.threat_lines import (
    ThreatChart,
    ThreatLine,
    draw_threat_lines,
    strength_looks,
)
from moat.report.settings import Runs


@dataclass(frozen=True)
class Series:
    """One line: a threat at one of its strengths, with a value a seed at each place.

    `bands` has the interval at each place, where there is one.
    """

    threat: str
    strength: str
    values: tuple[tuple[float, ...], ...]
    bands: tuple[Interval | None, ...]


def draw_relationship(runs: Runs, study: str, figure: Relationship) -> Figure:
    """Return the figure: a line for each strength, colour and dashes by threat, light to dark.

    Up to two threats share a panel, more have one each. PlotError where the runs are missing.
    """
    across = swept(runs, study, figure.variant, figure.across, figure.zero)
    series = series_of(runs, across, scored(runs, figure.threats), figure.measure == CONDITIONAL)
    looks = strength_looks([line.threat for line in series], runs.group.looks.of_objective)
    lines = [
        ThreatLine(line.threat, _name(runs, line), look, line.values, line.bands)
        for line, look in zip(series, looks, strict=True)
    ]
    measured = f"{'conditional ' if figure.measure == CONDITIONAL else ''}accuracy (%)"
    caption = _caption(runs, across, study, figure)
    chart = ThreatChart(runs.group.title, lines, across, measured, caption, apart=True)
    return draw_threat_lines(chart)


def series_of(runs: Runs, across: Swept, threats: Sequence[str], conditional: bool) -> list[Series]:
    """Return a line for each strength of each threat; PlotError where nothing was searched."""
    found: dict[tuple[str, str], list[tuple[tuple[float, ...], Interval | None]]] = {}
    for column in across.columns:
        seeds = [point.outcomes for point in column.points]
        for threat in threats:
            each = [_at_strengths(outcomes, threat, conditional) for outcomes in seeds]
            for strength in each[0]:
                values = tuple(values[strength] for values in each)
                searched = _strengths(column.first.outcomes, threat)[strength]
                band = seeds_share_interval(column.points, searched, conditional)
                found.setdefault((threat, strength), []).append((values, band))
    if not found:
        raise PlotError(
            "no threat has an accuracy at its strengths.",
            hint="An evaluation with union_only has no score for a single threat.",
        )
    return [
        Series(threat, strength, *zip(*at_places, strict=True))
        for (threat, strength), at_places in found.items()
    ]


def _at_strengths(outcomes: Outcomes, name: str, conditional: bool) -> dict[str, float]:
    """Return the accuracy at each strength of a threat, at the one of an ensemble; none of none."""
    try:
        return {
            strength: share(outcomes, searches, conditional=conditional)
            for strength, searches in _strengths(outcomes, name).items()
        }
    except UnsearchedError:
        return {}


def _strengths(outcomes: Outcomes, name: str) -> dict[str, Searches]:
    """Return the searches at each strength of a threat, or the one group of an ensemble."""
    groups = searches_of(outcomes, name)
    return {"" if name in outcomes.ensembles else group[0].written: group for group in groups}


def _name(runs: Runs, line: Series) -> str:
    """Return a threat and its strength: "flow, 10 iterations", "pgd, ε 0.1", an ensemble alone."""
    threat = runs.group.protocol.threats.get(line.threat)
    if threat is None or threat.has_one_strength:
        return line.threat
    return f"{line.threat}, {threat.written(float(line.strength), 'iteration')}"


def _caption(runs: Runs, across: Swept, study: str, figure: Relationship) -> str:
    among = "all test examples"
    if figure.measure == CONDITIONAL:
        among = "the test examples that the model classifies correctly without a threat"
    words = [
        f"{figure.variant} of {study}: accuracy in % of {among}, from light to dark as the threat "
        "grows.",
        f"At 0: {figure.zero}." if figure.zero else "",
        bands_text(across.columns),
        protocol_text(runs.group),
    ]
    return " ".join(filter(None, words))
