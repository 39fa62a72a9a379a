"""A front as a table for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from moat.report.front import Front
from moat.report.notes import notes
from moat.report.rows import Row


def front_table(front: Front) -> Table:
    """Return one line a run: what it was, its scores, and its place on or off the front."""
    threats = list(front.group.protocol["threats"])
    seeds = len({row.point.seed for row in front.rows}) > 1
    studies = len(front.group.studies) > 1
    table = Table(
        title=Text(front.group.title),
        caption=Text("\n".join(notes(front))),
        box=SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        show_edge=False,
        padding=0,
    )
    for name in [*["study"] * studies, "variant", "sweep"]:
        table.add_column(name, no_wrap=True)
    for name in [*["seed"] * seeds, "natural", *threats, "universal", "total", "union"]:
        table.add_column(Text(name), justify="right", min_width=5, overflow="fold")
    table.add_column("front", no_wrap=True)
    for place, row in enumerate(front.rows):
        point, rival = row.point, front.dominated_by[place]
        words = [*[point.study] * studies, point.variant, sweep_text(row)]
        scores = [point.scores[threat] for threat in threats]
        numbers = [point.natural, *scores, row.universal, point.total, point.union]
        cells = [*words, *[str(point.seed)] * seeds, *map(_percent, numbers)]
        cells.append("●" if rival is None else f"< {front.rows[rival].name}")
        table.add_row(*(Text(cell) for cell in cells), style="bold" if rival is None else "dim")
    return table


def sweep_text(row: Row) -> str:
    """Return the sweep values by the last part of their keys: r=0.5."""
    return ", ".join(f"{key.split('.')[-1]}={value}" for key, value in row.point.sweep.items())


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:z.1f}"
