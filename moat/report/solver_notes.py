"""Training steps with an unsolved quadratic program, in words under every table."""

from collections.abc import Mapping, Sequence

from moat.report.points import Point
from moat.report.words import some


def unsolved_notes(points: Sequence[Point], names: Mapping[str, str]) -> list[str]:
    """Return a warning of the runs in which a solver refused, named by where they lie."""
    shares = {point.where: _share(point) for point in points}
    found = sorted(filter(shares.get, shares), key=lambda where: shares[where], reverse=True)
    if not found:
        return []
    return [
        f"warn, solver ({some([names[where] for where in found])}): it found no weights in "
        f"{shares[found[0]]:.1%} of the training steps. There, MGDA used uniform weights and "
        "two-moment kept the last ones."
    ]


def _share(point: Point) -> float:
    share = point.training.get("unsolved_share")
    return float(share) if isinstance(share, int | float) and 0 < share <= 1 else 0.0
