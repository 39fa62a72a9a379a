"""Lines of threats across a strength: accuracies, and differences of scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from moat.report.intervals import Interval
from moat.report.layout import TEXT, Panels, lay_out, plain
from moat.report.plots.looks import draw_line
from moat.report.plots.sweeps import Swept
from moat.report.style import GREY, PAPER, drawn_in

_ASIDE = 1.6  # points between the bars of neighbouring lines


@dataclass(frozen=True, eq=False)
class ThreatLine:
    """A line: its threat, its name in the legend, its look, and at each place values by seed."""

    threat: str
    name: str
    look: dict[str, Any]
    values: Sequence[Sequence[float]]
    bands: Sequence[Interval | None]


@dataclass(frozen=True, eq=False)
class ThreatChart:
    """Lines of threats across the values of a key.

    `apart`: three threats or more have a panel each. `zero` draws a line at 0, for differences.
    `bars` draws intervals as bars, line beside line, where bands would hide each other.
    """

    title: str
    lines: Sequence[ThreatLine]
    across: Swept
    measured: str
    caption: str
    apart: bool = False
    zero: bool = False
    bars: bool = False


def draw_threat_lines(chart: ThreatChart) -> Figure:
    """Return the figure of a chart, one column of a paper wide."""
    threats = list(dict.fromkeys(line.threat for line in chart.lines))
    split = chart.apart and len(threats) > 2
    shown = [[threat] for threat in threats] if split else [threats]
    columns = min(2, len(shown))
    handles, count = _legend(chart.lines)
    with drawn_in(PAPER):
        panels = Panels(
            rows=-(-len(shown) // columns),
            columns=columns,
            height=1.2 if split else 1.9,
            left=0.46 if chart.zero else 0.36,
            between=(0.36, 0.56),  # each panel has a scale of its own
            title=0.28 if split else 0.2,
        )
        figure, every = lay_out(panels, chart.title, handles, chart.caption, count)
        for axes in every[len(shown) :]:
            axes.remove()
        for number, (axes, names) in enumerate(zip(every, shown, strict=False)):
            plain(axes)
            if chart.zero:
                axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
            mine = [line for line in chart.lines if line.threat in names]
            for place, line in enumerate(mine):
                across = chart.across.places
                if chart.bars:
                    _draw_bars(axes, across, line, place - (len(mine) - 1) / 2)
                else:
                    draw_line(axes, across, line.values, line.look, line.bands)
            chart.across.dress(axes)
            labelled = number % columns == 0
            axes.set_ylabel(chart.measured if labelled else "", fontsize=TEXT, labelpad=1.5)
            axes.set_title(names[0] if split else "", fontsize=7, pad=3)
    return figure


def _draw_bars(axes: Any, across: Sequence[float], line: ThreatLine, aside: float) -> None:
    """Draw a line with its intervals as bars, moved aside by so many of their distances."""
    moved = ScaledTranslation(aside * _ASIDE / 72, 0, axes.figure.dpi_scale_trans)
    draw_line(axes, across, line.values, line.look, ())
    drawn = [axes.lines[-1]]
    ends = [(at, one.low, one.high) for at, one in zip(across, line.bands, strict=True) if one]
    if ends:
        at, low, high = zip(*ends, strict=True)
        drawn.append(axes.vlines(at, low, high, color=line.look["color"], linewidth=0.8))
    for artist in drawn:  # only now, so that the scales are those of the values
        artist.set_transform(axes.transData + moved)


def strength_looks(threats: Sequence[str], looks: Any) -> list[dict[str, Any]]:
    """Return a look for each line, given its threat: light to dark, the last with its marker.

    `looks` are those of objectives: `Looks.of_objective`, say.
    """
    found: list[dict[str, Any]] = []
    for place, threat in enumerate(threats):
        mine = [at for at, name in enumerate(threats) if name == threat]
        found.append(looks(threat).of_strength(mine.index(place), len(mine)).line)
    return found


def _legend(lines: Sequence[ThreatLine]) -> tuple[list[Line2D], int | None]:
    """Return the lines of the legend, a column for each threat, and the count of columns."""
    threats: dict[str, list[ThreatLine]] = {}
    for line in lines:
        threats.setdefault(line.threat, []).append(line)
    longest = max(map(len, threats.values()))
    handles = []
    for mine in threats.values():
        handles += [
            Line2D([], [], label=line.name, **line.look, linewidth=1.1, markersize=3.5)
            for line in mine
        ]
        handles += [Line2D([], [], linestyle="", label=" ") for _ in range(longest - len(mine))]
    return handles, len(threats) if longest > 1 else None
