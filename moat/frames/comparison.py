"""Runs side by side: their scores, and the intervals of the differences."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from moat.report.side_by_side import RunComparison

COMPARISON_SCHEMA: dict[str, pl.DataType] = {
    "score": pl.String(),
    "reference": pl.String(),
    "run": pl.String(),
    "reference_value": pl.Float64(),
    "value": pl.Float64(),
    "difference": pl.Float64(),
    "low": pl.Float64(),
    "high": pl.Float64(),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several runs beside the first of them, as `moat compare` shows them."""

    of: RunComparison

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the runs, the reference first."""
        return self.of.names

    @property
    def differences(self) -> pl.DataFrame:
        """A row a score and run: both values, their difference and its paired 95 % interval.

        In points, value less reference_value; null where a score would touch what was not searched.
        """
        return pl.DataFrame(list(self._lines()), schema=COMPARISON_SCHEMA, orient="row")

    def _lines(self) -> Iterator[dict[str, Any]]:
        reference, *others = self.names
        for paired in self.of.scores:
            pairs = zip(others, paired.values[1:], paired.differences, strict=True)
            for run, value, difference in pairs:
                yield {
                    "score": paired.score,
                    "reference": reference,
                    "run": run,
                    "reference_value": paired.values[0],
                    "value": value,
                    "difference": difference.value if difference else None,
                    "low": difference.low if difference else None,
                    "high": difference.high if difference else None,
                }

    @property
    def settings(self) -> dict[str, tuple[Any, ...]]:
        """The training settings in which the runs differ, a value each."""
        return self.of.recipe

    def __repr__(self) -> str:
        return f"Comparison of {', '.join(self.names)}\n{self.differences}"
