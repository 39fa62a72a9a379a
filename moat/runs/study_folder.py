"""The study's folder: its requested runs, before they have folders."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from moat.errors import BusyError, RunFolderError
from moat.own_files import PLANNED
from moat.paths import files_below
from moat.records import PlannedRuns, check_record
from moat.runs.folder import RunFolder
from moat.runs.formats import in_format
from moat.runs.layout import BEGUN
from moat.runs.obstacles import Layout, obstacles_in, require_clear_way, set_aside
from moat.storage import (
    Record,
    disk,
    make_folder,
    read_json,
    replace,
    require_no_link,
    sweep,
    to_json,
    unreadable,
)

_FORMAT = 1
_LAYOUT = Layout((PLANNED,), ".study.lock", ())
_PATIENCE = 10.0  # seconds; a list is written in a moment


class StudyFolder:
    """The folder of a study's runs. It is read and made on demand."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def plan(self, asked: Sequence[Record], recipe: Sequence[Record]) -> None:
        """Add runs to the planned ones, in the recipe's order; each names its `folder`.

        `recipe` has all runs of the study's recipe. Runs requested earlier stay planned, as they
        were then, as long as the recipe has them; finished runs count, whatever their origin. So
        two commands may each train a part of a study, in turn or in parallel, and a run that was
        removed from the recipe is no longer awaited. A file with the same content is left alone.

        Raises RunFolderError for a file that is not moat's, which stays, DiskError if the write
        fails, and BusyError if another process does not release the file.
        """
        make_folder(self.path)
        with disk(self.path):
            found = obstacles_in(self.path, _LAYOUT)
        require_clear_way(found)
        with self._locked():
            sweep(self.path, [PLANNED])
            before = self.planned()
            done = {run["folder"]: _outline(run) for run in recipe if self._is_done(run)}
            known = done | {run["folder"]: run for run in before or []}
            known |= {run["folder"]: _counted(run, known.get(run["folder"], {})) for run in asked}
            planned = [known[run["folder"]] for run in recipe if run["folder"] in known]
            if planned != before:
                told = {"variants": self.variants(recipe), "runs": planned}
                replace(self.path / PLANNED, to_json({"format": _FORMAT, **told}))

    def obstacles(self) -> dict[Path, str]:
        """Return the obstacles in the place of the list, each with its kind."""
        with disk(self.path):
            found = obstacles_in(self.path, _LAYOUT)
        try:
            self.planned()
        except RunFolderError:
            found.setdefault(self.path / PLANNED, "a file that is not moat's")
        return found

    def make_way(self) -> list[str]:
        """Move the obstacles aside, under names beside their own; return them."""
        return set_aside(self.obstacles())

    def planned(self) -> list[Record] | None:
        """Return the plan of each run, None without a plan.

        Each has its `folder`, as text, relative to the study's. Raises RunFolderError for a file
        that is not moat's.
        """
        content = self._content()
        return None if content is None else content["runs"]

    def _content(self) -> Record | None:
        """Return the list's file, checked, None where there is none."""
        path = self.path / PLANNED
        content = read_json(path)
        if content is None:
            return None
        content = in_format(content, _FORMAT, path)
        try:
            check_record(PlannedRuns, content, path, "")
        except RunFolderError as error:
            raise unreadable(path, f"it is not a list of runs; {error.message}") from error
        return content

    def variants(self, more: Sequence[Record] = ()) -> list[str]:
        """Return the variants that were ever planned, in order, then those of the other runs.

        The order determines, for example, a variant's colour, which stays as the recipe changes.
        """
        content = self._content() or {"runs": []}
        runs = [*content["runs"], *more]
        named = (part for run in runs for part in Path(run["folder"]).parts[:1])
        return list(dict.fromkeys([*content.get("variants", []), *named]))

    def runs(self) -> list[RunFolder]:
        """Return the folders of runs begun here, planned or not."""
        below = (path.parent for path in files_below(self.path) if path.name in BEGUN)
        return [RunFolder(path) for path in sorted(set(below))]

    def _is_done(self, run: Record) -> bool:
        return RunFolder(self.path / run["folder"]).is_done

    @contextmanager
    def _locked(self) -> Iterator[None]:
        require_no_link(self.path / ".study.lock")
        lock = FileLock(self.path / ".study.lock")
        try:
            with disk(self.path):
                lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise BusyError(
                "another process is writing the list of planned runs.",
                where=str(self.path),
                hint="Stop it, and run the same command again.",
            ) from None
        try:
            yield
        finally:
            lock.release()


def _outline(run: Record) -> Record:
    """Return what is certain of a run that nobody asked for: not by what it is judged."""
    return {key: run[key] for key in ("folder", "label", "seed") if key in run}


def _counted(run: Record, before: Record) -> Record:
    """Return a run with the passes that were counted for it before, if it is the same run still."""
    same = run == {key: value for key, value in before.items() if key != "passes"}
    return before if same else run
