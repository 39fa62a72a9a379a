"""What a front's numbers mean, in words: under the table, under the picture, in front.json."""

from typing import Any

from moat.report.front import Front


def notes(front: Front) -> list[str]:
    """Return what the numbers mean, which baseline was used, and the hypervolume."""
    first, second = front.objectives
    summed = ", ".join(front.group.protocol["summed"])
    return [
        f"front: ● no other run dominates it by {first.name} and {second.name}; < one that does.",
        f"A threat's score is its mean accuracy over the listed strengths, in % of "
        f"{examples_text(front)}; total: their sum over {summed}; union: the share that withstood "
        "every threat and is classified correctly to begin with.",
        *_baseline_notes(front, summed),
        hypervolume_text(front),
    ]


def caption_text(front: Front) -> str:
    """Return the protocol in a line: the threats and their strengths, the examples, the hash."""
    threats = [_threat_text(name, table) for name, table in front.group.protocol["threats"].items()]
    summed = ", ".join(front.group.protocol["summed"])
    return (
        f"Protocol {front.group.protocol_hash}: {'; '.join(threats)}. Scores summed over {summed}; "
        f"{examples_text(front)}. {hypervolume_text(front)}"
    )


def hypervolume_text(front: Front) -> str:
    """Return the hypervolume and the reference point it is measured against."""
    corner = ", ".join(f"{o.name} {o.reference:g}" for o in front.objectives)
    return f"Hypervolume {front.hypervolume:,.1f} against the fixed reference point ({corner})."


def examples_text(front: Front) -> str:
    """Return the number of test examples in words."""
    counts = sorted({row.point.examples for row in front.rows})
    return " or ".join(f"{count:,}" for count in counts) + " test examples"


def _baseline_notes(front: Front, summed: str) -> list[str]:
    if front.rows[0].universal is None:
        return [
            "No natural run is in this group, so there is no universal score: the front is of "
            "total score and natural accuracy."
        ]
    lines = [
        "universal: the gain over the natural run of the same seed (the mean of several), summed "
        f"over {summed}."
    ]
    seed_of = {row.name: row.point.seed for row in front.rows}
    alone = {
        row.point.seed
        for row in front.rows
        if row.point.seed not in {seed_of[name] for name in row.baseline}
    }
    if alone:
        seeds = ", ".join(map(str, sorted(alone)))
        lines.append(
            f"No natural run has seed {seeds}: there the mean of all natural runs is compared with."
        )
    return lines


def _threat_text(name: str, table: dict[str, Any]) -> str:
    words = [name]
    if "epsilon" in table:
        words.append(f"ε {table['epsilon']}")
    if "step_size" in table:
        words.append(f"step {table['step_size']}")
    if "at_steps" in table:
        words.append(f"at {', '.join(map(str, table['at_steps']))} steps")
    return " ".join(words)
