"""The meaning of scores, in words under every table."""

from collections.abc import Sequence

from moat.report.groups import Group
from moat.report.rows import Row

REACH_TEXT = "r out of reach: the share of training steps, in %, in which no weights reach r"


def scores_text(group: Group) -> str:
    """Return what the scores are, but for the universal one."""
    if not group.protocol.threats:
        return f"Accuracy is in % of {examples_text(group)}."
    return " ".join(
        [
            "A threat's score is the mean accuracy over its strengths, in % of "
            f"{examples_text(group)}; total: the sum over {summed_text(group)}; union: the share "
            f"that is classified correctly and withstands every threat.",
            *falls_notes(group),
        ]
    )


def scores_brief(group: Group) -> str:
    """Return what the scores are in a sentence; how an example falls only where it is unusual."""
    if not group.protocol.threats:
        return f"Accuracy is in % of {examples_text(group)}."
    first, *unusual = falls_notes(group)
    if group.protocol.falls == "any":
        unusual = [first, *unusual]
    return " ".join(
        [
            f"Scores: accuracy in % of {examples_text(group)}, a threat's averaged over its "
            f"strengths; total: of {summed_text(group)}; union: against all threats.",
            *unusual,
        ]
    )


def baseline_brief(rows: Sequence[Row], group: Group) -> list[str]:
    """Return what the universal score is measured against, in a sentence, and its exceptions."""
    first, *exceptions = baseline_notes(rows, group) or [""]
    if first.startswith("universal: "):
        first = "universal: gain in total over the natural run."
    return [*filter(None, [first]), *exceptions]


def falls_notes(group: Group) -> list[str]:
    """Return by what an example falls, and how several searches of a threat come together."""
    protocol = group.protocol
    threats = protocol.threats.values()
    which = "any" if protocol.falls == "any" else "the last"
    notes = [f"An example falls by {which} iterate of a search."]
    if any(threat.restarts > 1 for threat in threats):
        notes.append("Each strength takes the worst restart of each example.")
    if any(threat.by == "epsilon" for threat in threats):
        notes.append("An example that fell at a smaller radius counts as fallen at a larger one.")
    if protocol.ensembles:
        notes.append(
            "An ensemble's score is the share that withstands all its members at every strength."
        )
    return notes


def absence_notes(group: Group) -> list[str]:
    """Return why scores are absent, where some are."""
    if not group.protocol.threats:
        return ["-: no threat was evaluated, so natural accuracy is the only score."]
    if group.is_whole:
        return []
    return [
        "-: this evaluation (union_only) drops an example at its first fall, so only natural "
        "and union have scores."
    ]


def protocol_text(group: Group) -> str:
    """Return the protocol in a line: the threats and their strengths, what is summed, the hash."""
    if not group.protocol.threats:
        return f"Protocol {group.protocol_hash}: no threat; {examples_text(group)}."
    return (
        f"Protocol {group.protocol_hash}: {'; '.join(group.protocol.texts)}. "
        f"Scores summed over {summed_text(group)}; {examples_text(group)}."
    )


def summed_text(group: Group) -> str:
    """Return the threats whose scores are summed."""
    return ", ".join(group.protocol.summed)


def examples_text(group: Group) -> str:
    """Return the number of test examples in words."""
    counts = sorted({point.examples for point in group.points})
    return " or ".join(f"{count:,}" for count in counts) + " test examples"


def baseline_notes(rows: Sequence[Row], group: Group) -> list[str]:
    """Return what the universal score is measured against."""
    if rows[0].baseline and all(row.universal is None for row in rows):
        return []
    if not rows[0].baseline:
        return ["A universal score needs a natural run in this group."]
    lines = [
        "universal: the gain over the natural run of the same seed (or the mean of several), "
        f"summed over {summed_text(group)}."
    ]
    seed_of = {row.name: row.point.seed for row in rows}
    alone = {
        row.point.seed
        for row in rows
        if row.point.seed not in {seed_of[name] for name in row.baseline}
    }
    if alone:
        seeds = ", ".join(map(str, sorted(alone)))
        lines.append(
            f"No natural run has seed {seeds}, so the mean of all natural runs is their reference."
        )
    return lines
