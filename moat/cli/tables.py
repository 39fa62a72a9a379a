"""What is listed and estimated, as tables."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from moat.evaluation.room import gib
from moat.registry import Registry
from moat.study import RunEstimate


def registry_table(registry: Registry[Any]) -> Table:
    """Show each registered name with its origin and its first line, or why it failed to load."""
    table = Table("name", "from", f"what the {registry.kind} is")
    for entry in registry.entries():
        about = Text((entry.value.__doc__ or "").partition("\n")[0]) if entry.value else None
        why = Text(f"not loaded: {entry.error}", style="red")
        table.add_row(Text(entry.name), Text(entry.origin), why if about is None else about)
    if registry.kind in _ALSO:
        table.caption = Text(_ALSO[registry.kind])
    return table


_ALSO = {
    "model": "and torchvision:<name>, any classifier of torchvision's, with the keys of resnet18; "
    "python:module:callable, a callable of your own"
}
"""What a recipe may name besides what is registered."""


def estimates_table(estimates: Sequence[RunEstimate]) -> Table:
    """Show each run's passes an example and its estimated time, and the sum."""
    from moat.report.numbers import duration  # here: lists do without what reports import

    table = Table(
        title="passes an example, at most: forwards/backwards, one number where they are equal",
        caption=f"{len(estimates)} run(s), about {duration(sum(e.seconds for e in estimates))} "
        "in all, the sanity gate apart; nothing was trained",
    )
    table.add_column("run", overflow="fold")
    for column in _ESTIMATED:
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
            gib(one.memory),
        )
    return table


_ESTIMATED = (
    "seed",
    "epochs",
    "search",
    "descent",
    "evaluation",
    "examples",
    "time",
    "evaluation's memory",
)
