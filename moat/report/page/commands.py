"""The commands that make a run again, as far as its folder records them."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from moat.report.page.sources import Sources
from moat.report.points import Point
from moat.runs import RunFolder, as_typed, command_again
from moat.storage import Record

AGAIN = "again"
"""The results folder that a run is trained into once more, so that nothing is overwritten."""


@dataclass(frozen=True)
class Command:
    """A line for the shell, what it does, and what cannot be said of it."""

    does: str
    line: str
    note: str = ""


def commands_of(point: Point, sources: Sources, results: Path) -> list[Command]:
    """Return the commands that train a run again and judge it again."""
    folder = results / point.where
    record = sources.record
    if record.is_evaluation_alone:
        command = command_again(record.command, record.study, folder)
        if command is None:
            return []
        return [
            Command(
                "Evaluate this model again in the same way",
                _line(*command, "--overwrite"),
                "Run it from the folder that holds the results folder: its paths start there.",
            )
        ]
    allowed = ["--allow-code"] if _names_code(sources.recipe or {}) else []
    judged = Command(
        "Evaluate it again with its own protocol", _line("moat", "evaluate", folder, *allowed)
    )
    if sources.recipe is None:
        return [judged]
    own = _line("moat", "train", RunFolder(folder).recipe, "--results", AGAIN)
    return [
        Command(
            "Train only this run again",
            own,
            f"It is written to the folder {AGAIN}. The run's own recipe, shown below, includes "
            "all extensions and overrides.",
        ),
        _of_the_study(point),
        judged,
    ]


def _names_code(recipe: Record) -> bool:
    """Say whether a run's own recipe names code, which runs only where it is allowed."""
    model = recipe.get("model")
    kind = model.get("type") if isinstance(model, dict) else None
    return bool(recipe.get("plugins")) or str(kind).startswith("python:")


def _of_the_study(point: Point) -> Command:
    name, _, overridden = point.study.partition("+")
    words = [f"{name}.toml", "--only", point.variant, "--seed", point.seed]
    note = "Insert the path of the study's file. Trains every value of the variant's sweep."
    if overridden:
        words += ["--set", "..."]
        note = (
            "Insert the path of the study's file. The study was trained with --set: the run's "
            "own recipe includes the overrides, but the command line is not recorded."
        )
    return Command(
        "Train this variant and seed from the study's recipe", _line(*_train, *words), note
    )


def _line(*words: object) -> str:
    return shlex.join(as_typed(str(word)) for word in words)


_train = ("moat", "train")
