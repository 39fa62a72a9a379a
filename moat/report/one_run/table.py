"""One run's scores for the terminal: a line a threat, and what all of them come to."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from moat.names import NATURAL
from moat.report.gate import gate_notes
from moat.report.notes import absence_notes, protocol_text, scores_text
from moat.report.numbers import ABSENT, finite, percent
from moat.report.one_run.scores import RunScores

_TERMS = (
    "worst: the lowest accuracy; conditional: the score among the examples that are right to begin "
    "with; loss: the mean over the examples at the best iterate of the largest strength, of what "
    "was climbed{until}."
)
_UNTIL_FALLEN = ", up to its fall where an example fell, since it leaves the search there"


def run_table(scores: RunScores) -> Group:
    """Return where the run lies, its table, and what the numbers mean."""
    point = scores.point
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("", overflow="fold")
    table.add_column("accuracy at each strength", overflow="fold")
    for name in ("score", "worst", "conditional", "loss"):
        table.add_column(name, justify="right", no_wrap=True)
    _line(table, NATURAL, "", percent(point.natural), "", "", _loss(scores, NATURAL))
    for name in point.scored:
        numbers = (point.scores[name], point.worst[name], point.conditional[name])
        texts = [percent(finite(number)) for number in numbers]
        _line(table, name, _strengths(scores, name), *texts, _loss(scores, name))
    table.add_section()
    _line(table, "total", _of(point.protocol["summed"]), percent(point.total))
    _line(table, "union", "", percent(point.union))
    if scores.named:
        _line(table, "union", _of(scores.named), percent(scores.union))
    if scores.baseline is not None:
        _line(table, "universal", f"against {scores.baseline}", percent(scores.universal))
    until = _UNTIL_FALLEN if point.protocol.get("falls") == "any" else ""
    terms = _TERMS.format(until=until)
    notes = [scores_text(scores.group), terms, *absence_notes(scores.group), *gate_notes([point])]
    shown: list[RenderableType] = [
        Text(f"{scores.path}: {point.label}, seed {point.seed}", style="italic"),
        table,
        Text("\n".join([*notes, protocol_text(scores.group)]), style="dim"),
    ]
    return Group(*shown)


def _line(table: Table, *texts: str) -> None:
    table.add_row(*map(Text, texts))


def _of(names: Sequence[str]) -> str:
    return f"of {', '.join(names)}"


def _strengths(scores: RunScores, name: str) -> str:
    """Return a threat's accuracy at each strength, or the members of an ensemble."""
    point = scores.point
    if name not in point.accuracy:
        return " and ".join(point.protocol["ensembles"][name]) + " together"
    sign = "ε " if "at_epsilon" in point.protocol["threats"][name] else ""
    found = point.accuracy[name].items()
    return "  ".join(f"{sign}{strength}: {percent(value)}" for strength, value in found)


def _loss(scores: RunScores, name: str) -> str:
    """Return the loss at the largest strength; none of an ensemble, whose members differ in it."""
    losses = scores.losses.get(name, {})
    loss = losses[max(losses, key=float)] if losses else None
    return ABSENT if loss is None else f"{loss:.3f}"
