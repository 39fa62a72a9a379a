"""The command of an evaluation, with paths relative to its results folder."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from moat.names import names_file
from moat.records import ModelRecord, command_of
from moat.runs.places import results_of, seen_from

_PATHS = ("--protocol", "--checkpoint", "--results")
_SETTINGS = ("--set", "--arg")
_ROOT = "data.root"
_WEIGHTS = ("model.weights", "weights", "model.initial_weights", "initial_weights")


def kept_command(words: Sequence[str], results: Path) -> list[str]:
    """Return the words of a command with paths relative to a results folder, for keeping."""
    return _mapped(words, lambda path: seen_from(path, results))


def command_again(kept: Any, study: str, run: Path) -> list[str] | None:
    """Return the words of the command that repeats a folder's evaluation; None if it is not moat's.

    `kept` has the words from the record, and `study` is its study.
    """
    words = command_of(kept)
    return None if words is None else _mapped(words, lambda p: str(_seen_here(p, study, run)))


def judged_run(record: ModelRecord, run: Path) -> Path | None:
    """Return the run of a folder's evaluation under another protocol, None for other folders."""
    return None if record.of is None else _seen_here(record.of, record.study, run)


def _seen_here(path: str, study: str, run: Path) -> Path:
    """Return a kept path as it is seen from where this process runs."""
    results = results_of(run, study) or Path()
    found = results / path
    return found.resolve() if ".." in found.parts else found


def _mapped(words: Sequence[str], change: Callable[[str], str]) -> list[str]:
    """Return the words of `moat evaluate` with each path changed."""
    made = list(words)
    for place, (before, word) in enumerate(itertools.pairwise(words), 1):
        run = place == 2 and not word.startswith("-")
        if before in _PATHS or run:
            made[place] = change(word)
        elif before in _SETTINGS:
            key, equals, value = word.partition("=")
            name, path = key.strip(), value.strip().strip("\"'")
            if name == _ROOT or (name in _WEIGHTS and names_file(path)):
                made[place] = f"{key}{equals}{change(path)}"
    return made
