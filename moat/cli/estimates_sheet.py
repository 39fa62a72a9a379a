"""What is estimated, as a table."""

from collections.abc import Sequence

from moat.evaluation.room import gib
from moat.report.numbers import duration
from moat.sheets import Sheet
from moat.study import RunEstimate


def estimates_sheet(estimates: Sequence[RunEstimate]) -> Sheet:
    """Return each run's passes an example and its estimated time, and the sum."""
    rows = tuple(
        (
            one.plan.label,
            str(one.plan.seed),
            str(one.plan.training.epochs),
            str(one.search),
            str(one.descent),
            str(one.evaluation),
            f"{one.train_examples}+{one.test_examples}",
            duration(one.seconds),
            gib(one.memory),
        )
        for one in estimates
    )
    numbers = ("seed", "epochs", "search", "descent", "evaluation", "examples", "time")
    memory = "evaluation's memory"
    return Sheet(
        headings=("run", *numbers, memory),
        rows=rows,
        sides="l" + "r" * (len(numbers) + 1),
        title="passes an example, at most: forwards/backwards, one number where they are equal",
        notes=(
            f"{len(estimates)} run(s), about {duration(sum(e.seconds for e in estimates))} in all, "
            "the sanity gate apart; nothing was trained",
        ),
    )
