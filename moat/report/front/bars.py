"""The 95 % intervals of a front's points, as thin bars through them."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from moat.report.front.front import Front


def draw_bars(axes: Any, front: Front, places: Iterable[int], across: int, up: int) -> None:
    """Draw the bars of some points in two of the objectives, in their settings' colours."""
    sure = front.uncertainty
    if sure is None:
        return
    pair = [across, up]
    for place in places:
        values = front.values[place, pair]
        ends = sure.low[place, pair], sure.high[place, pair]
        reach = np.stack([values - ends[0], ends[1] - values]).clip(0)
        if np.isnan(reach).any():  # two seeds
            continue
        _, _, bars = axes.errorbar(
            *values,
            fmt="none",
            xerr=reach[:, :1],
            yerr=reach[:, 1:],
            ecolor=front.look(place).colour,
            elinewidth=0.7,
            alpha=0.55 if front.members[place] else 0.25,
            zorder=1.5,
        )
        for which, bar in zip("xy", bars, strict=True):
            bar.set_gid(f"interval-{which}-{place}")
