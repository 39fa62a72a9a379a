"""What is estimated, as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from moat.study import RunEstimate


def estimates_table(estimates: Sequence[RunEstimate]) -> Table:
    """Show each run's passes an example and its estimated time, and the sum."""
    from moat.report.numbers import duration  # here: lists do without what reports import

    table = Table(
        title="passes an example, at most: forwards/backwards, one number where they are equal",
        caption=f"{len(estimates)} run(s), about {duration(sum(e.seconds for e in estimates))} "
        "in all, the sanity gate apart; nothing was trained",
    )
    table.add_column("run", overflow="fold")
    for column in ("seed", "epochs", "search", "descent", "evaluation", "examples", "time"):
        table.add_column(column, justify="right")
    for one in estimates:
        table.add_row(
            Text(one.plan.label),
            str(one.plan.seed),
            str(one.plan.training.epochs),
            str(one.search),
            str(one.descent),
            str(one.evaluation),
            f"{one.train_examples}+{one.test_examples}",
            duration(one.seconds),
        )
    return table
