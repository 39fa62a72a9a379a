"""One row for each test example and search: the outcome, and the highest loss."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from moat.outcomes import Outcomes
from moat.outcomes.matrix import NOT_SEARCHED, WITHSTOOD

EXAMPLES_SCHEMA: dict[str, pl.DataType] = {
    "run": pl.String(),
    "example": pl.Int64(),
    "threat": pl.String(),
    "strength": pl.Float64(),
    "restart": pl.Int64(),
    "by": pl.String(),
    "withstood": pl.Boolean(),
    "loss": pl.Float32(),
}


def examples_frame(runs: Iterable[tuple[str, Outcomes]]) -> pl.DataFrame:
    """Return a row for each run, example and search; `runs` are names and matrices.

    The natural image is the threat "natural" of strength 0. `withstood` is null where an example
    was not searched, `loss` where none was kept. A search stands for itself here: a strength is
    withstood where every restart is, and an accuracy of radii counts smaller ones besides.
    """
    frames = [_frame(run, outcomes) for run, outcomes in runs]
    return pl.concat(frames) if frames else pl.DataFrame(schema=EXAMPLES_SCHEMA)


def _frame(run: str, outcomes: Outcomes) -> pl.DataFrame:
    examples, searches = outcomes.values.shape
    verdicts = outcomes.values.ravel()
    losses = np.full(verdicts.shape, np.nan, np.float32)
    if outcomes.losses is not None:
        losses = outcomes.losses.ravel()
    by_search = pl.DataFrame(
        {
            "threat": [column.threat for column in outcomes.columns],
            "strength": [float(column.strength) for column in outcomes.columns],
            "restart": [column.restart for column in outcomes.columns],
            "by": [column.by for column in outcomes.columns],
        },
    )[np.tile(np.arange(searches), examples)]
    return by_search.with_columns(
        pl.lit(run).alias("run"),
        pl.Series("example", np.repeat(outcomes.ids, searches)),
        pl.Series("withstood", verdicts == WITHSTOOD).set(
            pl.Series(verdicts == NOT_SEARCHED), None
        ),
        pl.Series("loss", losses).fill_nan(None),
    ).select(pl.col(name).cast(kind) for name, kind in EXAMPLES_SCHEMA.items())
