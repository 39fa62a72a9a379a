"""A comparison of two protocols for the terminal, as Markdown, and as CSV."""

from dataclasses import replace
from statistics import fmean
from typing import Any

from rich.console import Group
from rich.text import Text

from moat.names import NATURAL
from moat.report.common_examples import common_text
from moat.report.gate import gate_notes
from moat.report.notes import protocol_text
from moat.report.numbers import finite, gap, percent
from moat.report.plugin_notes import plugin_notes
from moat.report.protocols.comparison import SUM, WHOLE_UNION, Pair, ProtocolComparison, Side
from moat.report.words import some
from moat.sheets import Sheet, csv_of, escaped, markdown_of, terminal_of


def against_table(comparison: ProtocolComparison) -> Group:
    """Return the title, a line for each variant, and the notes."""
    return Group(
        Text(_title(comparison), style="italic"),
        terminal_of(_sheet(comparison, "", gaps=False), gap=2),
        Text(flattery(comparison), style="bold"),
        Text("\n".join(against_notes(comparison)), style="dim"),
    )


def against_markdown(comparison: ProtocolComparison) -> str:
    """Return the same as Markdown, each difference in brackets."""
    parts = [
        f"# {escaped(_title(comparison))}",
        markdown_of(_sheet(comparison, "run", gaps=True)),
        escaped(flattery(comparison)),
        "\n".join(f"- {escaped(note)}" for note in against_notes(comparison)),
    ]
    return "\n\n".join(parts) + "\n"


def against_sheet(comparison: ProtocolComparison) -> Sheet:
    """Return title, table and notes, each difference in brackets."""
    sheet = _sheet(comparison, "run", gaps=True)
    notes = (flattery(comparison), *against_notes(comparison))
    return replace(sheet, title=_title(comparison), notes=notes)


def _sheet(comparison: ProtocolComparison, first: str, *, gaps: bool) -> Sheet:
    rows = []
    for pair in comparison.pairs:
        cells = [_both(pair, name) for name in comparison.columns]
        if gaps:
            drops = [gap(_negative(pair.drop(name))) for name in comparison.columns]
            cells = [f"{cell} ({drop})" for cell, drop in zip(cells, drops, strict=True)]
        rows.append((pair.label, percent(pair.natural), *cells))
    headings = (first, NATURAL, *comparison.columns)
    return Sheet(headings, tuple(rows), "l" + "r" * (len(headings) - 1))


def against_csv(comparison: ProtocolComparison) -> str:
    """Return one line for each score of each variant, floats at full precision."""
    rows = against_rows(comparison)
    return csv_of(rows, list(rows[0]))


def against_rows(comparison: ProtocolComparison) -> list[dict[str, Any]]:
    """Return a row for each score of each variant."""
    return [
        {
            "label": pair.label,
            "score": name,
            "here": finite(pair.here[name]),
            "there": finite(pair.there[name]),
            "difference": finite(_negative(pair.drop(name))),
            "natural": pair.natural,
            "seeds": pair.seeds,
            "examples": comparison.examples,
            "protocol_here": comparison.here.group.protocol_hash,
            "protocol_there": comparison.there.group.protocol_hash,
        }
        for pair in comparison.pairs
        for name in comparison.columns
    ]


def flattery(comparison: ProtocolComparison) -> str:
    """Return in a sentence how far the one protocol flatters against the other."""
    drops = list(comparison.drops())
    if not drops:
        return "No accuracy was measured under both protocols."
    largest, label, name = max(drops)
    mean = fmean(drop for drop, _, _ in drops)
    here, there = comparison.here.folder, comparison.there.folder
    if largest <= 0:
        return f"No accuracy is lower under {there} than under {here}."
    return (
        f"{here} overstates accuracy against {there} by up to {largest:.1f} points ({label}, "
        f"{name}), and by {mean:.1f} on average over runs and threats."
    )


def against_notes(comparison: ProtocolComparison) -> list[str]:
    """Return what is compared, what only one side has, and both protocols with their gates."""
    here, there = comparison.here, comparison.there
    notes = [
        f"a → b: the accuracy in %, {_examples(comparison)}, at the largest strength, "
        f"under {here.folder} and under {there.folder}. Means over strengths are not compared, "
        f"because the strengths differ. {WHOLE_UNION}: over all threats of each protocol."
    ]
    notes += _radii_notes(comparison)
    if comparison.summed:
        notes.append(f"{SUM}: of {', '.join(comparison.summed)}.")
    for side in (here, there):
        members = {one for of in side.group.protocol.ensembles.values() for one in of}
        if alone := [n for n in side.group.scored if n not in (*comparison.names, *members)]:
            notes.append(f"Only under {side.folder}: {', '.join(alone)}.")
    if comparison.unmatched:
        notes.append(f"Runs on one side only: {some(comparison.unmatched)}.")
    if comparison.changed:
        notes.append(
            f"Natural accuracy differs in {some(comparison.changed)}: another model of the same "
            "recipe, or another machine."
        )
    notes += [f"skipped: {message}" for side in (here, there) for message in side.skipped]
    points = {side.folder: side.group.points for side in (here, there)}
    runs = [
        (point, f"{point.label} of {where}") for where, held in points.items() for point in held
    ]
    plugins = plugin_notes([point for point, _ in runs], [name for _, name in runs])
    return [*notes, *_protocol(here), *_protocol(there), *plugins]


def _examples(comparison: ProtocolComparison) -> str:
    """Return the examples that every number is of, in words."""
    return common_text(comparison.examples, comparison.evaluated)


def _radii_notes(comparison: ProtocolComparison) -> list[str]:
    """Say where the two protocols search in balls of different size."""
    sides = (comparison.here, comparison.there)
    radii = {name: [_radii(side, name) for side in sides] for name in comparison.names}
    other = [f"{n} {' and '.join(both)}" for n, both in radii.items() if both[0] != both[1]]
    if not other:
        return []
    return [
        f"Radii differ: {'; '.join(other)}. The difference then reflects the sets as well as the "
        "searches, unless the search in the larger ball stays within the smaller one."
    ]


def _radii(side: Side, name: str) -> str:
    """Return the largest radii that a threat is searched at, or the members of an ensemble."""
    protocol = side.group.protocol
    members = protocol.members(name)
    found: dict[str, None] = {}
    for member in members:
        radii = protocol.threats[member].radii.items()
        found[", ".join(f"{ball} ε {radius}".strip() for ball, radius in radii)] = None
    return " or ".join(found)


def _protocol(side: Side) -> list[str]:
    first, *_ = gate_notes(side.group.points)
    return [f"{side.folder}: {protocol_text(side.group)}", f"{side.folder}: {first}"]


def _title(comparison: ProtocolComparison) -> str:
    return f"{comparison.here.group.title}, against {', '.join(comparison.there.group.studies)}"


def _both(pair: Pair, name: str) -> str:
    return f"{percent(pair.here[name])} → {percent(pair.there[name])}"


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
