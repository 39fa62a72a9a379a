"""The plans of races in a study's folder: race.json, race-2.json, and so on."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moat.errors import InputError, RunFolderError
from moat.races import Design
from moat.records import RaceRecord, typed
from moat.storage import disk, locked_folder, make_folder, read_json, replace, sweep, to_json

RACE_FORMAT = 1
_NAME = re.compile(r"race(-(?P<number>\d+))?\.json")
_ASKED = {
    "baseline": "baseline",
    "margin": "margin",
    "level": "level",
    "exact": "test",
    "looks": "looks",
    "seeds": "seeds",
    "objectives": "objectives",
    "reference": "reference",
    "choice_seeds": "seeds of the choice",
    "natural": "natural run",
    "protocol_hash": "protocol",
    "trainings": "training",
}
"""The keys of a plan that a later call must repeat, each in words."""
_OF_RECIPE = ("natural", "protocol_hash", "trainings")
"""Those of them that the recipe gives, and no option of a call."""


def design_of(record: RaceRecord) -> Design:
    """Return the design that a plan fixes."""
    first, last = record.looks
    return Design(first, last, record.level, record.margin, record.exact)


def read_plan(file: Path) -> RaceRecord:
    """Return the plan of a race; RunFolderError for a file that is not one."""
    table = read_json(file)
    if table is None:
        raise RunFolderError("no race was planned here.", where=str(file), hint=_PLANNED)
    found = typed(RaceRecord, table, file, _BROKEN)
    if found.format != RACE_FORMAT or len(found.looks) != 2:
        raise RunFolderError(
            f"it has format {found.format}, and this moat reads format {RACE_FORMAT}.",
            where=str(file),
            hint="Upgrade moat-robust: git pull in its checkout, or install a newer wheel.",
        )
    _require_whole(found, file)
    return found


def _require_whole(record: RaceRecord, file: Path) -> None:
    """Raise RunFolderError for values that no plan of moat has."""
    why = ""
    try:
        design_of(record)
    except InputError as error:
        why = error.message
    if empty := [name for name, folders in record.rules.items() if not folders]:
        why = f"the rule {empty[0]!r} has no folder of runs."
    if why:
        raise RunFolderError(f"it is not a plan of moat's: {why}", where=str(file), hint=_BROKEN)


def plan_files(study: Path) -> list[Path]:
    """Return the plans in a study's folder, in the order in which they were made."""
    found = [(path, _NAME.fullmatch(path.name)) for path in study.glob("race*.json")]
    numbered = [(int(match["number"] or 1), path) for path, match in found if match]
    return [path for _, path in sorted(numbered)]


def settle_plan(study: Path, asked: RaceRecord) -> tuple[Path, RaceRecord]:
    """Return the file and the plan of a race: the earlier one, or `asked`, which is then written.

    Two calls mean one race if they name the same rules, choices and score. Raises RunFolderError,
    with the first difference, if the earlier plan has another baseline, margin, level, test, seeds,
    points of a rule or training.
    """
    make_folder(study)
    with locked_folder(study):
        if earlier := earlier_plan(study, asked):
            return earlier
        number = 1 + max([0, *map(_number, plan_files(study))])
        file = study / ("race.json" if number == 1 else f"race-{number}.json")
        sweep(study, [file.name])
        replace(file, to_json(asked.as_table()))
        return file, asked


def earlier_plan(study: Path, asked: RaceRecord) -> tuple[Path, RaceRecord] | None:
    """Return the file and the plan of the same race, None without one; writes nothing.

    Raises RunFolderError as `settle_plan` does.
    """
    for file in plan_files(study):
        known = read_plan(file)
        if _question(known) == _question(asked):
            _require_agreement(known, asked, file)
            return file, known
    return None


def keep_choice(file: Path, record: RaceRecord, **values: Any) -> RaceRecord:
    """Add to a plan what was chosen on held-out images, before the first look; return it."""
    found = record.replace(**values)
    with locked_folder(file.parent):
        replace(file, to_json(found.as_table()))
    return found


def withdraw_plan(file: Path) -> None:
    """Delete a plan that no run has followed."""
    with locked_folder(file.parent), disk(file):
        file.unlink(missing_ok=True)


def _question(record: RaceRecord) -> tuple[Any, ...]:
    chosen = [name for of in record.choice.values() for name in of]
    rules = [name for name in record.rules if name not in chosen]
    return sorted(rules), sorted(record.choose), record.score


def _number(file: Path) -> int:
    match = _NAME.fullmatch(file.name)
    return int(match["number"] or 1) if match else 0


def _require_agreement(known: RaceRecord, asked: RaceRecord, file: Path) -> None:
    _require_points(known, asked, file)
    for key, word in _ASKED.items():
        before, now = getattr(known, key), getattr(asked, key)
        if key == "trainings":
            before, now = _of_both(before, now)
        if before == now:
            continue
        if key in _OF_RECIPE:
            raise RunFolderError(
                f"the race was planned with another {word}: the recipe changed since.",
                where=str(file),
                hint=f"Undo the change. {_ELSEWHERE}",
            )
        raise RunFolderError(
            f"the race was planned with {word} {_written(key, before)}, and this call has "
            f"{_written(key, now)}.",
            where=str(file),
            hint=f"A plan holds for all looks: repeat the call with {word} "
            f"{_written(key, before)}. {_ELSEWHERE}",
        )


def _require_points(known: RaceRecord, asked: RaceRecord, file: Path) -> None:
    """Raise RunFolderError if a variant has other points than the plan: of a sweep, path or film.

    A score looks at all points of its rule, and a choice at all of its variant.
    """
    before, now = _points(known), _points(asked)
    for variant in before:
        old, new = before[variant], now.get(variant, [])
        if sorted(old) != sorted(new):
            raise RunFolderError(
                f"the race was planned with {_named(old)} of {variant!r}, and this call has "
                f"{_named(new)}: the recipe changed since.",
                where=str(file),
                hint=f"Undo the change. {_ELSEWHERE}",
            )


def _points(record: RaceRecord) -> dict[str, list[str]]:
    """Return the points of each variant that a plan names, in words; none of a single run."""
    found: dict[str, list[str]] = {}
    for folder in record.trainings:
        if folder != record.natural:  # another key of the plan
            variant, *swept = folder.split("/")
            found.setdefault(variant, []).extend([" ".join(swept)] if swept else [])
    return found


def _named(points: Sequence[str]) -> str:
    word = "point" if len(points) == 1 else "points"
    return f"the {word} {', '.join(points)}" if points else "a single run"


def _of_both(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Any, Any]:
    both = before.keys() & now.keys()
    return {key: before[key] for key in both}, {key: now[key] for key in both}


def _written(key: str, value: Any) -> str:
    if key == "exact":
        return "sign flips" if value else "Student's t"
    if key == "looks":
        return "..".join(map(str, value))
    if key == "baseline":
        return repr(value) if value else "none (the leader)"
    if key == "reference" and not value:
        return "none (that of the front)"
    if isinstance(value, list):
        return ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


_ELSEWHERE = "Another plan needs another --results folder, and seeds that no look has used."
_PLANNED = "`moat race RECIPE --rules A,B` plans one and runs it."
_BROKEN = "Move it away; `moat race` with the same options writes it again."
