"""A front as data: one row for each setting."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from moat.report.front.front import Front

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from plotly.graph_objects import Figure as InteractiveFigure


_DIFFERENCES = {
    **dict.fromkeys(("setting", "baseline", "score"), pl.String),
    **dict.fromkeys(("difference", "error"), pl.Float64),
}


@dataclass(frozen=True, eq=False)
class ResultsFront:
    """The settings of a group of comparable runs, and which of them no other dominates."""

    of: Front

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of the objectives."""
        return tuple(objective.name for objective in self.of.objectives)

    @property
    def hypervolume(self) -> float:
        """The volume that the members dominate, up to the objectives' fixed reference point."""
        return self.of.hypervolume

    @property
    def preferred(self) -> str | None:
        """The folder of the run that `prefer` chose, as the column `run` has it."""
        return None if self.of.choice is None else self.of.choice.row.point.where

    @property
    def settings(self) -> pl.DataFrame:
        """A row for each setting, members of the front first.

        Each objective has a column, the mean over seeds, and two more with the ends of its 95 %
        interval, null where the seeds are too few. `on_front` says whether no setting dominates it,
        `dominated_by` which does, `non_dominated` in which share of the resamples none did.
        """
        return pl.DataFrame([self._row(place) for place in range(len(self.of.settings))])

    @property
    def differences(self) -> pl.DataFrame:
        """A row for each setting and score: the paired difference to the baseline, and its error.

        A setting is paired with the `baseline` by seed and test image. The `error` is null where
        it is unknown, as for two seeds; the frame is empty without a baseline.
        """
        found = self.of.differences
        rows = [
            {
                "setting": setting.name,
                "baseline": found.baseline.name,
                "score": score,
                "difference": apart.value if apart else None,
                "error": apart.error if apart else None,
            }
            for setting in self.of.settings
            if found is not None
            for score, apart in found.beside(setting).items()
        ]
        return pl.DataFrame(rows, schema=_DIFFERENCES)

    def _row(self, place: int) -> dict[str, Any]:
        front, setting = self.of, self.of.settings[place]
        sure, rival = front.uncertainty, front.dominated_by[place]
        known = sure is not None and sure.over[place] is not None
        row: dict[str, Any] = {"setting": setting.name, "seeds": setting.seeds}
        for axis, objective in enumerate(front.objectives):
            row[objective.name] = float(front.values[place, axis])
            row[f"{objective.name} low"] = float(sure.low[place, axis]) if sure and known else None
            row[f"{objective.name} high"] = (
                float(sure.high[place, axis]) if sure and known else None
            )
        share = None if sure is None or sure.on_front is None else float(sure.on_front[place])
        return {
            **row,
            "on_front": bool(front.members[place]),
            "dominated_by": None if rival is None else front.settings[rival].name,
            "non_dominated": share,
            "high_trade_off": place in front.knees,
        }

    def plot(self) -> "Figure":
        """Return the picture of `moat front`: a matplotlib figure."""
        from moat.report.front.figure import draw_front
        from moat.report.front.pairs import draw_pairs

        return draw_front(self.of) if len(self.of.objectives) == 2 else draw_pairs(self.of)

    def interactive(self) -> "InteractiveFigure":
        """Return the first two objectives as a plotly figure: that of the page."""
        from plotly.graph_objects import Figure

        from moat.report.interactive import front_figure

        return Figure(front_figure(self.of)).update_layout(template="none")

    def __repr__(self) -> str:
        return f"Front by {' and '.join(self.objectives)}\n{self.settings}"
