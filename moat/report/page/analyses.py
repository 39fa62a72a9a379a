"""The analyses of a page: each picture in the page itself, with what was found."""

import base64
from dataclasses import dataclass
from pathlib import Path

from moat.errors import MoatError
from moat.records import Analysis
from moat.report.figures.caption import finding_line
from moat.report.figures.finding import readable_analyses
from moat.report.points import error_text

ANALYSES_BUDGET = 3_000_000
"""Characters that all pictures of analyses may take on a page."""


@dataclass(frozen=True)
class AnalysisFigure:
    """An analysis as the page shows it; `url` is "" where the page has no room for the picture."""

    place: str
    kind: str
    url: str
    words: str
    findings: tuple[str, ...]


def analysis_figures(results: Path) -> tuple[list[AnalysisFigure], list[str]]:
    """Return the analyses below some results for the page, and why others are left out."""
    analyses, problems = readable_analyses(results)
    figures, taken = [], 0
    for place, analysis in analyses.items():
        try:
            url = _url(analysis)
        except MoatError as error:
            problems.append(f"{place}: {error_text(error)}")
            continue
        url = url if taken + len(url) <= ANALYSES_BUDGET else ""
        taken += len(url)
        names = ", ".join(one.name for one in analysis.subjects)
        words = f"{analysis.kind} of {names}"
        lines = tuple(map(finding_line, analysis.findings))
        figures.append(AnalysisFigure(place, analysis.kind, url, words, lines))
    return figures, problems


def _url(analysis: Analysis) -> str:
    from moat.report.figures.kinds import draw_analysis  # matplotlib, for such pages alone
    from moat.report.style import render

    content = render(draw_analysis(analysis), "png")
    return "data:image/png;base64," + base64.b64encode(content).decode()
