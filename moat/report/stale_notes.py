"""Runs whose start was trained again since, in words under every table."""

from collections.abc import Mapping, Sequence

from moat.report.points import Point
from moat.report.words import some


def stale_notes(points: Sequence[Point], names: Mapping[str, str]) -> list[str]:
    """Return a warning of the runs that start from weights which are no longer there."""
    found = [point for point in points if point.is_stale]
    added = [point for point in found if "conditioned" in point.trains]
    legs = [point for point in found if point not in added]
    mends = {
        "`moat evaluate RUN --at POINT --overwrite` makes a point anew.": added,
        "`moat train RECIPE --overwrite` trains it again.": legs,
    }
    return [
        f"warn, stale ({some([names[point.where] for point in stale])}): the run that it started "
        f"from was trained again since. {mend}"
        for mend, stale in mends.items()
        if stale
    ]
