"""Figure 3: accuracy under some threats as a variant trains against stronger ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from moat.errors import PlotError, UnsearchedError
from moat.outcomes import Outcomes, searches_of, share
from moat.outcomes.searches import Searches
from moat.records.figures import CONDITIONAL, Relationship
from moat.report.intervals import Interval, seeds_share_interval
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.notes import protocol_text
from moat.report.plots.looks import bands_text, draw_line
from moat.report.plots.sweeps import Swept, scored, swept
from moat.report.settings import Runs
from moat.report.style import PAPER, drawn_in


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
    """Return the figure: a line a strength, a colour and dashes a threat, light to dark.

    Up to two threats share a panel, more have one each. PlotError where the runs are missing.
    """
    across = swept(runs, study, figure.variant, figure.across, figure.zero)
    series = series_of(runs, across, scored(runs, figure.threats), figure.measure == CONDITIONAL)
    threats = list(dict.fromkeys(line.threat for line in series))
    shown = [threats] if len(threats) <= 2 else [[threat] for threat in threats]
    columns = min(2, len(shown))
    looks = _looks(runs, series)
    measured = f"{'conditional ' if figure.measure == CONDITIONAL else ''}accuracy (%)"
    with drawn_in(PAPER):
        panels = Panels(
            rows=-(-len(shown) // columns),
            columns=columns,
            height=1.9 if len(shown) == 1 else 1.2,
            left=0.36,
            between=(0.36, 0.56),  # each panel has a scale of its own
            title=0.2 if len(shown) == 1 else 0.28,
        )
        handles, count = _legend(runs, series, looks)
        caption = _caption(runs, across, study, figure)
        figure_, every = lay_out(panels, runs.group.title, handles, caption, count)
        for axes in every[len(shown) :]:
            axes.remove()
        for number, (axes, names) in enumerate(zip(every, shown, strict=False)):
            plain(axes)
            for line in series:
                if line.threat in names:
                    draw_line(axes, across.places, line.values, looks[line], line.bands)
            across.dress(axes)
            labelled = number % columns == 0
            axes.set_ylabel(measured if labelled else "", fontsize=TEXT, labelpad=1.5)
            axes.set_title("" if len(shown) == 1 else names[0], fontsize=7, pad=3)
    return figure_


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


def _looks(runs: Runs, series: Sequence[Series]) -> dict[Series, dict[str, Any]]:
    """Return a look a line: its threat's, light to dark, the strongest with the threat's marker."""
    looks = {}
    for threat in dict.fromkeys(line.threat for line in series):
        mine = [line for line in series if line.threat == threat]
        look = runs.group.looks.of_objective(threat)
        for place, line in enumerate(mine):
            looks[line] = look.of_strength(place, len(mine)).line
    return looks


def _name(runs: Runs, line: Series) -> str:
    """Return a threat and its strength: "flow, 10 iterations", "pgd, ε 0.1", an ensemble alone."""
    threat = runs.group.protocol.threats.get(line.threat)
    if threat is None or threat.has_one_strength:
        return line.threat
    return f"{line.threat}, {threat.written(float(line.strength), 'iteration')}"


def _legend(
    runs: Runs, series: Sequence[Series], looks: Mapping[Series, dict[str, Any]]
) -> tuple[list[Line2D], int]:
    """Return a line of the legend a series, a column a threat, and how many columns there are."""
    threats: dict[str, list[Series]] = {}
    for line in series:
        threats.setdefault(line.threat, []).append(line)
    longest = max(map(len, threats.values()))
    handles = []
    for lines in threats.values():
        handles += [
            Line2D(
                [],
                [],
                label=_name(runs, s),
                **looks[s],
                linewidth=1.1,
                markersize=3.5,
            )
            for s in lines
        ]
        blank = [Line2D([], [], linestyle="", label=" ") for _ in range(longest - len(lines))]
        handles += blank
    return handles, len(threats)


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
