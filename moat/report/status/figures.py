"""A run's latest figures as a table: its losses, weights and held-out accuracies."""

from collections.abc import Mapping

from moat.report.numbers import DASH
from moat.report.status.run_status import Live
from moat.sheets import Sheet, TerminalSheet, terminal_of

_Rows = Mapping[str, Mapping[str, float | None]]


def figures_table(live: Live, width: int) -> TerminalSheet | None:
    """Return the figures, a column for each objective, or rows where that is too wide.

    None before the run has logged any.
    """
    rows = {"loss": live.loss, "weight": live.weight, "held-out accuracy %": live.validation}
    rows = {title: row for title, row in rows.items() if row}
    if not rows:
        return None
    clamped = live.clamped_to
    notes = () if clamped is None else (f"r clamped to {clamped:.3f}",)
    across = terminal_of(_sheet(rows, notes))
    return across if across.width <= width else terminal_of(_sheet(_turned(rows), notes))


def _sheet(rows: _Rows, notes: tuple[str, ...]) -> Sheet:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    return Sheet(
        headings=("", *names),
        rows=tuple(
            (title, *(_figure(row.get(name)) for name in names)) for title, row in rows.items()
        ),
        sides="l" + "n" * len(names),
        notes=notes,
    )


def _turned(rows: _Rows) -> dict[str, dict[str, float | None]]:
    names = dict.fromkeys(name for row in rows.values() for name in row)
    return {name: {title: row.get(name) for title, row in rows.items()} for name in names}


def _figure(value: float | None) -> str:
    return DASH if value is None else f"{value:.3g}"
