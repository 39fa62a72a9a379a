"""Finished runs by a folder: their own, or one above."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from moat.errors import MoatError, NoRunError, RunFolderError
from moat.report.evidence import Evidence, evidence_of
from moat.report.points import Point, error_text, point_of, read_each, unfinished_lines
from moat.runs import RunFolder, find_runs, require_results

_SHOWN = 10
_NAME = "Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or one above."


def runs_at(path: Path) -> list[Path]:
    """Return the finished run that a folder is, or those below it; RunFolderError where none is."""
    below = [folder.path for folder in find_runs(path)]
    if not below:
        require_results(path, NoRunError, _NAME)
        begun = RunFolder(path).recipe.exists()
        raise NoRunError(
            "the folder has no finished run (no run.json).",
            where=str(path),
            hint="The run has begun: `moat train` with its study's recipe resumes it."
            if begun
            else _NAME,
        )
    return [path] if path in below else below


def run_at(path: Path, called: str) -> Path:
    """Return the one finished run that a folder is or has below it; several are refused by name."""
    runs = runs_at(path)
    if len(runs) > 1:
        names = [str(run) for run in runs[:_SHOWN]]
        rest = ", ..." if len(runs) > _SHOWN else ""
        raise RunFolderError(
            f"{called} is one run, but this folder contains {len(runs)}.",
            where=str(path),
            hint=f"Name one of them: {', '.join(names)}{rest}",
        )
    return runs[0]


def read_named(path: Path, read: Callable[[RunFolder], Point]) -> tuple[list[Point], list[str]]:
    """Return what is read of the runs that a folder names, and why others below it are left out.

    Raises the run's own error where it is the only one, RunFolderError where of several none can be
    read.
    """
    runs = runs_at(path)
    points, failed = read_each(map(RunFolder, runs), read)
    skipped = list(map(error_text, failed))
    if not points:
        if len(failed) == 1:
            raise failed[0]
        raise RunFolderError(
            f"none of the {len(failed)} runs in this folder can be read.",
            where=str(path),
            hint="\n".join(skipped),
        )
    return points, [*skipped, *([] if runs == [path] else unfinished_lines(path))]


def read_run(path: Path) -> tuple[Point, Evidence]:
    """Return a finished run, scored, and what lies in its folder."""
    folder = RunFolder(path)
    with at_run(path):
        evidence = evidence_of(folder)
        return point_of(folder, folder.path, evidence), evidence


@contextmanager
def at_run(path: Path) -> Iterator[None]:
    """Say of a run whatever is refused without naming a place."""
    try:
        yield
    except MoatError as error:
        raise error if error.where else error.at(str(path)) from error
