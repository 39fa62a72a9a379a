"""One run's scores for the terminal: one line for each threat, and their summary."""

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Group
from rich.text import Text

from moat.names import NATURAL
from moat.report.gate import gate_notes
from moat.report.gate_brief import gate_brief
from moat.report.notes import absence_notes, protocol_text, scores_brief, scores_text
from moat.report.numbers import DASH, finite, percent
from moat.report.one_run.scores import RunScores
from moat.runs import as_typed
from moat.sheets import Sheet, terminal_of

_TERMS = (
    "worst: the lowest accuracy; conditional: the score among the examples classified "
    "correctly; loss: the search's loss at the best iterate of the largest strength, averaged "
    "over the examples{until}."
)
_UNTIL_FALLEN = " (for a fallen example, up to its fall, which ends its search)"


def run_table(scores: RunScores) -> Group:
    """Return where a run lies, its table, and what the numbers mean."""
    return run_tables([scores])


def run_tables(runs: Sequence[RunScores], *, brief: bool = False) -> Group:
    """Return where each run lies, its table, and what the numbers mean, `brief` or all of it.

    What is said of all of several runs stands below the last, once.
    """
    sheets = [run_sheet(scores) for scores in runs]
    if brief:
        said = zip(sheets, map(brief_run_notes, runs), strict=True)
        sheets = [replace(sheet, notes=tuple(notes)) for sheet, notes in said]
    shared = [note for note in sheets[0].notes if all(note in one.notes for one in sheets)]
    parts = [_part(sheet, [note for note in sheet.notes if note not in shared]) for sheet in sheets]
    return Group(*parts, Text("\n".join(shared), style="dim"))


def _part(sheet: Sheet, notes: Sequence[str]) -> Group:
    title = Text(sheet.title, style="italic")
    table = terminal_of(replace(sheet, title="", notes=()))
    return Group(title, table, *[Text("\n".join(notes), style="dim")] * bool(notes))


def run_sheet(scores: RunScores) -> Sheet:
    """Return a line for each threat, and what all of them come to."""
    point = scores.point
    rows = [(NATURAL, "", percent(point.natural), "", "", _loss(scores, NATURAL))]
    for name in point.scored:
        numbers = (point.scores[name], point.worst[name], point.conditional[name])
        mean, worst, conditional = (percent(finite(number)) for number in numbers)
        strengths = _strengths(scores, name)
        rows.append((name, strengths, mean, worst, conditional, _loss(scores, name)))
    sums = [
        ("total", _of(point.protocol.summed), point.total),
        ("union", "", point.union),
    ]
    if scores.named:
        sums.append(("union", _of(scores.named), scores.union))
    if scores.baseline is not None:
        sums.append(("universal", f"against {as_typed(str(scores.baseline))}", scores.universal))
    return Sheet(
        headings=("", "accuracy at each strength", "score", "worst", "conditional", "loss"),
        rows=(*rows, *((name, of, percent(value), "", "", "") for name, of, value in sums)),
        sides="llnnnn",
        title=f"{scores.typed}: {point.label}, seed {point.seed}",
        notes=tuple(_notes(scores)),
        sections=frozenset({len(rows)}),
    )


def brief_run_notes(scores: RunScores) -> list[str]:
    """Return what a reader must know of a run's numbers, the worst first."""
    said = [scores_brief(scores.group), _terms(scores), *absence_notes(scores.group)]
    return [*gate_brief([scores.point]), *said]


def _notes(scores: RunScores) -> list[str]:
    said = [scores_text(scores.group), _terms(scores), *absence_notes(scores.group)]
    return [*said, *gate_notes([scores.point]), protocol_text(scores.group)]


def _terms(scores: RunScores) -> str:
    return _TERMS.format(until=_UNTIL_FALLEN if scores.point.protocol.falls == "any" else "")


def _of(names: Sequence[str]) -> str:
    return f"of {', '.join(names)}"


def _strengths(scores: RunScores, name: str) -> str:
    """Return a threat's accuracy at each strength, or the members of an ensemble."""
    point = scores.point
    if name not in point.accuracy:
        return point.protocol.together(name)
    threat, found = point.protocol.threats[name], point.accuracy[name].items()
    return "  ".join(f"{threat.marked(strength)}: {percent(value)}" for strength, value in found)


def _loss(scores: RunScores, name: str) -> str:
    """Return the loss at the largest strength; none of an ensemble, whose members differ in it."""
    losses = scores.losses.get(name, {})
    loss = losses[max(losses, key=float)] if losses else None
    return DASH if loss is None else f"{loss:.3f}"
