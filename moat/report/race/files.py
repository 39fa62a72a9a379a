"""A race as files: the tables as CSV, JSON and Markdown, and the picture."""

from pathlib import Path
from typing import Any

from moat.plain import json_of
from moat.report.manifest import write_files
from moat.report.race.figure import draw_race
from moat.report.race.race import Race
from moat.report.race.sheets import looks_sheet, verdict_sheet
from moat.report.race.words import race_notes
from moat.report.style import render
from moat.sheets import csv_of, markdown_of

_COLUMNS = ("seeds", "rule", "against", "difference", "low", "high", "p", "verdict")


def race_csv(race: Race) -> str:
    """Return a line for each look and rule, floats at full precision."""
    rows = [
        {**vars(pair), "seeds": look.seeds, "decided_after": pair.seeds}
        for look in race.looks
        for pair in look.pairs
    ]
    return csv_of(
        [{name: row[name] for name in (*_COLUMNS, "decided_after")} for row in rows],
        (*_COLUMNS, "decided_after"),
    )


def race_table(race: Race) -> dict[str, Any]:
    """Return all that is known of a race as plain data; what is unbounded is null in JSON."""
    looks = [
        {
            "seeds": look.seeds,
            "against": look.against,
            "racing": list(look.racing),
            "pairs": [vars(pair) for pair in look.pairs],
        }
        for look in race.looks
    ]
    return {
        "plan": race.record.as_table(),
        "file": str(race.file),
        "score": race.score.title,
        "is_over": race.is_over,
        "verdicts": {rule: pair.verdict for rule, pair in race.verdicts.items()},
        "scores": race.scores,
        "error_by_examples": race.floor,
        "looks": looks,
        "notes": race_notes(race),
    }


def race_json(race: Race) -> str:
    """Return `race_table` as JSON."""
    return json_of(race_table(race), indent=2) + "\n"


def race_markdown(race: Race) -> str:
    """Return both tables as Markdown."""
    sheets = [verdict_sheet(race), *[looks_sheet(race)] * bool(race.looks)]
    return "\n\n".join(map(markdown_of, sheets)) + "\n"


def write_race(race: Race, folder: Path | None = None) -> list[Path]:
    """Write race.csv, race.md and the picture, under the name of the plan; return the paths.

    They lie beside the plan, or in another folder.
    """
    stem = race.file.stem
    contents: dict[str, str | bytes] = {
        f"{stem}.csv": race_csv(race),
        f"{stem}.md": race_markdown(race),
    }
    if race.looks:
        figure = draw_race(race)
        contents |= {f"{stem}.{ending}": render(figure, ending) for ending in ("png", "svg")}
    return write_files(contents, folder or race.file.parent, [stem], [])
