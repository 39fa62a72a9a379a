"""Figures of a run in a line, and in the live table above the bars."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from moat.evaluation.room import gib
from moat.events import EvaluationStep


def scores_line(scores: Mapping[str, Any]) -> str:
    """Return the scores of a run in one line, in percent."""
    named = {"natural": scores["natural"], **scores["scores"], "union": scores["union"]}
    return "  ".join(
        f"{name} {'-' if score is None else format(score, '.1f')}" for name, score in named.items()
    )


def live_table(record: Mapping[str, Any]) -> Table:
    """Show a column an objective: its loss, its weight, its held-out accuracy."""
    rows = {
        "loss": record.get("loss", {}),
        "weight": record.get("weight", {}),
        "held-out accuracy %": record.get("validation", {}),
    }
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(box=None, show_header=bool(names))
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right")
    for title, row in rows.items():
        if row:
            table.add_row(title, *(_figure(row.get(name)) for name in names))
    if record.get("clamped"):
        table.caption = f"r clamped to {record['r_effective']:.3f}"
    return table


def figures_line(values: Mapping[str, float | None]) -> str:
    """Return the figures that are known in one line, each after its name."""
    return " ".join(f"{n} {_figure(value)}" for n, value in values.items() if value is not None)


def searched(step: EvaluationStep) -> str:
    """Return the threat that an evaluation is at, and on which examples."""
    return f"held out: {step.threat}" if step.held_out else step.threat


def memory_line(step: EvaluationStep) -> str:
    """Return what memory an evaluation takes."""
    return f"up to {gib(step.memory)} beside network and data, passes of {step.pass_size}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
